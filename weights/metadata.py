"""The `__metadata__` of the project's own files: what it may say, checked entry by entry.

Every value is a string; structured ones are JSON. Free of numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from lstm.activation_names import read_activation
from lstm.address import Address
from lstm.card import NamedUnit
from lstm.errors import LSTMError
from lstm.tokenizers.registry import from_specification
from lstm.tokenizers.tokenizer import Tokenizer, strings
from weights.documents import parse
from weights.errors import WeightsError
from weights.layouts.layout import REVERSE

FORMAT = "lstm.native/1"
CONVERTED = "lstm.converted/1"  # of a file that was written in another layout

# The options of a cell, fields of `lstm.variants.Variant`: what each may be.
ACTIVATIONS = ("gate_activation", "candidate_activation", "cell_activation")
COUPLED = ("input", "forget")
NUMBERS = ("pre_activation_clip", "cell_clip", "projection_clip", "norm_epsilon")
CELL_OPTIONS = (*ACTIVATIONS, "coupled", *NUMBERS)
# How the cells of a stack are connected, fields of `lstm.parameters.Parameters`.
STACK_OPTIONS = ("independent", "residual")
STANDARD_CELL = {"gate_activation": "sigmoid", "candidate_activation": "tanh"}


class Metadata(NamedTuple):
    """What a file says about itself beside its tensors."""

    tokenizer: Tokenizer | None = None
    labels: tuple[str, ...] | None = None
    tied: bool = False
    cell: Mapping[str, Any] = MappingProxyType({})
    stack: Mapping[str, Any] = MappingProxyType({})
    predicts_tokens: bool | None = None
    description: str = ""
    licence: str = ""
    source: str = ""
    units: tuple[NamedUnit, ...] = ()
    quality: Mapping[str, Any] = MappingProxyType({})


def declared_layout(raw: Mapping[str, str]) -> str | None:
    """Return the layout that a file says it has; other programs' files say nothing."""
    if raw.get("format") == CONVERTED:
        return raw.get("layout")
    return "native" if raw.get("format", "").startswith("lstm.native/") else None


def converted_metadata(layout: str) -> dict[str, str]:
    """Return what a file in another layout says of itself.

    Two layouts may have the same names and shapes, so that names alone would not tell.
    """
    return {"format": CONVERTED, "layout": layout}


def read_metadata(raw: Mapping[str, str]) -> Metadata:
    """Read the metadata of a file in the native layout.

    Raises:
        WeightsError: another format version, a cell option that is not supported, or an entry
            that is malformed.
        LSTMError: the tokenizer's record is malformed.
    """
    version = raw.get("format")
    if version != FORMAT:
        raise WeightsError(
            f"metadata: expected format {FORMAT}, found {version!r}. "
            "The file was written by another version of this tool, or by hand."
        )
    cell = _record(raw, "cell")
    _check_cell(cell)
    stack = _record(raw, "stack")
    _check_stack(stack)
    head = _record(raw, "head")
    return Metadata(
        tokenizer=from_specification(_json(raw, "tokenizer")) if "tokenizer" in raw else None,
        labels=strings(head["labels"]) if "labels" in head else None,
        tied=head.get("tied") is True,
        cell={
            option: value for option, value in cell.items() if STANDARD_CELL.get(option) != value
        },
        stack=stack,
        predicts_tokens=_predicts_tokens(head),
        description=raw.get("description", ""),
        licence=raw.get("licence", ""),
        source=raw.get("source", ""),
        units=_units(raw),
        quality=_record(raw, "quality"),
    )


def write_metadata(metadata: Metadata) -> dict[str, str]:
    """Return the entries from which `read_metadata` makes the same again."""
    head: dict[str, Any] = {"tied": True} if metadata.tied else {}
    if metadata.predicts_tokens is not None:
        head["predicts"] = "tokens" if metadata.predicts_tokens else "labels"
    if metadata.labels is not None:
        head["labels"] = list(metadata.labels)
    structured = {
        "cell": {**STANDARD_CELL, **metadata.cell},
        "stack": dict(metadata.stack),
        "tokenizer": metadata.tokenizer.specification() if metadata.tokenizer else None,
        "head": head,
        "units": [_unit_record(unit) for unit in metadata.units],
        "quality": dict(metadata.quality),
    }
    plain = {
        "description": metadata.description,
        "licence": metadata.licence,
        "source": metadata.source,
    }
    written = {key: orjson.dumps(value).decode() for key, value in structured.items() if value}
    return {"format": FORMAT, **written, **{key: text for key, text in plain.items() if text}}


def _predicts_tokens(head: dict[str, Any]) -> bool | None:
    """Whether the head predicts tokens; None where the file does not say it."""
    found = head.get("predicts")
    if found not in ("tokens", "labels", None):
        raise WeightsError(f"metadata: head: expected tokens or labels, found {found!r}.")
    return None if found is None else found == "tokens"


def _check_cell(options: dict[str, Any]) -> None:
    for option, value in options.items():
        field = option.removeprefix(REVERSE)
        if field not in CELL_OPTIONS:
            known = ", ".join(CELL_OPTIONS)
            raise WeightsError(f"metadata: cell: expected options among {known}; found {option}.")
        if problem := _problem(field, value):
            raise WeightsError(f"metadata: cell: {option}: {problem}")


def _problem(field: str, value: Any) -> str:
    """What is wrong with the value of an option; nothing where it is right."""
    if field in ACTIVATIONS:
        try:
            read_activation(value)
        except LSTMError as error:
            return error.message
    elif field == "coupled" and value not in COUPLED:
        return f"expected one of {', '.join(COUPLED)}; found {value!r}."
    elif field in NUMBERS and not (type(value) in (int, float) and value > 0):
        return f"expected a positive number, found {value!r}."
    return ""


def _check_stack(options: dict[str, Any]) -> None:
    for option, value in options.items():
        if option not in STACK_OPTIONS:
            known = ", ".join(STACK_OPTIONS)
            raise WeightsError(f"metadata: stack: expected options among {known}; found {option}.")
        if not isinstance(value, bool):
            raise WeightsError(
                f"metadata: stack: {option}: expected true or false, found {value!r}."
            )


def _units(raw: Mapping[str, str]) -> tuple[NamedUnit, ...]:
    entries = _json(raw, "units", [])
    if not isinstance(entries, list):
        raise WeightsError(f"metadata: units: expected a JSON list, found {raw['units'][:40]!r}.")
    return tuple(_unit(entry) for entry in entries)


def _unit(entry: Any) -> NamedUnit:
    try:
        auc, scale = (None if entry.get(k) is None else float(entry[k]) for k in ("auc", "scale"))
        address, middle = Address.parse(entry["address"]), float(entry.get("middle", 0))
        return NamedUnit(address, str(entry["tells"]), auc, middle, scale)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise WeightsError(
            f"metadata: units: expected address, tells and auc, found {entry!r}."
        ) from None


def _unit_record(unit: NamedUnit) -> dict[str, Any]:
    record = {**unit._asdict(), "address": repr(unit.address)}
    return {key: value for key, value in record.items() if value is not None}


def _record(raw: Mapping[str, str], key: str) -> dict[str, Any]:
    value = _json(raw, key, {})
    if not isinstance(value, dict):
        raise WeightsError(f"metadata: {key}: expected a JSON object, found {raw[key][:40]!r}.")
    return value


def _json(raw: Mapping[str, str], key: str, missing: Any = None) -> Any:
    if key not in raw:
        return missing
    try:
        return parse(raw[key])
    except ValueError as error:
        raise WeightsError(f"metadata: {key}: expected JSON, found an error: {error}.") from None
