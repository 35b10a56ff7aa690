"""What a step did: counted by hand."""

import numpy as np
import pytest

from lstm.analysis.walk import Opening, Passage, largest
from lstm.cell_trace import DirectionTrace
from lstm.state import State


def trace_of(direction="forward"):
    """Two steps of three units, from a state that is not zero."""
    i = [[0.5, 1.0, 0.0], [0.9, 0.2, 0.8]]
    f = [[0.5, 0.0, 1.0], [0.1, 0.9, 0.6]]
    g = [[1.0, -1.0, 0.5], [0.5, 0.5, -0.5]]
    o = [[0.2, 0.4, 0.9], [0.8, 0.1, 0.3]]
    gates = np.concatenate([np.array(gate) for gate in (i, f, g, o)], axis=1)
    cell = np.array([[1.5, -1.0, 4.0], [0.6, -0.8, 2.0]])
    initial = State(np.zeros(3), np.array([2.0, 3.0, 4.0]))
    return DirectionTrace(direction, cell, gates, gates, cell, np.tanh(cell), initial)


def test_how_far_the_gates_were_open():
    opening = Opening.of(trace_of(), 1)
    assert opening.forgot == pytest.approx(1 - 1.6 / 3)
    assert (opening.kept, opening.wrote, opening.showed) == (2, 2, 1)
    assert opening.remembered == pytest.approx(1.9 / 3)
    assert opening.revealed == pytest.approx(1.2 / 3)


def test_what_was_forgotten_written_and_changed():
    passage = Passage(trace_of(), 0)
    assert passage.before.tolist() == [2, 3, 4]
    assert passage.forgotten.tolist() == [1.0, 3.0, 0.0]
    assert passage.written.tolist() == [0.5, -1.0, 0.0]
    first, second, third = passage.changes()
    assert [change.unit for change in (first, second, third)] == [1, 0, 2]
    assert (first.before, first.after, first.change) == (3.0, -1.0, -4.0)
    assert (first.forget, first.input, first.candidate, first.output) == (0.0, 1.0, -1.0, 0.4)
    assert first.hidden == pytest.approx(np.tanh(-1.0))


def test_before_a_reverse_step_is_the_one_to_its_right():
    assert Passage(trace_of("reverse"), 0).before.tolist() == [0.6, -0.8, 2.0]
    assert Passage(trace_of("reverse"), 1).before.tolist() == [2, 3, 4]


def test_a_projected_hidden_state_belongs_to_no_unit():
    assert Passage(trace_of(), 0, is_projected=True).changes()[0].hidden is None


def test_the_largest_are_never_zero():
    assert largest(np.array([0.1, -0.3, 0.2, 0.0]), 2) == [(1, -0.3), (2, 0.2)]
    assert largest(np.zeros(3), 2) == []
