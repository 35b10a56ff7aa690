"""Weights are checked when they are made, and cannot be changed afterwards."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given

from lstm.errors import LSTMError, ShapeError
from lstm.parameters import CellParameters, LayerParameters, Parameters
from tests.strategies import cells, few, make_cell, make_parameters, stacks

RANDOM = np.random.default_rng(0)


def zeros(ih=(12, 2), hh=(12, 3), bias=(12,), dtype=np.float64):
    return CellParameters(np.zeros(ih, dtype), np.zeros(hh, dtype), np.zeros(bias, dtype))


def test_the_sizes_are_read_from_the_shapes():
    cell = zeros()
    assert (cell.input_size, cell.hidden_size, cell.dtype) == (2, 3, np.float64)
    assert zeros(dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (
            {"hh": (12, 4)},
            "weight_hh: expected (4*hidden_size, hidden_size) = (16, 4), found (12, 4).",
        ),
        (
            {"hh": (3, 12)},
            "weight_hh: expected (4*hidden_size, hidden_size) = (48, 12), found (3, 12).",
        ),
        (
            {"hh": (12,)},
            "weight_hh: expected (4*hidden_size, hidden_size) = (48, 12), found (12,).",
        ),
        (
            {"ih": (2, 12)},
            "weight_ih: expected (4*hidden_size, input_size) = (12, 12), found (2, 12).",
        ),
        (
            {"ih": (9, 2)},
            "weight_ih: expected (4*hidden_size, input_size) = (12, 2), found (9, 2).",
        ),
        ({"bias": (24,)}, "bias: expected (4*hidden_size,) = (12,), found (24,)."),
        ({"bias": (12, 1)}, "bias: expected (4*hidden_size,) = (12,), found (12, 1)."),
    ],
)
def test_weights_that_do_not_fit_together_raise(shapes, message):
    with pytest.raises(ShapeError) as caught:
        zeros(**shapes)
    assert str(caught.value) == message


def test_a_shape_error_carries_the_facts():
    with pytest.raises(ShapeError) as caught:
        zeros(bias=(11,))
    error = caught.value
    assert (error.name, error.symbols) == ("bias", "(4*hidden_size,)")
    assert (error.expected, error.found) == ((12,), (11,))


@pytest.mark.parametrize(
    ("dtypes", "found"),
    [
        (("float32", "float64", "float64"), "float32, float64, float64"),
        (("float16", "float16", "float16"), "float16, float16, float16"),
        (("int64", "int64", "int64"), "int64, int64, int64"),
        (("float64", "float64", "complex128"), "float64, float64, complex128"),
    ],
)
def test_weights_of_another_dtype_raise(dtypes, found):
    arrays = [np.zeros(s, d) for s, d in zip([(12, 2), (12, 3), (12,)], dtypes, strict=True)]
    with pytest.raises(LSTMError) as caught:
        CellParameters(*arrays)
    assert str(caught.value) == f"weights: expected all float32 or all float64, found {found}."


def test_the_gates_stand_in_the_order_input_forget_candidate_output():
    rows = np.repeat([[1.0], [2.0], [3.0], [4.0]], 3, axis=0)
    cell = CellParameters(np.tile(10 * rows, (1, 2)), np.tile(rows, (1, 3)), 100 * rows[:, 0])
    for number, gate in enumerate(("input", "forget", "candidate", "output"), start=1):
        hidden, x = [number] * 3, [10 * number] * 2
        assert cell.gate_weight(gate).tolist() == [hidden + x] * 3
        assert cell.gate_bias(gate).tolist() == [100 * number] * 3


@few
@given(cells())
def test_the_gates_put_together_are_all_of_the_weights(cell):
    gates, size = ("input", "forget", "candidate", "output"), cell.hidden_size
    weight = np.concatenate([cell.gate_weight(gate) for gate in gates])
    assert (weight[:, :size] == cell.weight_hh).all()
    assert (weight[:, size:] == cell.weight_ih).all()
    assert (np.concatenate([cell.gate_bias(gate) for gate in gates]) == cell.bias).all()


def test_weights_cannot_be_changed():
    cell = make_cell(RANDOM)
    for array in cell.arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        cell.gate_bias("input")[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        cell.bias = np.zeros(12)


def test_changing_the_arrays_given_does_not_change_the_weights():
    arrays = [np.zeros((12, 2)), np.zeros((12, 3)), np.zeros(12)]
    cell = CellParameters(*arrays)
    for array in arrays:
        array[:] = 5
    assert not any(array.any() for array in cell.arrays)


def test_a_layer_names_its_directions_forward_first():
    one, other = make_cell(RANDOM), make_cell(RANDOM)
    assert list(LayerParameters(one).directions.items()) == [("forward", one)]
    both = LayerParameters(one, other)
    assert list(both.directions.items()) == [("forward", one), ("reverse", other)]
    assert (both.input_size, both.hidden_size, both.output_size) == (2, 3, 6)
    assert LayerParameters(one).output_size == 3


def test_a_layer_may_read_in_reverse_only():
    one = make_cell(RANDOM)
    alone = LayerParameters(reverse=one)
    assert list(alone.directions.items()) == [("reverse", one)]
    assert (alone.first, alone.input_size, alone.output_size) == (one, 2, 3)
    above = LayerParameters(make_cell(RANDOM, 3, 4))
    assert Parameters((alone, above)).reads_back
    assert not Parameters((above,)).reads_back


@pytest.mark.parametrize(
    ("sizes", "connections", "message"),
    [
        (
            [(2, 3), (3, 3)],
            {"independent": True},
            "independent directions: expected at least two layers of two directions, found 2 of 1.",
        ),
        (
            [(2, 3)],
            {"residual": True},
            "residual connection: expected at least two layers, found 1.",
        ),
        (
            [(2, 3), (3, 4)],
            {"residual": True},
            "layer 1 output: expected as wide as its input, which is added = (3,), found (4,).",
        ),
    ],
)
def test_a_connection_needs_what_it_connects(sizes, connections, message):
    layers = tuple(LayerParameters(make_cell(RANDOM, *size)) for size in sizes)
    with pytest.raises(LSTMError) as caught:
        Parameters(layers, **connections)
    assert str(caught.value) == message


def test_independent_directions_read_one_direction_below():
    def both(width, size):
        return LayerParameters(make_cell(RANDOM, width, size), make_cell(RANDOM, width, size))

    stack = Parameters((both(2, 3), both(3, 3)), independent=True, residual=True)
    assert (stack.output_size, stack.num_directions) == (6, 2)
    with pytest.raises(ShapeError) as caught:
        Parameters((both(2, 3), both(6, 3)), independent=True)
    assert str(caught.value) == (
        "layer 1 weight_ih: expected (4*hidden_size, hidden_size of the layer below) = (12, 3), "
        "found (12, 6)."
    )


def test_a_layer_has_at_least_one_direction():
    with pytest.raises(LSTMError) as caught:
        LayerParameters()
    assert str(caught.value) == "layer: expected a forward or a reverse cell, found none."


@pytest.mark.parametrize(
    ("input_size", "hidden_size", "message"),
    [
        (5, 3, "reverse weight_ih: expected (12, 2), found (12, 5)."),
        (2, 4, "reverse weight_ih: expected (12, 2), found (16, 2)."),
    ],
)
def test_directions_of_different_sizes_raise(input_size, hidden_size, message):
    with pytest.raises(ShapeError) as caught:
        LayerParameters(make_cell(RANDOM), make_cell(RANDOM, input_size, hidden_size))
    assert str(caught.value) == message


def test_directions_of_different_dtypes_raise():
    with pytest.raises(LSTMError) as caught:
        LayerParameters(make_cell(RANDOM), make_cell(RANDOM, dtype=np.float32))
    assert str(caught.value) == "reverse weights: expected float64, found float32."


def test_a_stack_without_layers_raises():
    with pytest.raises(LSTMError) as caught:
        Parameters(())
    assert str(caught.value) == "parameters: expected at least one layer, found none."


def test_a_layer_that_does_not_fit_on_the_one_below_raises():
    with pytest.raises(ShapeError) as caught:
        Parameters((LayerParameters(make_cell(RANDOM, 2, 3)), LayerParameters(make_cell(RANDOM))))
    assert str(caught.value) == (
        "layer 1 weight_ih: expected (4*hidden_size, directions*hidden_size of the layer below) "
        "= (12, 3), found (12, 2)."
    )


def test_a_layer_above_two_directions_must_read_both():
    both = LayerParameters(make_cell(RANDOM, 2, 3), make_cell(RANDOM, 2, 3))
    narrow = LayerParameters(make_cell(RANDOM, 3, 5), make_cell(RANDOM, 3, 5))
    with pytest.raises(ShapeError) as caught:
        Parameters((both, narrow))
    assert str(caught.value) == (
        "layer 1 weight_ih: expected (4*hidden_size, directions*hidden_size of the layer below) "
        "= (20, 6), found (20, 3)."
    )


def test_layers_with_different_numbers_of_directions_raise():
    both = LayerParameters(make_cell(RANDOM, 2, 3), make_cell(RANDOM, 2, 3))
    with pytest.raises(LSTMError) as caught:
        Parameters((both, LayerParameters(make_cell(RANDOM, 6, 5))))
    assert str(caught.value) == "layer 1: expected 2 direction(s) as in layer 0, found 1."


def test_layers_of_different_dtypes_raise():
    below = LayerParameters(make_cell(RANDOM, 2, 3, np.float32))
    middle = LayerParameters(make_cell(RANDOM, 3, 4, np.float32))
    above = LayerParameters(make_cell(RANDOM, 4, 5, np.float64))
    with pytest.raises(LSTMError) as caught:
        Parameters((below, middle, above))
    assert str(caught.value) == "layer 2: expected float32, found float64."


def test_a_stack_knows_its_sizes():
    stack = make_parameters(RANDOM, 2, (3, 5, 4), num_directions=2, dtype=np.float32)
    assert (stack.num_layers, stack.num_directions) == (3, 2)
    assert (stack.input_size, stack.hidden_size, stack.output_size) == (2, 4, 8)
    assert stack.dtype == np.float32


@few
@given(stacks())
def test_every_layer_reads_what_the_one_below_hands_on(stack):
    for below, layer in zip(stack.layers, stack.layers[1:], strict=False):
        assert layer.input_size == len(below.directions) * below.hidden_size
