"""Traces from files: what `lstm run` and `lstm golden` write, and what a port recorded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from lstm.analysis.recording import Place
from lstm.errors import LSTMError
from weights.containers.safetensors import open_archive
from weights.documents import parse
from weights.errors import UnreadableFileError
from weights.files import require_file
from weights.npy import read_npy
from weights.npz import read_array, read_headers
from weights.pretrained.registry import NAMES as MODEL_NAMES
from weights.trace_arrays import (
    BOTH,
    MALFORMED,
    TraceFile,
    foreign,
    from_arrays,
    is_recorded,
    split_directions,
)
from weights.trace_golden import SCHEMA as GOLDEN
from weights.trace_golden import from_golden_arrays, is_golden
from weights.trace_names import PortNames, are_places
from weights.trace_records import from_csv, from_json, from_ndjson

OF_WEIGHTS = (b'"weight_map"', b'"weightsManifest"', b'"modelTopology"')
NO_NAMES = PortNames()


def is_trace(source: str | os.PathLike[str], names: PortNames = NO_NAMES) -> bool:
    """Tell whether a file holds a trace; otherwise it holds weights, or is a model's name.

    Args:
        source: a path, or the name of a model inside.
        names: how a port names what it records.
    """
    path = Path(source)
    if source in MODEL_NAMES or not path.is_file():
        return False
    match path.suffix:
        case ".ndjson" | ".jsonl" | ".csv" | ".tsv" | ".h":
            return True
        case ".json":
            with path.open("rb") as file:
                start = file.read(65536)
            return not any(word in start for word in OF_WEIGHTS)
        case ".npz":
            try:
                members = list(read_headers(path))
            except UnreadableFileError as error:
                raise error.at(str(path)) from None
            return is_golden(members) or is_recorded(members, names)
        case ".safetensors":
            return is_recorded(list(open_archive(path).tensors), names)
    return names.raw is not None


def read_trace(path: Path, names: PortNames = NO_NAMES) -> TraceFile:
    """Read every sequence of a trace.

    Args:
        path: a file for which `is_trace` holds.
        names: how a port names what it records.

    Raises:
        UnreadableFileError: the file is damaged, or not what its ending says.
        LSTMError: the numbers are not where the names say.
    """
    try:
        require_file(path)
        file = _read(path, names)
        return file._replace(recordings=tuple(map(split_directions, file.recordings)))
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror or error}.").at(
            str(path)
        ) from None
    except LSTMError as error:
        raise error.at(str(path)) from None


def _read(path: Path, names: PortNames) -> TraceFile:
    match path.suffix:
        case ".json":
            return from_json(path.read_bytes(), names)
        case ".ndjson" | ".jsonl":
            return from_ndjson(path.read_bytes())
        case ".csv" | ".tsv":
            return from_csv(_text(path), "\t" if path.suffix == ".tsv" else ",", names)
        case ".npz":
            return _npz(path, names)
        case ".safetensors":
            archive = open_archive(path)
            arrays = {name: archive.read(name, archive.widest_dtype) for name in archive.tensors}
            return from_arrays(arrays, archive.metadata, names)
        case ".h":
            raise UnreadableFileError(
                "a C header cannot be compared. Write it with lstm golden --format json or npz."
            )
        case ".npy":
            return foreign({"": read_npy(path)}, names.bare)
    return _raw(path, names)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"expected UTF-8 text, found the byte at offset {error.start}."
        ) from None


def _npz(path: Path, names: PortNames) -> TraceFile:
    arrays = {name: read_array(path, name) for name in read_headers(path)}
    given = arrays.pop("metadata", None)
    metadata = {} if given is None else _metadata(given)
    if is_golden([*arrays, "metadata"]) and metadata.get("schema") == GOLDEN:
        try:
            return from_golden_arrays(arrays, metadata)
        except MALFORMED as error:
            raise UnreadableFileError(
                f"expected golden values as lstm golden writes them, found an error: {error!r}."
            ) from None
    return from_arrays(arrays, metadata, names)


def _metadata(given: Any) -> dict[str, Any]:
    """What is said of the arrays, as JSON in an array of one text."""
    try:
        metadata = parse(str(given))
    except ValueError as error:
        raise UnreadableFileError(f"metadata: expected JSON, found an error: {error}.") from None
    if not isinstance(metadata, dict):
        raise UnreadableFileError("metadata: expected a JSON object, found another value.")
    return metadata


def _raw(path: Path, names: PortNames) -> TraceFile:
    """Numbers one after the other, float32, the lowest byte first."""
    place, shape = names.raw, names.shape
    if place is None or shape is None:
        given = "none" if place is None else "no --shape"
        raise LSTMError(f"expected --raw and --shape for a file of bare numbers, found {given}.")
    data = path.read_bytes()
    size = 4 * int(np.prod(shape))
    if len(data) != size:
        shown = ", ".join(map(str, shape))
        raise LSTMError(
            f"--shape: expected ({shown}) float32 numbers = {size} bytes, found {len(data)} bytes."
        )
    return foreign({"": np.frombuffer(data, "<f4").reshape(shape)}, names.bare)


def parse_names(
    text: str | None, raw: str | None, shape: str | None, time_first: bool = False
) -> PortNames:
    """Read `hidden=h_out,l1.cell=c1`, `hidden` and `5,128`, as options have them.

    Raises:
        LSTMError: naming the option that does not follow its grammar.
    """
    places: dict[Place, str] = {}
    for entry in text.split(",") if text is not None else ():
        quantity, mark, name = entry.partition("=")
        if not mark or not name:
            raise LSTMError(f"--map: expected QUANTITY=NAME,..., found {entry!r}.")
        if not _is_quantity(quantity) and _is_quantity(name):
            raise LSTMError(
                f"--map: expected QUANTITY=NAME, found {entry!r}. Turn it round: {name}={quantity}."
            )
        places[_place("--map", quantity)] = name
    sizes = (shape or "").split(",")
    if shape is not None and (not all(s.isdecimal() for s in sizes) or len(sizes) not in (2, 3)):
        raise LSTMError(f"--shape: expected T,H or N,T,H, found {shape!r}.")
    return PortNames(
        places,
        None if raw is None else _place("--raw", raw),
        None if shape is None else tuple(map(int, sizes)),
        time_first,
    )


def _is_quantity(text: str) -> bool:
    return are_places([text.replace(f".{BOTH}.", ".forward.")])


def _place(option: str, text: str) -> Place:
    """Read a place; `l0.both.hidden` stands for both directions side by side."""
    try:
        place = Place.parse(text.replace(f".{BOTH}.", ".forward."))
        return place._replace(direction=BOTH) if f".{BOTH}." in text else place
    except LSTMError as error:
        raise error.at(option) from None
