"""One JSON document, schema `lstm.trace/1`."""

from __future__ import annotations

from typing import Any

from cli.formats.record import (
    TRACE_SCHEMA,
    dump,
    dump_row,
    model_record,
    prediction_record,
    text_record,
)
from cli.formats.report import Report
from cli.formats.size import check_size, count_numbers
from cli.limits import DOCUMENT_BYTES
from cli.selection import widest
from lstm.trace import Trace

# What a number, a step and a prediction take in a document, on average.
_NUMBER_BYTES, _STEP_BYTES, _PREDICTION_BYTES = 12, 120, 60


class JSONWriter:
    """Collect the sequences, and write the document when all of them are there.

    A run that fails on its last line leaves no half of a document behind.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        # Before the run: the hash in it is of the file that was read.
        self.model = model_record(report.model)
        self.pieces: list[bytes] = []  # of the document, which is never copied as a whole
        self.num_bytes = 0

    def write(self, trace: Trace) -> None:
        self._count(trace)
        before = b"," if self.pieces else b""
        self.pieces += (before, dump(text_record(trace))[:-1], b',"steps":[')
        bad: list[dict[str, str]] = []
        before = b""
        for row in self.report.selection.rows(trace):
            data, found = dump_row(row, self.report)
            self.pieces += (before, data)
            bad += found
            before = b","
        after = prediction_record(trace, self.report.top_k)
        if bad:
            after["nonfinite"] = bad
        self.pieces += (b"],", dump(after)[1:])

    def _count(self, trace: Trace) -> None:
        """Add up about what will be written, and refuse too much of it."""
        predicted = 0 if trace.head is None else min(self.report.top_k, trace.head.num_outcomes)
        around = _STEP_BYTES + _PREDICTION_BYTES * predicted
        self.num_bytes += _NUMBER_BYTES * count_numbers(trace, self.report)
        self.num_bytes += around * trace.num_steps
        check_size("json", self.num_bytes, DOCUMENT_BYTES)

    def close(self) -> None:
        head: dict[str, Any] = {"schema": TRACE_SCHEMA, "model": self.model}
        if self.report.selection.units.text is not None:
            size = widest(self.report.model, self.report.selection)
            head["units"] = self.report.selection.units.within(size)
        stream = self.report.stream
        stream.write(dump(head)[:-1] + b',"sequences":[')
        stream.writelines(self.pieces)
        stream.write(b"]}\n")
