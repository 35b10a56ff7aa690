"""The files of a corpus: texts one a line, JSON lines, Parquet; also compressed, also a pipe."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lstm.errors import LSTMError
from weights.corpus.compressed import ENDINGS, decompressed
from weights.corpus.lines import Lines, Text, texts
from weights.errors import UnreadableFileError
from weights.files import unchanged

STDIN = "-"
_JSON_LINES = (".jsonl", ".ndjson")
_PARQUET = ".parquet"


class Item(NamedTuple):
    """A sequence, and how far its file is read when it comes, from 0 to 1."""

    text: Text
    fraction: float


class Source(NamedTuple):
    """One file of a corpus.

    `name` is what the user called it, `path` where it lies. `field` is the name of the text in
    JSON lines, `column` that in Parquet. `errors` says what becomes of bytes that are no UTF-8.
    """

    name: str
    path: Path
    field: str | None = None
    column: str | None = None
    errors: str = "strict"

    @property
    def is_stream(self) -> bool:
        """Whether it is standard input or a pipe, which can be read only once."""
        return self.name == STDIN or not self.path.is_file()

    @property
    def is_parquet(self) -> bool:
        return self.path.suffix == _PARQUET

    @property
    def is_json_lines(self) -> bool:
        """Whether the name says so; standard input is what the options make of it."""
        suffixes = [suffix for suffix in self.path.suffixes if suffix not in ENDINGS]
        return bool(suffixes) and suffixes[-1] in _JSON_LINES

    @property
    def num_bytes(self) -> int:
        """The size of the file as it lies there; 0 for a stream."""
        return 0 if self.is_stream else self.path.stat().st_size

    def check(self) -> None:
        """Look whether there is something to read.

        Raises:
            UnreadableFileError: there is no such file, or it is a folder.
        """
        if self.name == STDIN:
            return
        with self._named():
            if self.path.is_dir():
                raise UnreadableFileError("expected a file, found a folder.")
            self.path.stat()

    def sha256(self) -> str | None:
        """Return the hash of the file's bytes, None for a stream."""
        if self.is_stream:
            return None
        with self._named(), self.path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()

    def items(self, stdin: BinaryIO | None = None) -> Iterator[Item]:
        """Yield the sequences as they come; standard input is read from `stdin`.

        Raises:
            LSTMError: the file cannot be read, or a sequence of it; the message says where.
            UnreadableFileError: it was replaced or written to while it was read.
        """
        with self._named():
            before = None if self.is_stream else self.path.stat()
            if self.is_parquet:
                yield from self._parquet_items()
            else:
                yield from self._line_items(stdin)
            if before is not None:
                unchanged(self.path, before)

    def _parquet_items(self) -> Iterator[Item]:
        from weights.corpus.parquet import read_column

        assert self.column is not None  # the command line sees to it
        place = f"{self.name}: row"
        for row, (text, fraction) in enumerate(read_column(self.path, self.column)):
            if not isinstance(text, str):
                found = "nothing" if text is None else type(text).__name__
                raise LSTMError(f"expected a text, found {found}.").at(f"{place} {row}")
            yield Item(Text(text, place, row), fraction)

    def _line_items(self, stdin: BinaryIO | None) -> Iterator[Item]:
        place = "line" if self.name == STDIN else f"{self.name}: line"
        size = max(1, self.num_bytes)
        with ExitStack() as stack:
            raw = stdin if self.name == STDIN else stack.enter_context(self.path.open("rb"))
            assert raw is not None
            lines = stack.enter_context(decompressed(raw, self.path.suffix))
            told: Callable[[], float] = (lambda: 0.0) if self.is_stream else raw.tell
            for text in self._texts(lines, place):
                yield Item(text, told() / size)

    def _texts(self, lines: Lines, place: str) -> Iterator[Text]:
        if self.field is None or not (self.is_json_lines or self.name == STDIN):
            return texts(lines, place, self.errors)
        from weights.corpus.fields import field_texts

        return field_texts(lines, place, self.field, self.errors)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Say of any error that reading can meet in which file it was met."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise UnreadableFileError(f"cannot be read: {reason}.").at(self.name) from None
        except (EOFError, zlib.error) as error:
            raise UnreadableFileError(f"cannot be decompressed: {error}.").at(self.name) from None
        except LSTMError as error:
            raise error.at(self.name) from None
