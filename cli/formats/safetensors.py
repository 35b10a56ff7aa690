"""Named arrays in a safetensors file, provenance in its metadata."""

from __future__ import annotations

from cli.formats.arrays import NamedArrays
from cli.formats.report import Report
from lstm.trace import Trace
from weights.archive import archive_bytes


class SafetensorsWriter:
    """Collect the sequences, and write the file when all of them are there."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.named = NamedArrays(report)

    def write(self, trace: Trace) -> None:
        self.named.add(trace)

    def close(self) -> None:
        self.report.stream.write(archive_bytes(self.named.arrays, self.named.provenance))
