"""Texts out of lines of bytes, each with its place for error messages."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from lstm.errors import LSTMError

# A longer line is no text that was written as one sequence. A file without an end, or a few
# compressed bytes that stand for gigabytes, is so given up before it fills the memory.
LONGEST = 10_000_000


class Lines(Protocol):
    """What is read line by line: a file, a pipe, what comes out of a decompressor."""

    def readline(self, size: int, /) -> bytes: ...


class Text(NamedTuple):
    """One sequence of a corpus, and where it stands: `corpus.txt: line` and 3."""

    text: str
    where: str
    number: int

    @property
    def place(self) -> str:
        """As error messages name it."""
        return f"{self.where} {self.number}"


def numbered(lines: Lines, place: str) -> Iterator[tuple[int, bytes]]:
    """Yield each line, as it comes, with its number, the first being 1.

    Raises:
        LSTMError: a line is too long; the message says which.
    """
    number = 1
    while line := lines.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise LSTMError(
                f"expected at most {LONGEST:,} bytes in a line, which is one sequence, found "
                "more. Cut it into several."
            ).at(f"{place} {number}")
        yield number, line
        number += 1


def decode(data: bytes, errors: str) -> str:
    """Decode a text; `errors` is `strict`, or `replace` for U+FFFD where a byte is no UTF-8.

    Raises:
        LSTMError: a byte is no UTF-8; the message says which.
    """
    try:
        return data.decode("utf-8", errors)
    except UnicodeDecodeError as error:
        raise LSTMError(
            f"expected UTF-8 text, found the byte at offset {error.start}. Save it as UTF-8, or "
            "add --errors replace."
        ) from None


def texts(lines: Lines, place: str, errors: str = "strict") -> Iterator[Text]:
    """Yield one sequence a line, as it comes; an empty line is a sequence without words.

    Raises:
        LSTMError: a line is not UTF-8, or too long; the message says which.
    """
    for number, line in numbered(lines, place):
        line = line.removeprefix(BOM_UTF8) if number == 1 else line
        try:
            text = decode(line.rstrip(b"\r\n"), errors)
        except LSTMError as error:
            raise error.at(f"{place} {number}") from None
        yield Text(text, place, number)
