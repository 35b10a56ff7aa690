"""The output formats, one line each; what a format needs is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cli.console import CommandLineError

if TYPE_CHECKING:
    from cli.formats.report import Report, Writer


class Format(NamedTuple):
    """An output format.

    Args:
        name: for --format.
        suffixes: the endings of file names that choose it.
        make: makes its writer.
        is_binary: whether a terminal cannot show it.
        is_table: whether it rounds numbers to digits.
        may_have_colors: whether --color decides about them.
        has_predictions: whether it holds what the head says.
        is_whole: whether it holds every step and quantities of its own choice.
    """

    name: str
    suffixes: tuple[str, ...]
    make: Callable[[Report], Writer]
    is_binary: bool = False
    is_table: bool = False
    may_have_colors: bool = False
    has_predictions: bool = False
    is_whole: bool = False


def _table(report: Report) -> Writer:
    from cli.formats.table import TableWriter

    return TableWriter(report)


def _svg(report: Report) -> Writer:
    from cli.formats.svg import SVGWriter

    return SVGWriter(report)


def _json(report: Report) -> Writer:
    from cli.formats.json import JSONWriter

    return JSONWriter(report)


def _ndjson(report: Report) -> Writer:
    from cli.formats.ndjson import NDJSONWriter

    return NDJSONWriter(report)


def _csv(report: Report) -> Writer:
    from cli.formats.csv import CSVWriter

    return CSVWriter(report)


def _npz(report: Report) -> Writer:
    from cli.formats.npz import NPZWriter

    return NPZWriter(report)


def _safetensors(report: Report) -> Writer:
    from cli.formats.safetensors import SafetensorsWriter

    return SafetensorsWriter(report)


def _html(report: Report) -> Writer:
    from cli.formats.html.writer import HTMLWriter

    return HTMLWriter(report)


FORMATS = (
    Format("table", (".txt",), _table, is_table=True, may_have_colors=True, has_predictions=True),
    Format("json", (".json",), _json, has_predictions=True),
    Format("ndjson", (".ndjson", ".jsonl"), _ndjson),
    Format("csv", (".csv",), _csv),
    Format("npz", (".npz",), _npz, is_binary=True),
    Format("safetensors", (".safetensors",), _safetensors, is_binary=True),
    Format("svg", (".svg",), _svg, is_table=True, has_predictions=True),
    Format("html", (".html", ".htm"), _html, has_predictions=True, is_whole=True),
)


def choose(name: str | None, output: Path | None) -> Format:
    """Return the format of that name, else the one that the file's ending tells, else table.

    Raises:
        CommandLineError: the ending is that of no format.
    """
    if name is not None:
        return next(format for format in FORMATS if format.name == name)
    if output is None:
        return FORMATS[0]
    for format in FORMATS:
        if output.suffix in format.suffixes:
            return format
    known = ", ".join(suffix for format in FORMATS for suffix in format.suffixes)
    raise CommandLineError(
        f"--output: expected a name ending in {known}; found {output.name!r}. "
        "Name the format with --format."
    )
