"""A page with everything inside it: it opens from disk, without a network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from cli.console import printable
from cli.formats.record import dump, prediction_record
from cli.formats.report import Report
from cli.palette import NEGATIVE, POSITIVE, SHARE, THEMES
from lstm.analysis.ledger import Ledger
from lstm.arrays import Floats
from lstm.cell_trace import DirectionTrace
from lstm.errors import LSTMError
from lstm.quantities import BY_NAME
from lstm.trace import Trace
from lstm.wording import counted

QUANTITIES = ("forget", "input", "output", "candidate", "cell", "hidden")
# What a browser opens and draws without making its reader wait.
MOST_BYTES, MOST_STEPS = 32_000_000, 10_000


class HTMLWriter:
    """Collect the sequences, and write the page when all of them are there.

    Raises:
        LSTMError: there is no sequence, or more than a page can hold.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.sequences: list[dict[str, Any]] = []
        self.num_steps = 0
        self.num_bytes = 0

    def write(self, trace: Trace) -> None:
        cells = [
            _cell(self.report, trace, layer, record)
            for layer in self.report.selection.layers.within(len(trace.layers))
            for record in trace.layers[layer].directions
        ]
        self.num_steps += trace.num_steps
        self.num_bytes += sum(len(text) for cell in cells for text in cell["arrays"].values())
        self._check_size()
        predictions = prediction_record(trace, self.report.top_k)
        title = _title(trace)
        self.sequences.append(
            {"title": title, "words": _words(trace), "cells": cells, **predictions}
        )

    def _check_size(self) -> None:
        if self.num_steps > MOST_STEPS:
            raise LSTMError(
                f"html: expected at most {MOST_STEPS:,} steps on a page, found "
                f"{self.num_steps:,} or more. Give less text, or choose --format npz."
            )
        if self.num_bytes > MOST_BYTES:
            raise LSTMError(
                f"html: expected at most {MOST_BYTES / 1e6:.0f} MB of numbers on a page, found "
                f"{self.num_bytes / 1e6:.0f} MB or more in {self.num_steps:,} steps. Choose fewer "
                "with --units or --layers, give less text, or choose --format npz."
            )

    def close(self) -> None:
        if not self.sequences:
            raise LSTMError("html: expected at least one sequence, found none.")
        titles = [sequence["title"] for sequence in self.sequences]
        title = titles[0] if len(titles) == 1 else counted(len(titles), "text")
        self.report.stream.write(_page(title, self._record()).encode())

    def _record(self) -> dict[str, Any]:
        shown = [BY_NAME[name] for name in QUANTITIES]
        return {
            "about": _about(self.report),
            "changed": bool(self.report.model.changes),
            "quantities": [{"name": q.name, "symbol": q.symbol, "title": q.title} for q in shown],
            "named": [
                {
                    "address": repr(unit.address), "layer": unit.address.layer,
                    "direction": unit.address.direction, "unit": unit.address.units,
                    "tells": printable(unit.tells), "auc": unit.auc,
                }
                for unit in self.report.model.card.units
            ],
            "sequences": self.sequences,
        }  # fmt: skip


def _page(title: str, record: dict[str, Any]) -> str:
    """Put the parts together; nothing in a text can end the script that holds it."""
    folder = Path(__file__).parent
    parts = {name: (folder / name).read_text("utf-8") for name in ("style.css", "script.js")}
    data = dump(record).decode()
    for letter in "<>&\u2028\u2029":
        data = data.replace(letter, f"\\u{ord(letter):04x}")
    return Template((folder / "page.html").read_text("utf-8")).substitute(
        title=escape(title), style=_colors() + parts["style.css"], script=parts["script.js"],
        data=data,
    )  # fmt: skip


def _colors() -> str:
    """The greys of both themes, and the strongest level of each scale as CSS mixes it."""
    scales = {"negative": NEGATIVE, "positive": POSITIVE, "share": SHARE}
    numbers = {
        name: " ".join(str(part) for part in bytes.fromhex(levels[-1][1:]))
        for name, levels in scales.items()
    }
    light, dark = (_declared(THEMES[name]._asdict()) for name in ("light", "dark"))
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    return f":root {{ {_declared(numbers)} {light} }}\n{dark}\n"


def _declared(values: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in values.items())


def _about(report: Report) -> str:
    card, parameters = report.model.card, report.model.parameters
    parts = [
        counted(parameters.num_layers, "layer"),
        counted(parameters.hidden_size, "unit"),
        *(f"with {change}" for change in report.model.changes),
        *(f"assumed: {assumption}" for assumption in card.assumed),
    ]
    return printable(f"{card.source}: {', '.join(parts)}")


def _title(trace: Trace) -> str:
    if trace.text is None:
        return counted(trace.num_steps, "step")
    return printable(trace.text) or "(empty)"


def _words(trace: Trace) -> list[dict[str, Any] | None]:
    """What stands on the buttons; vectors have no words."""
    if trace.tokens is None:
        return [None] * trace.num_steps
    return [
        {
            "text": "␣" if token.text == " " else printable(token.text),
            "read": printable(token.read),
            "known": token.known,
        }
        for token in trace.tokens
    ]


def _cell(report: Report, trace: Trace, layer: int, record: DirectionTrace) -> dict[str, Any]:
    """One layer and direction: the units that are there, and their numbers."""
    chosen = report.selection.units
    units = chosen.within(record.cell.shape[1])
    hidden_units = chosen.within(record.hidden.shape[1])
    arrays = {
        name: getattr(record, name)[:, hidden_units if name == "hidden" else units]
        for name in QUANTITIES
    }
    made = {
        "layer": layer, "direction": record.direction, "size": record.cell.shape[1],
        "units": units, "hidden_units": hidden_units,
        "initial": np.float32(record.initial.c[units]),
    }  # fmt: skip
    try:
        ledger = Ledger.of(report.model, trace, layer, record.direction)
        arrays |= {"kept": ledger.kept[:, units], "written": ledger.written[:, units]}
    except LSTMError as error:
        made["refused"] = str(error)
    return made | {"arrays": {name: _packed(array) for name, array in arrays.items()}}


def _packed(array: Floats) -> str:
    """Write the bits of float32 numbers, the lowest byte first, as text."""
    return b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()
