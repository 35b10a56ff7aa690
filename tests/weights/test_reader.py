"""What the reader makes of a file, number by number; whole runs are compared elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lstm.errors import ShapeError
from tests.weights.builders import golden, golden_weights, write, zeros
from weights.containers.safetensors import open_archive
from weights.layouts.detection import detect
from weights.reader import read_parameters


def read(path: Path, dtype: str = "float64"):
    archive = open_archive(path)
    return read_parameters(archive, detect(archive.tensors), dtype)


@pytest.mark.parametrize("gate", ["input", "forget", "candidate", "output"])
def test_a_gates_matrix_is_torchs_block_of_that_gate(gate: str) -> None:
    """Torch documents the order: weight_ih_l[k] is (W_ii | W_if | W_ig | W_io)."""
    arrays = golden_weights("lstm")
    rows = slice(*{"input": (0, 3), "forget": (3, 6), "candidate": (6, 9), "output": (9, 12)}[gate])
    cell = read(golden("lstm")).layers[0].forward
    expected = np.concatenate([arrays["weight_hh_l0"][rows], arrays["weight_ih_l0"][rows]], axis=1)
    np.testing.assert_array_equal(cell.gate_weight(gate), expected)
    bias = arrays["bias_ih_l0"][rows].astype(float) + arrays["bias_hh_l0"][rows].astype(float)
    np.testing.assert_array_equal(cell.gate_bias(gate), bias)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_have_the_dtype_asked_for_and_are_read_only(dtype: str) -> None:
    parameters = read(golden("two_layers_bidirectional"), dtype)
    for layer in parameters.layers:
        for cell in layer.directions.values():
            assert {array.dtype.name for array in cell.arrays} == {dtype}
            assert not any(array.flags.writeable for array in cell.arrays)


def test_two_biases_are_summed_in_the_dtype_of_the_computation(tmp_path: Path) -> None:
    """1 + 2**-30 needs 30 bits after the point: float64 has them, float32 has not."""
    arrays = zeros(weight_ih_l0=(4, 2), weight_hh_l0=(4, 1))
    arrays["bias_ih_l0"] = np.ones(4, np.float32)
    arrays["bias_hh_l0"] = np.full(4, 2**-30, np.float32)
    path = write(tmp_path / "model.safetensors", arrays)
    assert read(path, "float64").layers[0].forward.bias.tolist() == [1 + 2**-30] * 4
    assert read(path, "float32").layers[0].forward.bias.tolist() == [1] * 4


def test_tensors_of_one_lstm_may_differ_in_dtype(tmp_path: Path) -> None:
    arrays = {**zeros(weight_ih_l0=(4, 2)), "weight_hh_l0": np.full((4, 1), 0.5, np.float16)}
    cell = read(write(tmp_path / "model.safetensors", arrays), "float32").layers[0].forward
    assert cell.weight_hh.tolist() == [[0.5]] * 4


def test_layers_may_differ_in_size(tmp_path: Path) -> None:
    arrays = zeros(weight_ih_l0=(12, 2), weight_hh_l0=(12, 3), weight_ih_l1=(20, 3))
    arrays |= zeros(weight_hh_l1=(20, 5))
    found = read(write(tmp_path / "model.safetensors", arrays))
    assert [layer.hidden_size for layer in found.layers] == [3, 5]


def test_a_layer_has_to_be_as_wide_as_the_one_below(tmp_path: Path) -> None:
    arrays = zeros(weight_ih_l0=(12, 2), weight_hh_l0=(12, 3), weight_ih_l1=(20, 4))
    arrays |= zeros(weight_hh_l1=(20, 5))
    with pytest.raises(ShapeError) as caught:
        read(write(tmp_path / "model.safetensors", arrays))
    assert str(caught.value) == (
        "layer 1 weight_ih: expected (4*hidden_size, directions*hidden_size of the layer below) "
        "= (20, 3), found (20, 4)."
    )


def test_directions_have_to_be_of_one_size(tmp_path: Path) -> None:
    arrays = zeros(weight_ih_l0=(12, 2), weight_hh_l0=(12, 3))
    arrays |= zeros(weight_ih_l0_reverse=(20, 2), weight_hh_l0_reverse=(20, 5))
    with pytest.raises(ShapeError) as caught:
        read(write(tmp_path / "model.safetensors", arrays))
    assert str(caught.value) == "reverse weight_ih: expected (12, 2), found (20, 2)."
