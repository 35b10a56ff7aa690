"""numpy's archives: each array under its name; nothing is unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from weights.archive import Archive
from weights.containers.arrays import info_of, lazy_archive
from weights.files import require_file
from weights.npz import read_array, read_headers


def open_npz(path: Path) -> Archive:
    """Read what an .npz file says of its arrays; their numbers are read on request.

    Raises:
        UnreadableFileError: it is none, or holds Python objects, or claims more than it holds.
    """
    told = require_file(path)
    headers = read_headers(path)
    infos = {name: info_of(name, each.dtype, each.shape) for name, each in headers.items()}

    def fetch(name: str) -> Any:
        return read_array(path, name)

    return lazy_archive(path, told, infos, {}, fetch)
