"""Keras' files: HDF5, alone (.h5, .weights.h5) or inside a .keras archive; through h5py."""

from __future__ import annotations

from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any

from lstm.errors import MissingExtraError
from weights.archive import Archive
from weights.containers.arrays import archive_of
from weights.containers.keras_config import told_variant
from weights.documents import parse
from weights.errors import UnreadableFileError
from weights.files import require_file
from weights.zipped import RATIO, SLACK, opened

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
    told = require_file(path)
    try:
        with h5py.File(_source(path), "r") as file:
            archive = archive_of(path, told, _data_sets(h5py, file), {})
            return archive.with_variant(told_variant(*_config(path, file)))
    except OSError as error:
        raise UnreadableFileError(f"not a valid HDF5 file: {error.strerror or error}.") from None
    # The HDF5 library reports damage as whatever fits its own codes.
    except (KeyError, ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise UnreadableFileError(f"not a valid {path.suffix} file: {error}.") from None


def _source(path: Path) -> Path | BytesIO:
    if path.suffix != ".keras":
        return path
    with opened(path) as archive:
        return BytesIO(archive.read(INSIDE_KERAS))


def _config(path: Path, file: Any) -> tuple[Any, str]:
    """The model as JSON, where it is beside the weights, and the version of Keras."""
    if path.suffix == ".keras":
        with opened(path) as archive:
            if "config.json" not in archive.namelist():
                return {}, ""
            made = parse(archive.read("metadata.json"))
            return parse(archive.read("config.json")), str(made["keras_version"])
    said = {name: _text(file.attrs.get(name, "")) for name in ("model_config", "keras_version")}
    return parse(said["model_config"] or "{}"), said["keras_version"]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _data_sets(h5py: Any, file: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu" and "optimizer" not in name:
            _refuse_claims(name, item)
            found[name] = item[()]

    file.visititems(visit)
    return found


def _refuse_claims(name: str, item: Any) -> None:
    """Refuse numbers that lie in other files, and more numbers than the file can hold."""
    if item.external or item.is_virtual:
        raise UnreadableFileError(
            f"{name}: expected its numbers in the file, found them said to lie in another."
        )
    claimed, stored = prod(item.shape) * item.dtype.itemsize, item.id.get_storage_size()
    most = RATIO * stored + SLACK if item.id.get_create_plist().get_nfilters() else stored
    if claimed > most:
        raise UnreadableFileError(
            f"{name}: expected at most {most} bytes, as {stored} are stored, found a claim of "
            f"{claimed}."
        )
