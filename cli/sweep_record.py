"""A sweep as JSON, schema `lstm.sweep/1`, and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from cli.formats.csv import harmless
from cli.formats.record import dump, model_record, text_record
from cli.sweep_page import Page

SCHEMA = "lstm.sweep/1"

CSV_KEYS = (
    "address", "layer", "direction", "quantity", "unit", "step", "token",
    "value", "set_to", "before", "after", "effect",
)  # fmt: skip


def as_json(page: Page) -> bytes:
    """Write one document: every effect, the largest first."""
    document = {
        "schema": SCHEMA,
        "model": model_record(page.model),
        **text_record(page.trace),
        "metric": page.metric,
        "over": repr(page.sweep.over),
        "to": page.to if page.source is None else None,
        "from": page.source,
        "before": page.sweep.before,
        "effects": list(_records(page)),
    }
    return dump(document) + b"\n"


def as_csv(page: Page) -> bytes:
    """Write one line per effect, the largest first."""
    text = StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(CSV_KEYS)
    tokens = page.trace.tokens
    for record in _records(page):
        token = harmless(tokens[record["step"]].text) if tokens else ""
        over = page.sweep.over
        known = {**record, "layer": over.layer, "direction": over.direction, "token": token,
                 "quantity": over.quantity, "before": page.sweep.before}  # fmt: skip
        lines.writerow([known[key] for key in CSV_KEYS])
    return text.getvalue().encode("utf-8", "surrogateescape")


def _records(page: Page) -> Iterator[dict[str, Any]]:
    found = page.sweep
    effects = found.effects
    for place in found.ranking:
        yield {
            "address": repr(found.address(*place)),
            "unit": found.units[place[1]],
            "step": found.steps[place[0]],
            "value": found.values[place],
            "set_to": found.put[place],
            "after": found.after[place],
            "effect": effects[place],
        }
