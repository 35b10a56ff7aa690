"""Trained models that people use, through the real command: what was recorded of them elsewhere.

They lie outside the repository, as those of tests/weights/test_fixtures.py do.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.weights.builders import FIXTURES, close, needs_fixtures

pytestmark = needs_fixtures
MODELS = FIXTURES / "models"


def ran(lstm, *arguments: object) -> list[dict[str, np.ndarray]]:
    """Run the command on one sequence; return for each layer and direction its states, (T, H)."""
    done = lstm("run", *arguments, "--json")
    assert done.code == 0, done.stderr
    (sequence,) = done.json["sequences"]
    cells: dict[tuple[int, str], list[dict]] = {}
    for record in sequence["steps"]:
        cells.setdefault((record["layer"], record["direction"]), []).append(record)
    return [
        {key: np.array([step[key] for step in cells[place]]) for key in ("hidden", "cell")}
        for place in sorted(cells)
    ]


@pytest.mark.parametrize("file", ["weights_from_jit.safetensors", "lstm_onnx_layout.safetensors"])
def test_a_voice_detector_streams_in_chunks_in_both_orders(lstm, tmp_path, file):
    """Each call goes on from the state that the one before it wrote."""
    with np.load(MODELS / "silero_vad" / "expected_torch.npz") as record:
        x, hidden, cell = (record[f"jit_{key}"] for key in ("feat", "h", "c"))
        probability = record["prob_jit"]
    state, found = tmp_path / "state.safetensors", []
    for start, end in ((0, 1), (1, 8), (8, 31)):
        np.save(tmp_path / "x.npy", x[start:end])
        given = ("-w", MODELS / "silero_vad" / file, "--vectors", tmp_path / "x.npy")
        carried = ("--initial-state", state) if start else ()
        (layer,) = ran(lstm, *given, *carried, "--final-state", state)
        close(layer["hidden"], hidden[start:end], 1e-5)
        close(layer["cell"], cell[start:end], 1e-5)
        found.append(layer["hidden"])
    weights = load_file(MODELS / "silero_vad" / "weights_from_jit.safetensors")
    # What stands behind the LSTM: ReLU, one output, sigmoid.
    shown = np.maximum(np.concatenate(found), 0) @ weights["final_conv.weight"][0, :, 0]
    close(1 / (1 + np.exp(-shown - weights["final_conv.bias"])), probability, 1e-4)


def test_chinese_pronunciations_are_those_of_the_package(lstm):
    """Both directions, and the two dense layers behind them; the README's own example."""
    folder = MODELS / "g2pm"
    with np.load(folder / "expected_torch.npz") as record:
        recorded = dict(record)
    ids = ",".join(map(str, recorded["ids"]))
    forward, reverse = ran(lstm, "-w", folder / "weights.safetensors", "--ids", ids)
    hidden = np.concatenate([forward["hidden"], reverse["hidden"]], axis=-1)
    close(hidden, recorded["lstm_out"], 1e-5)
    last = [forward["cell"][-1], reverse["cell"][0]]
    close(np.stack(last), recorded["c_n"], 1e-5)
    weights = load_file(folder / "weights.safetensors")
    first, second = (
        (weights[f"logit_layer.{n}.weight"].T, weights[f"logit_layer.{n}.bias"]) for n in (0, 2)
    )
    logits = np.maximum(hidden[recorded["poly_idx"]] @ first[0] + first[1], 0) @ second[0]
    logits += second[1]
    close(logits, recorded["logits"], 1e-4)
    assert (logits.argmax(axis=-1) == recorded["package_preds"]).all()
    classes = {n: name for name, n in json.loads((folder / "class2idx.json").read_text()).items()}
    readme = json.loads((folder / "readme_expected.json").read_text("utf-8"))
    letters = re.findall(r"\d+|.", readme["text"])
    tone_of = dict(zip(letters, readme["tone_true"], strict=True))
    ambiguous = [readme["text"][place - 1] for place in recorded["poly_idx"]]  # after the start
    assert [classes[n] for n in logits.argmax(axis=-1)] == [tone_of[word] for word in ambiguous]


def test_a_character_model_is_run_and_goes_on_as_tensorflow_js_does(lstm, tmp_path):
    folder = MODELS / "ml5_charrnn" / "shakespeare"
    expected = json.loads((folder / "expected_tfjs.json").read_text("utf-8"))
    steps = expected["steps"]
    weights = raw_model(folder, tmp_path)
    vocabulary = (folder / "vocab.json").read_text("utf-8")
    (tmp_path / "vocab.json").write_text(vocabulary, "utf-8")
    ids = ",".join(str(step["id"]) for step in steps)
    layers = ran(lstm, "-w", weights, "--ids", ids)
    for number, layer in enumerate(layers):
        close(layer["cell"], np.array([step[f"c{number}"] for step in steps]), 1e-5)
        close(layer["hidden"], np.array([step[f"h{number}"] for step in steps]), 1e-5)
    count = len(expected["greedy"])
    assert count > 60
    done = lstm("generate", expected["seed"], "-w", weights, "--steps", count, "--json")
    assert done.code == 0, done.stderr
    letters = sorted(json.loads(vocabulary), key=json.loads(vocabulary).__getitem__)
    written = "".join(letters[n] for n in done.json["sequences"][0]["ids"])
    assert written == expected["seed"] + expected["greedy"]


def raw_model(folder: Path, to: Path) -> Path:
    """A safetensors file of the raw numbers that ml5 has one file each of."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    arrays = {
        name: np.fromfile(folder / entry["filename"], np.float32).reshape(entry["shape"])
        for name, entry in manifest.items()
    }
    save_file(arrays, to / "model.safetensors")
    return to / "model.safetensors"
