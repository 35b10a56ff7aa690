"""numpy's archives: each array under its name; nothing is unpickled."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from weights.archive import Archive
from weights.containers.arrays import archive_of
from weights.errors import UnreadableFileError


def open_npz(path: Path) -> Archive:
    """Read every array of an .npz file.

    Raises:
        UnreadableFileError: it is none, or holds Python objects.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror or error}.") from None
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise UnreadableFileError(f"not a valid .npz file of numbers: {error}.") from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise UnreadableFileError(f"{name}: expected an array, found another kind of file.")
    return archive_of(path, arrays, {})
