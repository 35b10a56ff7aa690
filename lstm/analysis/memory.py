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
from lstm.model import Model
from lstm.trace import Trace


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
        """Read the account off after these steps: of the `cell` or of the `hidden` state.

        A unit that is projected away has no survival of its own: of a projected hidden state
        that of all units stands there.
        """
        recorded: Floats = getattr(ledger.trace, of)
        is_mixed = of == "hidden" and ledger.cell.variant.projection is not None
        rows = {step: row for row, step in enumerate(steps)}
        chosen = list(units)
        shape = (len(rows), ledger.trace.num_steps + 1)
        composition, survival = np.zeros(shape), np.zeros(shape)
        shares, unit_survival = (np.zeros((*shape, len(chosen))) for _ in range(2))
        residuals = []
        for entry in ledger.entries():
            if (row := rows.get(entry.step)) is None:
                continue
            own = entry.shares if of == "cell" else ledger.hidden_shares(entry)
            left = entry.survival
            composition[row], survival[row] = _composition(own), left.mean(axis=1)
            shares[row] = own[:, chosen]
            unit_survival[row] = survival[row][:, np.newaxis] if is_mixed else left[:, chosen]
            residuals.append(missed(own, recorded[entry.step]))
        return cls(
            tuple(rows), composition, survival, tuple(chosen), shares, unit_survival,
            recorded[list(rows)][:, chosen], float(np.max(residuals, initial=0)),
        )  # fmt: skip


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
        shares: (R, T + 1), signed; with the outcome's constant, and what is passed on, they add
            up to the score. Of two directions, the sum of both.
        passed: (R,), what a residual connection passes on of the layer below; None without one.
        logits: (R,), the scores as the head computes them.
        residual: how far the shares miss the scores, relative to their sizes.
    """

    outcome: Outcome
    steps: tuple[int, ...]
    shares: Floats
    passed: Floats | None
    logits: Floats
    residual: float

    @classmethod
    def read(
        cls, model: Model, trace: Trace, outcome: Outcome, steps: Sequence[int]
    ) -> LogitAccount:
        """Carry the account of the top layer on to one score, after these steps.

        Raises:
            LSTMError: the top layer has no such account.
        """
        shares = np.zeros((len(steps), trace.num_steps + 1))
        rows = {step: row for row, step in enumerate(steps)}
        passed = None
        first, top = 0, len(trace.layers) - 1
        for record in trace.layers[top].directions:
            weights = outcome.weights[first : first + record.hidden.shape[1]]
            first += len(weights)
            if record.added is not None:
                own = record.added[list(steps)].astype(np.float64) @ weights
                passed = own if passed is None else passed + own
            ledger = Ledger.of(model, trace, top, record.direction)
            for entry in ledger.entries():
                if (row := rows.get(entry.step)) is not None:
                    shares[row] += ledger.hidden_shares(entry) @ weights
        logits = trace.logits[list(steps), outcome.id]
        others = np.full((len(steps), 1), outcome.constant)
        if passed is not None:
            others = np.hstack([others, passed[:, np.newaxis]])
        residual = missed(np.hstack([others, shares]).T, logits)
        return cls(outcome, tuple(steps), shares, passed, logits, residual)
