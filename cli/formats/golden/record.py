"""What a writer of golden values is given, and where they come from as a plain record."""

from __future__ import annotations

from typing import Any, BinaryIO, NamedTuple

from cli.formats.record import model_record, text_record
from weights.golden import Golden
from weights.trace_golden import SCHEMA


class GoldenReport(NamedTuple):
    """What to write and where; `command` is the line that made it, word by word."""

    golden: Golden
    command: tuple[str, ...]
    stream: BinaryIO
    bits: bool = False


def provenance(report: GoldenReport) -> dict[str, Any]:
    """Say what ran, what it read, how the weights are written, and how close is close."""
    golden = report.golden
    return {
        "schema": SCHEMA,
        "command": list(report.command),
        "model": model_record(golden.model),
        **text_record(golden.trace),
        "steps": golden.trace.num_steps,
        "port": golden.port._asdict(),
        "tolerances": {name: t._asdict() for name, t in golden.tolerances.items()},
        "options": {cell.name: dict(cell.options) for cell in golden.cells},
    }
