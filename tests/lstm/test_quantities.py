"""The list of quantities is true of the traces: names, ranges, and the order of the gates."""

import numpy as np
import pytest

from lstm.quantities import BY_NAME, BY_SYMBOL, DIRECTIONS, GATES, NAMES, QUANTITIES
from lstm.sequence import run_cell
from lstm.state import State
from tests.lstm import comparison
from tests.strategies import make_cell


def test_the_names_are_those_of_the_documentation():
    assert NAMES == comparison.QUANTITIES
    assert GATES == ("input", "forget", "candidate", "output")
    assert DIRECTIONS == ("forward", "reverse")


def test_names_and_letters_are_unique():
    assert [BY_NAME[quantity.name] for quantity in QUANTITIES] == list(QUANTITIES)
    assert [BY_SYMBOL[quantity.symbol] for quantity in QUANTITIES] == list(QUANTITIES)


def test_the_textbook_names_of_the_gates_and_states():
    words = {quantity.name: quantity.textbook for quantity in QUANTITIES if quantity.textbook}
    assert words == {
        "layer_input": "INP",
        "forget": "FGOP",
        "input": "IPGOP",
        "candidate": "CNDCS",
        "output": "OGOP",
        "cell": "NEWCS",
        "hidden": "NEWHS",
    }


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda quantity: quantity.name)
def test_a_trace_keeps_the_range_that_is_declared(quantity):
    random = np.random.default_rng(0)
    cell = make_cell(random)
    state = State(h=random.uniform(-1, 1, 3), c=random.uniform(-30, 30, 3))
    trace = run_cell(cell, 30 * random.normal(size=(4, 50, 2)), state, "forward")
    trace = trace._replace(added=trace.pre_input)
    values = getattr(trace, quantity.name)
    if quantity.low is None:
        assert values.min() < -1
        assert values.max() > 1
    else:
        assert quantity.low <= values.min() < quantity.low + 0.01
        assert quantity.high - 0.01 < values.max() <= quantity.high
