"""What an engine is: a way to run the standard cell over many steps."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from lstm.arrays import Floats, Integers
from lstm.parameters import CellParameters
from lstm.state import State
from lstm.variants import Stepped


class Looked(NamedTuple):
    """W x + b that are looked up: those of step t of sequence n are table[places[n, t]].

    `table` is (R, 4H), `places` (N, T).
    """

    table: Floats
    places: Integers


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

    def run(
        self, cell: CellParameters, products: Floats | Looked, first: State, direction: str
    ) -> Stepped:
        """Run over sequences and record every step.

        Args:
            cell: one that it can run.
            products: (N, T, 4H), W x + b, to which U h is added in place, so that they become the
                record's pre-activations; or where they are to be looked up.
            first: the state before the first step, h and c each (N, H).
            direction: "forward", or "reverse" to read from the end.

        Returns:
            The record, arrays (N, T, ...).
        """
