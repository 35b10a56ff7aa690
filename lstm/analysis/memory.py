"""What the memory consists of after each step: the ledger, read off word by word.

Column 0 of every account is the initial state, column k + 1 what was written at step k.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstm.analysis.ledger import Ledger, missed
from lstm.analysis.outcome import Outcome
from lstm.arrays import Floats
from lstm.parameters import Parameters
from lstm.trace import Trace

# What a ledger can be read off for: the cell states, and the hidden states that show of them.
STATES = ("cell", "hidden")


class Memory(NamedTuple):
    """The account of one cell after R steps of T, over all its units.

    Args:
        steps: the R steps.
        composition: (R, T + 1), 0 to 1: the share of the sum of |shares| over all units.
        survival: (R, T + 1), 0 to 1: how much is left of what was written, the mean over units.
        units: the U units that are read off one by one.
        shares: (R, T + 1, U), signed; they add up to the state.
        unit_survival: (R, T + 1, U), 0 to 1.
        values: (R, U), the recorded states of these units.
        residual: how far all shares miss the recorded states, relative to their sizes.
    """

    steps: tuple[int, ...]
    composition: Floats
    survival: Floats
    units: tuple[int, ...]
    shares: Floats
    unit_survival: Floats
    values: Floats
    residual: float

    @classmethod
    def read(
        cls, ledger: Ledger, steps: Sequence[int], of: str = "cell", units: Sequence[int] = ()
    ) -> Memory:
        """Read the account off after these steps, for one of `STATES`.

        A unit that is projected away has no survival of its own: of a projected hidden state
        that of all units stands there.
        """
        recorded: Floats = getattr(ledger.trace, of)
        columns, chosen = ledger.trace.num_steps + 1, list(units)
        blank = np.zeros((len(steps), columns, len(chosen)))
        made = cls(
            tuple(steps), blank[..., :0].sum(axis=-1), blank[..., :0].sum(axis=-1), tuple(chosen),
            blank, blank.copy(), recorded[list(steps)][:, chosen], 0.0,
        )  # fmt: skip
        rows = {step: row for row, step in enumerate(steps)}
        residuals = [0.0]
        for entry in ledger.entries():
            row = rows.get(entry.step)
            if row is None:
                continue
            shares = entry.shares if of == "cell" else ledger.hidden_shares(entry)
            left = entry.survival.mean(axis=1)
            own = entry.survival.shape == shares.shape
            made.composition[row], made.survival[row] = _composition(shares), left
            made.shares[row] = shares[:, chosen]
            made.unit_survival[row] = entry.survival[:, chosen] if own else left[:, np.newaxis]
            residuals.append(missed(shares, recorded[entry.step]))
        return made._replace(residual=float(np.max(residuals)))


def _composition(shares: Floats) -> Floats:
    """The part that each row has in the sum of |shares|; nothing where there is nothing."""
    sizes = np.abs(shares).sum(axis=1)
    total = sizes.sum()
    return np.asarray(sizes / total if total != 0 else sizes)


class LogitAccount(NamedTuple):
    """Which word's writing brought how much to the score of one outcome.

    Args:
        outcome: the outcome.
        steps: the R steps.
        shares: (R, T + 1), signed; with the outcome's constant they add up to the score. Of two
            directions, the sum of both.
        logits: (R,), the scores as the head computes them.
        residual: how far the shares miss the scores, relative to their sizes.
    """

    outcome: Outcome
    steps: tuple[int, ...]
    shares: Floats
    logits: Floats
    residual: float

    @classmethod
    def read(
        cls, parameters: Parameters, trace: Trace, outcome: Outcome, steps: Sequence[int]
    ) -> LogitAccount:
        """Carry the account of the top layer on to one score, after these steps."""
        shares = np.zeros((len(steps), trace.num_steps + 1))
        rows = {step: row for row, step in enumerate(steps)}
        first = 0
        cells = parameters.layers[-1].directions.values()
        for cell, record in zip(cells, trace.layers[-1].directions, strict=True):
            weights = outcome.weights[first : first + cell.output_size]
            first += cell.output_size
            ledger = Ledger(cell, record)
            for entry in ledger.entries():
                if (row := rows.get(entry.step)) is not None:
                    shares[row] += ledger.hidden_shares(entry) @ weights
        logits = trace.logits[list(steps), outcome.id]
        constant = np.full((len(steps), 1), outcome.constant)
        residual = missed(np.hstack([constant, shares]).T, logits)
        return cls(outcome, tuple(steps), shares, logits, residual)
