"""The plain records of the JSON contract, shared by all formats that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from cli.formats.report import Report
from lstm.address import Address
from lstm.model import Model
from lstm.quantities import BY_NAME
from lstm.trace import Trace

TRACE_SCHEMA = "lstm.trace/1"
NULL = b"null"


def model_record(model: Model) -> dict[str, Any]:
    """Say which model made the numbers, and what was assumed to read it."""
    parameters, card = model.parameters, model.card
    changes = [str(change) for change in model.changes]
    return {
        "source": card.source,
        "sha256": card.sha256,
        "layout": card.layout,
        "layers": parameters.num_layers,
        "directions": parameters.num_directions,
        "independent": parameters.independent,
        "residual": parameters.residual,
        "input_size": parameters.input_size,
        "hidden_size": parameters.hidden_size,
        "dtype": str(parameters.dtype),
        "tokenizer": model.tokenizer.kind if model.tokenizer else None,
        "assumed": list(card.assumed),
        **({"changed": changes} if changes else {}),
    }


def text_record(trace: Trace) -> dict[str, Any]:
    """Say what was read: the text, its tokens, their ids, and which are unknown."""
    tokens = trace.tokens
    return {
        "text": trace.text,
        "tokens": None if tokens is None else [token.text for token in tokens],
        "ids": None if tokens is None else [token.id for token in tokens],
        "unknown": [{"step": n, "token": tokens[n].text} for n in trace.unknown] if tokens else [],
    }


def prediction_record(trace: Trace, top_k: int) -> dict[str, Any]:
    """Say what the head predicts after each step; nothing where there is no head.

    The next tokens stand under `next`, with each token's surprisal in bits beside them; labels
    of a head that has its own stand under `labels`.
    """
    if trace.head is None:
        return {"next": [], "surprisal": []}
    forecast = trace.forecast(top_k)
    key = "token" if trace.head.predicts_tokens else "label"
    steps = [
        [{key: best.name, "probability": best.probability} for best in step]
        for step in forecast.predictions
    ]
    if trace.head.predicts_tokens:
        return {"next": steps, "surprisal": list(forecast.surprisal)}
    return {"next": [], "surprisal": [], "labels": steps}


def dump_row(row: dict[str, Any], report: Report) -> tuple[bytes, list[dict[str, str]]]:
    """Write a row, and list the values in it that JSON cannot hold.

    They stand as null there, and are looked for only where there is a null: to look at every
    number would take longer than to write it.
    """
    data = dump(row)
    return data, _nonfinite(row, report) if NULL in data else []


def _nonfinite(row: dict[str, Any], report: Report) -> list[dict[str, str]]:
    """List the values of a record that are not finite, each with its address."""
    found = []
    for name in report.selection.show:
        values = row[name]
        for place in np.flatnonzero(~np.isfinite(values)).tolist():
            unit = _units(name, row, report)[place]
            symbol = BY_NAME[name].symbol
            at = Address(row["layer"], row["direction"], symbol, unit, row["step"])
            found.append({"address": repr(at), "value": str(values[place])})
    return found


def _units(name: str, row: dict[str, Any], report: Report) -> Sequence[int]:
    """The numbers of the units whose values stand in a record."""
    if name == "layer_input":
        return range(len(row[name]))
    layer = report.model.parameters.layers[row["layer"]]
    return report.selection.units.within(layer.hidden_size)


def dump(record: Any) -> bytes:
    """Write JSON; a float32 is the shortest text that gives back the same float32."""
    return orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY)
