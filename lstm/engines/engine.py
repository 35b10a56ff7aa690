"""What an engine is: a way to run the standard cell over many steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from lstm.arrays import Floats, Integers
from lstm.parameters import CellParameters
from lstm.state import State
from lstm.variants import Stepped


class Looked(NamedTuple):
    """W x + b that are looked up: those of row r are table[places[r]].

    `table` is (K, 4H), `places` (R,).
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

    def recording(self, quantities: Iterable[str]) -> Engine:
        """Return an engine that need not record the packed arrays that none of these is read from.

        Where it does not, they are not-a-number throughout.
        """

    def multiply(self, cell: CellParameters, inputs: Floats) -> Floats:
        """Return W x + b, (..., 4H), for inputs (..., D)."""

    def run(
        self,
        cell: CellParameters,
        products: Floats | Looked,
        first: State,
        direction: str,
        lengths: Integers,
    ) -> Stepped:
        """Run over sequences and record every step.

        The rows of a sequence lie one after another, R of them for all N sequences.

        Args:
            cell: one that it can run.
            products: (R, 4H), W x + b, to which U h is added in place, so that they become the
                record's pre-activations; or where they are to be looked up.
            first: the state before the first step, h and c each (N, H).
            direction: "forward", or "reverse" to read each from its end.
            lengths: (N,), how many rows each sequence has; the longest comes first.

        Returns:
            The record, arrays (R, ...).
        """
