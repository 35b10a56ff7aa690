"""Files that other people's frameworks wrote, and what those computed with them.

They lie outside the repository, beside the checkout or where LSTM_FIXTURES says; without them
these tests are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lstm.generation import generate
from lstm.head import log_softmax
from lstm.parameters import LayerParameters, Parameters
from lstm.trace import Trace
from lstm.variants import Variant
from tests.weights.builders import FIXTURES, ROOT, close, needs_fixtures, states
from weights import load
from weights.errors import NotAnLSTMError

pytestmark = needs_fixtures
LAYOUTS = FIXTURES / "layouts"
MODELS = FIXTURES / "models"

# What a file cannot tell, as its README lists it, and nothing else.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "keras2.2.5_hard_sigmoid_legacy_h5": {"gate_activation": "hard-sigmoid"},
    "tfjs_lstm_hardSigmoid": {"gate_activation": "hard-sigmoid"},
    "tf1_LSTMCell_clip": {"cell_clip": 0.3},
    "allennlp_LstmCellWithProjection_clip": {"cell_clip": 0.3, "projection_clip": 0.2},
    "textbook_W_f_xh": {"concatenation": "xh"},
    "onnx_lstm_input_forget": {"coupled": True},
}
TITLES = {
    "allennlp": "allennlp", "chainer": "chainer", "cntk": "cntk", "dynet": "dynet",
    "equinox": "equinox", "fastai": "fastai", "flax": "flax", "haiku": "haiku", "icu": "icu",
    "keras2.2.5_CuDNN": "keras-cudnn", "keras2.2.5_hard": "keras", "keras2c": "keras2c",
    "keras3_weights": "keras-numbered", "keras3_paths": "keras", "keras3_bidir": "keras",
    "mlx": "mlx", "mxnet": "mxnet", "onnx": "onnx", "openvino": "openvino", "paddle": "paddle",
    "rtneural": "keras-numbered", "sonnet1": "sonnet-1", "sonnet2": "sonnet-2",
    "textbook_WFG": "textbook", "textbook_W_f": "textbook-concatenated",
    "textbook_Wf": "textbook-concatenated", "textbook_split": "textbook-w-u",
    "tf1_Coupled": "tensorflow-coupled", "tf1": "tensorflow", "tfjs": "keras", "tflite": "tflite",
    "tinygrad": "pytorch-cell", "torch_lstmcell": "pytorch-cell", "torch_lstm": "pytorch",
}  # fmt: skip


def names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.safetensors")) or ["none"]


def recorded(name: str) -> dict[str, np.ndarray]:
    with np.load(LAYOUTS / f"{name}.npz") as run:
        return dict(run)


def assert_recorded(trace: Trace, run: Mapping[str, np.ndarray], tolerance: float) -> None:
    """Compare with whatever a framework gave: all its hidden states, and more where it did."""
    close(trace.hidden.swapaxes(0, 1), run["hs"], tolerance)
    if "cs" in run:
        close(trace.cell.swapaxes(0, 1), run["cs"], tolerance)
    final = list(trace.final.cells.values())
    for key, found in (("h_n", [s.h for s in final]), ("c_n", [s.c for s in final])):
        if key in run:
            expected = run[key].reshape(-1, *run[key].shape[-2:])
            close(np.stack(found), expected, tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-6), ("float32", 1e-5)])
@pytest.mark.parametrize("name", names(LAYOUTS))
def test_every_layout_is_reproduced(name: str, dtype: str, tolerance: float) -> None:
    run = recorded(name)
    model = load(LAYOUTS / f"{name}.safetensors", dtype=dtype, **OPTIONS.get(name, {}))
    start = states(run, model.parameters.num_directions)
    trace = model.run(vectors=run["x"].swapaxes(0, 1), initial_state=start or None)
    assert trace.hidden.dtype == dtype
    assert_recorded(trace, run, tolerance)


@pytest.mark.parametrize("name", names(LAYOUTS))
def test_every_layout_is_called_by_its_name(name: str) -> None:
    assert load(LAYOUTS / f"{name}.safetensors").card.layout == title_of(name)


def title_of(name: str) -> str:
    return TITLES[max((start for start in TITLES if name.startswith(start)), key=len)]


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_an_option_that_is_needed_changes_the_numbers(name: str) -> None:
    run = recorded(name)
    model = load(LAYOUTS / f"{name}.safetensors", dtype="float64")
    trace = model.run(vectors=run["x"].swapaxes(0, 1))
    told = load(LAYOUTS / f"{name}.safetensors", dtype="float64", **OPTIONS[name])
    assert np.abs(trace.hidden - told.run(vectors=run["x"].swapaxes(0, 1)).hidden).max() > 1e-3


@pytest.mark.parametrize("name", names(LAYOUTS))
def test_the_command_reproduces_it(name: str, tmp_path: Path) -> None:
    run = recorded(name)
    vectors, state = tmp_path / "x.npy", tmp_path / "state.safetensors"
    np.save(vectors, run["x"].swapaxes(0, 1))
    directions = 2 if "bidir" in name else 1
    options = [f"--vectors={vectors}", "--dtype=float64", "--json"]
    if start := states(run, directions):
        save_file({key: np.ascontiguousarray(a) for key, a in start.items()}, state)
        options.append(f"--initial-state={state}")
    for option, value in OPTIONS.get(name, {}).items():
        flag = f"--{option.replace('_', '-')}"
        options.append(flag if value is True else f"{flag}={value}")
    weights = LAYOUTS / f"{name}.safetensors"
    document = json.loads(command("run", "-w", str(weights), *options).stdout)
    close(last_layer(document), run["hs"].swapaxes(0, 1), 1e-6)
    if "cs" in run:
        close(last_layer(document, "cell"), run["cs"].swapaxes(0, 1), 1e-6)


@pytest.mark.parametrize("name", names(LAYOUTS))
def test_the_command_names_its_layout_and_tells_the_evidence(name: str) -> None:
    weights = LAYOUTS / f"{name}.safetensors"
    (found,) = json.loads(command("inspect", str(weights), "--json").stdout)["lstms"]
    assert found["layout"] == title_of(name)
    assert len(found["evidence"]) >= 2
    assert all(found["evidence"])


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command of this tree."""
    code = "from cli.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def last_layer(document: dict[str, Any], quantity: str = "hidden") -> np.ndarray:
    """(N, T, directions * P) from the records of the last layer."""
    sequences = []
    for sequence in document["sequences"]:
        last = max(record["layer"] for record in sequence["steps"])
        steps: dict[int, list[float]] = {}
        for direction in ("forward", "reverse"):
            for record in sequence["steps"]:
                if record["layer"] == last and record["direction"] == direction:
                    steps.setdefault(record["step"], []).extend(record[quantity])
        sequences.append([steps[step] for step in sorted(steps)])
    return np.array(sequences)


