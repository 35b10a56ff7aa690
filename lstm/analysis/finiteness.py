"""What of a run is no number, or has grown beyond all numbers, and where that begins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstm.address import Address
from lstm.arrays import Floats
from lstm.cell_trace import DirectionTrace
from lstm.quantities import QUANTITIES
from lstm.trace import Trace


class NonFinite(NamedTuple):
    """How many of the numbers of a run are NaN or infinite, and which comes first."""

    bad: int
    total: int
    first: Address
    value: float


@np.errstate(over="ignore", invalid="ignore")
def nonfinite(trace: Trace) -> NonFinite | None:
    """Count the numbers that are not finite, over all quantities; None where all are.

    The first is that of the lowest layer, there of the step that is read first, and there of the
    quantity that is computed first.
    """
    bad = total = 0
    first: tuple[Address, float] | None = None
    for layer, record in enumerate(trace.layers):
        for direction in record.directions:
            stacked = [getattr(direction, quantity.name) for quantity in QUANTITIES]
            total += sum(array.size for array in stacked)
            here = sum(int((~np.isfinite(array)).sum()) for array in stacked)
            bad += here
            if here and first is None:
                first = _first(layer, direction, stacked)
    return None if first is None else NonFinite(bad, total, *first)


def _first(layer: int, direction: DirectionTrace, arrays: list[Floats]) -> tuple[Address, float]:
    steps = [np.flatnonzero(~np.isfinite(array).all(axis=1)).tolist() for array in arrays]
    known = [step for quantity in steps for step in quantity]
    step = min(known) if direction.direction == "forward" else max(known)
    number = next(n for n, bad in enumerate(steps) if step in bad)
    unit = int(np.flatnonzero(~np.isfinite(arrays[number][step]))[0])
    at = Address(layer, direction.direction, QUANTITIES[number].symbol, unit, step)
    return at, float(arrays[number][step, unit])
