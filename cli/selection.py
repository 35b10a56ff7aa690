"""Which layers, units and steps to show: `0:8,12`, counted from 0, the end excluded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from cli.console import CommandLineError
from lstm.address import Address
from lstm.quantities import NAMES

if TYPE_CHECKING:
    from lstm.model import Model
    from lstm.trace import Trace

_SPAN = r"-?\d+|(-?\d+)?:(-?\d+)?"


class Spans(NamedTuple):
    """A list of numbers and spans, as `0:8,12` writes them; None stands for everything."""

    option: str
    text: str | None

    @classmethod
    def parse(cls, option: str, text: str | None) -> Spans:
        """Check that the value of an option follows the grammar."""
        if text is not None and not all(re.fullmatch(_SPAN, part) for part in text.split(",")):
            raise CommandLineError(
                f"{option}: expected numbers and spans such as 0:8,12, found {text!r}."
            )
        return cls(option, text)

    def within(self, size: int) -> list[int]:
        """Return the chosen numbers below `size`, each once, in ascending order."""
        if self.text is None:
            return list(range(size))
        chosen: set[int] = set()
        for span in self.text.split(","):
            if ":" in span:
                start, stop = (int(end) if end else None for end in span.split(":"))
                chosen.update(range(size)[start:stop])
            elif -size <= int(span) < size:
                chosen.add(int(span) % size)
        return sorted(chosen)

    def check(self, size: int, what: str) -> None:
        """Refuse a number that does not exist, or a choice of nothing."""
        for span in (self.text or "").split(","):
            number = span and ":" not in span and int(span)
            if isinstance(number, int) and not -size <= number < size:
                known = f"{what} 0 to {size - 1}" if size > 1 else "0, as there is no other"
                raise CommandLineError(f"{self.option}: expected {known}, found {number}.")
        if not self.within(size):
            raise CommandLineError(
                f"{self.option}: expected at least one of {size} {what}, found none in "
                f"{self.text!r}."
            )


class Selection(NamedTuple):
    """What of a trace is shown: quantities by name, and which layers, units and steps."""

    show: tuple[str, ...]
    layers: Spans
    units: Spans
    steps: Spans

    def rows(self, trace: Trace) -> Iterator[dict[str, Any]]:
        """Yield the trace's records, cut down to what is shown."""
        layers = set(self.layers.within(len(trace.layers)))
        steps = set(self.steps.within(trace.num_steps))
        for row in trace.rows(self.show):
            if row["layer"] in layers and row["step"] in steps:
                yield self._cut(row)

    def _cut(self, row: dict[str, Any]) -> dict[str, Any]:
        """Units choose among the H numbers of a quantity; a layer's input has others."""
        if self.units.text is None:
            return row
        for name in self.show:
            if name != "layer_input":
                row[name] = row[name][self.units.within(len(row[name]))]
        return row


def widest(model: Model, selection: Selection) -> int:
    """Return the number of units of the widest layer that is shown."""
    layers = model.parameters.layers
    return max(layers[k].hidden_size for k in selection.layers.within(len(layers)))


def parse_units(option: str, texts: Iterable[str]) -> tuple[Address, ...]:
    """Read addresses of one unit each, at all steps: `l0.c[81]`.

    Raises:
        CommandLineError: one names several units, or a step.
        LSTMError: one is no address.
    """
    addresses = tuple(Address.parse(text) for text in texts)
    for address in addresses:
        if not isinstance(address.units, int) or address.steps is not None:
            raise CommandLineError(
                f"{option}: expected one unit, such as l0.c[81], found {address}."
            )
    return addresses


def parse_show(text: str) -> tuple[str, ...]:
    """Read `hidden,cell,forget` or `all`.

    Raises:
        CommandLineError: a name is not that of a quantity.
    """
    if text == "all":
        return NAMES
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in NAMES:
            raise CommandLineError(
                f"--show: expected all, or names among {', '.join(NAMES)}; found {name!r}."
            )
    return names
