"""Safetensors files: named arrays and metadata. The only place that opens weight files.

The header is read by itself, without numpy, so that a file of any size answers at once.
Format: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from weights.errors import UnreadableFileError, UnsupportedDtypeError

if TYPE_CHECKING:
    from lstm.arrays import Floats

BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}  # of a number, in the formats that are read
FLOAT_DTYPES = tuple(BYTES)
MAX_HEADER = 100_000_000  # bytes; the format's own limit
MAX_NAME = 4096  # letters; int() refuses longer numbers than that, in a name too


class TensorInfo(NamedTuple):
    """What a header tells of one tensor: its number format, such as F32, and its shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


@dataclass(frozen=True)
class Archive:
    """An opened file: what its header says, and the arrays on request.

    `fetch` gives an array by its name, where the file is not safetensors; `variant` is what the
    file says of the cell, as fields of `lstm.variants.Variant`.
    """

    path: Path
    tensors: dict[str, TensorInfo]
    metadata: dict[str, str]
    fetch: Callable[[str], Any] | None = None
    variant: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if long := next((name for name in self.tensors if len(name) > MAX_NAME), None):
            raise UnreadableFileError(
                f"{long[:40]}...: expected a name of at most {MAX_NAME} letters, found {len(long)}."
            )

    def read(self, name: str, dtype: str) -> Floats:
        """Return one tensor as a read-only array of the given float type.

        Raises:
            UnsupportedDtypeError: the tensor is not stored as F64, F32, F16 or BF16.
        """
        info = self.tensors[name]
        if info.dtype not in FLOAT_DTYPES:
            raise UnsupportedDtypeError(name, info.dtype, FLOAT_DTYPES)
        if info.dtype == "BF16":
            import ml_dtypes  # noqa: F401  # registers bfloat16 with numpy
        array: Floats = self.raw(name).astype(dtype)
        array.flags.writeable = False
        return array

    def raw(self, name: str) -> Any:
        """Return one tensor as it is stored."""
        return self.fetch(name) if self.fetch else self._handle.get_tensor(name)

    def with_variant(self, variant: Mapping[str, Any]) -> Archive:
        """Return the same file, which also says how its cell differs from the standard one."""
        return replace(self, variant=variant)

    @property
    def widest_dtype(self) -> str:
        """`float64` where a tensor is stored so, else `float32`, which holds all the others."""
        stored = {info.dtype for info in self.tensors.values()}
        return "float64" if "F64" in stored else "float32"

    def sha256(self) -> str:
        """Return the hash of the file's bytes, in hexadecimal."""
        import hashlib

        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def _handle(self) -> Any:
        from safetensors import SafetensorError, safe_open

        try:
            return safe_open(self.path, framework="numpy")
        except SafetensorError as error:
            raise UnreadableFileError(f"not a valid safetensors file: {error}.") from None


def open_archive(path: str | os.PathLike[str]) -> Archive:
    """Read the header of a safetensors file.

    Raises:
        UnreadableFileError: there is no such file, or its header is not that of the format.
    """
    place = Path(path)
    try:
        with place.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            header = _parse(_header_bytes(file.read(8), size, file))
            left = size - file.tell()
        metadata = _metadata(header.pop("__metadata__", None))
        archive = Archive(place, {name: _info(name, e) for name, e in header.items()}, metadata)
        _check_size(archive.tensors.values(), left)
        return archive
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


def _check_size(infos: Iterable[TensorInfo], found: int) -> None:
    """Refuse a header that claims more than the file holds, before an array is made for it."""
    expected = sum(info.size * BYTES.get(info.dtype, 0) for info in infos)
    if expected > found:
        raise UnreadableFileError(
            f"expected {expected} bytes of numbers, as the header says, found {found}. The file "
            "is damaged, or its download was cut off."
        )


def _parse(data: bytes) -> dict[str, Any]:
    try:
        header = orjson.loads(data)
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise UnreadableFileError(
            "expected a safetensors file, found something else (its header is not JSON)."
        )
    return header


def _metadata(entries: Any) -> dict[str, str]:
    if entries is None:
        return {}
    if not isinstance(entries, dict) or not all(isinstance(e, str) for e in entries.values()):
        raise UnreadableFileError(f"metadata: expected texts by name, found {entries!r}.")
    return entries


def _info(name: str, entry: Any) -> TensorInfo:
    match entry:
        case {"dtype": str(dtype), "shape": [*shape]} if all(_is_size(n) for n in shape):
            return TensorInfo(name, dtype, tuple(shape))
    raise UnreadableFileError(f"{name}: expected dtype and shape in the header, found {entry!r}.")


def _is_size(number: Any) -> bool:
    return type(number) is int and number >= 0
