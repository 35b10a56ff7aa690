"""States travel under names: nothing is missing, unknown, or of another width."""

import numpy as np
import pytest
from hypothesis import given

from lstm.errors import LSTMError, ShapeError
from lstm.state import ModelState, State
from tests.lstm.comparison import same_bits
from tests.strategies import few, make_parameters, make_state, randoms, stacks

RANDOM = np.random.default_rng(0)
STACK = make_parameters(RANDOM, 2, (3, 5))
NAMES = [
    "layers.0.forward.hidden",
    "layers.0.forward.cell",
    "layers.1.forward.hidden",
    "layers.1.forward.cell",
]


def arrays(**changed):
    """A state of STACK as arrays; changes are given as l0_hidden=..., None to leave one out."""
    ready = make_state(np.random.default_rng(1), STACK).arrays()
    for name, array in changed.items():
        layer, quantity = name.split("_")
        full = f"layers.{layer[1:]}.forward.{quantity}"
        if array is None:
            del ready[full]
        else:
            ready[full] = array
    return ready


def message_of(given):
    with pytest.raises(LSTMError) as caught:
        ModelState.from_arrays(given, STACK)
    return str(caught.value)


def test_zeros_has_a_zero_for_every_unit():
    state = ModelState.zeros(make_parameters(RANDOM, 2, (3, 5), 2, np.float32))
    assert list(state.cells) == [(0, "forward"), (0, "reverse"), (1, "forward"), (1, "reverse")]
    assert [len(one.h) for one in state.cells.values()] == [3, 3, 5, 5]
    assert {array.dtype for array in state.arrays().values()} == {np.dtype(np.float32)}
    assert state.is_zero
    assert state.num_sequences is None


@few
@given(stacks(), randoms)
def test_arrays_and_back_is_the_same_state(stack, random):
    for number in (None, 4):
        state = make_state(random, stack, number)
        again = ModelState.from_arrays(state.arrays(), stack)
        assert list(again.cells) == list(state.cells)
        for place, one in state.cells.items():
            assert same_bits(again[place].h, one.h)
            assert same_bits(again[place].c, one.c)
        assert again.num_sequences == number


def test_arrays_are_named_by_layer_direction_and_quantity():
    state = make_state(RANDOM, STACK)
    assert list(state.arrays()) == NAMES
    assert state.arrays()["layers.1.forward.hidden"] is state[1, "forward"].h
    assert state.arrays()["layers.1.forward.cell"] is state[1, "forward"].c


def test_the_names_of_a_reverse_direction():
    names = make_state(RANDOM, make_parameters(RANDOM, num_directions=2)).arrays()
    assert list(names)[2:] == ["layers.0.reverse.hidden", "layers.0.reverse.cell"]


def test_hidden_and_cell_state_are_not_exchanged():
    state = ModelState.from_arrays(
        arrays(l0_hidden=np.full(3, 0.5), l0_cell=np.full(3, 2.0)), STACK
    )
    assert state[0, "forward"].h.tolist() == [0.5] * 3
    assert state[0, "forward"].c.tolist() == [2] * 3


def test_a_state_takes_the_dtype_of_the_weights():
    stack = make_parameters(RANDOM, dtype=np.float32)
    given_arrays = {
        "layers.0.forward.hidden": np.array([0, 1, 0]),
        "layers.0.forward.cell": np.array([0.5, 1.5, 2.5]),
    }
    state = ModelState.from_arrays(given_arrays, stack)
    assert [array.dtype for array in state[0, "forward"]] == [np.float32, np.float32]
    assert state[0, "forward"].c.tolist() == [0.5, 1.5, 2.5]


def test_one_number_other_than_zero_makes_a_state_that_is_not_zero():
    for name in NAMES:
        zero = ModelState.zeros(STACK).arrays()
        zero[name] = np.array([0] * (len(zero[name]) - 1) + [1e-9])
        assert not ModelState.from_arrays(zero, STACK).is_zero


