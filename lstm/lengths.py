"""Sequences of several lengths, whose rows lie one after another: nothing is padded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lstm.arrays import Integers


class Rectangle(NamedTuple):
    """Neighbours of one length: which sequences, and which rows of all are theirs."""

    sequences: slice
    rows: slice
    shape: tuple[int, int]


def starts(lengths: Integers) -> Integers:
    """Return the first row of each sequence, (N,).

    >>> starts(np.array([3, 3, 1])).tolist()
    [0, 3, 6]
    """
    return np.asarray(np.cumsum(lengths) - lengths)


def rectangles(lengths: Integers) -> Iterator[Rectangle]:
    """Yield the groups of neighbours that are equally long.

    >>> [(part.rows, part.shape) for part in rectangles(np.array([3, 3, 1]))]
    [(slice(0, 6, None), (2, 3)), (slice(6, 7, None), (1, 1))]
    """
    edges = np.flatnonzero(np.diff(lengths)) + 1
    row = 0
    for low, high in pairwise([0, *edges.tolist(), len(lengths)]):
        if low < high:
            shape = (high - low, int(lengths[low]))
            yield Rectangle(slice(low, high), slice(row, row + shape[0] * shape[1]), shape)
            row += shape[0] * shape[1]


def batches(lengths: Integers, most: int) -> Iterator[list[int]]:
    """Yield the numbers of the sequences that run together, longest first; empty ones never.

    Args:
        lengths: (N,).
        most: rows in one batch; a sequence that is longer runs alone.

    >>> list(batches(np.array([2, 0, 3, 2]), most=5))
    [[2, 0], [3]]
    """
    order = np.argsort(-lengths, kind="stable")
    rows = np.cumsum(lengths[order])
    first, before, count = 0, 0, int(np.count_nonzero(lengths))
    while first < count:
        last = max(first + 1, int(np.searchsorted(rows[:count], before + most, side="right")))
        yield order[first:last].tolist()
        first, before = last, int(rows[last - 1])
