"""The JSON of an explanation or of a walk, schema `lstm.explain/1`."""

from __future__ import annotations

from typing import Any

from cli.explained import NAMED_IN_A_SENTENCE, Sheet, Walk
from cli.formats.record import model_record, text_record
from cli.naming import tells
from lstm.address import Address
from lstm.analysis.terms import Applied, Group, Term
from lstm.analysis.walk import Change, Passage, largest
from lstm.arrays import Floats
from lstm.head import Forecast
from lstm.model import Model

SCHEMA = "lstm.explain/1"


def record(found: Sheet | Walk) -> dict[str, Any]:
    """Say how one number came about, or what each step did."""
    return {
        "schema": SCHEMA,
        "model": model_record(found.model),
        **text_record(found.trace),
        "explanation": _sheet(found) if isinstance(found, Sheet) else None,
        "walk": [] if isinstance(found, Sheet) else _walk(found),
    }


def _sheet(sheet: Sheet) -> dict[str, Any]:
    at, explanation = sheet.at, sheet.explanation
    unit = at if isinstance(at, Address) else None
    return {
        "address": repr(at),
        "quantity": "logit" if unit is None else unit.quantity,
        "tells": None if unit is None else tells(sheet.model, unit),
        "step": sheet.step,
        "token": sheet.trace.tokens[sheet.step].text if sheet.trace.tokens else None,
        "prepared": [_applied(one) for one in explanation.prepared],
        "groups": [_group(sheet.model, group, sheet.top) for group in explanation.groups],
        "sum": explanation.total,
        "applied": [_applied(one) for one in explanation.applied],
        "value": explanation.value,
        "standing": sheet.standing._asdict() if unit is None else None,
    }


def _applied(one: Applied) -> dict[str, Any]:
    return {"function": one.function, "limit": one.limit, "value": one.value}


def _group(model: Model, group: Group, top: int) -> dict[str, Any]:
    shown, rest = group.largest(top)
    return {
        "origin": group.origin,
        "amount": group.amount,
        "terms": [_term(model, term) for term in shown],
        "rest": {"count": len(rest), "amount": group._replace(terms=rest).amount},
    }


def _term(model: Model, term: Term) -> dict[str, Any]:
    return {
        "address": None if term.address is None else repr(term.address),
        "tells": None if term.address is None else tells(model, term.address),
        "weight": term.weight,
        "value": term.value,
        "amount": term.amount,
    }


def _walk(walk: Walk) -> list[dict[str, Any]]:
    forecast = walk.forecast
    return [
        {
            "step": step,
            "token": walk.trace.tokens[step].text if walk.trace.tokens else None,
            "cells": [_passage(walk, layer, passage) for layer, passage in walk.passages(step)],
            **_expected(forecast, step),
        }
        for step in walk.steps
    ]


def _expected(forecast: Forecast | None, step: int) -> dict[str, Any]:
    if forecast is None:
        return {"surprisal": None, "expected": []}
    known = step < len(forecast.surprisal)
    return {
        "surprisal": forecast.surprisal[step] if known else None,
        "expected": [
            {"name": best.name, "probability": best.probability}
            for best in forecast.predictions[step]
        ],
    }


def _passage(walk: Walk, layer: int, passage: Passage) -> dict[str, Any]:
    def most(symbol: str, values: Floats) -> list[dict[str, Any]]:
        return [
            {"address": repr(Address(layer, direction, symbol, unit)), "amount": amount}
            for unit, amount in largest(values, NAMED_IN_A_SENTENCE)
        ]

    direction = passage.trace.direction
    return {
        "layer": layer,
        "direction": direction,
        **passage.opening._asdict(),
        "most_forgotten": most("c", passage.forgotten),
        "most_written": most("c", passage.written),
        "most_revealed": most("h", passage.revealed),
        "changes": [_change(walk.model, at, one) for at, one in walk.changes(layer, passage)],
    }


def _change(model: Model, at: Address, one: Change) -> dict[str, Any]:
    numbers = {name: getattr(one, name) for name in Change._fields if name != "unit"}
    address = repr(at._replace(steps=None))
    return {"address": address, "tells": tells(model, at), **numbers, "change": one.change}
