"""Keras' files: HDF5, alone (.h5, .weights.h5) or inside a .keras archive; through h5py."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson

from lstm.errors import MissingExtraError
from weights.archive import Archive
from weights.containers.arrays import archive_of
from weights.containers.keras_config import told_variant
from weights.errors import UnreadableFileError

INSIDE_KERAS = "model.weights.h5"


def open_hdf5(path: Path) -> Archive:
    """Read every numeric data set, named by its path; and what the model's configuration tells.

    Raises:
        MissingExtraError: h5py is not installed.
        UnreadableFileError: it is no such file.
        NotAnLSTMError: the configuration tells of an LSTM that is not supported.
    """
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("h5py", "keras", f"a {path.suffix} file") from None
    try:
        with h5py.File(_source(path), "r") as file:
            archive = archive_of(path, _data_sets(h5py, file), {})
            return archive.with_variant(told_variant(*_config(path, file)))
    except OSError as error:
        raise UnreadableFileError(f"not a valid HDF5 file: {error.strerror or error}.") from None
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise UnreadableFileError(f"not a valid {path.suffix} file: {error}.") from None


def _source(path: Path) -> Path | BytesIO:
    if path.suffix != ".keras":
        return path
    with zipfile.ZipFile(path) as archive:
        return BytesIO(archive.read(INSIDE_KERAS))


def _config(path: Path, file: Any) -> tuple[Any, str]:
    """The model as JSON, where it is beside the weights, and the version of Keras."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            if "config.json" not in archive.namelist():
                return {}, ""
            made = orjson.loads(archive.read("metadata.json"))
            return orjson.loads(archive.read("config.json")), str(made["keras_version"])
    said = {name: _text(file.attrs.get(name, "")) for name in ("model_config", "keras_version")}
    return orjson.loads(said["model_config"] or "{}"), said["keras_version"]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _data_sets(h5py: Any, file: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu" and "optimizer" not in name:
            found[name] = item[()]

    file.visititems(visit)
    return found
