"""What a run or a port tells of one sequence: named arrays, and where they belong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lstm.address import Address
from lstm.arrays import Floats, Integers
from lstm.errors import LSTMError
from lstm.quantities import BY_NAME, BY_SYMBOL, DIRECTIONS, NAMES
from lstm.trace import Trace


class Place(NamedTuple):
    """A quantity of one cell: its layer, its direction and the quantity's full name.

    >>> Place(1, "reverse", "cell").address(7, 4)
    l1.reverse.c[7]@4
    """

    layer: int
    direction: str
    quantity: str

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read a quantity by its name or letter, in layer 0 or where `l1.reverse.` says.

        Raises:
            LSTMError: no quantity has that name or letter, or the text is no place.

        >>> Place.parse("hidden") == Place.parse("h") == Place.parse("l0.h")
        True
        """
        match = re.fullmatch(r"(?:l(\d+)\.(?:(forward|reverse)\.)?)?([a-z_]+)", text)
        known = {**BY_NAME, **BY_SYMBOL}
        if match is None or match[3] not in known:
            raise LSTMError(
                f"expected a quantity such as cell, c or l1.reverse.c, found {text!r}. "
                f"Quantities are {', '.join(NAMES)}."
            )
        return cls(int(match[1] or 0), match[2] or DIRECTIONS[0], known[match[3]].name)

    @property
    def symbol(self) -> str:
        return BY_NAME[self.quantity].symbol

    def address(self, unit: int | None = None, step: int | None = None) -> Address:
        return Address(self.layer, self.direction, self.symbol, unit, step)


class Series(NamedTuple):
    """One quantity of one cell over the steps.

    Args:
        values: (T, W), float32 or float64.
        steps: (T,), the number of each row's step.
        units: (W,), the number of each column's unit.
        chosen: whether the units are known to be a choice among more.

    >>> Series.whole(np.zeros((2, 3))).units.tolist()
    [0, 1, 2]
    """

    values: Floats
    steps: Integers
    units: Integers
    chosen: bool = False

    @classmethod
    def whole(cls, values: Floats) -> Series:
        """Number the rows and the columns of a (T, W) array from 0."""
        return cls(values, np.arange(values.shape[0]), np.arange(values.shape[1]))


@dataclass(frozen=True, eq=False)
class Recording:
    """All that one side tells of one sequence.

    Args:
        series: the numbers by their place.
        text: what was read, where it is known; so are `tokens` and `ids`, one per step.
        tokens: (T,) texts or None.
        ids: (T,) whole numbers or None.
    """

    series: Mapping[Place, Series]
    text: str | None = None
    tokens: tuple[str, ...] | None = None
    ids: tuple[int, ...] | None = None

    @classmethod
    def of(cls, trace: Trace) -> Recording:
        """Take every quantity of a run of one sequence."""
        trace.need_one_sequence()
        series = {
            Place(layer, record.direction, name): Series.whole(getattr(record, name))
            for layer, layer_trace in enumerate(trace.layers)
            for record in layer_trace.directions
            for name in NAMES
        }
        tokens = trace.tokens
        return cls(
            series,
            trace.text,
            None if tokens is None else tuple(token.text for token in tokens),
            None if tokens is None else tuple(token.id for token in tokens),
        )

    @property
    def num_steps(self) -> int:
        """One more than the last step that is recorded."""
        return 1 + max((int(one.steps.max(initial=-1)) for one in self.series.values()), default=-1)

    @property
    def inputs(self) -> Floats | None:
        """What the first layer read, (T, D); None where it is not recorded whole."""
        places = [Place(0, direction, "layer_input") for direction in DIRECTIONS]
        series = next((self.series[place] for place in places if place in self.series), None)
        if series is None or series.chosen:
            return None
        whole = np.array_equal(series.steps, np.arange(len(series.steps)))
        return series.values if whole else None

    def choose(
        self, layers: Iterable[int] | None, units: Iterable[int] | None, steps: Iterable[int] | None
    ) -> Recording:
        """Keep only these layers, units (not of the layer's input) and steps; None keeps all."""
        kept = {
            place: _cut(one, None if place.quantity == "layer_input" else units, steps)
            for place, one in self.series.items()
            if layers is None or place.layer in set(layers)
        }
        return Recording(kept, self.text, self.tokens, self.ids)


def _cut(series: Series, units: Iterable[int] | None, steps: Iterable[int] | None) -> Series:
    rows = _within(series.steps, steps)
    columns = _within(series.units, units)
    return series._replace(
        values=series.values[rows][:, columns],
        steps=series.steps[rows],
        units=series.units[columns],
        chosen=series.chosen or units is not None,
    )


def _within(numbers: Integers, chosen: Iterable[int] | None) -> Integers:
    if chosen is None:
        return np.arange(len(numbers))
    return np.flatnonzero(np.isin(numbers, list(chosen)))
