"""Where the compiled kernel is kept between two runs, and whether it is there already."""

from __future__ import annotations

import os
from hashlib import sha256
from importlib.abc import SourceLoader
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError
from tempfile import TemporaryDirectory
from typing import Any

from lstm.errors import MissingExtraError

_SOURCES = ("vectors", "instructions", "kernel")


def is_installed() -> bool:
    """Return whether numba is there; it is not imported."""
    return find_spec("numba") is not None


def is_compiled() -> bool:
    """Return whether a run before this one has left the kernel compiled."""
    return any(_folder().rglob("*.nbc"))


def load_kernel() -> Any:
    """Import the kernel, compiled by this run or by one before.

    Raises:
        MissingExtraError: numba is not installed.
    """
    if not is_installed():
        raise MissingExtraError("numba", "fast", "--engine numba")
    kept = os.environ.get("NUMBA_CACHE_DIR") or _writable(_folder())
    try:
        return _imported(kept) if kept else _imported_and_forgotten()
    except (EOFError, UnpicklingError):  # cut short, as by a power cut
        for file in Path(kept).rglob("kernel.*.nb[ci]"):
            file.unlink(missing_ok=True)
        return _imported(kept)
    except OSError:  # it cannot be kept, as on a full disk
        return _imported_and_forgotten()


def _imported(folder: str) -> Any:
    """Import the kernel and keep it, compiled, in a folder.

    numba tells two versions of a file by its time and size only, and sees no further than the
    file itself; the folder's name tells them by what they hold.
    """
    from numba import config

    before = config.CACHE_DIR
    config.CACHE_DIR = folder
    try:
        from lstm.engines import kernel
    finally:
        config.CACHE_DIR = before
    return kernel


def _imported_and_forgotten() -> Any:
    with TemporaryDirectory() as folder:
        return _imported(folder)


def _writable(folder: Path) -> str:
    """Return the folder, or nothing where it cannot be: the kernel is then compiled each time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return ""
    return str(folder) if os.access(folder, os.W_OK) else ""


def _folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    version = sha256(b"".join(_source(name) for name in _SOURCES)).hexdigest()
    return Path(home) / "lstm" / f"kernel-{version[:16]}"


def _source(name: str) -> bytes:
    spec = find_spec(f"lstm.engines.{name}")
    if spec is None or not isinstance(spec.loader, SourceLoader):
        return name.encode()  # the package lies somewhere without its sources: told by name only
    return spec.loader.get_data(str(spec.origin))
