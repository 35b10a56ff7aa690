"""JSON from files: parsed, and not nested so deeply that whatever walks through it falls."""

from __future__ import annotations

from typing import Any

import orjson

DEEPEST = 100  # levels; what is written by programs has a few


def parse(data: bytes | str) -> Any:
    """Parse a JSON document.

    Raises:
        ValueError: it is malformed, or nested more than 100 levels deep.

    >>> parse('{"a": [1]}')
    {'a': [1]}
    """
    document = orjson.loads(data)
    text = data if isinstance(data, bytes) else data.encode()
    if text.count(b"[") + text.count(b"{") <= DEEPEST:  # too few for more levels
        return document
    level, depth = [document], 0
    while level := [part for whole in level for part in _parts(whole)]:
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} levels deep")
    return document


def _parts(value: Any) -> list[Any]:
    """What stands inside a list or an object and may itself have an inside."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return []
    return [part for part in value if isinstance(part, (dict, list))]