REASONS = {
    "keras3_gru": "columns of sequential/gru/gru_cell/recurrent_kernel are 3 times its rows: "
    "this is a GRU, not an LSTM.",
    "mlx_gru": "rows of Wh are 3 times its columns: this is a GRU, not an LSTM.",
    "torch_gru": "rows of weight_hh_l0 are 3 times its columns: this is a GRU, not an LSTM.",
    "torch_grucell": "rows of weight_hh are 3 times its columns: this is a GRU, not an LSTM.",
    "torch_rnn": "rows of weight_hh_l0 equal its columns: this is a plain RNN, not an LSTM.",
    "torch_linear": "no tensor is a recurrent matrix: weight belongs to a dense (linear) layer, "
    "not to an LSTM.",
}


@pytest.mark.parametrize("name", names(LAYOUTS / "reject"))
def test_every_file_without_an_lstm_is_refused_with_a_true_reason(name: str) -> None:
    path = LAYOUTS / "reject" / f"{name}.safetensors"
    with pytest.raises(NotAnLSTMError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {REASONS[name]}"


@pytest.mark.parametrize(
    ("kind", "options"),
    [("hard_sigmoid_keras2", {"gate_activation": "hard-sigmoid"}), ("sigmoid", {})],
)
def test_two_character_layers_of_keras_are_reproduced(kind: str, options: Any) -> None:
    """chars2vec: one-hot small letters; the old hard sigmoid is the one it was trained with."""
    folder = MODELS / "chars2vec_eng_50"
    model = load(folder / "weights.safetensors", **options)
    places = json.loads((folder / "char_to_ix.json").read_text("utf-8"))
    with np.load(folder / "expected_keras.npz") as run:
        numbers = [key.split("_")[-1] for key in run if key.startswith(f"{kind}.word_")]
        assert len(numbers) == 7
        for number in numbers:
            word = str(run[f"{kind}.word_{number}"]).lower()
            vectors = np.zeros((len(word), len(places)))
            for step, letter in enumerate(word):
                vectors[step, places[letter]] = 1
            trace = model.run(vectors=vectors)
            close(trace.layers[0].hidden, run[f"{kind}.h1_{number}"], 1e-5)
            close(trace.hidden, run[f"{kind}.h2_{number}"], 1e-5)


@pytest.mark.parametrize("folder", sorted((MODELS / "icu_lstm").glob("*/")), ids=lambda p: p.name)
def test_every_word_break_model_is_reproduced(folder: Path) -> None:
    model = load(folder / "weights.safetensors")
    assert model.card.layout == "keras"
    with np.load(folder / "expected_keras.npz") as run:
        texts = [key.removeprefix("text_") for key in run if key.startswith("text_")]
        for number in texts:
            trace = model.run(ids=run[f"ids_{number}"])
            close(trace.hidden, run[f"hidden_{number}"], 1e-5)
            close(np.exp(log_softmax(trace.logits)), run[f"probs_{number}"], 1e-5)


def test_word_breaks_of_icu4x_are_reproduced() -> None:
    """30 strings, each letter with b, i, e or s: begins, inside, ends, single."""
    folder = MODELS / "icu_lstm" / "Thai_codepoints_exclusive_model4_heavy"
    model = load(folder / "weights.safetensors")
    places = json.loads((folder / "weights.json").read_text("utf-8"))["dic"]
    cases = json.loads((folder / "icu4x_cases.json").read_text("utf-8"))
    assert len(cases) == 30
    for case in cases:
        ids = [places.get(letter, len(places)) for letter in case["text"]]
        best = model.run(ids=ids).logits.argmax(axis=-1)
        assert "".join("bies"[n] for n in best) == case["expected_bies"]


def test_a_voice_detector_in_onnx_order_is_reproduced() -> None:
    folder = MODELS / "silero_vad"
    model = load(folder / "lstm_onnx_layout.safetensors")
    with np.load(folder / "expected_ort_sequence.npz") as run:
        trace = model.run(vectors=run["X"][:, 0])
        close(trace.hidden, run["Y"][:, 0, 0], 1e-5)
        close(trace.final[0, "forward"].h, run["hn"][0, 0], 1e-5)
        close(trace.final[0, "forward"].c, run["cn"][0, 0], 1e-5)


def test_both_orders_of_the_voice_detector_are_the_same_weights() -> None:
    folder = MODELS / "silero_vad"
    torch, onnx = (
        load(folder / f"{name}.safetensors").parameters.layers[0].forward
        for name in ("weights_from_jit", "lstm_onnx_layout")
    )
    for one, other in zip(torch.arrays, onnx.arrays, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_chinese_pronunciation_model_and_its_head_are_reproduced() -> None:
    folder = MODELS / "g2pm"
    model = load(folder / "weights.safetensors")
    with np.load(folder / "expected_torch.npz") as run:
        trace = model.run(ids=run["ids"])
        close(trace.hidden, run["lstm_out"], 1e-5)
        close(np.stack([state.h for state in trace.final.cells.values()]), run["h_n"], 1e-5)
        close(np.stack([state.c for state in trace.final.cells.values()]), run["c_n"], 1e-5)


@pytest.fixture(scope="module")
def shakespeare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ml5's character model, from one file of raw numbers per tensor."""
    folder = MODELS / "ml5_charrnn" / "shakespeare"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    arrays = {
        name: np.fromfile(folder / entry["filename"], np.float32).reshape(entry["shape"])
        for name, entry in manifest.items()
    }
    path = tmp_path_factory.mktemp("ml5") / "shakespeare.safetensors"
    save_file(arrays, path)
    return path


def test_a_character_model_is_reproduced_at_every_step(shakespeare: Path) -> None:
    model = load(shakespeare)
    assert (model.card.layout, model.parameters.num_layers) == ("tensorflow", 2)
    text = (MODELS / "ml5_charrnn" / "shakespeare" / "expected_tfjs.json").read_text("utf-8")
    steps = json.loads(text)["steps"]
    assert len(steps) == 22
    trace = model.run(ids=[step["id"] for step in steps])
    for layer in (0, 1):
        close(trace.layers[layer].cell, np.array([s[f"c{layer}"] for s in steps]), 1e-5)
        close(trace.layers[layer].hidden, np.array([s[f"h{layer}"] for s in steps]), 1e-5)
    close(trace.logits, np.array([s["logits"] for s in steps]), 1e-4)


def test_a_character_model_writes_the_same_sixty_characters(shakespeare: Path) -> None:
    folder = MODELS / "ml5_charrnn" / "shakespeare"
    expected = json.loads((folder / "expected_tfjs.json").read_text("utf-8"))
    letters = {n: c for c, n in json.loads((folder / "vocab.json").read_text("utf-8")).items()}
    model = load(shakespeare)
    start = model.run(ids=[step["id"] for step in expected["steps"]])
    chosen = generate(model, start)
    written = "".join(letters[next(chosen)] for _ in expected["greedy"])
    assert len(written) > 60
    assert written == expected["greedy"]


def onnx_cases(folder: str) -> list[Path]:
    return sorted((MODELS / folder).glob("*/data.npz")) or [Path("none")]


@pytest.mark.parametrize(
    "path",
    onnx_cases("onnx_lstm_node_tests") + onnx_cases("onnxruntime_varied_lstm"),
    ids=lambda path: path.parent.name,
)
def test_the_onnx_operator_is_reproduced(path: Path, tmp_path: Path) -> None:
    with np.load(path) as file:
        data = dict(file)
    name = path.parent.name
    inputs, lengths = data["in_X"], data.get("in_sequence_lens")
    if name == "test_lstm_batchwise":  # sequences stand first; the others have time first
        data["out_Y_h"] = data["out_Y_h"].swapaxes(0, 1)
        data["out_Y"] = data["out_Y"].transpose(1, 2, 0, 3)
        inputs = inputs.swapaxes(0, 1)
    place = "reverse/" if name in ("test_lstm_reverse", "reverse_seqlens") else ""
    weights = {f"{place}{key}": data[f"in_{key}"] for key in "WRBP" if f"in_{key}" in data}
    for n in range(inputs.shape[1]):
        steps = len(inputs) if lengths is None else int(lengths[n])
        vectors = inputs[:steps, n]
        model = load(onnx_file(tmp_path, weights), **ONNX_OPTIONS.get(name, {}))
        if name == "clip":  # an attribute of the node, for which there is no option
            model = replace(model, parameters=clipped(model.parameters, 0.5))
        start = onnx_state(data, n, list(model.parameters.layers[0].directions))
        trace = model.run(vectors=vectors, initial_state=start)
        final = list(trace.final.cells.values())
        close(np.stack([state.h for state in final]), data["out_Y_h"][:, n], 1e-5)
        if "out_Y_c" in data:
            close(np.stack([state.c for state in final]), data["out_Y_c"][:, n], 1e-5)
        if "out_Y" in data:
            expected = data["out_Y"][:steps, :, n].reshape(steps, -1)
            close(trace.hidden, expected, 1e-5)


# What the node's attributes say; the weights do not.
ONNX_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "cifg_input_forget": {"coupled": True},
    "hardsigmoid": {"gate_activation": "hard-sigmoid"},
}


def clipped(parameters: Parameters, limit: float) -> Parameters:
    """The same weights; pre-activations are cut to plus or minus the limit."""
    (layer,) = parameters.layers
    cell = replace(layer.forward, variant=Variant(pre_activation_clip=limit))
    return Parameters((LayerParameters(cell),))


def onnx_file(folder: Path, weights: dict[str, np.ndarray]) -> Path:
    path = folder / "node.safetensors"
    save_file({key: np.ascontiguousarray(array) for key, array in weights.items()}, path)
    return path


def onnx_state(data: Mapping[str, np.ndarray], n: int, names: list[str]) -> dict[str, Any] | None:
    if "in_initial_h" not in data:
        return None
    hidden = {f"layers.0.{d}.hidden": data["in_initial_h"][k, n] for k, d in enumerate(names)}
    cell = {f"layers.0.{d}.cell": data["in_initial_c"][k, n] for k, d in enumerate(names)}
    return {**hidden, **cell}


ELMO = MODELS / "elmo_bilm_fixture"
# Its options.json says that it has no residual connections; all released models have them.
ELMO_OPTIONS: Mapping[str, Any] = {"residual": False, "cell_clip": 3, "projection_clip": 3}


def test_a_language_model_of_two_directions_is_reproduced_layer_by_layer() -> None:
    """ELMo: two layers a direction, which never meet; projected, clipped twice."""
    model = load(ELMO / "weights.safetensors", **ELMO_OPTIONS)
    assert model.card.layout == "elmo"
    assert (model.parameters.independent, model.parameters.residual) == (True, False)
    with np.load(ELMO / "expected_upstream_first3.npz") as run:
        for sentence in range(3):
            top = model.run(vectors=run[f"token_emb_{sentence}"]).layers[1]
            close(top.forward.hidden[1:-1], run[f"expected_fwd_{sentence}"], 1e-5)
            close(top.reverse.hidden[1:-1], run[f"expected_bwd_{sentence}"], 1e-5)


def test_what_elmos_file_does_not_tell_is_assumed_as_released() -> None:
    model = load(ELMO / "weights.safetensors")
    assert model.parameters.residual
    variant = model.parameters.layers[1].reverse.variant
    assert variant.options == {"cell_clip": 3.0, "projection_clip": 3.0}
    told = [line for line in model.card.assumed if "(--" in line]
    assert told == [
        "forget bias: 1 is added to the forget gate, as the framework does at run time "
        "(--forget-bias)",
        "cell clip: 3, as ELMo's own models have it (--cell-clip)",
        "projection clip: 3, as ELMo's own models have it (--projection-clip)",
        "residual: from layer 1 on, what a layer reads is added to what it hands on "
        "(--no-residual)",
    ]


@pytest.mark.parametrize("stream", [0, 1, 2])
def test_the_command_reproduces_elmo_with_its_state_carried(stream: int, tmp_path: Path) -> None:
    """Three streams of ten sentences; both directions go on from the states they were left in."""
    h5py = pytest.importorskip("h5py")
    weights = load_file(ELMO / "weights.safetensors")
    sentences = json.loads((ELMO / "lm_embeddings_sentences.json").read_text("utf-8"))[stream]
    vectors, state = tmp_path / "x.npy", tmp_path / "state.safetensors"
    options = ["--no-residual", "--cell-clip=3", "--projection-clip=3", "--show=layer_output"]
    with h5py.File(ELMO / f"lm_embeddings_{stream}.hdf5") as recorded:
        assert len(recorded) == len(sentences) == 10
        for number, sentence in enumerate(sentences):
            np.save(vectors, read_letters(weights, sentence.split()))
            carried = [f"--initial-state={state}"] if number else []
            document = json.loads(command(
                "run", "-w", str(ELMO / "weights.safetensors"), f"--vectors={vectors}", "--json",
                *options, *carried, f"--final-state={state}",
            ).stdout)  # fmt: skip
            # The first and the last step are the marks of a sentence.
            found = last_layer(document, "layer_output")[0, 1:-1]
            close(found, np.concatenate(recorded[str(number)][...], axis=-1), 1e-5)


def read_letters(weights: Mapping[str, np.ndarray], words: list[str]) -> np.ndarray:
    """The vectors of words: convolutions over their letters, two highway layers, a projection.

    As bilm-tf has it: a word is at most 48 bytes between marks, padded to 50.
    """
    begin, end, begin_word, end_word, pad = 256, 257, 258, 259, 260
    spelled = [[begin], *(list(word.encode()[:48]) for word in words), [end]]
    letters = np.full((len(spelled), 50), pad)
    for row, word in zip(letters, spelled, strict=True):
        row[: len(word) + 2] = [begin_word, *word, end_word]
    x = weights["char_embed"][letters]
    pooled = []
    for n in range(5):
        kernel = weights[f"CNN.W_cnn_{n}"][0]
        windows = np.lib.stride_tricks.sliding_window_view(x, len(kernel), axis=1)
        summed = np.einsum("tpcw,wcf->tpf", windows, kernel).max(axis=1)
        pooled.append(np.maximum(summed + weights[f"CNN.b_cnn_{n}"], 0))
    y = np.concatenate(pooled, axis=-1)
    for n in range(2):
        carry, new = (
            y @ weights[f"CNN_high_{n}.W_{name}"] + weights[f"CNN_high_{n}.b_{name}"]
            for name in ("carry", "transform")
        )
        share = 1 / (1 + np.exp(-carry))
        y = share * np.maximum(new, 0) + (1 - share) * y
    projected: np.ndarray = y @ weights["CNN_proj.W_proj"] + weights["CNN_proj.b_proj"]
    return projected


def test_the_words_of_elmo_are_read_as_upstream_reads_them() -> None:
    weights = load_file(ELMO / "weights.safetensors")
    with np.load(ELMO / "expected_upstream_first3.npz") as run:
        for sentence in range(3):
            words = str(run[f"text_{sentence}"]).split()
            close(read_letters(weights, words), run[f"token_emb_{sentence}"], 1e-6)


@pytest.mark.parametrize(("prefix", "way"), [("RNN_0", "fwd"), ("RNN_1", "bwd")])
def test_one_direction_of_elmo_may_be_run_by_itself(prefix: str, way: str) -> None:
    model = load(ELMO / "weights.safetensors", prefix=prefix, cell_clip=3, projection_clip=3)
    assert (model.card.layout, model.parameters.num_directions) == ("tensorflow", 1)
    turn = slice(None, None, 1 if way == "fwd" else -1)
    with np.load(ELMO / "expected_upstream_first3.npz") as run:
        hidden = model.run(vectors=run["token_emb_0"][turn]).hidden[turn]
        close(hidden[1:-1], run[f"expected_{way}_0"], 1e-5)
