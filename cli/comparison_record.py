"""The JSON of a comparison, schema `lstm.compare/1`."""

from __future__ import annotations

from typing import Any

from cli.comparison import Cause, Outcome
from cli.console import json_number
from cli.formats.record import model_record
from cli.sides import Side
from lstm.analysis.divergence import Difference, QuantityDifference
from weights.files import name_as_text

SCHEMA = "lstm.compare/1"


def record(outcome: Outcome, cause: Cause | None) -> dict[str, Any]:
    """Say what was compared, where the two sides part, and why."""
    found = outcome.comparison
    left, right = outcome.sides
    return {
        "schema": SCHEMA,
        "same": found.same,
        "a": _side(left),
        "b": _side(right),
        "sequences": min(len(left.recordings), len(right.recordings)),
        "first": None if found.first is None else _difference(found.first, outcome),
        "quantities": [_quantity(one, outcome) for one in found.quantities],
        "only_a": list(found.structure.only_left),
        "only_b": list(found.structure.only_right),
        "differs": list(found.structure.differs),
        "cause": None if cause is None else _cause(cause),
    }


def _side(side: Side) -> dict[str, Any]:
    model = side.told if side.model is None else model_record(side.model)
    kind = "trace" if side.model is None else "weights"
    return {"source": name_as_text(side.source), "kind": kind, "model": model}


def _difference(one: Difference, outcome: Outcome) -> dict[str, Any]:
    return {
        "address": repr(one.address),
        "sequence": one.sequence,
        "step": one.step,
        "token": token_of(one, outcome),
        "layer": one.place.layer,
        "direction": one.place.direction,
        "quantity": one.place.quantity,
        "unit": one.unit,
        "a": json_number(one.left),
        "b": json_number(one.right),
        "absolute": json_number(one.absolute),
        "relative": json_number(one.relative),
        "ulps": one.ulps,
        "units": one.width,
        "units_beyond": one.beyond,
    }


def _quantity(one: QuantityDifference, outcome: Outcome) -> dict[str, Any]:
    tolerance = outcome.tolerances[one.name]
    return {
        "name": one.name,
        "atol": tolerance.absolute,
        "rtol": tolerance.relative,
        "ulp": tolerance.ulps,
        "compared": one.compared,
        "beyond": one.beyond,
        "largest": None if one.largest is None else _difference(one.largest, outcome),
        "growth": [None if step != step else json_number(step) for step in one.growth.tolist()],
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "suspect": cause.suspect.lower(),
        "other_agrees": cause.right,
        "tried": cause.finding.tried,
        "pairs_tried": cause.finding.pairs,
        "found": [
            {
                "name": one.name,
                "says": one.says,
                "mistakes": [mistake.name for mistake in one.mistakes],
            }
            for one in cause.finding.found
        ],
    }


def token_of(one: Difference, outcome: Outcome) -> str | None:
    """Return the word at the step, if either side tells it."""
    for recordings in outcome.recordings:
        tokens = recordings[one.sequence].tokens
        if tokens is not None and one.step < len(tokens):
            return tokens[one.step]
    return None
