"""Keras' files: HDF5, alone (.h5, .weights.h5) or inside a .keras archive; through h5py."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

from lstm.errors import MissingExtraError
from weights.archive import Archive
from weights.containers.arrays import archive_of
from weights.errors import UnreadableFileError

INSIDE_KERAS = "model.weights.h5"


def open_hdf5(path: Path) -> Archive:
    """Read every numeric data set, named by its path.

    Raises:
        MissingExtraError: h5py is not installed.
        UnreadableFileError: it is no such file.
    """
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("h5py", "keras", f"a {path.suffix} file") from None
    try:
        with h5py.File(_source(path), "r") as file:
            return archive_of(path, _data_sets(h5py, file), {})
    except OSError as error:
        raise UnreadableFileError(f"not a valid HDF5 file: {error.strerror or error}.") from None
    except (KeyError, zipfile.BadZipFile) as error:
        raise UnreadableFileError(f"not a valid .keras file: {error}.") from None


def _source(path: Path) -> Path | BytesIO:
    if path.suffix != ".keras":
        return path
    with zipfile.ZipFile(path) as archive:
        return BytesIO(archive.read(INSIDE_KERAS))


def _data_sets(h5py: Any, file: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu" and "optimizer" not in name:
            found[name] = item[()]

    file.visititems(visit)
    return found
