"""The JSON of a search: one document, schema `lstm.find/1`, or one hit a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from cli.console import json_number
from cli.formats.record import dump
from weights.search.dataset import Dataset
from weights.search.hits import Hit, Search

SCHEMA = "lstm.find/1"


def write_document(stream: BinaryIO, dataset: Dataset, search: Search, hits: Iterable[Hit]) -> int:
    """Write one document, each hit as it comes, and return how many there were."""
    rank = None if search.rank is None else search.rank.text
    head = {
        "schema": SCHEMA,
        "dataset": str(dataset.path),
        "expression": None if search.condition is None else search.condition.text,
        "top": None if search.smallest else rank,
        "bottom": rank if search.smallest else None,
    }
    stream.write(dump(head)[:-1] + b',"hits":[')
    number = 0
    for record in _records(search, hits):
        stream.write((b"," if number else b"") + dump(record))
        number += 1
    stream.write(b"]}\n")
    return number


def write_lines(stream: BinaryIO, dataset: Dataset, search: Search, hits: Iterable[Hit]) -> int:
    """Write one hit a line, each as it is found, and return how many there were."""
    number = 0
    for record in _records(search, hits):
        stream.write(dump(record) + b"\n")
        stream.flush()
        number += 1
    return number


def _records(search: Search, hits: Iterable[Hit]) -> Iterator[dict[str, Any]]:
    names = search.names
    for hit in hits:
        yield {
            "sequence": hit.sequence,
            "step": hit.step,
            "token": hit.token,
            "context": {"before": hit.before, "after": hit.after},
            "values": dict(zip(names, map(json_number, hit.values), strict=True)),
        }
