"""One layer and direction of a run, as the pictures look at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cli.formats.plot.parts import Heat
from cli.selection import Selection
from lstm.analysis.ledger import Ledger
from lstm.arrays import Floats
from lstm.cell_trace import DirectionTrace
from lstm.model import Model
from lstm.quantities import BY_NAME
from lstm.trace import Trace


class Cell(NamedTuple):
    """One layer and direction of a run, and the units that are shown of it."""

    model: Model
    trace: Trace
    layer: int
    record: DirectionTrace
    selection: Selection
    steps: range

    @property
    def where(self) -> str:
        """The layer and direction, where there is more than one."""
        parameters = self.model.parameters
        parts = [f", layer {self.layer}"] if parameters.num_layers > 1 else []
        return "".join(parts + ([f", {self.record.direction}"] if parameters.reads_back else []))

    def ledger(self) -> Ledger:
        """Account for the memory.

        Raises:
            LSTMError: this kind of cell has no such account.
        """
        return Ledger.of(self.model, self.trace, self.layer, self.record.direction)

    def units(self, most: int | None, of: Floats | None = None) -> list[int]:
        """Return the units asked for, or all; `most`: those with the largest numbers."""
        values = self.record.cell if of is None else of
        if most is None or self.selection.units.text is not None:
            return self.selection.units.within(values.shape[1])
        largest = np.abs(np.nan_to_num(values)).max(axis=0, initial=0)
        return sorted(np.argsort(-largest, kind="stable")[:most].tolist())

    def heat(self, name: str, units: Sequence[int]) -> Heat:
        """Return one quantity of some units over the steps."""
        quantity, values = BY_NAME[name], getattr(self.record, name)[:, units]
        limit = _reach(values) if quantity.high is None else quantity.high
        title = f"{quantity.title} {quantity.symbol}{self.where}"
        return Heat(
            title[0].upper() + title[1:], tuple(map(str, units)), values.T, limit,
            quantity.low != 0, quantity.symbol, row_title="unit",
        )  # fmt: skip


def _reach(values: Floats) -> float:
    """Where a scale ends: one unit that counts on and on must not make all others pale."""
    peaks = np.abs(np.where(np.isfinite(values), values, 0)).max(axis=0)
    return float(np.quantile(peaks, 0.95, method="lower")) or largest(values)


def largest(values: Floats) -> float:
    """Where a scale around zero ends: at the largest number that is one."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max(initial=0)) or 1.0
