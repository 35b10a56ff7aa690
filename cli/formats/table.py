"""Tables for people: states as heat maps, the gates in plain words, what comes next."""

from __future__ import annotations

from io import TextIOWrapper

from cli.formats.report import Report
from cli.formats.sections import sections
from cli.tables import show
from lstm.trace import Trace


class TableWriter:
    """Print each sequence as soon as it is done."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.text = TextIOWrapper(report.stream, "utf-8", "backslashreplace", write_through=True)
        self.console = report.terminal.console(self.text)

    def write(self, trace: Trace) -> None:
        for part in sections(trace, self.report):
            show(self.console, part)

    def close(self) -> None:
        self.text.flush()
        self.text.detach()
