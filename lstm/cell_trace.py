"""Every named quantity of one cell, at every step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstm.arrays import Floats, Integers
from lstm.lengths import starts
from lstm.quantities import GATES
from lstm.state import State
from lstm.variants import STANDARD, Variant, shown


class DirectionTrace(NamedTuple):
    """What one cell did: every array (T, ...), or (N, T, ...) for N sequences.

    Where `lengths`, (N,), are given, the N sequences have so many rows each, one after another,
    and every array is (R, ...).

    Each quantity of `lstm.quantities` is an attribute: (T, D) for `layer_input`, (T, H) for
    all others. A reverse direction's step stands at the place of its input. The packed arrays
    hold the blocks i, f, g, o side by side. `variant` is the cell's; `added` is what a residual
    connection adds to the hidden states, (T, H), or None.

    >>> zero = State(h=np.zeros(1), c=np.array([4.0]))
    >>> half = np.full((1, 4), 0.5)
    >>> trace = DirectionTrace("forward", half, half, half, np.ones((1, 1)), np.ones((1, 1)), zero)
    >>> trace.forget_cell.item(), trace.input_candidate.item()
    (2.0, 0.25)
    """

    direction: str
    layer_input: Floats
    pre_activations: Floats
    gates: Floats
    cell: Floats
    hidden: Floats
    initial: State
    variant: Variant = STANDARD
    added: Floats | None = None
    lengths: Integers | None = None

    @property
    def pre_input(self) -> Floats:
        return self._block(self.pre_activations, "input")

    @property
    def pre_forget(self) -> Floats:
        return self._block(self.pre_activations, "forget")

    @property
    def pre_candidate(self) -> Floats:
        return self._block(self.pre_activations, "candidate")

    @property
    def pre_output(self) -> Floats:
        return self._block(self.pre_activations, "output")

    @property
    def input(self) -> Floats:
        return self._block(self.gates, "input")

    @property
    def forget(self) -> Floats:
        return self._block(self.gates, "forget")

    @property
    def candidate(self) -> Floats:
        return self._block(self.gates, "candidate")

    @property
    def output(self) -> Floats:
        return self._block(self.gates, "output")

    @property
    def input_candidate(self) -> Floats:
        """What entered the cell: i * g."""
        return self.input * self.candidate

    @property
    def forget_cell(self) -> Floats:
        """What stayed in the cell: f * c', c' being the cell state before the step."""
        return self.forget * self.previous_cell

    @property
    def tanh_cell(self) -> Floats:
        """What the output gate lets through: tanh(c), or what the cell's variant has instead.

        That is another activation's value, or with Sonnet 1's peephole w tanh(c + w * c).
        """
        return shown(self.variant, self.cell)

    @property
    def layer_output(self) -> Floats:
        """What the layer hands on: h, or with a residual connection h + x."""
        return self.hidden if self.added is None else self.hidden + self.added

    @property
    def previous_cell(self) -> Floats:
        """The cell state before each step, c'."""
        if self.lengths is not None:
            before = np.empty_like(self.cell)
            if self.direction == "forward":
                before[1:] = self.cell[:-1]
            else:
                before[:-1] = self.cell[1:]
            some = self.lengths > 0
            before[self._ends(first=True)[some]] = self.initial.c[some]
            return before
        first = self.initial.c[..., np.newaxis, :]
        if self.direction == "forward":
            return np.concatenate([first, self.cell], axis=-2)[..., :-1, :]
        return np.concatenate([self.cell, first], axis=-2)[..., 1:, :]

    @property
    def num_sequences(self) -> int | None:
        """How many sequences the record holds; None where it is that of one by itself."""
        if self.lengths is not None:
            return len(self.lengths)
        return None if self.cell.ndim == 2 else len(self.cell)

    @property
    def num_steps(self) -> int:
        return int(self.cell.shape[-2])

    @property
    def final(self) -> State:
        """The state after the last step in reading order; the initial one where T is 0."""
        if self.lengths is not None:
            some = self.lengths > 0
            rows = self._ends(first=False)[some]
            h, c = (np.array(array) for array in self.initial)
            h[some], c[some] = self.hidden[rows], self.cell[rows]
            return State(h, c)
        if not self.num_steps:
            return self.initial
        last = -1 if self.direction == "forward" else 0
        return State(h=self.hidden[..., last, :], c=self.cell[..., last, :])

    def sequence(self, n: int) -> DirectionTrace:
        """Return the record of one of N sequences."""
        rows: slice | int = n
        if self.lengths is not None:
            start = int(starts(self.lengths)[n])
            rows = slice(start, start + int(self.lengths[n]))
        arrays = {
            name: getattr(self, name)[rows]
            for name in ("layer_input", "pre_activations", "gates", "cell", "hidden")
        }
        initial = State(h=self.initial.h[n], c=self.initial.c[n])
        added = None if self.added is None else self.added[rows]
        return self._replace(**arrays, initial=initial, added=added, lengths=None)

    def _ends(self, first: bool) -> Integers:
        """Return, for sequences of several lengths, the row that each reads first, or last."""
        assert self.lengths is not None
        begin = starts(self.lengths)
        return begin if first == (self.direction == "forward") else begin + self.lengths - 1

    @staticmethod
    def _block(packed: Floats, gate: str) -> Floats:
        size = packed.shape[-1] // len(GATES)
        start = GATES.index(gate) * size
        return packed[..., start : start + size]
