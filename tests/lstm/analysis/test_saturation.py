"""Saturation: counted by hand."""

import numpy as np

from lstm.analysis.saturation import Saturation, counters
from lstm.cell_trace import DirectionTrace
from lstm.state import State


def trace_of(i, f, g, o, c):
    gates = np.concatenate([np.array(gate, float) for gate in (i, f, g, o)], axis=1)
    cells = np.array(c, float)
    zero = State(np.zeros(cells.shape[1]), np.zeros(cells.shape[1]))
    return DirectionTrace("forward", cells, gates, gates, cells, cells, zero)


def test_shares_and_kinds_by_hand():
    trace = trace_of(
        i=[[0.05, 0.95], [0.5, 0.95]],
        f=[[0.95, 0.2], [0.99, 0.99]],
        g=[[1, 1], [1, 1]],
        o=[[0.01, 0.5], [0.09, 0.5]],
        c=[[0.9, 3], [1.8, 3]],
    )
    saturation = Saturation.of(trace)
    assert saturation.shut["input"].tolist() == [0.5, 0]
    assert saturation.opened["input"].tolist() == [0, 1]
    assert saturation.always_shut("output") == [0]
    assert saturation.always_open("input") == [1]
    assert saturation.always_open("forget") == [0]
    assert counters(trace) == [0]  # the other one forgets
