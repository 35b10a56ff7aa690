"""The formats of golden values, one line each; what one needs is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cli.console import CommandLineError

if TYPE_CHECKING:
    from cli.formats.golden.record import GoldenReport


class GoldenFormat(NamedTuple):
    """A format.

    Args:
        name: for --format.
        suffix: the ending of file names that chooses it.
        write: writes the whole.
        is_binary: whether a terminal cannot show it.
        has_bits: whether it can hold numbers as bit patterns.
    """

    name: str
    suffix: str
    write: Callable[[GoldenReport], None]
    is_binary: bool = False
    has_bits: bool = False


def _c(report: GoldenReport) -> None:
    from cli.formats.golden.c import write

    write(report)


def _json(report: GoldenReport) -> None:
    from cli.formats.golden.json import write

    write(report)


def _npz(report: GoldenReport) -> None:
    from cli.formats.golden.npz import write

    write(report)


GOLDEN_FORMATS = (
    GoldenFormat("c", ".h", _c, has_bits=True),
    GoldenFormat("json", ".json", _json),
    GoldenFormat("npz", ".npz", _npz, is_binary=True),
)


def choose(name: str | None, output: Path | None) -> GoldenFormat:
    """Return the format of that name, else the one that the file's ending tells, else c.

    Raises:
        CommandLineError: the ending is that of no format.
    """
    for format in GOLDEN_FORMATS:
        if name == format.name or (name is None and output and output.suffix == format.suffix):
            return format
    if output is None:
        return GOLDEN_FORMATS[0]
    known = ", ".join(format.suffix for format in GOLDEN_FORMATS)
    raise CommandLineError(
        f"--output: expected a name ending in {known}; found {output.name!r}. "
        "Name the format with --format."
    )