def test_one_sequence_of_a_state_for_many():
    state = make_state(RANDOM, STACK, 4)
    assert state.num_sequences == 4
    third = state.sequence(2)
    assert third.num_sequences is None
    assert same_bits(third[1, "forward"].h, state[1, "forward"].h[2])
    assert same_bits(third[1, "forward"].c, state[1, "forward"].c[2])


def test_states_put_together_and_taken_apart_are_the_same():
    states = [make_state(RANDOM, STACK) for _ in range(4)]
    together = ModelState.stack(states)
    assert together.num_sequences == 4
    assert list(together.cells) == list(states[0].cells)
    for n, state in enumerate(states):
        again = together.sequence(n)
        for place, one in state.cells.items():
            assert same_bits(again[place].h, one.h)
            assert same_bits(again[place].c, one.c)


def test_one_state_put_together_stays_as_it_is():
    state = make_state(RANDOM, STACK)
    assert ModelState.stack([state]) is state
    assert state.num_sequences is None


def test_one_state_for_any_sequence_serves_each():
    state = make_state(RANDOM, STACK)
    assert state.sequence(7)[1, "forward"].c is state[1, "forward"].c


def test_a_state_for_many_may_hold_some_arrays_for_all():
    state = ModelState.from_arrays(arrays(l0_hidden=np.zeros((4, 3))), STACK)
    assert state.num_sequences == 4
    assert same_bits(state.sequence(1)[1, "forward"].c, state[1, "forward"].c)


def test_a_state_cannot_be_changed():
    mine = np.ones(3)
    state = ModelState.from_arrays(arrays(l0_hidden=mine), STACK)
    mine[0] = 5
    assert state[0, "forward"].h.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        state[0, "forward"].c[0] = 1


def test_a_missing_array_raises():
    expected = "state: expected an array named layers.1.forward.cell, found none."
    assert message_of(arrays(l1_cell=None)) == expected


def test_an_unknown_array_raises():
    given_arrays = {**arrays(), "layers.2.forward.cell": np.zeros(3)}
    expected = "state: expected arrays for 2 cells, found also layers.2.forward.cell."
    assert message_of(given_arrays) == expected


def test_the_state_of_a_reverse_direction_does_not_fit_a_model_without_one():
    both = make_state(RANDOM, make_parameters(RANDOM, 2, (3, 5), 2))
    assert message_of(both.arrays()) == (
        "state: expected arrays for 2 cells, found also layers.0.reverse.cell."
    )


@pytest.mark.parametrize(
    ("shape", "found"), [((4,), "(4,)"), ((2, 5), "(2, 5)"), ((1, 2, 3), "(1, 2, 3)"), ((), "()")]
)
def test_an_array_of_another_width_raises(shape, found):
    assert message_of(arrays(l0_hidden=np.zeros(shape))) == (
        "state: layers.0.forward.hidden: expected (hidden_size,) or (sequences, hidden_size) "
        f"= (3,), found {found}."
    )


def test_a_width_error_carries_the_facts():
    with pytest.raises(ShapeError) as caught:
        ModelState.from_arrays(arrays(l1_cell=np.zeros(3)), STACK)
    assert (caught.value.expected, caught.value.found) == ((5,), (3,))


def test_different_numbers_of_sequences_raise():
    given_arrays = arrays(l0_hidden=np.zeros((4, 3)), l1_cell=np.zeros((2, 5)))
    expected = "state: expected the same number of sequences in every array."
    assert message_of(given_arrays) == expected


@pytest.mark.parametrize("array", [np.array(["a", "b", "c"]), np.array([1j, 2j, 3j])])
def test_an_array_that_holds_no_real_numbers_raises(array):
    assert message_of(arrays(l0_hidden=array)) == (
        f"state: layers.0.forward.hidden: expected real numbers, found {array.dtype}."
    )


def test_the_two_states_of_a_cell_are_given_by_name():
    h, c = State(c=np.ones(2), h=np.zeros(2))
    assert (h.tolist(), c.tolist()) == ([0, 0], [1, 1])
