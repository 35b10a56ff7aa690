from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm.errors import LSTMError
from tests.weights.builders import (
    ROOT,
    golden,
    golden_weights,
    raw,
    write,
    zeros,
)
from tests.weights.layouts.test_native import FORMAT, one_unit
from weights import load
from weights.containers.safetensors import open_archive
from weights.inspection import describe, describe_file, find_all, statistics
from weights.pretrained.registry import path_of


def inspect(path: Path, layout: str | None = None, prefix: str | None = None) -> dict[str, Any]:
    archive = open_archive(path)
    return describe(archive, str(path), find_all(archive, layout, prefix))


def facts(record: dict[str, Any], *keys: str) -> list[Any]:
    (lstm,) = record["lstms"]
    return [lstm[key] for key in keys]


def test_a_file_is_described_from_its_header() -> None:
    path = golden("lstm")
    archive = open_archive(path)
    assert describe_file(archive, "name") == {
        "schema": "lstm.inspect/1",
        "source": "name",
        "bytes": path.stat().st_size,
        "parameters": 12 + 12 + 36 + 48,
        "lstms": [],
        "reason": None,
        "tensors": [
            {"name": "bias_hh_l0", "dtype": "F32", "shape": [12], "belongs_to": None},
            {"name": "bias_ih_l0", "dtype": "F32", "shape": [12], "belongs_to": None},
            {"name": "weight_hh_l0", "dtype": "F32", "shape": [12, 3], "belongs_to": None},
            {"name": "weight_ih_l0", "dtype": "F32", "shape": [12, 4], "belongs_to": None},
        ],
        "metadata": {"torch": "2.13.0"},
    }


def test_an_lstm_is_described_in_full() -> None:
    (lstm,) = inspect(golden("lstm"))["lstms"]
    assert lstm == {
        "layout": "pytorch",
        "layout_title": "PyTorch nn.LSTM",
        "evidence": [
            "4 tensors have its names, such as bias_hh_l0",
            "12 outputs are 4 times the hidden size 3",
        ],
        "prefix": "",
        "layers": 1,
        "directions": 1,
        "independent": False,
        "residual": False,
        "input_size": 4,
        "hidden_size": 3,
        "projection_size": None,
        "biases": 2,
        "gate_order": "i f g o",
        "dtype": "F32",
        "parameters": 108,
        "cells": [
            {
                "layer": 0,
                "direction": "forward",
                "input_size": 4,
                "hidden_size": 3,
                "biases": 2,
                "parameters": 108,
                "parameters_per_gate": 27,
            }
        ],
        "embedding": None,
        "head": None,
        "vocabulary": None,
        "units": [],
        "options": {},
        "description": "",
        "licence": "",
        "trained_on": "",
        "quality": {},
        "assumed": [],
    }


@pytest.mark.parametrize(
    ("name", "layers", "directions", "biases", "dtype", "parameters"),
    [
        ("lstm", 1, 1, 2, "F32", 12 * (4 + 3 + 2)),
        ("three_layers", 3, 1, 2, "F32", 12 * (4 + 3 + 2) + 2 * 12 * (3 + 3 + 2)),
        ("bidirectional", 1, 2, 2, "F32", 2 * 12 * (4 + 3 + 2)),
        ("two_layers_bidirectional", 2, 2, 2, "F32", 24 * (4 + 3 + 2) + 24 * (6 + 3 + 2)),
        ("no_bias", 1, 1, 0, "F32", 12 * (4 + 3)),
        ("float16", 1, 1, 2, "F16", 12 * (4 + 3 + 2)),
        ("bfloat16", 1, 1, 2, "BF16", 12 * (4 + 3 + 2)),
        ("float64", 1, 1, 2, "F64", 12 * (4 + 3 + 2)),
        ("cell", 1, 1, 2, "F32", 12 * (4 + 3 + 2)),
        ("cell_no_bias", 1, 1, 0, "F32", 12 * (4 + 3)),
        ("tagger", 1, 1, 2, "F32", 12 * (4 + 3 + 2)),
    ],
)
def test_sizes_and_counts_are_those_that_torch_was_given(
    name: str, layers: int, directions: int, biases: int, dtype: str, parameters: int
) -> None:
    record = inspect(golden(name))
    keys = ("layers", "directions", "input_size", "hidden_size", "biases", "dtype", "parameters")
    assert facts(record, *keys) == [layers, directions, 4, 3, biases, dtype, parameters]
    (cells,) = facts(record, "cells")
    assert len(cells) == layers * directions
    assert sum(cell["parameters"] for cell in cells) == parameters
    assert all(cell["parameters_per_gate"] * 4 == cell["parameters"] for cell in cells)


