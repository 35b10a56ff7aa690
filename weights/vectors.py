"""Input vectors from .npy, .npz and .safetensors files."""

from __future__ import annotations

from pathlib import Path

from lstm.arrays import Floats
from lstm.errors import LSTMError
from weights.containers.safetensors import open_archive
from weights.errors import UnreadableFileError
from weights.files import require_file
from weights.npy import read_npy
from weights.npz import read_array, read_headers


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
    require_file(path)
    if path.suffix == ".npy":
        array: Floats = read_npy(path)
    else:
        array = read_array(path, _choose(list(read_headers(path)), name))
    if array.dtype.kind not in "fiu":
        raise LSTMError(f"expected real numbers, found {array.dtype}.")
    return array


def _choose(names: list[str], name: str) -> str:
    if name in names or (not name and len(names) == 1):
        return name or names[0]
    listed = ", ".join(names) or "none"
    wanted = f"an array named {name}" if name else "one array"
    raise LSTMError(f"expected {wanted}, found {listed}. Name one: --vectors FILE::NAME.")
