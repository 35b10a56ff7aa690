"""From token ids to vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm.arrays import Floats, Integers, frozen
from lstm.errors import LSTMError, ShapeError, ValueRangeError


@dataclass(frozen=True, eq=False, repr=False)
class Embedding:
    """A table with one vector per token, (V, D).

    Raises:
        ShapeError: the table has not two axes.
        LSTMError: it is empty.

    >>> Embedding(np.array([[1.0, 2.0], [3.0, 4.0]]))([1, 0]).tolist()
    [[3.0, 4.0], [1.0, 2.0]]
    """

    weight: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", frozen(self.weight))
        if self.weight.ndim != 2:
            symbols = "(vocabulary_size, input_size)"
            raise ShapeError("embedding", symbols, (), self.weight.shape)
        if not self.weight.size:
            raise LSTMError(f"embedding: expected at least one token, found {self.weight.shape}.")

    @property
    def vocabulary_size(self) -> int:
        return int(self.weight.shape[0])

    def __call__(self, ids: Integers | Sequence[int]) -> Floats:
        """Look up ids, (T,) whole numbers, and return (T, D); they are checked."""
        return np.take(self.weight, self.check(ids), axis=0)

    def check(self, ids: Integers | Sequence[int]) -> Integers:
        """Return the ids, (T,), as an array that is safe to look up with.

        Raises:
            LSTMError: an id is no whole number.
            ShapeError: the ids have not one axis.
            ValueRangeError: an id is not in 0 to V - 1.
        """
        numbers = np.asarray(ids)
        if numbers.ndim != 1:
            raise ShapeError("ids", "(steps,)", (), numbers.shape)
        if not numbers.size:  # an empty list has no dtype of its own
            numbers = numbers.astype(np.intp)
        if not np.issubdtype(numbers.dtype, np.integer):
            if not all(type(n) is int for n in ids):
                raise LSTMError(f"ids: expected whole numbers, found {numbers.dtype}.")
            # Those of 64 bits and more become Python's own; beside others, numpy's floats.
            numbers = np.asarray(ids, object)
        for end in (numbers.min(initial=0), numbers.max(initial=0)):
            if not 0 <= end < self.vocabulary_size:
                raise ValueRangeError("token id", int(end), 0, self.vocabulary_size - 1)
        return numbers