def test_a_gate_without_weights_is_not_counted(tmp_path: Path) -> None:
    """TensorFlow's coupled gates: three blocks, over an input of 3 and a hidden state of 2."""
    arrays = {f"rnn/coupled_lstm_cell/{name}": np.zeros(shape, np.float32)
              for name, shape in (("W_0", (3 + 2, 3 * 2)), ("B", 3 * 2))}  # fmt: skip
    (cells,) = facts(inspect(write(tmp_path / "coupled.safetensors", arrays)), "cells")
    (cell,) = cells
    assert (cell["parameters"], cell["parameters_per_gate"]) == (36, 12)


def test_a_projection_belongs_to_no_gate(tmp_path: Path) -> None:
    shapes = {"weight_ih_l0": (12, 5), "weight_hh_l0": (12, 2), "weight_hr_l0": (2, 3)}
    (cells,) = facts(inspect(write(tmp_path / "projected.safetensors", zeros(**shapes))), "cells")
    (cell,) = cells
    assert (cell["parameters"], cell["parameters_per_gate"]) == (12 * 7 + 6, 3 * 7)


def test_every_cell_is_listed_by_layer_and_direction() -> None:
    (cells,) = facts(inspect(golden("two_layers_bidirectional")), "cells")
    assert [(c["layer"], c["direction"], c["input_size"], c["hidden_size"]) for c in cells] == [
        (0, "forward", 4, 3),
        (0, "reverse", 4, 3),
        (1, "forward", 6, 3),
        (1, "reverse", 6, 3),
    ]


def test_what_stands_around_an_lstm_is_described_and_owns_its_tensors() -> None:
    record = inspect(golden("tagger"))
    assert facts(record, "embedding", "head", "prefix") == [
        {"tensor": "model.embedding.weight", "vocabulary_size": 8, "size": 4},
        {
            "tensor": "model.head.weight",
            "tied": False,
            "outcomes": 7,
            "labels": None,
            "bias": True,
            "projection": None,
        },
        "model.encoder.rnn.",
    ]
    assert {t["name"]: t["belongs_to"] for t in record["tensors"]} == {
        "model.embedding.weight": "embedding",
        "model.head.weight": "head",
        "model.head.bias": "head",
        **{
            f"model.encoder.rnn.{name}": "lstm"
            for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        },
    }
    assert record["parameters"] == 8 * 4 + 7 * 3 + 7 + 108


def test_all_lstms_of_a_file_are_described_unless_one_is_named() -> None:
    record = inspect(golden("encoder_decoder"))
    assert [(x["prefix"], x["input_size"], x["hidden_size"]) for x in record["lstms"]] == [
        ("decoder.", 3, 6),
        ("encoder.", 4, 3),
    ]
    assert {t["belongs_to"] for t in record["tensors"]} == {"lstm"}
    assert facts(inspect(golden("encoder_decoder"), prefix="encoder"), "hidden_size") == [3]


def test_no_lstm_of_a_file_is_the_head_of_another() -> None:
    record = inspect(golden("encoder_decoder"))
    assert [(x["embedding"], x["head"]) for x in record["lstms"]] == [(None, None)] * 2


@pytest.mark.parametrize("name", ["gru", "gru_cell", "rnn", "linear"])
def test_what_is_no_lstm_is_refused_with_the_sentence_of_loading(name: str) -> None:
    path = golden(f"reject_{name}")
    with pytest.raises(LSTMError) as caught:
        inspect(path)
    with pytest.raises(LSTMError) as loading:
        load(path)
    assert f"{path}: {caught.value.message}" == str(loading.value)


def test_a_model_of_our_own_is_described_from_its_metadata() -> None:
    record = inspect(path_of("brackets"))
    keys = ("layout", "gate_order", "biases", "layers", "hidden_size", "input_size", "options")
    assert facts(record, *keys) == [
        "native",
        "one tensor per gate",
        1,
        1,
        1,
        2,
        {"gate_activation": "sigmoid", "candidate_activation": "tanh"},
    ]
    assert facts(record, "units", "licence", "trained_on") == [
        [{"address": "l0.c[0]", "tells": "the nesting depth", "auc": None}],
        "Apache-2.0",
        "made by hand",
    ]
    (lstm,) = record["lstms"]
    assert lstm["head"]["labels"] == ["inside", "outside", "unbalanced"]
    assert lstm["vocabulary"] == {
        "tokenizer": "character",
        "size": 2 + 1 + 1 + 52,
        "where": "in the file",
        "unknown": "<other>",
        "start": None,
        "end": None,
    }
    assert record["metadata"] == {}


