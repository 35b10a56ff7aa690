"""The fast path: against the step, against the scalar reference, and its laws to the last bit."""

import warnings

import numpy as np
import pytest
from hypothesis import given

from lstm.cell import step
from lstm.parameters import CellParameters
from lstm.sequence import run_cell
from lstm.state import State
from tests import reference
from tests.lstm.comparison import QUANTITIES, RECORDED, TOLERANCES, assert_close, same_bits
from tests.strategies import cells, few, make_cell, randoms

STEPS, SEQUENCES = 6, 4
SIDES = ("forward", "reverse")


def inputs_for(random, cell, *leading):
    return random.normal(size=(*leading, cell.input_size)).astype(cell.dtype)


def state_for(random, cell, *leading):
    shape = (*leading, cell.hidden_size)
    return State(
        h=random.uniform(-1, 1, shape).astype(cell.dtype),
        c=random.uniform(-3, 3, shape).astype(cell.dtype),
    )


@few
@given(cells(), randoms)
@pytest.mark.parametrize("direction", SIDES)
def test_every_quantity_equals_the_reference(direction, cell, random):
    inputs, initial = inputs_for(random, cell, STEPS), state_for(random, cell)
    trace = run_cell(cell, inputs[np.newaxis], initial, direction)
    expected = reference.sequence(
        reference.cell_of(cell), inputs.tolist(), initial.h.tolist(), initial.c.tolist(), direction
    )
    for name in RECORDED:
        assert_close(getattr(trace, name)[0], [new[name] for new in expected])


@few
@given(cells(), randoms)
def test_the_fast_path_equals_the_textbook_step(cell, random):
    inputs, state = inputs_for(random, cell, STEPS), state_for(random, cell)
    trace = run_cell(cell, inputs[np.newaxis], state, "forward")
    tolerance = TOLERANCES[str(cell.dtype)]
    for t in range(STEPS):
        state, gates = step(cell, inputs[t], state)
        for found, expected in (
            (trace.cell, state.c),
            (trace.hidden, state.h),
            (trace.input, gates.i),
            (trace.forget, gates.f),
            (trace.candidate, gates.g),
            (trace.output, gates.o),
        ):
            np.testing.assert_allclose(found[0, t], expected, rtol=tolerance, atol=tolerance)


@few
@given(cells(), randoms)
@pytest.mark.parametrize("direction", SIDES)
def test_shape_and_dtype_of_every_quantity(direction, cell, random):
    inputs = inputs_for(random, cell, SEQUENCES, STEPS)
    trace = run_cell(cell, inputs, state_for(random, cell), direction)
    assert trace.direction == direction
    for name in RECORDED:
        width = cell.input_size if name == "layer_input" else cell.hidden_size
        assert getattr(trace, name).shape == (SEQUENCES, STEPS, width)
        assert getattr(trace, name).dtype == cell.dtype
    assert {array.dtype for array in (*trace.initial, *trace.final)} == {cell.dtype}


@few
@given(cells(), randoms)
@pytest.mark.parametrize("direction", SIDES)
def test_gates_and_states_stay_in_their_range(direction, cell, random):
    inputs = 20 * inputs_for(random, cell, SEQUENCES, STEPS)
    trace = run_cell(cell, inputs, state_for(random, cell), direction)
    for gate in (trace.input, trace.forget, trace.output):
        assert ((gate >= 0) & (gate <= 1)).all()
    for bounded in (trace.candidate, trace.hidden, trace.tanh_cell, trace.input_candidate):
        assert (np.abs(bounded) <= 1).all()


@few
@given(cells(), randoms)
@pytest.mark.parametrize("direction", SIDES)
def test_the_cell_state_grows_by_at_most_1_per_step(direction, cell, random):
    inputs = 20 * inputs_for(random, cell, SEQUENCES, STEPS)
    trace = run_cell(cell, inputs, state_for(random, cell), direction)
    assert (np.abs(trace.cell) <= np.abs(trace.previous_cell) + 1).all()


@few
@given(cells(), randoms)
def test_reverse_equals_forward_on_the_flipped_input(cell, random):
    inputs, initial = inputs_for(random, cell, SEQUENCES, STEPS), state_for(random, cell)
    reverse = run_cell(cell, inputs, initial, "reverse")
    flipped = run_cell(cell, inputs[:, ::-1].copy(), initial, "forward")
    for name in RECORDED:
        assert same_bits(getattr(reverse, name), getattr(flipped, name)[:, ::-1])
    assert same_bits(reverse.final.h, flipped.final.h)
    assert same_bits(reverse.final.c, flipped.final.c)


