"""Traces that are named arrays: .npz and safetensors, of `lstm run` and of ports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lstm.analysis.recording import Place, Recording, Series
from lstm.arrays import Floats
from lstm.errors import LSTMError, ShapeError
from lstm.quantities import BY_NAME, DIRECTIONS, DTYPES
from weights.documents import parse
from weights.errors import UnreadableFileError
from weights.trace_names import PortNames, are_places

OWN = re.compile(r"sequences\.(\d+)\.layers\.(\d+)\.(forward|reverse)\.([a-z_]+)")

# What a record of another kind than it should be raises where it is read.
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)

# The direction of an array that holds the forward units and the reverse ones to their right.
BOTH = "both"


class TraceFile(NamedTuple):
    """What a file tells: one recording per sequence, and the model that made it, if it says.

    `is_foreign` tells whether the names of a port were needed to read it; `initial` is the state
    before the first step by the names that state files use, where it is told.
    """

    recordings: tuple[Recording, ...]
    model: dict[str, Any] | None = None
    is_foreign: bool = False
    initial: Mapping[str, Floats] | None = None


def is_recorded(names: list[str], port: PortNames) -> bool:
    """Whether arrays of these names are a trace, and not weights."""
    told = set(port.places.values()) & set(names)
    return bool(told) or any(map(OWN.fullmatch, names)) or are_places(names)


def from_arrays(
    arrays: Mapping[str, Floats], metadata: Mapping[str, str], names: PortNames
) -> TraceFile:
    """Read arrays named as `lstm run` names them, else as a port does.

    Raises:
        UnreadableFileError: the metadata is not that of a trace.
        ShapeError: an array has not two or three axes.
    """
    found = {key: OWN.fullmatch(key) for key in arrays}
    if not any(found.values()):
        return foreign(arrays, names)
    try:
        texts = parse(metadata.get("sequences", "[]"))
        model = parse(metadata.get("model", "null"))
        units = parse(metadata.get("units", "null"))
        return TraceFile(tuple(_recordings(arrays, found, texts, units)), model)
    except MALFORMED as error:
        raise UnreadableFileError(
            f"metadata: expected those of a trace, found an error: {error}."
        ) from None


def _recordings(
    arrays: Mapping[str, Floats],
    found: Mapping[str, re.Match[str] | None],
    texts: Sequence[Mapping[str, Any]],
    units: list[int] | None,
) -> Iterator[Recording]:
    """Sort the arrays by sequence and place; `found` are the parts of their names."""
    series: dict[int, dict[Place, Series]] = {n: {} for n in range(len(texts))}
    for key, match in found.items():
        if match is None or match[4] not in BY_NAME:
            raise UnreadableFileError(f"expected the arrays of a trace, found {key}.")
        place = Place(int(match[2]), match[3], match[4])
        values = numbers(key, arrays[key])
        series.setdefault(int(match[1]), {})[place] = with_units(place, values, units)
    for number in sorted(series):
        yield _told(series[number], texts[number] if number < len(texts) else {})


def _told(series: dict[Place, Series], text: Mapping[str, Any]) -> Recording:
    """Add what was read to the numbers."""
    tokens, ids = text.get("tokens"), text.get("ids")
    return Recording(
        series,
        text.get("text"),
        None if tokens is None else tuple(tokens),
        None if ids is None else tuple(ids),
    )


def with_units(place: Place, values: Floats, units: list[int] | None) -> Series:
    """Number a (T, W) array's columns by the units that were chosen, if any were."""
    whole = Series.whole(values)
    if units is None or place.quantity == "layer_input":
        return whole
    return whole._replace(units=np.array(units[: values.shape[1]]), chosen=True)


def foreign(arrays: Mapping[str, Floats], names: PortNames) -> TraceFile:
    """Read a port's arrays, each (T, W) or (N, T, W), or (T, N, W) where the names say so.

    Raises:
        LSTMError: a name is not there, or the arrays hold different numbers of sequences.
        ShapeError: an array has another number of axes.
    """
    sequences: dict[int, dict[Place, Series]] = {}
    counts = {}
    for place, name in names.among(list(arrays)).items():
        blocks = _sequences(name, arrays[name], names.time_first)
        counts[name] = len(blocks)
        for number, values in enumerate(blocks):
            sequences.setdefault(number, {})[place] = Series.whole(values)
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} in {name}" for name, count in counts.items())
        raise LSTMError(f"expected the same number of sequences in every array, found {told}.")
    return TraceFile(tuple(map(Recording, sequences.values())), is_foreign=True)


def _sequences(name: str, array: Floats, time_first: bool) -> Floats:
    """The sequences of an array, (N, T, W)."""
    values = numbers(name, array, (2, 3))
    if values.ndim == 2:
        return values[np.newaxis]
    return values.swapaxes(0, 1) if time_first else values


def numbers(name: str, array: Floats, axes: tuple[int, ...] = (2,)) -> Floats:
    """Return an array of real numbers as float32 or float64.

    Raises:
        LSTMError: it holds something else.
        ShapeError: it has another number of axes.
    """
    if array.dtype.kind not in "fiu":
        raise LSTMError(f"{name}: expected real numbers, found {array.dtype}.")
    if array.ndim not in axes:
        symbols = "(steps, units)" + (" or (sequences, steps, units)" if 3 in axes else "")
        raise ShapeError(name or "the array", symbols, (), array.shape)
    narrow = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    return array.astype(np.float32 if narrow else np.float64)


def number_format(name: Any) -> str:
    """Check the number format that a trace says its model has, and return it.

    Raises:
        UnreadableFileError: it is none in which a model computes.
    """
    if name not in DTYPES:
        raise UnreadableFileError(f"dtype: expected {' or '.join(DTYPES)}, found {name!r}.")
    return str(name)


def split_directions(recording: Recording) -> Recording:
    """Part what holds both directions side by side into the two.

    Raises:
        ShapeError: its width is odd.
    """
    series: dict[Place, Series] = {}
    for place, one in recording.series.items():
        if place.direction != BOTH:
            series[place] = one
            continue
        steps, width = one.values.shape
        if width % 2:
            found = (steps, width)
            raise ShapeError(f"l{place.layer}.both", "(steps, 2*hidden_size)", (), found)
        for direction, half in zip(DIRECTIONS, np.split(one.values, 2, axis=1), strict=True):
            whole = Series.whole(half)._replace(steps=one.steps)
            series[place._replace(direction=direction)] = whole
    return Recording(series, recording.text, recording.tokens, recording.ids)
