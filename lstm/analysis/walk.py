"""What one step did to the memory: how much it forgot, wrote and revealed, and in which units."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstm.arrays import Floats
from lstm.cell_trace import DirectionTrace

OPEN = 0.5  # a gate above it lets more than half through


class Opening(NamedTuple):
    """How far the gates were open at one step, over all units.

    `forgot`, `remembered` and `revealed` are the means of 1 - f, i and o, 0 to 1; `kept`,
    `wrote` and `showed` say how many units have that gate (f, i, o) above `OPEN`; None where some
    are no numbers, as nobody can tell then.
    """

    forgot: float
    kept: int | None
    remembered: float
    wrote: int | None
    revealed: float
    showed: int | None

    @classmethod
    def of(cls, trace: DirectionTrace, step: int) -> Opening:
        """Look at the gates of one step."""
        f, i, o = trace.forget[step], trace.input[step], trace.output[step]
        kept, wrote, showed = (_open(gate) for gate in (f, i, o))
        return cls(float(1 - f.mean()), kept, float(i.mean()), wrote, float(o.mean()), showed)


def _open(gate: Floats) -> int | None:
    return int((gate > OPEN).sum()) if np.isfinite(gate).all() else None


class Change(NamedTuple):
    """What one step did to one unit; `hidden` is None where hidden states are projected."""

    unit: int
    before: float
    forget: float
    input: float
    candidate: float
    after: float
    output: float
    hidden: float | None

    @property
    def change(self) -> float:
        return self.after - self.before


class Passage(NamedTuple):
    """One step of one layer and direction.

    `forgotten` (H,) is what each cell lost, (1 - f) c'; `written` (H,) what entered it, i g;
    `before` and `after` (H,) are the cell states; `revealed` (H,) or (P,) the hidden state.
    `is_projected` says that a hidden state belongs to no one cell.
    """

    trace: DirectionTrace
    step: int
    is_projected: bool = False

    @property
    def opening(self) -> Opening:
        return Opening.of(self.trace, self.step)

    @property
    def before(self) -> Floats:
        return np.asarray(self.trace.previous_cell[self.step])

    @property
    def after(self) -> Floats:
        return np.asarray(self.trace.cell[self.step])

    @property
    def forgotten(self) -> Floats:
        return np.asarray((1 - self.trace.forget[self.step]) * self.before)

    @property
    def written(self) -> Floats:
        return np.asarray(self.trace.input_candidate[self.step])

    @property
    def revealed(self) -> Floats:
        return np.asarray(self.trace.hidden[self.step])

    def changes(self) -> list[Change]:
        """Return every unit, the one whose cell state changed most first, equals by number."""
        record, step, before = self.trace, self.step, self.before
        names = ("forget", "input", "candidate", "cell", "output")
        f, i, g, c, o = (getattr(record, name)[step].tolist() for name in names)
        h = [None] * len(c) if self.is_projected else record.hidden[step].tolist()
        old = before.tolist()
        order = np.argsort(-np.abs(self.after - before), kind="stable")
        return [
            Change(unit, old[unit], f[unit], i[unit], g[unit], c[unit], o[unit], h[unit])
            for unit in order.tolist()
        ]


def largest(values: Floats, k: int) -> list[tuple[int, float]]:
    """Return the k units with the largest |values|, none of them zero, the largest first.

    >>> largest(np.array([0.5, 0.0, -2.0]), 5)
    [(2, -2.0), (0, 0.5)]
    """
    order = np.argsort(-np.abs(values), kind="stable")[:k].tolist()
    return [(unit, float(values[unit])) for unit in order if values[unit] != 0]
