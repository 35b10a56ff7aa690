"""Traces that are records, one per step, layer and direction: JSON, NDJSON and CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from typing import Any

import numpy as np

from lstm.address import Address
from lstm.analysis.recording import Place, Recording, Series
from lstm.errors import LSTMError
from lstm.quantities import BY_NAME, DIRECTIONS
from weights.documents import parse
from weights.errors import UnreadableFileError
from weights.trace_arrays import MALFORMED, TraceFile, foreign, number_format, with_units
from weights.trace_golden import SCHEMA as GOLDEN
from weights.trace_golden import from_golden_document
from weights.trace_names import PortNames

KEYS = ("sequence", "step", "token", "id", "layer", "direction")

# A word that a spreadsheet would compute; apostrophes before it were put there, or stood there.
FORMULA = re.compile(r"'*[=+\-@\t\r]")

Record = Mapping[str, Any]


@np.errstate(over="ignore", invalid="ignore")
def from_json(data: bytes, names: PortNames) -> TraceFile:
    """Read a document of `lstm run --json` or `lstm golden`, or an object of a port's arrays.

    Raises:
        UnreadableFileError: it is no JSON, or no trace.
    """
    document = _parsed(data)
    if not isinstance(document, dict):
        raise UnreadableFileError("expected a trace, found JSON that is no object.")
    if "sequences" not in document and document.get("schema") != GOLDEN:
        return foreign({k: _array(k, v) for k, v in document.items()}, names)
    try:
        if document.get("schema") == GOLDEN:
            return from_golden_document(document)
        dtype = number_format(document["model"]["dtype"])
        recordings = tuple(
            _recording(sequence["steps"], sequence, dtype, document.get("units"))
            for sequence in document["sequences"]
        )
    except MALFORMED as error:
        raise _no_trace(error) from None
    return TraceFile(recordings, document["model"])


def from_ndjson(data: bytes) -> TraceFile:
    """Read a line per step, layer and direction, as `lstm run --format ndjson` writes them.

    Raises:
        UnreadableFileError: a line is no JSON, or no record of a trace.
    """
    sequences: dict[int, list[Record]] = {}
    for line in data.splitlines():
        record = _parsed(line)
        try:
            sequences.setdefault(record["sequence"], []).append(record)
        except MALFORMED as error:
            raise _no_trace(error) from None
    return _by_sequence(sequences, {})


def _by_sequence(sequences: Mapping[int, list[Record]], units: Mapping[str, Any]) -> TraceFile:
    try:
        return TraceFile(tuple(
            _numbered(_recording(sequences[n], {}, "float64", None), units)
            for n in sorted(sequences)
        ))  # fmt: skip
    except MALFORMED as error:
        raise _no_trace(error) from None


def _parsed(data: bytes) -> Any:
    try:
        return parse(data)
    except ValueError as error:
        raise UnreadableFileError(f"expected JSON, found an error: {error}.") from None


def _array(name: str, value: Any) -> Any:
    try:
        return np.array(value, np.float64)
    except (TypeError, ValueError):
        raise LSTMError(f"{name}: expected lists of numbers, found something else.") from None


def _no_trace(error: Exception) -> UnreadableFileError:
    return UnreadableFileError(
        f"expected a trace as lstm run writes it, found a record without {error}."
        if isinstance(error, KeyError)
        else f"expected a trace as lstm run writes it, found an error: {error}."
    )


def _recording(
    records: Iterable[Record], text: Record, dtype: str, units: list[int] | None
) -> Recording:
    """Put the records of one sequence into series, and what JSON cannot hold back into them."""
    steps: dict[Place, list[int]] = {}
    rows: dict[Place, list[Any]] = {}
    tokens: dict[int, tuple[Any, Any]] = {}
    bad = list(text.get("nonfinite", []))
    for record in records:
        bad += record.get("nonfinite", [])
        tokens[record["step"]] = (record.get("token"), record.get("id"))
        for name in BY_NAME.keys() & record.keys():
            place = Place(record["layer"], record["direction"], name)
            steps.setdefault(place, []).append(record["step"])
            rows.setdefault(place, []).append(record[name])
    series = {
        place: with_units(place, np.array(rows[place], dtype, ndmin=2), units)._replace(
            steps=np.array(steps[place])
        )
        for place in sorted(rows, key=lambda place: (place[:2], list(BY_NAME).index(place[2])))
    }
    for entry in bad:
        _restore(series, Address.parse(entry["address"]), float(entry["value"]))
    return Recording(series, text.get("text"), *_read(text, tokens))


def _read(text: Record, steps: Mapping[int, tuple[Any, Any]]) -> tuple[Any, Any]:
    """The tokens and the ids: of the whole text where they are told, else of all records."""
    if "tokens" in text:
        return _known(text["tokens"]), _known(text["ids"])
    whole = list(steps) == list(range(len(steps)))
    tokens, ids = zip(*steps.values(), strict=True) if whole and steps else (None, None)
    return _known(tokens), _known(ids)


def _known(values: Any) -> tuple[Any, ...] | None:
    return None if values is None or None in values else tuple(values)


def _restore(series: dict[Place, Series], at: Address, value: float) -> None:
    """Put back a number that JSON cannot hold."""
    one = series[Place(at.layer, at.direction, at.quantity)]
    one.values[np.ix_(one.steps == at.steps, one.units == at.units)] = value


def from_csv(text: str, delimiter: str, names: PortNames) -> TraceFile:
    """Read a table: a row per record, a column per unit, such as `cell[12]` or `c_12`.

    Columns named sequence, step, layer and direction say where a row belongs; without them,
    rows are the steps of layer 0. A table without a header holds the one quantity that --raw
    tells.

    Raises:
        UnreadableFileError: a cell is no number, or the table is empty.
    """
    lines = [line for line in csv.reader(StringIO(text), delimiter=delimiter) if line]
    if names.raw is not None and lines and _is_number(lines[0][0]):
        return foreign({"": _array("the table", lines)}, names.bare)
    if not lines:
        raise UnreadableFileError("expected a table with a header, found nothing.")
    header, *rows = lines
    columns = _columns(header, names)
    sequences: dict[int, list[Record]] = {}
    try:
        for record in _records(header, rows, columns):
            sequences.setdefault(record["sequence"], []).append(record)
    except MALFORMED as error:
        raise _no_trace(error) from None
    units = {place.quantity: sorted(found) for place, found in columns.items()}
    return _by_sequence(sequences, units)._replace(is_foreign=bool(names.places))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _columns(header: list[str], names: PortNames) -> dict[Place, dict[int, int]]:
    """Return, for each quantity, its units and the columns in which they stand."""
    stems: dict[str, dict[int, int]] = {}
    wanted = {*names.places.values()} or {*BY_NAME}
    for column, heading in enumerate(header):
        match = re.fullmatch(r"(.+?)[\[_. ]?(\d+)\]?", heading.strip())
        if heading.strip() in wanted:
            stems.setdefault(heading.strip(), {})[0] = column
        elif match and heading not in KEYS:
            stems.setdefault(match[1], {})[int(match[2])] = column
    return {place: stems[name] for place, name in names.among(list(stems)).items()}


def _records(
    header: list[str], rows: Iterable[list[str]], columns: Mapping[Place, Mapping[int, int]]
) -> Iterator[Record]:
    """Turn rows into records; what belongs to no row's own place is layer 0, forward."""
    places = {place[:2] for place in columns}
    split = "layer" not in header and "direction" not in header
    count: dict[tuple[Any, ...], int] = {}
    for number, row in enumerate(rows, start=2):
        cells = dict(zip(header, row, strict=False))
        for layer, direction in sorted(places) if split else [_cell(cells)]:
            where = (int(cells.get("sequence") or 0), layer, direction)
            step = count[where] = count.get(where, -1) + 1
            yield {
                "sequence": where[0],
                "step": int(cells["step"]) if cells.get("step") else step,
                "token": _word(cells.get("token")),
                "id": int(cells["id"]) if cells.get("id") else None,
                "layer": layer,
                "direction": direction,
                **{
                    place.quantity: _values(number, row, units)
                    for place, units in columns.items()
                    if not split or place[:2] == (layer, direction)
                },
            }


def _word(cell: str | None) -> str | None:
    """A word as it was read: without the apostrophe that keeps it from being a formula."""
    if not cell:
        return None
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def _cell(cells: Mapping[str, str]) -> tuple[int, str]:
    return int(cells.get("layer") or 0), cells.get("direction") or DIRECTIONS[0]


def _values(number: int, row: list[str], units: Mapping[int, int]) -> list[float]:
    """The numbers of one quantity in a row; a narrow layer leaves the last cells empty."""
    texts = [row[units[unit]] for unit in sorted(units)]
    while texts and not texts[-1]:
        texts.pop()
    try:
        return [float(text) for text in texts]
    except ValueError as error:
        raise UnreadableFileError(f"line {number}: {error}.") from None


def _numbered(recording: Recording, units: Mapping[str, list[int]]) -> Recording:
    """Number the columns as the header of a table does."""
    series = {}
    for place, one in recording.series.items():
        numbers = units.get(place.quantity, [])[: len(one.units)] or one.units.tolist()
        chosen = numbers != list(range(len(numbers)))
        series[place] = one._replace(units=np.array(numbers, int), chosen=chosen)
    return Recording(series, recording.text, recording.tokens, recording.ids)