@few
@given(cells(), randoms)
def test_reverse_differs_from_forward(cell, random):
    inputs, initial = inputs_for(random, cell, 1, STEPS), state_for(random, cell)
    forward, reverse = (run_cell(cell, inputs, initial, direction) for direction in SIDES)
    assert not np.allclose(forward.cell, reverse.cell)


@few
@given(cells(), randoms)
def test_a_run_continues_from_its_final_state_to_the_last_bit(cell, random):
    inputs, initial = inputs_for(random, cell, SEQUENCES, STEPS), state_for(random, cell)
    whole = run_cell(cell, inputs, initial, "forward")
    for k in range(STEPS + 1):
        first = run_cell(cell, inputs[:, :k], initial, "forward")
        second = run_cell(cell, inputs[:, k:], first.final, "forward")
        for name in RECORDED:
            joined = np.concatenate([getattr(first, name), getattr(second, name)], axis=1)
            assert same_bits(joined, getattr(whole, name))
        assert same_bits(second.final.h, whole.final.h)
        assert same_bits(second.final.c, whole.final.c)


@few
@given(cells(), randoms)
def test_a_reverse_run_continues_from_the_end_of_the_text(cell, random):
    inputs, initial = inputs_for(random, cell, SEQUENCES, STEPS), state_for(random, cell)
    whole = run_cell(cell, inputs, initial, "reverse")
    right = run_cell(cell, inputs[:, 2:], initial, "reverse")
    left = run_cell(cell, inputs[:, :2], right.final, "reverse")
    for name in RECORDED:
        joined = np.concatenate([getattr(left, name), getattr(right, name)], axis=1)
        assert same_bits(joined, getattr(whole, name))
    assert same_bits(left.final.c, whole.final.c)


@few
@given(cells(), randoms)
@pytest.mark.parametrize("direction", SIDES)
def test_permuting_the_units_permutes_the_trace(direction, cell, random):
    size = cell.hidden_size
    order = random.permutation(size)
    rows = np.concatenate([block * size + order for block in range(4)])
    permuted = CellParameters(cell.weight_ih[rows], cell.weight_hh[rows][:, order], cell.bias[rows])
    inputs, initial = inputs_for(random, cell, SEQUENCES, STEPS), state_for(random, cell)
    one = run_cell(cell, inputs, initial, direction)
    other = run_cell(permuted, inputs, State(initial.h[order], initial.c[order]), direction)
    tolerance = TOLERANCES[str(cell.dtype)]
    for name in QUANTITIES[1:]:
        expected = getattr(one, name)[..., order]
        np.testing.assert_allclose(
            getattr(other, name), expected, rtol=tolerance, atol=tolerance, err_msg=name
        )


@few
@given(cells(), randoms)
@pytest.mark.parametrize("direction", SIDES)
def test_a_sequence_has_the_same_bits_alone_and_among_others(direction, cell, random):
    inputs = inputs_for(random, cell, SEQUENCES, STEPS)
    initial = state_for(random, cell, SEQUENCES)
    together = run_cell(cell, inputs, initial, direction)
    for n in range(SEQUENCES):
        state = State(h=initial.h[n], c=initial.c[n])
        alone = run_cell(cell, inputs[n : n + 1], state, direction)
        for name in RECORDED:
            assert same_bits(getattr(alone, name)[0], getattr(together, name)[n])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("input_size", "hidden_size"), [(3, 1), (2, 17), (50, 128), (200, 256), (100, 650)]
)
def test_sequences_of_any_number_have_the_same_bits_at_real_sizes(input_size, hidden_size, dtype):
    random = np.random.default_rng(hidden_size)
    cell = make_cell(random, input_size, hidden_size, dtype)
    inputs, initial = inputs_for(random, cell, 7, 3), state_for(random, cell, 7)
    for direction in SIDES:
        everyone = run_cell(cell, inputs, initial, direction)
        for some in (slice(0, 1), slice(4, 5), slice(2, 5), slice(1, 7)):
            state = State(h=initial.h[some], c=initial.c[some])
            fewer = run_cell(cell, inputs[some], state, direction)
            for name in RECORDED:
                assert same_bits(getattr(fewer, name), getattr(everyone, name)[some]), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hidden_size", [1, 3, 17, 128, 256, 650])
