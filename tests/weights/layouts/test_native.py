from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lstm.errors import LSTMError
from tests.weights.builders import write, zeros
from weights import load
from weights.errors import NotAnLSTMError, WeightsError

FORMAT = {"format": "lstm.native/1"}
GATES = ("input_gate", "forget_gate", "candidate", "output_gate")


def one_unit(place: str = "layers.0.forward") -> dict[str, np.ndarray]:
    """Per gate the weights of [h, x] and the bias: 1, 2 and 3 for the input gate, then on."""
    arrays = {}
    for number, gate in enumerate(GATES):
        weights = [[3 * number + 1, 3 * number + 2]]
        arrays[f"{place}.{gate}.weight"] = np.array(weights, np.float32)
        arrays[f"{place}.{gate}.bias"] = np.array([3 * number + 3], np.float32)
    return arrays


def test_each_gates_matrix_is_applied_to_hidden_state_then_input(tmp_path: Path) -> None:
    model = load(write(tmp_path / "model.safetensors", one_unit(), FORMAT))
    cell = model.parameters.layers[0].forward
    assert cell.weight_hh.tolist() == [[1], [4], [7], [10]]
    assert cell.weight_ih.tolist() == [[2], [5], [8], [11]]
    assert cell.bias.tolist() == [3, 6, 9, 12]


def test_the_reverse_direction_has_its_own_weights(tmp_path: Path) -> None:
    reverse = {name: -array for name, array in one_unit("layers.0.reverse").items()}
    model = load(write(tmp_path / "model.safetensors", {**one_unit(), **reverse}, FORMAT))
    layer = model.parameters.layers[0]
    assert layer.reverse is not None
    assert layer.forward.bias.tolist() == [3, 6, 9, 12]
    assert layer.reverse.bias.tolist() == [-3, -6, -9, -12]


def test_biases_may_be_absent(tmp_path: Path) -> None:
    arrays = {name: a for name, a in one_unit().items() if name.endswith("weight")}
    model = load(write(tmp_path / "model.safetensors", arrays, FORMAT))
    assert model.parameters.layers[0].forward.bias.tolist() == [0, 0, 0, 0]


def test_a_bias_for_some_gates_only_is_refused(tmp_path: Path) -> None:
    arrays = one_unit()
    del arrays["layers.0.forward.candidate.bias"]
    path = write(tmp_path / "model.safetensors", arrays, FORMAT)
    with pytest.raises(NotAnLSTMError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: layer 0 forward: expected a bias of the candidate gate, found none."
    )


def test_a_tensor_that_belongs_to_nothing_is_refused(tmp_path: Path) -> None:
    arrays = {**one_unit(), **zeros(extra=(3,))}
    path = write(tmp_path / "model.safetensors", arrays, FORMAT)
    with pytest.raises(WeightsError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: extra: expected only tensors of the layout native beside "
        "layers.0.forward.candidate.bias, found this one, which it does not know."
    )


def test_a_tensor_among_others_that_belongs_to_nothing_is_refused(tmp_path: Path) -> None:
    arrays = {**one_unit(), **zeros(**{"decoder.weight": (3, 1)})}
    path = write(tmp_path / "model.safetensors", arrays, FORMAT)
    with pytest.raises(WeightsError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: decoder.weight: expected only tensors of the native layout, found this one."
    )


@pytest.mark.parametrize("name", ["layers.0.forward.peephole.weight", "head.scale", "head.weight2"])
def test_left_over_tensors_are_named(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "model.safetensors", {**one_unit(), **zeros(**{name: (1, 1)})}, FORMAT)
    with pytest.raises(WeightsError, match=name):
        load(path)


def test_a_file_that_says_native_is_read_as_nothing_else(tmp_path: Path) -> None:
    arrays = zeros(weight_ih_l0=(12, 4), weight_hh_l0=(12, 3))
    path = write(tmp_path / "model.safetensors", arrays, FORMAT)
    with pytest.raises(NotAnLSTMError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: no tensors named as native has them. Found: pytorch."


def test_a_file_without_its_first_layer_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", one_unit("layers.1.forward"), FORMAT)
    with pytest.raises(LSTMError, match=r"layer 0|layers 0"):
        load(path)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        (
            "embedding.weight",
            (7,),
            "embedding.weight: expected (vocabulary_size, input_size), found (7,).",
        ),
        ("head.weight", (5,), "head.weight: expected (outcomes, hidden_size), found (5,)."),
    ],
)
def test_a_table_with_one_axis_is_refused(
    tmp_path: Path, name: str, shape: tuple[int, ...], message: str
) -> None:
    path = write(tmp_path / "model.safetensors", {**one_unit(), **zeros(**{name: shape})}, FORMAT)
    with pytest.raises(LSTMError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {message}"
