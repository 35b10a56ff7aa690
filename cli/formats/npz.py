"""Named arrays in numpy's archive; `metadata` holds the provenance as JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from cli.formats.arrays import NamedArrays
from cli.formats.record import dump
from cli.formats.report import Report
from lstm.trace import Trace


class NPZWriter:
    """Collect the sequences, and write the archive when all of them are there."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.named = NamedArrays(report)

    def write(self, trace: Trace) -> None:
        self.named.add(trace)

    def close(self) -> None:
        metadata = np.array(dump(self.named.provenance).decode())
        arrays: dict[str, Any] = {**self.named.arrays, "metadata": metadata}
        np.savez(self.report.stream, **arrays)
