"""TensorFlow.js: a model.json with the manifest of binary files beside it."""

from __future__ import annotations

from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from weights.archive import Archive
from weights.containers.arrays import archive_of
from weights.containers.keras_config import told_variant
from weights.documents import parse
from weights.errors import UnreadableFileError
from weights.files import beside, require_file, unchanged

DTYPES = {"float32": "<f4", "int32": "<i4", "bool": "?", "uint8": "u1", "float16": "<f2"}
# What a weight may be quantised to; float16 is only a shorter number.
QUANTIZED = {"uint8": "u1", "uint16": "<u2", "float16": "<f2"}


def open_tfjs(path: Path) -> Archive:
    """Read the weights that a model.json lists; quantised ones become what they stand for.

    How a weight was quantised is said in the archive's metadata.

    Raises:
        UnreadableFileError: the manifest is malformed, or a file is missing or too short, or a
            weight is quantised in another way than TensorFlow.js knows.

    Source: @tensorflow/tfjs-core 4.22, io/io_utils.ts, decodeWeights.
    """
    told = require_file(path)
    try:
        model = parse(path.read_bytes())
        manifest = model["weightsManifest"]
        _refuse_repeats([name for group in manifest for name in group["paths"]])
        arrays = {
            name: array
            for group in manifest
            for name, array in _group(group, b"".join(_files(path, group["paths"])))
        }
        said = {
            f"{weight['name']} is quantised": _said(weight["quantization"])
            for group in manifest
            for weight in group["weights"]
            if "quantization" in weight
        }
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror or error}.") from None
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise UnreadableFileError(f"expected a weightsManifest, found an error: {error}.") from None
    variant = told_variant(model.get("modelTopology"), version="")
    return archive_of(path, told, arrays, said).with_variant(variant)


def _refuse_repeats(names: list[str]) -> None:
    """A file that is read over and over would be as long as the manifest wants it."""
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UnreadableFileError(f"paths: expected every file once, found {twice[0]} twice.")


def _files(path: Path, names: list[str]) -> list[bytes]:
    found = []
    for name in names:
        place = beside(path, name, "paths")
        before = require_file(place)
        found.append(place.read_bytes())
        unchanged(place, before)
    return found


def _group(group: dict[str, Any], data: bytes) -> list[tuple[str, Any]]:
    """Cut the bytes of a group into its weights, in the order of the manifest."""
    found, start = [], 0
    for weight in group["weights"]:
        dtype = _stored(weight)
        if not isinstance(weight["name"], str):
            raise UnreadableFileError(f"name: expected a text, found {weight['name']!r}.")
        end = start + prod(weight["shape"]) * dtype.itemsize
        if min(weight["shape"], default=0) < 0 or end > len(data):
            raise UnreadableFileError(
                f"{weight['name']}: expected bytes {start} to {end} for the shape "
                f"{weight['shape']}, found {len(data)} bytes."
            )
        array = np.frombuffer(data[start:end], dtype).reshape(weight["shape"])
        found.append((weight["name"], _dequantized(array, weight)))
        start = end
    return found


def _stored(weight: dict[str, Any]) -> np.dtype[Any]:
    """The number format in which a weight stands in the file."""
    if "quantization" not in weight:
        return np.dtype(DTYPES[weight["dtype"]])
    stored, meant = weight["quantization"]["dtype"], weight["dtype"]
    kept = {"float32": tuple(QUANTIZED), "int32": ("uint8", "uint16")}.get(meant, ())
    if stored not in kept:
        raise UnreadableFileError(
            f"{weight['name']}: expected {meant} quantised to {' or '.join(kept) or 'nothing'}, "
            f"found {stored}."
        )
    return np.dtype(QUANTIZED[stored])


@np.errstate(over="ignore", invalid="ignore")
def _dequantized(array: Any, weight: dict[str, Any]) -> Any:
    """What the numbers of a weight stand for: q * scale + min, computed in float64."""
    if "quantization" not in weight:
        return array
    how = weight["quantization"]
    if how["dtype"] == "float16":
        return array.astype(np.float32)
    values = array * float(how["scale"]) + float(how["min"])
    if weight["dtype"] == "float32":
        return values.astype(np.float32)
    return np.floor(values + 0.5).astype(np.int32)


def _said(how: dict[str, Any]) -> str:
    if how["dtype"] == "float16":
        return "float16, read as float32"
    return f"{how['dtype']} q, read as q * {how['scale']} + {how['min']}"
