"""Zip archives, as .npz, .keras and .pt files are: nothing is read that claims too much.

A member's bytes go through here only where it can hold as many as it says: deflate makes at most
1032 bytes of one, and the members together are no longer than the file.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from weights.errors import UnreadableFileError

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what numpy, Keras and torch write
RATIO, SLACK = 1032, 64  # the most that deflate can make of a byte; and of next to nothing
# What the standard library raises where the bytes are not those of an archive.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, UnicodeError,
)  # fmt: skip


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive whose members have been checked; what is wrong with it becomes a sentence.

    Raises:
        UnreadableFileError: it is damaged, encrypted, compressed in an unusual way, or claims
            more than it holds.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check(archive.infolist(), path.stat().st_size)
            yield archive
    except DAMAGED as error:
        raise UnreadableFileError(f"not a valid {path.suffix} file: {error}.") from None


def _check(members: list[zipfile.ZipInfo], size: int) -> None:
    names: set[str] = set()
    for member in members:
        name = member.filename
        if name in names:
            raise UnreadableFileError(f"{name}: expected once in the archive, found twice.")
        names.add(name)
        if member.flag_bits & 1:
            raise UnreadableFileError(f"{name}: expected no password, found it encrypted.")
        if member.compress_type not in METHODS:
            raise UnreadableFileError(f"{name}: expected it stored or deflated, found another way.")
        most = member.compress_size
        if member.compress_type == zipfile.ZIP_DEFLATED:
            most = RATIO * most + SLACK
        if member.file_size > most:
            raise UnreadableFileError(
                f"{name}: expected at most {most} bytes of the {member.compress_size} in the "
                f"archive, found a claim of {member.file_size}."
            )
    if (found := sum(member.compress_size for member in members)) > size:
        raise UnreadableFileError(
            f"expected members of at most {size} bytes together, as the file has, found a claim "
            f"of {found}."
        )
