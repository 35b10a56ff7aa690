"""What an LSTM carries from step to step: the hidden and the cell state, and the gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lstm.arrays import Floats, frozen
from lstm.errors import LSTMError, ShapeError
from lstm.parameters import Parameters
from lstm.wording import counted


class State(NamedTuple):
    """The hidden state h and the cell state c of one cell, each (H,) or (N, H).

    >>> State(h=np.zeros(3), c=np.ones(3)).c.tolist()
    [1.0, 1.0, 1.0]
    """

    h: Floats
    c: Floats


class Gates(NamedTuple):
    """The three gates and the candidate of one step, each (H,)."""

    i: Floats
    f: Floats
    g: Floats
    o: Floats


@dataclass(frozen=True, eq=False, repr=False)
class ModelState:
    """A state for every layer and direction, by the address `(layer, direction)`."""

    cells: Mapping[tuple[int, str], State]

    def __getitem__(self, address: tuple[int, str]) -> State:
        return self.cells[address]

    @property
    def is_zero(self) -> bool:
        """Whether every hidden and cell state is zero, as at the start of a text."""
        return not any(array.any() for array in self.arrays().values())

    def arrays(self) -> dict[str, Floats]:
        """Return the state under the names that files use: `layers.0.forward.hidden` ..."""
        named: dict[str, Floats] = {}
        for (layer, direction), state in self.cells.items():
            named[f"layers.{layer}.{direction}.hidden"] = state.h
            named[f"layers.{layer}.{direction}.cell"] = state.c
        return named

    def sequence(self, n: int) -> ModelState:
        """Return the state of one sequence; a state without sequences serves for all."""

        def of(array: Floats) -> Floats:
            return array if array.ndim == 1 else array[n]

        cells = {at: State(h=of(s.h), c=of(s.c)) for at, s in self.cells.items()}
        return ModelState(cells)

    @property
    def num_sequences(self) -> int | None:
        """How many sequences it holds, or None where it is one state for any sequence."""
        shapes = {array.shape[:-1] for array in self.arrays().values()} - {()}
        return min(shapes)[0] if shapes else None

    @classmethod
    def stack(cls, states: Sequence[ModelState]) -> ModelState:
        """Join the states of N sequences, each array (H,), into (N, H); one stays as it is."""
        if len(states) == 1:
            return states[0]
        return cls(
            {
                address: State(
                    h=np.stack([state[address].h for state in states]),
                    c=np.stack([state[address].c for state in states]),
                )
                for address in states[0].cells
            }
        )

    @classmethod
    def zeros(cls, parameters: Parameters) -> ModelState:
        """Return the state in which a text starts: all zeros."""
        return cls(
            {
                (number, direction): State(
                    h=np.zeros(cell.output_size, cell.dtype),
                    c=np.zeros(cell.hidden_size, cell.dtype),
                )
                for number, layer in enumerate(parameters.layers)
                for direction, cell in layer.directions.items()
            }
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats], parameters: Parameters) -> ModelState:
        """Read a state from arrays named as `arrays` names them.

        Args:
            arrays: one (H,) or (N, H) array per name.
            parameters: the weights that the state is for; its dtype is theirs.

        Raises:
            LSTMError: a name is missing or unknown, or the numbers of sequences differ.
            ShapeError: an array is not as wide as its layer.
        """
        expected = cls.zeros(parameters)
        _check_names(set(expected.arrays()), set(arrays))
        for name, array in arrays.items():
            _check_numbers(name, np.asarray(array))
        ready = {name: np.asarray(a).astype(parameters.dtype) for name, a in arrays.items()}
        for name, zero in expected.arrays().items():
            _check_shape(name, ready[name], zero.shape[0])
        if len({a.shape[0] for a in ready.values() if a.ndim == 2}) > 1:
            raise LSTMError("state: expected the same number of sequences in every array.")
        return cls(
            {
                (layer, direction): State(
                    h=frozen(ready[f"layers.{layer}.{direction}.hidden"]),
                    c=frozen(ready[f"layers.{layer}.{direction}.cell"]),
                )
                for layer, direction in expected.cells
            }
        )


def _check_names(expected: set[str], found: set[str]) -> None:
    if missing := sorted(expected - found):
        raise LSTMError(f"state: expected an array named {missing[0]}, found none.")
    if unknown := sorted(found - expected):
        cells = counted(len(expected) // 2, "cell")
        raise LSTMError(f"state: expected arrays for {cells}, found also {unknown[0]}.")


def _check_numbers(name: str, array: Floats) -> None:
    if array.dtype.kind not in "fiu":
        raise LSTMError(f"state: {name}: expected real numbers, found {array.dtype}.")


def _check_shape(name: str, array: Floats, hidden_size: int) -> None:
    if array.ndim not in (1, 2) or array.shape[-1] != hidden_size:
        symbols = "(hidden_size,) or (sequences, hidden_size)"
        raise ShapeError(f"state: {name}", symbols, (hidden_size,), array.shape)
