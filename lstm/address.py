"""One grammar for a place in a trace: `l0.f[42]@3`, `l0.reverse.c[3:7]@2:`, `l1.h`."""

from __future__ import annotations

import re
from typing import NamedTuple

from lstm.errors import LSTMError
from lstm.quantities import BY_SYMBOL, DIRECTIONS

_GRAMMAR = (
    r"l(?P<layer>\d+)"
    r"(?:\.(?P<direction>forward|reverse))?"
    r"\.(?P<symbol>[a-z_]+)"
    r"(?:\[(?P<units>\d+|\d*:\d*)\])?"
    r"(?:@(?P<steps>\d+|\d*:\d*))?"
)


class Address(NamedTuple):
    """A layer, a direction, a quantity by its letter, and spans of units and of steps.

    Everything counts from 0. A span is a number, `3:7` (7 excluded), `2:`, `:5`, or None: all.

    >>> Address(0, "forward", "f", 42, 3)
    l0.f[42]@3
    >>> Address.parse("l0.reverse.c[3:7]@2:").units
    slice(3, 7, None)
    """

    layer: int
    direction: str
    symbol: str
    units: int | slice | None = None
    steps: int | slice | None = None

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address.

        Raises:
            LSTMError: the text does not follow the grammar, or no quantity has that letter.
        """
        match = re.fullmatch(_GRAMMAR, text)
        if match is None or match["symbol"] not in BY_SYMBOL:
            raise LSTMError(
                f"address {text!r}: expected layer.quantity[unit]@step, such as l0.c[81]@3, "
                f"l0.reverse.f[3:7] or l1.h@2:; quantities are {', '.join(BY_SYMBOL)}."
            )
        return cls(
            int(match["layer"]),
            match["direction"] or DIRECTIONS[0],
            match["symbol"],
            _span(match["units"]),
            _span(match["steps"]),
        )

    @property
    def quantity(self) -> str:
        """The quantity's full name, an attribute of a trace: `c` is `cell`."""
        return BY_SYMBOL[self.symbol].name

    def __repr__(self) -> str:
        direction = "" if self.direction == DIRECTIONS[0] else f".{self.direction}"
        units = "" if self.units is None else f"[{_written(self.units)}]"
        steps = "" if self.steps is None else f"@{_written(self.steps)}"
        return f"l{self.layer}{direction}.{self.symbol}{units}{steps}"


def _span(text: str | None) -> int | slice | None:
    if text is None or ":" not in text:
        return None if text is None else int(text)
    start, stop = (int(end) if end else None for end in text.split(":"))
    return slice(start, stop)


def _written(span: int | slice) -> str:
    if isinstance(span, int):
        return str(span)
    return ":".join("" if end is None else str(end) for end in (span.start, span.stop))
