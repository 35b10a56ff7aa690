"""The ledger of the memory: which step wrote which share of what a cell holds now.

    c_T = (f_1 ... f_T) c_0 + sum over k of (f_{k+1} ... f_T) i_k g_k

This is an account by time of writing, not a cause: i_k and g_k themselves depend on what was
read before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from lstm.activations import activation
from lstm.analysis.intervention import CellIntervention
from lstm.arrays import Booleans, Floats, Integers
from lstm.cell_trace import DirectionTrace
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.parameters import CellParameters
from lstm.trace import Trace

# Below this, h / c is taken at its limit for c = 0.
_TINY = 1e-30


class Entry(NamedTuple):
    """What the cells hold after one step, by who wrote it.

    `shares` is (T + 1, H): row 0 came from the initial state, row k + 1 was written at step k;
    what has not been read yet has zeros. `survival` is (T + 1, H), 0 to 1: how much of what was
    written there is left, the product of the forget gates since.
    """

    step: int
    shares: Floats
    survival: Floats


@dataclass(frozen=True, eq=False)
class Ledger:
    """The account of one cell over one sequence of T steps, in float64.

    A clipped cell state is read as one in which every share shrank alike. Coupled gates and
    peepholes change what i and f are, not how they act. A state that is set to another value is
    written whole at that step.

    Args:
        cell: what ran.
        trace: its run of one sequence.
        changes: what was set on the way.

    Raises:
        LSTMError: the cell state is normalised over the units, so no share belongs to one unit;
            or the trace holds several sequences.
    """

    cell: CellParameters
    trace: DirectionTrace
    changes: CellIntervention | None = None

    def __post_init__(self) -> None:
        if self.cell.variant.norm_cell_gain is not None:
            raise LSTMError(
                "ledger: expected cells that keep their own contents, found layer normalisation "
                "of the cell state, which mixes the units at every step."
            )
        if self.trace.cell.ndim != 2:
            raise LSTMError(f"ledger: expected one sequence, found {len(self.trace.cell)}.")

    @classmethod
    def of(cls, model: Model, trace: Trace, layer: int, direction: str) -> Ledger:
        """Account for one layer and direction of a model's run.

        Raises:
            LSTMError: see above.
        """
        changes = None if model.intervention is None else model.intervention.at(layer, direction)
        cell = model.parameters.layers[layer].directions[direction]
        return cls(cell, getattr(trace.layers[layer], direction), changes)

    @property
    def order(self) -> Integers:
        """The steps in the order in which they are read, (T,)."""
        steps = np.arange(self.trace.num_steps)
        return steps if self.trace.direction == "forward" else steps[::-1]

    @cached_property
    def kept(self) -> Floats:
        """By what the old cell state is multiplied at each step, (T, H)."""
        kept = self.trace.forget.astype(np.float64) * self._shrinkage
        return np.where(self._set_cells, 0.0, kept)

    @cached_property
    def written(self) -> Floats:
        """What each step adds to the cell state, (T, H)."""
        written = self.trace.input_candidate.astype(np.float64) * self._shrinkage
        return np.where(self._set_cells, self.trace.cell, written)

    def entries(self) -> Iterator[Entry]:
        """Yield the account after each step, in the order of reading; O(T H) memory."""
        num_steps, size = self.trace.cell.shape
        shares = np.zeros((num_steps + 1, size))
        survival = np.zeros_like(shares)
        shares[0], survival[0] = self.trace.initial.c, 1
        for step in self.order:
            shares *= self.kept[step]
            survival *= self.kept[step]
            shares[step + 1], survival[step + 1] = self.written[step], 1
            yield Entry(int(step), shares.copy(), survival.copy())

    def entry(self, step: int) -> Entry:
        """Return the account after one step."""
        return next(entry for entry in self.entries() if entry.step == step)

    @property
    def residual(self) -> float:
        """How far the shares miss the recorded cell states, at most; see `missed`."""
        found = [missed(entry.shares, self.trace.cell[entry.step]) for entry in self.entries()]
        return float(np.max(found, initial=0))

    def hidden_shares(self, entry: Entry) -> Floats:
        """Carry an account on to the hidden state: (T + 1, H), or (T + 1, P) if projected.

        Each share is multiplied by o tanh(c) / c, the same factor for all; so they add up to h.

        Raises:
            LSTMError: the cell's activation is not 0 at 0, so part of h has no writer.
        """
        variant, step = self.cell.variant, entry.step
        if variant.highway_ih is not None:
            raise LSTMError(
                "ledger: expected hidden states that come from the cells alone, found a highway, "
                "which adds what the layer reads."
            )
        shares = entry.shares * self._shown(step)
        if variant.projection is not None:
            shares = shares @ variant.projection.T.astype(np.float64)
            limit = variant.projection_clip
            shares = shares if limit is None else shares * _shrink(shares.sum(axis=0), limit)
        is_set = self._is_set("hidden", step)
        shares[:, is_set] = 0
        shares[step + 1, is_set] = self.trace.hidden[step, is_set]
        return np.asarray(shares)

    def _shown(self, step: int) -> Floats:
        """The factor h / c before a projection, (H,); its limit where c is 0."""
        variant = self.cell.variant
        squash = activation(variant.cell_activation)
        if squash(np.zeros(1))[0] != 0:
            raise LSTMError(
                f"ledger: expected a cell activation that leaves 0 at 0, found "
                f"{variant.cell_activation}: part of the hidden state comes from no step."
            )
        gate = self.trace.output[step].astype(np.float64)
        cell = self.trace.cell[step].astype(np.float64)
        peephole = variant.peephole_shown
        stretch = 1.0 if peephole is None else 1.0 + peephole.astype(np.float64)
        small = np.abs(cell) < _TINY
        safe = np.where(small, _TINY, cell)
        return np.asarray(gate * squash(stretch * safe) / safe)

    @cached_property
    def _set_cells(self) -> Booleans:
        """Which cell states were set to another value, (T, H)."""
        num_steps, size = self.trace.cell.shape
        found = [self._is_set("cell", step) for step in range(num_steps)]
        return np.array(found, bool).reshape(num_steps, size)  # also of no steps

    def _is_set(self, quantity: str, step: int) -> Booleans:
        """Which states were set to another value at a step, (H,), or (P,) of hidden ones."""
        width = getattr(self.trace, quantity).shape[1]
        if self.changes is None:
            return np.zeros(width, bool)
        return self.changes.touches(quantity, step, width)

    @cached_property
    def _shrinkage(self) -> Floats | float:
        """What a clip of the cell state leaves of it, (T, H)."""
        limit = self.cell.variant.cell_clip
        if limit is None:
            return 1.0
        kept = self.trace.forget_cell.astype(np.float64)
        return _shrink(kept + self.trace.input_candidate, limit)


def missed(shares: Floats, recorded: Floats) -> float:
    """How far (T + 1, H) shares miss (H,) recorded values, at most, relative to their sizes.

    |recorded - sum of shares| / sum of |shares|; some roundings of the trace's number format.

    >>> missed(np.array([[1.0], [3.0]]), np.array([5.0]))
    0.25
    """
    away = np.abs(shares.sum(axis=0) - recorded)
    size = np.abs(shares).sum(axis=0)
    # Where all shares are zero, any other value is missed by infinitely much.
    ratio = np.divide(away, size, out=np.where(away > 0, np.inf, 0.0), where=size != 0)
    return float(ratio.max(initial=0))


def _shrink(values: Floats, limit: float) -> Floats:
    """By what values are multiplied when they are cut to plus or minus a limit."""
    size = np.abs(values)
    return np.asarray(np.divide(limit, size, out=np.ones_like(size), where=size > limit))


def half_life(kept: Floats) -> Floats:
    """Steps after which half of what was written is left, (H,), from (T, H) factors 0 to 1.

    The mean of -log2 of the factors is what is lost per step. Infinite where nothing is lost;
    0 where all is lost in one step; not a number where a factor is none.

    >>> half_life(np.array([[0.5], [0.5]])).tolist()
    [1.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = -np.log2(np.abs(kept)).mean(axis=0)
        return np.asarray(np.where(lost <= 0, np.inf, 1 / lost))


def expected_half_life(cell: CellParameters) -> Floats:
    """The half-life that the forget gate's bias alone would give, (H,)."""
    gate = activation(cell.variant.gate_activation)
    with np.errstate(invalid="ignore"):
        return half_life(gate(cell.gate_bias("forget").astype(np.float64))[np.newaxis])
