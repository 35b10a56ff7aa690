"""Tables for people: states as heat maps, the gates in plain words, what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from io import TextIOWrapper

from rich.console import Console, RenderableType

from cli.formats.report import Report
from cli.formats.sections import sections
from lstm.trace import Trace


class TableWriter:
    """Print each sequence as soon as it is done."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.text = TextIOWrapper(report.stream, "utf-8", "backslashreplace", write_through=True)
        self.console = report.terminal.console(self.text)

    def write(self, trace: Trace) -> None:
        print_sections(self.console, sections(trace, self.report))

    def close(self) -> None:
        self.text.flush()
        self.text.detach()


def print_sections(console: Console, content: Iterator[RenderableType]) -> None:
    """Print parts of a report one under the other, without cutting a line."""
    for part in content:
        console.print(part, crop=False)
