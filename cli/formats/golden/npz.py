"""Named arrays in numpy's archive; `metadata` holds all else as JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from cli.formats.arrays import write_npz
from cli.formats.golden.record import GoldenReport, provenance
from cli.formats.record import dump


def write(report: GoldenReport) -> None:
    """Write `inputs`, `ids` where there are tokens, and `layers.{k}.{direction}.{name}`."""
    golden = report.golden
    arrays: dict[str, Any] = {
        **golden.arrays,
        "metadata": np.array(dump(provenance(report)).decode()),
    }
    if golden.ids is not None:
        arrays["ids"] = golden.ids
    write_npz(report.stream, arrays)
