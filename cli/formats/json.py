"""One JSON document, schema `lstm.trace/1`."""

from __future__ import annotations

from typing import Any

from cli.formats.record import (
    TRACE_SCHEMA,
    dump,
    model_record,
    nonfinite,
    prediction_record,
    text_record,
)
from cli.formats.report import Report
from cli.selection import widest
from lstm.trace import Trace


class JSONWriter:
    """Collect the sequences, and write the document when all of them are there.

    A run that fails on its last line leaves no half of a document behind.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.sequences: list[bytes] = []

    def write(self, trace: Trace) -> None:
        steps = list(self.report.selection.rows(trace))
        record = {**text_record(trace), "steps": steps}
        record.update(prediction_record(trace, self.report.top_k))
        if bad := [entry for row in steps for entry in nonfinite(row, self.report)]:
            record["nonfinite"] = bad
        self.sequences.append(dump(record))

    def close(self) -> None:
        head: dict[str, Any] = {"schema": TRACE_SCHEMA, "model": model_record(self.report.model)}
        if self.report.selection.units.text is not None:
            size = widest(self.report.model, self.report.selection)
            head["units"] = self.report.selection.units.within(size)
        stream = self.report.stream
        stream.write(dump(head)[:-1] + b',"sequences":[')
        stream.write(b",".join(self.sequences))
        stream.write(b"]}\n")
