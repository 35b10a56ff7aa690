"""The tables as a picture, for slides and pages."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from cli.console import Terminal, printable
from cli.formats.report import Report
from cli.formats.sections import sections
from cli.tables import show
from lstm.trace import Trace

WIDTH = 100


class SVGWriter:
    """Draw all sequences into one picture, as wide as a terminal of 100 columns."""

    def __init__(self, report: Report) -> None:
        self.report = report._replace(terminal=Terminal(True, WIDTH, True))
        self.console = Console(
            file=StringIO(), record=True, width=WIDTH, color_system="truecolor",
            force_terminal=True, no_color=False, highlight=False,
        )  # fmt: skip
        self.texts: list[str] = []

    def write(self, trace: Trace) -> None:
        for part in sections(trace, self.report):
            show(self.console, part)
        self.texts.append(trace.text or "")

    def close(self) -> None:
        title = f'lstm run "{printable(self.texts[0])}"' if len(self.texts) == 1 else "lstm run"
        picture = self.console.export_svg(title=title)
        self.report.stream.write(picture.encode())
