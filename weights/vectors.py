"""Input vectors from .npy, .npz and .safetensors files."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from lstm.arrays import Floats
from lstm.errors import LSTMError
from weights.archive import open_archive
from weights.errors import UnreadableFileError

# What numpy's reader, and what it reads with, raise on a damaged file.
DAMAGED = (
    ValueError, EOFError, KeyError, SyntaxError, MemoryError, NotImplementedError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip


def read_vectors(place: str) -> Floats:
    """Read one array, (T, D) or (N, T, D).

    Args:
        place: the file, or `FILE::NAME` where it holds several arrays.

    Raises:
        UnreadableFileError: the file cannot be read as one of the three formats.
        LSTMError: it holds several arrays and none is named, or no numbers.
    """
    path, _, name = place.partition("::")
    try:
        return _read(Path(path), name)
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror or error}.").at(path) from None
    except LSTMError as error:
        raise error.at(path) from None


def _read(path: Path, name: str) -> Floats:
    if path.suffix == ".safetensors":
        archive = open_archive(path)
        return archive.read(_choose(list(archive.tensors), name), archive.widest_dtype)
    if path.suffix not in (".npy", ".npz"):
        raise LSTMError("expected a file ending in .npy, .npz or .safetensors.")
    try:
        array = _load(path, name)
    except DAMAGED as error:
        raise UnreadableFileError(f"not a valid {path.suffix} file of numbers: {error}.") from None
    if array.dtype.kind not in "fiu":
        raise LSTMError(f"expected real numbers, found {array.dtype}.")
    return array


def _load(path: Path, name: str) -> Floats:
    content = np.load(path, allow_pickle=False)
    if isinstance(content, np.ndarray):
        return content
    with content:
        return np.asarray(content[_choose(content.files, name)])


def _choose(names: list[str], name: str) -> str:
    if name in names or (not name and len(names) == 1):
        return name or names[0]
    listed = ", ".join(names) or "none"
    wanted = f"an array named {name}" if name else "one array"
    raise LSTMError(f"expected {wanted}, found {listed}. Name one: --vectors FILE::NAME.")
