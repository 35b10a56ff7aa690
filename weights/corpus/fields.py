"""Texts out of JSON lines: one object a line, the text under one of its names."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from lstm.errors import LSTMError
from weights.corpus.lines import Lines, Text, decode, numbered


def field_texts(lines: Lines, place: str, field: str, errors: str = "strict") -> Iterator[Text]:
    """Yield the text under one name of each line, which is a JSON object.

    Raises:
        LSTMError: a line is none or too long, or has no text under this name; the message says
            which.
    """
    for number, line in numbered(lines, place):
        try:
            yield Text(_field(decode(line, errors), field), place, number)
        except LSTMError as error:
            raise error.at(f"{place} {number}") from None


def _field(line: str, field: str) -> str:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise LSTMError(f"expected a JSON object, found {error}.") from None
    if not isinstance(record, dict):
        raise LSTMError(f"expected a JSON object, found {type(record).__name__}.")
    text = record.get(field)
    if not isinstance(text, str):
        found = ", ".join(name for name, value in record.items() if isinstance(value, str))
        raise LSTMError(
            f"expected a text in field {field!r}, found none. "
            f"Fields that hold texts: {found or 'none'}."
        )
    return text
