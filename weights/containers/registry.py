"""The kinds of files that are read, by the ending of their names, one line each."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lstm.errors import LSTMError
from weights.archive import Archive
from weights.containers.safetensors import open_archive
from weights.errors import NotAnLSTMError, UnreadableFileError
from weights.metadata import declared_layout


class Container(NamedTuple):
    """A kind of file: the endings of its names, and what opens it."""

    name: str
    suffixes: tuple[str, ...]
    open: Callable[[Path], Archive]


def _npz(path: Path) -> Archive:
    from weights.containers.npz import open_npz

    return open_npz(path)


def _sharded(path: Path) -> Archive:
    from weights.containers.sharded import open_sharded

    return open_sharded(path)


def _torch(path: Path) -> Archive:
    from weights.containers.torch import open_torch

    return open_torch(path)


def _hdf5(path: Path) -> Archive:
    from weights.containers.hdf5 import open_hdf5

    return open_hdf5(path)


def _onnx(path: Path) -> Archive:
    from weights.containers.onnx import open_onnx

    return open_onnx(path)


def _tfjs(path: Path) -> Archive:
    from weights.containers.tfjs import open_tfjs

    return open_tfjs(path)


CONTAINERS = (
    Container("sharded safetensors", (".index.json",), _sharded),
    Container("numpy", (".npz",), _npz),
    Container("PyTorch", (".pt", ".pth", ".ckpt", ".bin"), _torch),
    Container("Keras", (".h5", ".hdf5", ".keras"), _hdf5),
    Container("ONNX", (".onnx",), _onnx),
    Container("TensorFlow.js", ("model.json",), _tfjs),
)


# What this tool writes as text; none of it is weights.
DOCUMENTS = (".json", ".ndjson", ".jsonl", ".csv")


def open_any(path: str | os.PathLike[str]) -> Archive:
    """Open a weight file of any kind; what has none of the endings is safetensors.

    Raises:
        UnreadableFileError: the file cannot be read as what its name says.
        MissingExtraError: the package that reads it is not installed.
    """
    place = Path(path)
    for container in CONTAINERS:
        if place.name.endswith(container.suffixes):
            try:
                return _folded(container.open(place))
            except LSTMError as error:
                raise error.at(str(path)) from None
            except OSError as error:
                raise UnreadableFileError(f"cannot be read: {error.strerror or error}.").at(
                    str(path)
                ) from None
    _refuse_documents(place)
    archive = open_archive(path)
    return archive if declared_layout(archive.metadata) else _folded(archive)


def _refuse_documents(path: Path) -> None:
    """Say of what this tool writes as text, a trace above all, that it holds no weights."""
    if path.suffix not in DOCUMENTS or not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(64)
    told = re.match(rb'\{"schema":"lstm\.(\w+)/1"', start)
    if told is None and not start.startswith((b'{"sequence":', b"sequence,step,")):
        return
    kind = told[1].decode() if told else "trace"
    from weights.layouts.relatives import OURS

    other = f"this is no weight file: it is what lstm {kind} wrote."
    raise NotAnLSTMError(OURS.get(kind, other)).at(str(path))


def _folded(archive: Archive) -> Archive:
    """Put together the matrices that are stored in two parts, and cut those that are several."""
    from weights.slices import cut
    from weights.weight_norm import fold

    return cut(fold(archive))
