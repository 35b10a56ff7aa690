"""One step: by hand, against the scalar reference, and its laws."""

import math

import numpy as np
import pytest
from hypothesis import given

from lstm.cell import step
from lstm.parameters import CellParameters
from lstm.state import State
from tests import reference
from tests.lstm.comparison import assert_close
from tests.strategies import cells, few, make_cell, randoms

THREE = math.log(3)  # sigmoid(log 3) = 3/4, tanh(log 3 / 2) = 1/2


def one_unit(weight_ih, weight_hh, bias):
    """A cell with D = H = 1 from the numbers of the gates i, f, g, o."""
    return CellParameters(
        np.array([[number] for number in weight_ih], float),
        np.array([[number] for number in weight_hh], float),
        np.array(bias, float),
    )


def after(cell, x=0.0, h=0.0, c=0.0):
    return step(cell, np.array([x]), State(h=np.array([h]), c=np.array([c])))


def test_the_biases_alone_make_a_step_worked_out_by_hand():
    cell = one_unit([0] * 4, [0] * 4, [0, THREE, THREE / 2, -THREE])
    new, gates = after(cell, c=2.0)
    assert gates.i.item() == 0.5
    assert gates.f.item() == pytest.approx(0.75, abs=1e-15)
    assert gates.g.item() == pytest.approx(0.5, abs=1e-15)
    assert gates.o.item() == pytest.approx(0.25, abs=1e-15)
    assert new.c.item() == pytest.approx(0.75 * 2 + 0.5 * 0.5, abs=1e-15)
    assert new.h.item() == pytest.approx(0.25 * math.tanh(1.75), abs=1e-15)


def test_the_input_reaches_each_gate_by_its_own_weight():
    cell = one_unit([THREE, -THREE, THREE / 2, 0], [0] * 4, [0] * 4)
    _, gates = after(cell, x=1.0)
    found = [gate.item() for gate in (gates.i, gates.f, gates.g, gates.o)]
    assert found == pytest.approx([0.75, 0.25, 0.5, 0.5], abs=1e-15)


def test_the_hidden_state_reaches_each_gate_by_its_own_weight():
    cell = one_unit([0] * 4, [-THREE, THREE, -THREE / 2, 2 * THREE], [0] * 4)
    _, gates = after(cell, h=1.0, c=-5.0)
    found = [gate.item() for gate in (gates.i, gates.f, gates.g, gates.o)]
    assert found == pytest.approx([0.25, 0.75, -0.5, 0.9], abs=1e-15)


def test_the_cell_state_reaches_no_gate():
    cell = make_cell(np.random.default_rng(1))
    x, h = np.ones(2), np.full(3, 0.5)
    one, other = (step(cell, x, State(h=h, c=np.full(3, c)))[1] for c in (0.0, 7.0))
    assert [gate.tolist() for gate in one] == [gate.tolist() for gate in other]


def test_an_open_forget_gate_and_a_closed_input_gate_keep_the_cell_state():
    cell = one_unit([0] * 4, [0] * 4, [-99, 99, 99, 99])
    assert after(cell, c=-2.5)[0].c.item() == -2.5


def test_a_closed_forget_gate_and_an_open_input_gate_replace_the_cell_state():
    cell = one_unit([0] * 4, [0] * 4, [99, -99, -99, 99])
    new, _ = after(cell, c=7.0)
    assert new.c.item() == -1
    assert new.h.item() == pytest.approx(-math.tanh(1), abs=1e-15)


def test_a_closed_output_gate_hides_the_cell_state():
    cell = one_unit([0] * 4, [0] * 4, [99, 99, 99, -99])
    new, _ = after(cell, c=2.0)
    assert (new.c.item(), new.h.item()) == (3, 0)


@few
@given(cells(), randoms)
def test_a_step_equals_the_reference(cell, random):
    x = random.normal(size=cell.input_size).astype(cell.dtype)
    previous = State(
        h=random.uniform(-1, 1, cell.hidden_size).astype(cell.dtype),
        c=random.uniform(-3, 3, cell.hidden_size).astype(cell.dtype),
    )
    new, gates = step(cell, x, previous)
    expected = reference.step(
        reference.cell_of(cell), x.tolist(), previous.h.tolist(), previous.c.tolist()
    )
    for found, name in (
        (gates.i, "input"),
        (gates.f, "forget"),
        (gates.g, "candidate"),
        (gates.o, "output"),
        (new.c, "cell"),
        (new.h, "hidden"),
    ):
        assert found.dtype == cell.dtype
        assert found.shape == (cell.hidden_size,)
        assert_close(found, expected[name])


def test_a_step_leaves_its_arguments_alone():
    cell = make_cell(np.random.default_rng(2))
    x, previous = np.ones(2), State(h=np.ones(3), c=np.full(3, 2.0))
    step(cell, x, previous)
    assert x.tolist() == [1, 1]
    assert previous.h.tolist() == [1, 1, 1]
    assert previous.c.tolist() == [2, 2, 2]


@pytest.mark.parametrize(("width", "h", "c"), [(3, 3, 3), (2, 4, 3), (2, 3, 2)])
def test_a_width_that_does_not_fit_raises(width, h, c):
    cell = make_cell(np.random.default_rng(3))
    with pytest.raises(ValueError, match=r"mismatch|broadcast"):
        step(cell, np.zeros(width), State(h=np.zeros(h), c=np.zeros(c)))
