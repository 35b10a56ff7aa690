"""Safetensors files: named arrays and metadata.

The header is read by itself, without numpy, so that a file of any size answers at once.
Format: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from weights.archive import FLOAT_DTYPES, Archive, TensorInfo
from weights.documents import parse
from weights.errors import UnreadableFileError, UnsupportedDtypeError
from weights.files import require_file

if TYPE_CHECKING:
    from lstm.arrays import Floats

# numpy's names for the formats of numbers.
FLOATS = dict(zip(FLOAT_DTYPES, ("<f8", "<f4", "<f2", "bfloat16"), strict=True))
OTHERS = {
    "I64": "<i8", "U64": "<u8", "I32": "<i4", "U32": "<u4", "I16": "<i2", "U16": "<u2",
    "I8": "i1", "U8": "u1", "BOOL": "?",
}  # fmt: skip
# Bits of a number, in the formats that the format's own library knows.
BITS = {
    "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F32": 32, "I32": 32, "U32": 32,
    "F16": 16, "BF16": 16, "I16": 16, "U16": 16,
    "I8": 8, "U8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip
MAX_HEADER = 100_000_000  # bytes; the format's own limit


def open_archive(path: str | os.PathLike[str]) -> Archive:
    """Read the header of a safetensors file.

    Raises:
        UnreadableFileError: there is no such file, or its header is not that of the format.
    """
    place = Path(path)
    try:
        told = require_file(place)
        with place.open("rb") as file:
            header = _parse(_header_bytes(file.read(8), told.st_size, file))
            start = file.tell()
        metadata = _metadata(header.pop("__metadata__", None))
        tensors = {name: _info(name, entry) for name, entry in header.items()}
        offsets = {name: tuple(entry["data_offsets"]) for name, entry in header.items()}
        _check_offsets(tensors, offsets, told.st_size - start)
        at = {name: start + begin for name, (begin, _) in offsets.items()}
        return Archive(
            place, tensors, metadata, lambda name: _array(place, tensors[name], at[name]), told
        )
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror}.").at(str(path)) from None
    except UnreadableFileError as error:
        raise error.at(str(path)) from None


def archive_bytes(tensors: Mapping[str, Floats], metadata: Mapping[str, str]) -> bytes:
    """Return arrays and metadata as the bytes of a safetensors file."""
    import numpy as np
    from safetensors.numpy import save

    data = save({k: np.ascontiguousarray(v) for k, v in tensors.items()}, dict(metadata))
    return _with_sorted_metadata(data)


def _with_sorted_metadata(data: bytes) -> bytes:
    """Put the metadata in order: the library's own order changes from run to run."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = orjson.loads(data[8:end])
    if "__metadata__" in header:
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = orjson.dumps(header)
    text += b" " * (-len(text) % 8)  # the format aligns the tensors to 8 bytes
    return len(text).to_bytes(8, "little") + text + data[end:]


def _header_bytes(prefix: bytes, file_size: int, file: Any) -> bytes:
    size = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or size > min(MAX_HEADER, file_size - 8):
        raise UnreadableFileError(
            "expected a safetensors file, found something else (its first eight bytes do not "
            "give the length of a header inside the file)."
        )
    return bytes(file.read(size))


def _check_offsets(
    tensors: Mapping[str, TensorInfo], offsets: Mapping[str, tuple[int, int]], found: int
) -> None:
    """Refuse a header that does not tell of each byte of the numbers once, before any is read."""
    for name, info in tensors.items():
        bits, (start, end) = BITS.get(info.dtype), offsets[name]
        if bits is not None and info.size * bits != 8 * (end - start):
            raise UnreadableFileError(
                f"{name}: expected {info.size * bits // 8} bytes, as dtype and shape say, found "
                f"{end - start} between its offsets."
            )
    expected = max((end for _, end in offsets.values()), default=0)
    if expected != found:
        raise UnreadableFileError(
            f"expected {expected} bytes of numbers, as the header says, found {found}. The file "
            "is damaged, or its download was cut off."
        )
    at = 0
    for name, (start, end) in sorted(offsets.items(), key=lambda item: item[1]):
        if start != at:
            raise UnreadableFileError(
                f"{name}: expected its numbers at offset {at}, where those before it end, found "
                f"{start}."
            )
        at = end


def _array(path: Path, info: TensorInfo, start: int) -> Any:
    """Read the numbers of one tensor, and not through a map: a file may be cut off meanwhile."""
    import numpy as np

    if info.dtype == "BF16":
        import ml_dtypes  # noqa: F401  # registers bfloat16 with numpy
    dtype = {**FLOATS, **OTHERS}.get(info.dtype)
    if dtype is None:
        raise UnsupportedDtypeError(info.name, info.dtype, FLOAT_DTYPES)
    array = np.fromfile(path, dtype, info.size, offset=start)
    if array.size != info.size:
        raise UnreadableFileError(
            f"{info.name}: expected {info.size} numbers, found {array.size}: the file was cut off "
            "while it was read."
        )
    return array.reshape(info.shape)


def _parse(data: bytes) -> dict[str, Any]:
    try:
        header = parse(data)
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise UnreadableFileError(
            "expected a safetensors file, found something else (its header is not JSON)."
        )
    try:
        json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError):  # only in what the last of two entries stands before
        raise UnreadableFileError(
            "expected every name once in the header, found one twice."
        ) from None
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice, of which the faster parser keeps the last in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UnreadableFileError(f"{twice}: expected once in the header, found twice.")
    return found


def _metadata(entries: Any) -> dict[str, str]:
    if entries is None:
        return {}
    if not isinstance(entries, dict) or not all(isinstance(e, str) for e in entries.values()):
        raise UnreadableFileError(f"metadata: expected texts by name, found {entries!r}.")
    return entries


def _info(name: str, entry: Any) -> TensorInfo:
    match entry:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [start, end]} if (
            len(entry) == 3
            and all(type(n) is int and n >= 0 for n in (*shape, start, end))
            and start <= end
        ):
            return TensorInfo(name, dtype, tuple(shape))
    raise UnreadableFileError(
        f"{name}: expected dtype, shape and data_offsets in the header, found {entry!r}."
    )
