"""One JSON record a line: one per sequence, step, layer and direction."""

from __future__ import annotations

from cli.formats.record import dump, dump_row
from cli.formats.report import Report
from lstm.trace import Trace


class NDJSONWriter:
    """Write each sequence as soon as it is done."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.sequence = 0

    def write(self, trace: Trace) -> None:
        for row in self.report.selection.rows(trace):
            record = {"sequence": self.sequence, **row}
            data, bad = dump_row(record, self.report)
            if bad:
                data = dump({**record, "nonfinite": bad})
            self.report.stream.writelines((data, b"\n"))
        self.report.stream.flush()
        self.sequence += 1

    def close(self) -> None:
        """Nothing ends a stream of lines."""
