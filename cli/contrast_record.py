"""Two texts side by side as JSON, schema `lstm.contrast/1`."""

from __future__ import annotations

from typing import Any

from cli.contrast_page import Page
from cli.formats.record import dump, model_record, text_record
from lstm.analysis.contrast import Pair, Patches, UnitDifference, WordDifference

SCHEMA = "lstm.contrast/1"


def as_json(page: Page) -> bytes:
    """Write one document."""
    found, patches = page.contrast, page.patches
    parting = found.parting
    after = [None] * len(page.units) if patches is None else patches.after.tolist()
    document = {
        "schema": SCHEMA,
        "model": model_record(page.model),
        "sequences": [text_record(trace) for trace in page.traces],
        "align": page.align,
        "parting": None if parting is None else [parting.first, parting.second],
        "steps": [_pair(pair) for pair in found.pairs],
        "metric": None if patches is None else _metric(patches),
        "units": [
            _unit(page, unit, metric) for unit, metric in zip(page.units, after, strict=True)
        ],
        "words": [_word(word) for word in found.words],
    }
    return dump(document) + b"\n"


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "steps": [pair.first, pair.second],
        "same_token": pair.same_token,
        "cell": pair.cell,
        "hidden": pair.hidden,
        "largest": None if pair.largest is None else repr(pair.largest),
    }


def _metric(patches: Patches) -> dict[str, Any]:
    return {"expression": patches.metric.text, "values": [patches.first, patches.second]}


def _unit(page: Page, unit: UnitDifference, metric: float | None) -> dict[str, Any]:
    known = page.model.card.named(unit.layer, unit.direction, unit.unit)
    return {
        "address": repr(unit.address),
        "tells": None if known is None else known.tells,
        "cell": unit.cell,
        "hidden": unit.hidden,
        "metric": metric,
    }


def _word(word: WordDifference) -> dict[str, Any]:
    return {"word": word.name, "id": word.id, "probabilities": word.probabilities}
