"""What a file holds that its parameters do not show."""

import numpy as np
import pytest

from weights import load
from weights.biases import read_stored
from weights.containers.safetensors import archive_bytes
from weights.options import CellOptions

D, H = 2, 3


def write(path, **shapes):
    """A file of numbers that all differ; returns its arrays."""
    random = np.random.default_rng(1)
    arrays = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    path.write_bytes(archive_bytes(arrays, {}))
    return arrays


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def torch_file(path):
    return write(
        path, weight_ih_l0=(4 * H, D), weight_hh_l0=(4 * H, H), bias_ih_l0=(4 * H,),
        bias_hh_l0=(4 * H,),
    )  # fmt: skip


def test_two_biases_are_read_one_by_one(path):
    arrays = torch_file(path)
    stored = read_stored(path, "float32")
    assert (stored.order, stored.forget_bias) == ("ifgo", 0)
    assert stored.names == ("bias_ih_l0", "bias_hh_l0")
    first, second = stored.biases[0, "forward"]
    assert (first == arrays["bias_ih_l0"]).all()
    assert (second == arrays["bias_hh_l0"]).all()


def test_the_order_of_the_blocks_is_the_one_that_the_options_tell(path):
    arrays = torch_file(path)
    stored = read_stored(path, "float32", options=CellOptions(gate_order="gofi"))
    assert stored.order == "gofi"
    g, o, f, i = np.split(arrays["bias_ih_l0"], 4)
    assert (stored.biases[0, "forward"][0] == np.concatenate([i, f, g, o])).all()


def test_the_biases_add_up_to_that_of_the_parameters(path):
    torch_file(path)
    stored = read_stored(path, "float32", options=CellOptions(forget_bias=1.0))
    assert stored.forget_bias == 1.0
    cell = load(path, forget_bias=1.0).parameters.layers[0].forward
    added = np.repeat([0, 1, 0, 0], H)
    np.testing.assert_allclose(sum(stored.biases[0, "forward"]) + added, cell.bias, rtol=1e-6)


def test_a_file_without_biases_has_no_names(path):
    write(path, weight_ih_l0=(4 * H, D), weight_hh_l0=(4 * H, H))
    assert read_stored(path, "float32").names == ()


def test_where_each_gate_has_its_own_tensor_the_biases_are_one(path):
    stored = read_stored("brackets", "float32")
    assert stored.order == "ifgo"
    assert stored.names == ("the bias",)
    cell = load("brackets").parameters.layers[0].forward
    assert (stored.biases[0, "forward"][0] == cell.bias).all()


def test_blocks_that_are_not_the_four_gates_are_in_our_own_order(path):
    """Three blocks where two gates are coupled: there is no order of four to mistake."""
    write(
        path, **{"rnn/coupled_lstm_cell/W_0": (D + H, 3 * H), "rnn/coupled_lstm_cell/B": (3 * H,)}
    )
    assert read_stored(path, "float32").order == "ifgo"
    highway = {"input_linearity.weight": (6 * H, D), "state_linearity.weight": (5 * H, H)}
    write(path, **highway)
    assert read_stored(path, "float32").order == "ifgo"
