"""An archive over arrays that are in memory, or are fetched one by one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from weights.archive import Archive, TensorInfo
from weights.errors import UnreadableFileError

# numpy's names of number formats to those of safetensors.
DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip


def archive_of(
    path: Path, opened: os.stat_result, arrays: Mapping[str, Any], metadata: dict[str, str]
) -> Archive:
    """Make an archive of arrays that are there already; `opened` is what the file was then."""
    infos = {name: info_of(name, array.dtype, array.shape) for name, array in arrays.items()}
    return Archive(path, infos, metadata, arrays.__getitem__, opened)


def lazy_archive(
    path: Path,
    opened: os.stat_result,
    infos: Mapping[str, TensorInfo],
    metadata: dict[str, str],
    fetch: Callable[[str], Any],
) -> Archive:
    """Make an archive of arrays that are read when they are asked for."""
    return Archive(path, dict(infos), metadata, fetch, opened)


def info_of(name: str, dtype: object, shape: tuple[int, ...]) -> TensorInfo:
    """Describe an array in the words of a safetensors header.

    Raises:
        UnreadableFileError: its name is no text: a pickle, or HDF5, may hold any bytes for one.
    """
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        raise UnreadableFileError(f"{name!r}: expected a name in UTF-8, found another.")
    return TensorInfo(name, DTYPES.get(str(dtype), str(dtype)), tuple(int(n) for n in shape))
