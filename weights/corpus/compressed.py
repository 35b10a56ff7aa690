"""Compressed files, opened by the ending of their names. The only importer of zstandard."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO

from lstm.errors import MissingExtraError
from weights.errors import UnreadableFileError

ENDINGS = (".gz", ".zst")
# Few enough that what comes out of them fits into memory, however well it was compressed.
_READ_AT_ONCE = 2**14


@contextmanager
def decompressed(raw: BinaryIO, suffix: str) -> Iterator[Any]:
    """Give the lines inside.

    Raises:
        UnreadableFileError: this is not Zstandard; what gzip raises is its own.
        EOFError: the file ends before what is compressed in it does.
        MissingExtraError: zstandard is not installed.
    """
    if suffix == ".gz":
        with gzip.GzipFile(fileobj=raw) as file:
            yield file
    elif suffix == ".zst":
        zstandard = _zstandard()
        try:
            with BufferedReader(_Frames(raw, zstandard.ZstdDecompressor())) as file:
                yield file
        except zstandard.ZstdError as error:
            raise UnreadableFileError(f"cannot be decompressed: {error}.") from None
    else:
        yield raw


class _Frames(RawIOBase):
    """Reads frame after frame, and misses the end of one; zstandard's own reader does not."""

    def __init__(self, raw: BinaryIO, decompressor: Any) -> None:
        self.raw, self.decompressor = raw, decompressor
        self.frame: Any = None
        self.waiting = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.waiting:
            data = self._unread() or self.raw.read(_READ_AT_ONCE)
            if not data:
                if self.frame is None or self.frame.eof:
                    return 0
                raise EOFError("the file ended before the end of a frame")
            if self.frame is None or self.frame.eof:
                self.frame = self.decompressor.decompressobj()
            self.waiting = memoryview(self.frame.decompress(data))
        count = min(len(buffer), len(self.waiting))
        buffer[:count], self.waiting = self.waiting[:count], self.waiting[count:]
        return count

    def _unread(self) -> bytes:
        """Return what stands behind the end of a frame."""
        return b"" if self.frame is None else bytes(self.frame.unused_data)


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("zstandard", "corpus", "a .zst file") from None
    return zstandard
