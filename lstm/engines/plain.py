"""The standard cell in numpy: no other library, any number format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lstm.arrays import Floats, Integers, matvec
from lstm.engines.engine import Looked
from lstm.lengths import rectangles
from lstm.parameters import CellParameters
from lstm.state import State
from lstm.variants import STANDARD, Stepped


@dataclass(frozen=True)
class PlainEngine:
    """One matrix with one vector at a time, and one tanh for all four gates."""

    name: str = "numpy"

    def can_run(self, cell: CellParameters) -> bool:
        """Return whether the cell is the standard one."""
        return cell.variant is STANDARD

    def recording(self, _: Iterable[str]) -> PlainEngine:
        """Return this engine: it records all that it computes."""
        return self

    def multiply(self, cell: CellParameters, inputs: Floats) -> Floats:
        """Return W x + b, (..., 4H), for inputs (..., D)."""
        return np.asarray(matvec(cell.weight_ih, inputs) + cell.bias)

    def run(
        self,
        cell: CellParameters,
        products: Floats | Looked,
        first: State,
        direction: str,
        lengths: Integers,
    ) -> Stepped:
        """Run over sequences; see `Engine`."""
        if isinstance(products, Looked):
            products = products.table[products.places]
        cells = np.empty((len(products), cell.hidden_size), cell.dtype)
        record = Stepped(products, np.empty_like(products), cells, np.empty_like(cells))
        for part in rectangles(lengths):
            start = State(*(array[part.sequences] for array in first))
            views = (array[part.rows].reshape(*part.shape, array.shape[1]) for array in record)
            _step_through(cell, Stepped(*views), start, direction)
        return record


PLAIN = PlainEngine()


def _step_through(cell: CellParameters, record: Stepped, first: State, direction: str) -> None:
    """Fill the record (N, T, ...) of sequences of one length, which holds W x + b."""
    size, num_steps = cell.hidden_size, record.cell.shape[1]
    scale, shift = _one_tanh_for_all(size, cell.dtype)
    h, c = first
    for t in range(num_steps) if direction == "forward" else reversed(range(num_steps)):
        z, a = record.pre_activations[:, t], record.gates[:, t]
        z += matvec(cell.weight_hh, h)
        np.multiply(z, scale, out=a)
        np.tanh(a, out=a)
        a *= scale
        a += shift
        i, f, g, o = a[:, :size], a[:, size : 2 * size], a[:, 2 * size : -size], a[:, -size:]
        c = np.add(f * c, i * g, out=record.cell[:, t])
        h = np.multiply(o, np.tanh(c), out=record.hidden[:, t])


def _one_tanh_for_all(size: int, dtype: np.dtype[np.floating]) -> tuple[Floats, Floats]:
    """Return scale and shift with which scale * tanh(scale * z) + shift is all four activations.

    sigmoid(z) = tanh(z / 2) / 2 + 1 / 2 for i, f and o; for the candidate it is tanh itself.
    """
    scale = np.full(4 * size, 0.5, dtype)
    shift = np.full(4 * size, 0.5, dtype)
    scale[2 * size : 3 * size], shift[2 * size : 3 * size] = 1, 0
    return scale, shift
