"""TensorFlow.js: a model.json with the manifest of binary files beside it."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from weights.archive import Archive
from weights.containers.arrays import archive_of
from weights.containers.keras_config import told_variant
from weights.errors import UnreadableFileError

DTYPES = {"float32": "<f4", "int32": "<i4", "bool": "?", "uint8": "u1", "float16": "<f2"}


def open_tfjs(path: Path) -> Archive:
    """Read the weights that a model.json lists.

    Raises:
        UnreadableFileError: the manifest is malformed, or a file is missing or too short, or
            the weights are quantised.
    """
    try:
        model = orjson.loads(path.read_bytes())
        manifest = model["weightsManifest"]
        arrays = {
            name: array
            for group in manifest
            for name, array in _group(group, b"".join(_files(path, group["paths"])))
        }
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror or error}.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableFileError(f"expected a weightsManifest, found an error: {error}.") from None
    told = told_variant(model.get("modelTopology"), version="")
    return archive_of(path, arrays, {}).with_variant(told)


def _files(path: Path, names: list[str]) -> list[bytes]:
    if outside := [name for name in names if Path(name).name != name]:
        raise UnreadableFileError(f"paths: expected files beside it, found {outside[0]}.")
    return [(path.parent / name).read_bytes() for name in names]


def _group(group: dict[str, Any], data: bytes) -> list[tuple[str, Any]]:
    """Cut the bytes of a group into its weights, in the order of the manifest."""
    found, start = [], 0
    for weight in group["weights"]:
        if "quantization" in weight:
            raise UnreadableFileError(f"{weight['name']}: quantised weights are not supported.")
        dtype = np.dtype(DTYPES[weight["dtype"]])
        count = prod(weight["shape"])
        array = np.frombuffer(data, dtype, count, start).reshape(weight["shape"])
        found.append((weight["name"], array))
        start += count * dtype.itemsize
    return found
