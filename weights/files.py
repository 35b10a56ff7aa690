"""What is opened must be a file: not a folder, a pipe or a device, nor outside its own folder."""

from __future__ import annotations

import os
import stat
from functools import cache
from pathlib import Path
from typing import NamedTuple

from weights.errors import UnreadableFileError

# What may stand under a name in place of a file, by the system's own kinds.
_OTHERS = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"))


def name_as_text(path: str | os.PathLike[str]) -> str:
    """Return the name of a file as text that can be written anywhere; it may be any bytes.

    >>> name_as_text(os.fsdecode(b"a\\xff"))
    'a\\\\xff'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def require_file(path: str | os.PathLike[str]) -> os.stat_result:
    """Return what the system tells of a file; a link is followed.

    To open a pipe is to wait for its other end, and a device may have no end: neither is opened.

    Raises:
        UnreadableFileError: there is no such file, or it is something else.
        OSError: the system does not tell.
    """
    told = os.stat(path)
    if stat.S_ISDIR(told.st_mode):
        raise UnreadableFileError("cannot be read: Is a directory.")
    if not stat.S_ISREG(told.st_mode):
        kind = next((name for check, name in _OTHERS if check(told.st_mode)), "a socket")
        raise UnreadableFileError(f"expected a file, found {kind}. Write it into a file first.")
    return told


def unchanged(path: Path, before: os.stat_result) -> None:
    """Check that a file is the one, as long and as old, that it was when it was opened.

    Raises:
        UnreadableFileError: it was replaced, cut off or written to meanwhile.
    """
    _compare(path, _identity(before))


class Content(NamedTuple):
    """The bytes of a file as they were when it was opened; called, it gives their hash.

    The hash is taken when somebody asks: to read the file for it takes longer than a short run.
    """

    path: Path
    identity: tuple[int, ...]

    @classmethod
    def of(cls, path: Path, opened: os.stat_result) -> Content:
        """Remember a file, wherever the process goes to."""
        return cls(path.absolute(), _identity(opened))

    def __call__(self) -> str:
        """Return the SHA-256 in hexadecimal.

        Raises:
            UnreadableFileError: the bytes are no longer those that were there.
        """
        return _sha256(*self)


@cache
def _sha256(path: Path, identity: tuple[int, ...]) -> str:
    import hashlib  # late: it takes longer to import than a short run has

    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        _compare(path, identity)
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror}.").at(str(path)) from None
    except UnreadableFileError as error:
        raise error.at(str(path)) from None
    return found


def _identity(told: os.stat_result) -> tuple[int, ...]:
    return (told.st_ino, told.st_dev, told.st_size, told.st_mtime_ns)


def _compare(path: Path, identity: tuple[int, ...]) -> None:
    if _identity(path.stat()) != identity:
        raise UnreadableFileError(
            "expected the file to stay as it is while it is read, found it changed. Run the "
            "command again when nothing writes to it."
        )


def beside(path: Path, name: str, what: str) -> Path:
    """Return a file that another names, in the folder of that one.

    A folder of links, as download caches have, is one folder with the folder it leads to.

    Args:
        path: the file that names the other.
        name: the name, without a folder.
        what: where the name stands, for the message.

    Raises:
        UnreadableFileError: it is elsewhere, or no file.
    """
    place = path.parent / name
    if "\0" in name or Path(name).name != name:
        raise UnreadableFileError(f"{what}: expected files beside it, found {name}.")
    homes = (path.parent.resolve(), path.resolve().parent)
    if place.exists() and place.resolve().parent not in homes:
        raise UnreadableFileError(
            f"{what}: expected files beside it, found {name}, a link to {place.resolve()}."
        )
    return place
