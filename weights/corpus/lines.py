"""Texts out of lines of bytes, each with its place for error messages."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lstm.errors import LSTMError


class Text(NamedTuple):
    """One sequence of a corpus, and where it stands: `corpus.txt: line` and 3."""

    text: str
    where: str
    number: int

    @property
    def place(self) -> str:
        """As error messages name it."""
        return f"{self.where} {self.number}"


def texts(lines: Iterable[bytes], place: str) -> Iterator[Text]:
    """Yield one sequence a line, as it comes; an empty line is a sequence without words.

    Raises:
        LSTMError: a line is not UTF-8; the message says which.
    """
    for number, line in enumerate(lines, start=1):
        try:
            line = line.removeprefix(BOM_UTF8) if number == 1 else line
            text = line.rstrip(b"\r\n").decode("utf-8")
        except UnicodeDecodeError as error:
            raise LSTMError(f"expected UTF-8 text, found the byte at offset {error.start}.").at(
                f"{place} {number}"
            ) from None
        yield Text(text, place, number)
