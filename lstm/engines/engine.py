"""What an engine is: a way to run the standard cell over many steps."""

from __future__ import annotations

from typing import Protocol

from lstm.arrays import Floats
from lstm.parameters import CellParameters
from lstm.state import State
from lstm.variants import Stepped


class Engine(Protocol):
    """Runs cells; the numbers of a sequence do not depend on what stands beside it.

    Two engines may differ in the last bits of a number, as each adds in an order of its own.
    """

    @property
    def name(self) -> str:
        """As `--engine` calls it."""

    def can_run(self, cell: CellParameters) -> bool:
        """Return whether this engine knows this kind of cell."""

    def multiply(self, cell: CellParameters, inputs: Floats) -> Floats:
        """Return W x + b, (..., 4H), for inputs (..., D)."""

    def run(self, cell: CellParameters, products: Floats, first: State, direction: str) -> Stepped:
        """Run over sequences and record every step.

        Args:
            cell: one that it can run.
            products: (N, T, 4H), W x + b; U h is added in place, so they become the record's
                pre-activations.
            first: the state before the first step, h and c each (N, H).
            direction: "forward", or "reverse" to read from the end.

        Returns:
            The record, arrays (N, T, ...).
        """
