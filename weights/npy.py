"""numpy's .npy format: a header that says what follows, and then the numbers.

The header is read by numpy's own reader, which evaluates no code; what it claims is compared with
what is there before any of it is read.
"""

from __future__ import annotations

import tokenize
from math import prod
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import numpy as np

from weights.errors import UnreadableFileError
from weights.files import require_file

# What numpy's reader of headers raises where one is damaged.
DAMAGED = (
    ValueError, TypeError, EOFError, SyntaxError, OverflowError, MemoryError, RecursionError,
    tokenize.TokenError,
)  # fmt: skip


class Header(NamedTuple):
    """What an array is, and at which byte its numbers begin."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: Literal["C", "F"]
    start: int


def read_header(stream: IO[bytes], size: int) -> Header:
    """Read the header of an array that takes so many bytes, header included.

    Raises:
        UnreadableFileError: it is none, or tells of Python objects, or of more or fewer bytes
            than there are.
    """
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        version = np.lib.format.read_magic(stream)
        if version not in read:  # the third is for names that are not ASCII, of records
            raise UnreadableFileError("expected numbers, found records with names.")
        shape, in_columns, dtype = read[version](stream)
    except DAMAGED as error:
        raise UnreadableFileError(f"not a valid .npy file of numbers: {error}.") from None
    if dtype.hasobject:
        raise UnreadableFileError("expected numbers, found Python objects, which are never read.")
    start = stream.tell()
    claimed = prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or claimed != size - start:
        raise UnreadableFileError(
            f"expected {claimed} bytes for the shape {shape} of {dtype}, found {size - start}."
        )
    return Header(dtype, shape, "F" if in_columns else "C", start)


def array_of(header: Header, data: bytes) -> Any:
    """Return the array whose header and bytes these are; the header is part of the bytes.

    Raises:
        UnreadableFileError: there are fewer bytes than the header was checked against.
    """
    needed = header.start + prod(header.shape) * header.dtype.itemsize
    if len(data) < needed:
        raise UnreadableFileError(
            f"expected {needed} bytes, found {len(data)}: the file was cut off while it was read."
        )
    return np.ndarray(header.shape, header.dtype, data, header.start, order=header.order)


def read_npy(path: Path) -> Any:
    """Return the array of an .npy file.

    Raises:
        UnreadableFileError: it is malformed, or holds more or less than its header says.
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        header = read_header(stream, require_file(path).st_size)
        stream.seek(0)
        return array_of(header, stream.read())
