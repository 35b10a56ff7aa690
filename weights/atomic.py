"""A written file is whole or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import Any, BinaryIO

# Of the name, so that the temporary one is never longer than a name may be.
_KEPT = 32


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path`; on success it takes the name, else it is removed.

    A file that stood at `path` stays untouched until the new one is complete on disk. A link is
    followed; what is no file (a device, a pipe) is opened as it is, to be written to. Two who
    write to one path at once each write a file of their own, and the last one stays.

    Raises:
        OSError: it cannot be written; the error names `path`.
    """
    if Path(path).exists() and not Path(path).is_file():
        with BufferedWriter(_Told(path, "wb", path)) as file:
            yield file
        return
    target = Path(os.path.realpath(path))
    # Named before it is made: whenever a signal comes, it is known what is to be removed.
    temporary = target.with_name(f".{target.name[:_KEPT]}.{os.urandom(8).hex()}")
    try:
        with BufferedWriter(_Told(temporary, "xb", path)) as file:
            yield file
            file.flush()
            with _telling(path):
                os.fsync(file.fileno())
        with _telling(path):
            temporary.replace(target)
    finally:
        with suppress(OSError):  # it has the name, or was never made
            temporary.unlink()


class _Told(FileIO):
    """A file whose errors name the path that was asked for."""

    def __init__(self, path: str | os.PathLike[str], mode: str, asked: object) -> None:
        self.asked = asked
        with _telling(asked):
            super().__init__(path, mode)

    def write(self, data: Any) -> int:
        with _telling(self.asked):
            return super().write(data)


@contextmanager
def _telling(asked: object) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # who reads a pipe has stopped, which is no fault
        raise
    except OSError as error:
        raise OSError(error.errno, f"cannot be written: {error.strerror}", str(asked)) from None
