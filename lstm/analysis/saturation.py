"""How often gates are nearly shut or nearly open, and what kind of unit that makes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstm.arrays import Floats
from lstm.cell_trace import DirectionTrace

# A gate below the first is as good as shut, above the second as good as open.
SHUT, OPEN = 0.1, 0.9
GATED = ("forget", "input", "output")
# A counter never forgets, and holds more than a single step can write.
_MORE_THAN_ONE_STEP = 1.0


class Saturation(NamedTuple):
    """Shares of the steps, 0 to 1, by gate: each (H,)."""

    shut: dict[str, Floats]
    opened: dict[str, Floats]

    @classmethod
    def of(cls, trace: DirectionTrace) -> Saturation:
        """Count over the steps of one sequence."""
        gates = {name: getattr(trace, name) for name in GATED}
        return cls(
            {name: (gate < SHUT).mean(axis=0) for name, gate in gates.items()},
            {name: (gate > OPEN).mean(axis=0) for name, gate in gates.items()},
        )

    def always_shut(self, gate: str) -> list[int]:
        """Return the units whose gate is shut at every step."""
        return np.flatnonzero(self.shut[gate] == 1).tolist()

    def always_open(self, gate: str) -> list[int]:
        """Return the units whose gate is open at every step."""
        return np.flatnonzero(self.opened[gate] == 1).tolist()


def counters(trace: DirectionTrace) -> list[int]:
    """Return the units that never forget and add up beyond what one step can write."""
    never_forgets = (trace.forget > OPEN).all(axis=0)
    adds_up = np.abs(trace.cell).max(axis=0, initial=0) > _MORE_THAN_ONE_STEP
    return np.flatnonzero(never_forgets & adds_up).tolist()