def test_a_prefix_has_the_same_bits_at_real_sizes(hidden_size, dtype):
    random = np.random.default_rng(hidden_size)
    cell = make_cell(random, 5, hidden_size, dtype)
    inputs, initial = inputs_for(random, cell, 2, 7), state_for(random, cell)
    whole = run_cell(cell, inputs, initial, "forward")
    for k in (0, 1, 4):
        prefix = run_cell(cell, inputs[:, :k], initial, "forward")
        for name in RECORDED:
            assert same_bits(getattr(prefix, name), getattr(whole, name)[:, :k]), name


@pytest.mark.parametrize("hidden_size", [128, 650])
def test_the_fast_path_equals_the_step_at_real_sizes(hidden_size):
    random = np.random.default_rng(hidden_size)
    cell = make_cell(random, 50, hidden_size)
    inputs, state = inputs_for(random, cell, 3), state_for(random, cell)
    trace = run_cell(cell, inputs[np.newaxis], state, "forward")
    for t in range(3):
        state, _ = step(cell, inputs[t], state)
        np.testing.assert_allclose(trace.hidden[0, t], state.h, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(trace.cell[0, t], state.c, rtol=1e-12, atol=1e-12)


def test_one_state_serves_every_sequence():
    random = np.random.default_rng(5)
    cell = make_cell(random)
    inputs, initial = inputs_for(random, cell, SEQUENCES, STEPS), state_for(random, cell)
    repeated = State(*(np.tile(array, (SEQUENCES, 1)) for array in initial))
    one, other = (run_cell(cell, inputs, state, "forward") for state in (initial, repeated))
    for name in RECORDED:
        assert same_bits(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("direction", SIDES)
def test_no_step_leaves_the_state_as_it_was(direction):
    random = np.random.default_rng(6)
    cell = make_cell(random)
    initial = state_for(random, cell, SEQUENCES)
    trace = run_cell(cell, np.empty((SEQUENCES, 0, 2)), initial, direction)
    assert trace.num_steps == 0
    assert trace.hidden.shape == (SEQUENCES, 0, 3)
    assert trace.previous_cell.shape == trace.forget_cell.shape == (SEQUENCES, 0, 3)
    assert same_bits(trace.final.h, initial.h)
    assert same_bits(trace.final.c, initial.c)


@pytest.mark.parametrize("direction", SIDES)
def test_no_sequence_gives_empty_arrays(direction):
    random = np.random.default_rng(7)
    cell = make_cell(random)
    trace = run_cell(cell, np.empty((0, STEPS, 2)), state_for(random, cell), direction)
    for name in QUANTITIES[1:]:
        assert getattr(trace, name).shape == (0, STEPS, 3)
    assert trace.final.c.shape == (0, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("direction", SIDES)
def test_huge_weights_saturate_exactly_and_warn_of_nothing(direction, dtype):
    huge = dtype(1e30)
    signs = np.repeat([[1], [-1], [-1], [1]], 3, axis=0).astype(dtype)  # i, f, g, o
    cell = CellParameters(np.tile(huge * signs, (1, 2)), np.zeros((12, 3), dtype), signs[:, 0])
    inputs = np.ones((1, STEPS, 2), dtype)
    initial = State(h=np.full(3, 0.5, dtype), c=np.full(3, 2.5, dtype))
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        trace = run_cell(cell, inputs, initial, direction)
    assert np.unique(trace.input).tolist() == [1]
    assert np.unique(trace.forget).tolist() == [0]
    assert np.unique(trace.candidate).tolist() == [-1]
    assert np.unique(trace.output).tolist() == [1]
    assert np.unique(trace.cell).tolist() == [-1]
    assert same_bits(trace.hidden, np.tanh(trace.cell))


def test_a_run_leaves_its_arguments_alone():
    random = np.random.default_rng(8)
    cell = make_cell(random)
    inputs, initial = inputs_for(random, cell, 2, STEPS), state_for(random, cell, 2)
    copies = [array.copy() for array in (inputs, *initial)]
    run_cell(cell, inputs, initial, "reverse")
    assert all(map(same_bits, (inputs, *initial), copies))
