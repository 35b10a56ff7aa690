"""Archives of .npy arrays, as numpy.savez writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from weights.errors import UnreadableFileError
from weights.npy import Header, array_of, read_header
from weights.zipped import opened

ENDING = ".npy"


def read_headers(path: Path) -> dict[str, Header]:
    """Return what each array of an archive says of itself, by its name without the ending.

    Raises:
        UnreadableFileError: the archive or an array is malformed, or something else is in it.
        OSError: the file cannot be read.
    """
    headers: dict[str, Header] = {}
    with opened(path) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(ENDING)
            if name == member.filename or name in headers:
                raise UnreadableFileError(
                    f"{member.filename}: expected an array, found another kind of file."
                )
            with archive.open(member) as stream:
                try:
                    headers[name] = read_header(stream, member.file_size)
                except UnreadableFileError as error:
                    raise UnreadableFileError(f"{name}: {error.message}") from None
    return headers


def read_array(path: Path, name: str) -> Any:
    """Return one array of an archive whose headers have been read.

    Raises:
        UnreadableFileError: the archive or the array is malformed, or no longer there.
        OSError: the file cannot be read.
    """
    with opened(path) as archive:
        try:
            member = archive.getinfo(f"{name}{ENDING}")
        except KeyError:
            raise UnreadableFileError(f"{name}: expected an array, found none any more.") from None
        with archive.open(member) as stream:
            header = read_header(stream, member.file_size)
        return array_of(header, archive.read(member))
