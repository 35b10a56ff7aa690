"""What every output format is given, and what it has to do."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple, Protocol

from cli.console import Terminal
from cli.selection import Selection
from lstm.address import Address
from lstm.model import Model
from lstm.trace import Trace


class Report(NamedTuple):
    """What to write and where.

    `top_k` is the number of predictions per step, `digits` of digits in tables; `summary` adds to
    a table what the gates, the head and the named units say. `color_by` are the units by which the
    sentence itself is coloured.
    """

    model: Model
    selection: Selection
    stream: BinaryIO
    terminal: Terminal
    top_k: int
    digits: int
    summary: bool
    color_by: tuple[Address, ...] = ()


class Writer(Protocol):
    """Writes one sequence after the other, then closes the document."""

    def write(self, trace: Trace) -> None:
        """Write one sequence; where the format can be read line by line, at once."""

    def close(self) -> None:
        """Write what ends the document."""
