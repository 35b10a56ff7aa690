"""How the tests of this folder compare arrays and traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lstm.cell_trace import DirectionTrace
from lstm.state import ModelState
from lstm.trace import Trace

# Every quantity by the name that the documentation gives it, written out here on purpose.
QUANTITIES = (
    "layer_input",
    "pre_forget",
    "pre_input",
    "pre_candidate",
    "pre_output",
    "forget",
    "input",
    "candidate",
    "output",
    "input_candidate",
    "forget_cell",
    "cell",
    "tanh_cell",
    "hidden",
    "layer_output",
)
RECORDED = (*QUANTITIES, "previous_cell")

# Float32 carries 24 bits; some twenty roundings in a row, through up to three layers.
TOLERANCES = {"float32": 3e-5, "float64": 2e-13}


def same_bits(found: Any, expected: Any) -> bool:
    """Whether two arrays are the same to the last bit, shape and dtype included."""
    found, expected = np.asarray(found), np.asarray(expected)
    alike = found.shape == expected.shape and found.dtype == expected.dtype
    return alike and found.tobytes() == expected.tobytes()


def assert_close(found: np.ndarray, expected: Any) -> None:
    """Assert that an array equals the oracle's numbers, as far as its dtype can."""
    expected = np.asarray(expected, np.float64).reshape(found.shape)
    tolerance = TOLERANCES[str(found.dtype)]
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def directions(trace: Trace) -> Iterator[tuple[tuple[int, str], DirectionTrace]]:
    """Every cell's record with its place."""
    for number, layer in enumerate(trace.layers):
        for record in layer.directions:
            yield (number, record.direction), record


def arrays(trace: Trace) -> dict[tuple[int, str, str], np.ndarray]:
    """Every quantity of every cell, by layer, direction and name."""
    return {
        (*place, name): getattr(record, name)
        for place, record in directions(trace)
        for name in RECORDED
    }


def assert_same_traces(found: Trace, expected: Trace) -> None:
    """Assert that two traces are the same to the last bit."""
    one, other = arrays(found), arrays(expected)
    assert one.keys() == other.keys()
    assert [place for place in one if not same_bits(one[place], other[place])] == []


def lists_of(state: ModelState) -> Mapping[tuple[int, str], tuple[list[float], list[float]]]:
    """A state as the oracle takes it."""
    return {place: (one.h.tolist(), one.c.tolist()) for place, one in state.cells.items()}
