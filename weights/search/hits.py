"""The steps that a pattern fits, the words around each, and the numbers that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from lstm.address import Address
from lstm.pattern import Condition, Number, Pattern
from weights.search.database import MOST_ROWS
from weights.search.dataset import Dataset
from weights.search.query import Parameters, Writer

_MOST_WORDS = 8 * MOST_ROWS  # around the hits that are held at once


class Hit(NamedTuple):
    """A step that fits.

    Args:
        sequence: its number in the corpus.
        step: its number in the sequence.
        token: its word; None where the dataset has none.
        before: the words before it, in order; after: those that follow.
        values: the numbers that `Search.names` names.
    """

    sequence: int
    step: int
    token: str | None
    before: tuple[str, ...]
    after: tuple[str, ...]
    values: tuple[np.float32, ...]


@dataclass(frozen=True)
class Search:
    """What is looked for.

    Args:
        condition: which steps; None: all.
        rank: the number to rank them by; None: they come in the order of the corpus.
        smallest: whether the smallest number comes first. NaN has no rank.
        limit: how many at most; None: all.
        context: how many words on either side.
    """

    condition: Pattern[Condition] | None
    rank: Pattern[Number] | None = None
    smallest: bool = False
    limit: int | None = None
    context: int = 0

    @cached_property
    def addresses(self) -> tuple[Address, ...]:
        """What is read of a step: the address ranked by, then the others as they were written."""
        patterns = [pattern for pattern in (self.rank, self.condition) if pattern]
        return tuple(dict.fromkeys(one for pattern in patterns for one in pattern.places))

    @property
    def names(self) -> list[str]:
        """What the values of a hit are: the number ranked by, and each address."""
        addresses = [repr(address) for address in self.addresses]
        if self.rank is None or isinstance(self.rank.tree, Address):
            return addresses
        return [self.rank.text.strip(), *addresses]


def find(dataset: Dataset, search: Search) -> Iterator[Hit]:
    """Yield the steps that fit, as they are found, or ranked.

    Raises:
        UnreadableFileError: a part file is damaged.
    """
    parameters = Parameters()
    query = _select(dataset, search, parameters)
    most = max(1, min(MOST_ROWS, _MOST_WORDS // (2 * search.context + 1)))
    for rows in dataset.database.rows(query, parameters.values, most):
        words = _words(dataset, rows, search.context) if search.context else {}
        for sequence, step, token, *values in rows:
            before = _at(words, sequence, range(step - search.context, step))
            after = _at(words, sequence, range(step + 1, step + 1 + search.context))
            yield Hit(sequence, step, token, before, after, tuple(map(np.float32, values)))


def _at(words: Mapping[tuple[int, int], str], sequence: int, steps: range) -> tuple[str, ...]:
    """The words at some steps: a sequence ends, and not every step need be kept."""
    return tuple(words[sequence, step] for step in steps if (sequence, step) in words)


def count(dataset: Dataset, search: Search) -> int:
    """Count the steps that fit."""
    parameters = Parameters()
    query = f"SELECT count(*) FROM ({_select(dataset, search, parameters)})"
    return sum(row[0] for rows in dataset.database.rows(query, parameters.values) for row in rows)


def _select(dataset: Dataset, search: Search, parameters: Parameters) -> str:
    """Write the query whose rows are sequence, step, token, and the values that are named."""
    columns = {address: f"v{n}" for n, address in enumerate(search.addresses)}
    writer = Writer(columns, parameters)
    steps = _steps(dataset, columns, parameters)
    fits = [] if search.condition is None else [f"({writer.condition(search.condition.tree)})"]
    values, order = [*columns.values()], ""
    if search.rank is not None:
        steps = f"(SELECT *, {writer.number(search.rank.tree)} AS rank FROM {steps})"
        fits.append("NOT isnan(rank)")
        order = f" ORDER BY rank {'ASC' if search.smallest else 'DESC'}, sequence, step"
        if not isinstance(search.rank.tree, Address):
            values.insert(0, "rank")
    limit = "" if search.limit is None else f" LIMIT {parameters.bind(search.limit)}"
    return (
        f"SELECT {', '.join(['sequence', 'step', 'token', *values])} FROM {steps} "
        f"WHERE CASE WHEN NOT is_last THEN false WHEN is_whole THEN {' AND '.join(fits)} "
        f"ELSE error('the rows of a step do not stand together') END{order}{limit}"
    )


def _steps(dataset: Dataset, columns: Mapping[Address, str], parameters: Parameters) -> str:
    """Write a table that has a column for each address, in the last row of each step.

    A step's rows of several layers and directions stand together in the files: they are joined
    by looking back from the last, which needs neither memory nor a second reading. `is_last`
    says which row that is, `is_whole` whether it does belong to the step of those before it.
    """
    asked = {(address.layer, address.direction) for address in columns}
    cells = [cell for cell in dataset.cells if cell in asked] or dataset.cells[:1]
    picked = []
    for address, name in columns.items():
        back = len(cells) - 1 - cells.index((address.layer, address.direction))
        place = parameters.bind(dataset.position(address) + 1)  # SQL counts from 1
        value = f'CAST("{address.quantity}"[{place}] AS FLOAT)'
        picked.append(f"{_looking_back(value, back)} AS {name}")
    are = [_is_cell(cell, parameters) for cell in cells]
    back = len(cells) - 1
    keys = (f"{_looking_back(key, back)} = {key}" for key in ("sequence", "step"))
    checks = [f"{are[-1]} AS is_last", f"{' AND '.join(keys)} AS is_whole"]
    selected = ", ".join(["sequence", "step", "token", *picked, *checks])
    return f"(SELECT {selected} FROM read_parquet($files) WHERE {' OR '.join(are)})"


def _looking_back(value: str, rows: int) -> str:
    return f"lag({value}, {rows}) OVER ()" if rows else value


def _is_cell(cell: tuple[int, str], parameters: Parameters) -> str:
    layer, direction = map(parameters.bind, cell)
    return f"(layer = {layer} AND direction = {direction})"


def _words(
    dataset: Dataset, rows: Sequence[tuple[Any, ...]], context: int
) -> dict[tuple[int, int], str]:
    """Read the words around some steps; only the parts of the files that hold them are read."""
    sequences, steps = [row[0] for row in rows], [row[1] for row in rows]
    parameters = Parameters(
        {
            "sequences": sequences,
            "steps": steps,
            "context": context,
            "first": min(sequences),
            "last": max(sequences),
            "low": min(steps) - context,
            "high": max(steps) + context,
        }
    )
    is_cell = _is_cell(dataset.cells[0], parameters)
    query = f"{_WORDS} AND {is_cell}"
    found = dataset.database.rows(query, parameters.values)
    return {row[:2]: row[2] for rows in found for row in rows if row[2] is not None}


_WORDS = """
SELECT sequence, step, token FROM read_parquet($files)
WHERE sequence BETWEEN $first AND $last AND step BETWEEN $low AND $high
AND (sequence, step) IN (
    SELECT (sequence, step + away)
    FROM (SELECT unnest($sequences) AS sequence, unnest($steps) AS step),
         (SELECT unnest(range(-$context, $context + 1)) AS away)
)"""
