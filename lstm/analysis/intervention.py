"""What if: gates, cells and hidden states that are set to other values on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lstm.address import Address
from lstm.analysis.recording import Place, Recording
from lstm.arrays import Booleans, Floats
from lstm.errors import LSTMError
from lstm.parameters import Parameters
from lstm.quantities import GATES
from lstm.variants import Edit
from lstm.wording import counted

# What can be set: all else follows from these.
SETTABLE = (*GATES, "cell", "hidden")


class Change(NamedTuple):
    """One place in a run, and the value that is put there.

    `value` is a number, or an array (steps, units) over the spans of the address. `sequence` is
    the one of N sequences that is changed, None all of them.
    """

    address: Address
    value: Floats | float
    sequence: int | None = None

    @classmethod
    def parse(cls, text: str) -> Change:
        """Read `l0.f[81]@2:=1`.

        Raises:
            LSTMError: it is not an address, `:=` and a number, or nothing can be set there.
        """
        place, sign, number = text.rpartition(":=")
        try:
            value = float(number)
        except ValueError:
            sign = ""
        if not sign:
            raise LSTMError(
                f"{text!r}: expected an address, := and a number, such as l0.f[81]@2:=1."
            )
        return cls(settable(place), value)

    @classmethod
    def ablation(cls, text: str) -> Change:
        """Read `l0[81]`: a unit that nobody hears, as its hidden state is 0 at every step.

        Raises:
            LSTMError: it is not a layer and units.
        """
        layer, bracket, units = text.partition("[")
        try:
            address = settable(f"{layer}.h{bracket}{units}")
        except LSTMError:
            address = None
        if address is None or address.steps is not None:
            raise LSTMError(
                f"{text!r}: expected a layer and its units, such as l0[81] or l1.reverse[3:5]."
            )
        return cls(address, 0.0)

    @classmethod
    def patch(cls, text: str, recording: Recording) -> Change:
        """Read an address, and put there what another run has at the same place.

        Raises:
            LSTMError: nothing can be set there, or the other run does not tell all of it.
        """
        address = settable(text)
        place = Place(address.layer, address.direction, address.quantity)
        series = recording.series.get(place)
        if series is None:
            raise LSTMError(f"{address}: the run that it is taken from has no {place.quantity}.")
        spans = ((address.steps, series.steps), (address.units, series.units))
        wanted = [np.arange(known.max(initial=-1) + 1)[span_of(span)] for span, known in spans]
        if not all(
            len(some) and np.isin(some, known).all()
            for some, (_, known) in zip(wanted, spans, strict=True)
        ):
            raise LSTMError(f"{address}: the run that it is taken from has no such place.")
        rows, columns = (
            np.searchsorted(known, some) for some, (_, known) in zip(wanted, spans, strict=True)
        )
        return cls(address, series.values[np.ix_(rows, columns)])

    def __str__(self) -> str:
        value = f"{self.value:g}" if isinstance(self.value, float) else "another run's"
        return f"{self.address}:={value}"


def settable(text: str) -> Address:
    """Read the address of something that can be set.

    Raises:
        LSTMError: it is no address, or of a quantity that follows from others.
    """
    address = Address.parse(text)
    if address.quantity not in SETTABLE:
        raise LSTMError(
            f"{text!r}: expected one of i, f, g, o, c and h, from which all else follows, "
            f"found {address.symbol}."
        )
    return address


@dataclass(frozen=True)
class Intervention:
    """Changes to a run, in order: the last one to touch a value says what it is."""

    changes: tuple[Change, ...] = ()

    def check(self, parameters: Parameters, num_steps: int) -> None:
        """Refuse a change that lies outside the model or the run.

        Raises:
            LSTMError: there is no such layer, direction, unit or step.
        """
        for change in self.changes:
            rows, columns = taken(change.address, parameters, num_steps)
            if not isinstance(change.value, float):
                _check_patch(change, change.value, rows, columns)

    def window(self, start: int, num_steps: int) -> Intervention:
        """Return what is changed in so many steps from one on, counted from there."""
        cut = (_cut(change, start, start + num_steps) for change in self.changes)
        return Intervention(tuple(change for change in cut if change is not None))

    def at(self, layer: int, direction: str) -> CellIntervention | None:
        """Return what is changed in one cell; None where nothing is."""
        here = [c for c in self.changes if c.address[:2] == (layer, direction)]
        return CellIntervention(tuple(here)) if here else None


@dataclass(frozen=True)
class CellIntervention:
    """The changes in one cell; called with a step, it says what is changed there."""

    changes: tuple[Change, ...]

    def touches(self, quantity: str, step: int, width: int) -> Booleans:
        """Return which units of a quantity are set at a step, (width,)."""
        touched = np.zeros(width, bool)
        for change in self.changes:
            if change.address.quantity == quantity and _rows(change.address.steps, step):
                touched[span_of(change.address.units)] = True
        return touched

    def __call__(self, step: int) -> Edit:
        here = [(c, row) for c in self.changes for row in _rows(c.address.steps, step)]

        def edit(quantity: str, values: Floats, /) -> Floats:
            mine = [(c, row) for c, row in here if c.address.quantity == quantity]
            if not mine:
                return values
            values = values.copy()
            for change, row in mine:
                value = change.value if isinstance(change.value, float) else change.value[row]
                who = slice(None) if change.sequence is None else change.sequence
                values[who, span_of(change.address.units)] = value
            return values

        return edit


def taken(address: Address, parameters: Parameters, num_steps: int) -> tuple[int, int]:
    """Return how many steps and units of a run an address takes.

    Raises:
        LSTMError: there is no such layer, direction, unit or step.
    """
    layers = parameters.layers[address.layer : address.layer + 1]
    cell = layers[0].directions.get(address.direction) if layers else None
    if cell is None:
        raise LSTMError(f"{address}: the model has no such layer and direction.")
    width = cell.output_size if address.symbol == "h" else cell.hidden_size
    rows = _within(address, "step", address.steps, num_steps)
    return rows, _within(address, "unit", address.units, width)


def _cut(change: Change, start: int, stop: int) -> Change | None:
    """The part of a change that lies between two steps, counted from the first; None: nothing."""
    span = span_of(change.address.steps)
    own = span.start or 0
    first, last = max(own, start), stop if span.stop is None else min(span.stop, stop)
    if first >= last:
        return None
    value = change.value
    rows = value if isinstance(value, float) else value[first - own : last - own]
    address = change.address._replace(steps=slice(first - start, last - start))
    return change._replace(address=address, value=rows)


def _rows(span: int | slice | None, step: int) -> Iterable[int]:
    """The row of a patch that belongs to this step; nothing where the span leaves it out."""
    if isinstance(span, int):
        return (0,) if span == step else ()
    start = span.start or 0 if span is not None else 0
    stop = span.stop if span is not None else None
    return (step - start,) if start <= step and (stop is None or step < stop) else ()


def span_of(span: int | slice | None) -> slice:
    """A span as a slice, so that a number keeps its axis."""
    if isinstance(span, int):
        return slice(span, span + 1)
    return slice(None) if span is None else span


def _within(address: Address, what: str, span: int | slice | None, count: int) -> int:
    """How many of so many units or steps a span takes, which is not to be none."""
    taken = len(np.arange(count)[span_of(span)])
    if not taken:
        last = f"0 to {count - 1}" if count else f"none, as there are no {what}s"
        raise LSTMError(f"{address}: {what}: expected {last}, found {_named(span)}.")
    return taken


def _check_patch(change: Change, values: Floats, rows: int, columns: int) -> None:
    """Refuse the values of another run that are too few, or of other units."""
    steps, units = values.shape
    if steps < rows or units != columns:
        raise LSTMError(
            f"{change.address}: expected {counted(rows, 'step')} of {counted(columns, 'unit')} "
            f"from the other run, found {steps} of {units}. Name a span that both have."
        )


def _named(span: int | slice | None) -> str:
    if isinstance(span, slice):
        return ":".join("" if end is None else str(end) for end in (span.start, span.stop))
    return "none" if span is None else str(span)