def test_a_tied_head_is_the_embeddings_table(tmp_path: Path) -> None:
    arrays = {**one_unit(), **zeros(**{"embedding.weight": (5, 1), "head.bias": (5,)})}
    path = write(tmp_path / "m.safetensors", arrays, {**FORMAT, "head": '{"tied": true}'})
    assert facts(inspect(path), "head") == [
        {
            "tensor": "embedding.weight",
            "tied": True,
            "outcomes": 5,
            "labels": None,
            "bias": True,
            "projection": None,
        }
    ]


def test_a_projection_before_the_head_is_described(tmp_path: Path) -> None:
    arrays = {"head.weight": (5, 2), "head.projection.weight": (2, 1)}
    path = write(tmp_path / "m.safetensors", {**one_unit(), **zeros(**arrays)}, FORMAT)
    (head,) = facts(inspect(path), "head")
    assert (head["projection"], head["outcomes"], head["bias"]) == ([2, 1], 5, False)


def test_a_vocabulary_beside_the_file_is_described(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(golden("tagger").read_bytes())
    (tmp_path / "vocab.txt").write_text("<unk>\n<s>\n</s>\nA\nb c\n", "utf-8")
    record = inspect(path)
    assert facts(record, "vocabulary") == [
        {
            "tokenizer": "word",
            "size": 5,
            "where": "vocab.txt",
            "unknown": "<unk>",
            "start": "<s>",
            "end": "</s>",
        }
    ]
    (assumed,) = facts(record, "assumed")
    assert assumed[2:] == [
        "tokenizer: word (from the look of the vocabulary)",
        "tokenizer: <unk> stands for unknown words",
    ]


def test_several_dtypes_are_all_named(tmp_path: Path) -> None:
    arrays = golden_weights("lstm")
    arrays["weight_hh_l0"] = arrays["weight_hh_l0"].astype(np.float16)
    assert facts(inspect(write(tmp_path / "m.safetensors", arrays)), "dtype") == ["F16, F32"]


def test_a_format_that_cannot_be_read_can_be_described(tmp_path: Path) -> None:
    header = {
        "weight_hh_l0": {"dtype": "F8_E4M3", "shape": [12, 3], "data_offsets": [0, 36]},
        "weight_ih_l0": {"dtype": "F8_E4M3", "shape": [12, 4], "data_offsets": [36, 84]},
    }
    path = raw(tmp_path / "model.safetensors", header, bytes(84))
    assert facts(inspect(path), "dtype", "hidden_size") == ["F8_E4M3", 3]


@pytest.mark.parametrize("shape", [(7,), (), (2, 3, 4)])
@pytest.mark.parametrize("name", ["embedding.weight", "head.weight", "head.projection.weight"])
def test_a_table_without_two_axes_is_refused_or_described(
    tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    path = write(tmp_path / "m.safetensors", {**one_unit(), **zeros(**{name: shape})}, FORMAT)
    with suppress(LSTMError):
        inspect(path)


NAMES = [
    *(f"{p}{w}_l{n}{r}" for p in ("", "a.") for w in ("weight_ih", "weight_hh", "bias_ih") for n in
      (0, 1) for r in ("", "_reverse")),
    *(f"{p}{w}" for p in ("", "0.", "0.reverse.") for w in ("WFG", "WIPG", "WCS", "WOPG", "BCS")),
    *(f"layers.0.{d}.{g}.weight" for d in ("forward", "reverse") for g in
      ("input_gate", "forget_gate", "candidate", "output_gate")),
    "embedding.weight", "head.weight", "head.bias", "bias", "weight_hh", "weight_ih",
]  # fmt: skip
SHAPES = st.sampled_from([(), (4,), (4, 1), (1, 4), (4, 4), (1, 2), (3, 1), (0, 0), (4, 1, 1)])


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(st.sampled_from(NAMES), SHAPES, max_size=14), st.booleans())
def test_any_header_is_described_or_refused_with_a_sentence(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], ours: bool
) -> None:
    """And where it can be described, it can be loaded or is refused with a sentence too."""
    path = write(tmp_path / "model.safetensors", zeros(**shapes), FORMAT if ours else None)
    for use in (inspect, load):
        with suppress(LSTMError):
            use(path)


