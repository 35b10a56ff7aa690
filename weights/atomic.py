"""A written file is whole or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it takes the name, else it is removed.

    A file that stood at `path` stays untouched until the new one is complete on disk. A link is
    followed; what is no file (a device, a pipe) is given as it is, to be written to.
    """
    if Path(path).exists() and not Path(path).is_file():
        yield Path(path)
        return
    target = Path(path).resolve()
    temporary = _temporary_beside(target, path)
    try:
        yield temporary
        _make_like_a_new_file(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary_beside(target: Path, asked: str | os.PathLike[str]) -> Path:
    """Make an empty file in the same folder; an error names the file that was asked for."""
    import tempfile  # not at every start: only when something is written

    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise OSError(error.errno, f"cannot be written: {error.strerror}", str(asked)) from None
    os.close(descriptor)
    return Path(name)


def _make_like_a_new_file(path: Path) -> None:
    """Flush to disk, and give the permissions of a file made in the usual way."""
    umask = os.umask(0)
    os.umask(umask)
    with path.open("rb+") as file:
        os.fchmod(file.fileno(), 0o666 & ~umask)
        os.fsync(file.fileno())