def test_statistics_are_numpys_of_each_gates_block() -> None:
    archive = open_archive(golden("bidirectional"))
    (lstm,) = find_all(archive, None, None)
    found = statistics(archive, lstm)
    arrays = golden_weights("bidirectional")
    assert found["nonfinite"] == []
    order = ["input", "forget", "candidate", "output"]
    assert [(g["layer"], g["direction"], g["gate"]) for g in found["gates"]] == [
        (0, direction, gate) for direction in ("forward", "reverse") for gate in order
    ]
    for n, gate in enumerate(found["gates"]):
        end, block = ("", "_reverse")[n // 4], n % 4
        rows = slice(3 * block, 3 * block + 3)
        bias = arrays[f"bias_ih_l0{end}"][rows] + arrays[f"bias_hh_l0{end}"][rows]
        for key, array in (
            ("weight_ih", arrays[f"weight_ih_l0{end}"][rows]),
            ("weight_hh", arrays[f"weight_hh_l0{end}"][rows]),
            ("bias", bias),
        ):
            wide = array.astype(np.float64)
            assert gate[key]["minimum"] == wide.min()
            assert gate[key]["maximum"] == wide.max()
            assert gate[key]["mean"] == pytest.approx(wide.mean(), abs=1e-12)
            assert gate[key]["deviation"] == pytest.approx(wide.std(), abs=1e-12)
            assert sum(gate[key]["histogram"]) == array.size
        recurrent = arrays[f"weight_hh_l0{end}"][rows].astype(np.float64)
        radius = max(abs(np.linalg.eigvals(recurrent)))
        assert gate["spectral_radius"] == pytest.approx(radius, rel=1e-9)


def test_statistics_of_one_unit_are_those_worked_out_by_hand() -> None:
    """brackets: the candidate reads x by 100 and -100; all other gates have a bias of 100."""
    archive = open_archive(path_of("brackets"))
    (lstm,) = find_all(archive, None, None)
    gates = {gate["gate"]: gate for gate in statistics(archive, lstm)["gates"]}
    candidate = gates["candidate"]
    assert candidate["weight_ih"] == {
        "minimum": -100.0,
        "maximum": 100.0,
        "mean": 0.0,
        "deviation": 100.0,
        "histogram": (1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    }
    assert candidate["bias"]["mean"] == 0.0
    assert candidate["spectral_radius"] == 0.0
    assert [gates[name]["bias"]["mean"] for name in ("input", "forget", "output")] == [100.0] * 3


def test_numbers_that_are_not_finite_are_listed_with_the_place_of_the_first(
    tmp_path: Path,
) -> None:
    arrays = golden_weights("lstm")
    arrays["weight_hh_l0"][7, 2] = np.nan
    arrays["weight_hh_l0"][9, 0] = np.nan
    arrays["weight_hh_l0"][1, 1] = -np.inf
    arrays["bias_ih_l0"][11] = np.inf
    archive = open_archive(write(tmp_path / "model.safetensors", arrays))
    (lstm,) = find_all(archive, None, None)
    found = statistics(archive, lstm)
    assert found["nonfinite"] == [
        {"tensor": "bias_ih_l0", "what": "infinity", "count": 1, "first": [11]},
        {"tensor": "weight_hh_l0", "what": "nan", "count": 2, "first": [7, 2]},
        {"tensor": "weight_hh_l0", "what": "infinity", "count": 1, "first": [1, 1]},
    ]
    radii = [gate["spectral_radius"] for gate in found["gates"]]
    assert [radius is None for radius in radii] == [True, False, True, True]


@pytest.mark.parametrize("name", ["lstm", "tagger", "float64", "bfloat16", "encoder_decoder"])
def test_describing_a_file_needs_no_numpy(name: str) -> None:
    code = (
        "import sys, weights.inspection as i, weights.containers.safetensors as a\n"
        f"archive = a.open_archive({str(golden(name))!r})\n"
        "assert i.describe(archive, 'x', i.find_all(archive, None, None))['lstms']\n"
        "assert 'numpy' not in sys.modules and 'safetensors' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_describing_an_embedded_model_needs_no_numpy() -> None:
    code = (
        "import sys, weights.inspection as i, weights.containers.safetensors as a\n"
        "from weights.pretrained.registry import path_of\n"
        "archive = a.open_archive(path_of('brackets'))\n"
        "assert i.describe(archive, 'x', i.find_all(archive, None, None))['lstms']\n"
        "assert 'numpy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
