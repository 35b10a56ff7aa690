"""What is to be read: texts, lines of a file or of standard input, ids, vectors."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from cli.console import CommandLineError, utf8
from cli.contradictions import exclusive
from weights.corpus.lines import texts
from weights.errors import UnreadableFileError

if TYPE_CHECKING:
    from lstm.arrays import Floats

STDIN = "-"


class Source(NamedTuple):
    """One sequence to read, and where it stands, for error messages.

    `given` are the keyword arguments of `Model.run`.
    """

    given: dict[str, Any]
    place: str | None = None


@dataclass(eq=False, repr=False)
class Request:
    """What the command line asks to read."""

    texts: list[str]
    file: Path | None = None
    ids: str | None = None
    vectors: str | None = None
    errors: str | None = None

    def __post_init__(self) -> None:
        self.texts = [utf8(text, "TEXT", self.errors or "strict") for text in self.texts]
        exclusive(TEXT=self.texts, file=self.file, ids=self.ids, vectors=self.vectors)
        exclusive(ids=self.ids, errors=self.errors)
        exclusive(vectors=self.vectors, errors=self.errors)
        if STDIN in self.texts and len(self.texts) > 1:
            raise CommandLineError("expected texts, or - for standard input, found both.")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is given, and nobody pipes anything in."""
        given = self.texts or self.file or self.ids is not None or self.vectors
        return not given and sys.stdin.isatty()

    @property
    def is_single(self) -> bool:
        """Whether it can only be one sequence."""
        return self.ids is not None or (len(self.texts) == 1 and self.texts != [STDIN])

    @property
    def num_bytes(self) -> int | None:
        """How much there is to read; None where only the end of a pipe will tell."""
        if self.texts and self.texts != [STDIN]:
            return sum(len(text) for text in self.texts)
        if self.ids is not None:
            return len(self.ids)
        path = self.vectors.partition("::")[0] if self.vectors else self.file
        try:
            status = os.fstat(0) if path is None or str(path) == STDIN else os.stat(path)
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def sources(self) -> Iterator[Source]:
        """Yield the sequences one by one, as they come."""
        if self.ids is not None:
            yield Source({"ids": _parse_ids(self.ids)}, "--ids")
        elif self.vectors is not None:
            yield from _vectors(self.vectors)
        elif self.file is not None and str(self.file) != STDIN:
            yield from self._file(self.file)
        elif self.texts and self.texts != [STDIN]:
            yield from (Source({"text": text}) for text in self.texts)
        else:
            yield from self._lines(sys.stdin.buffer, "line")

    def _file(self, path: Path) -> Iterator[Source]:
        try:
            with path.open("rb") as file:
                yield from self._lines(file, f"{path}: line")
        except OSError as error:
            raise UnreadableFileError(f"cannot be read: {error.strerror}.").at(str(path)) from None

    def _lines(self, file: BinaryIO, place: str) -> Iterator[Source]:
        lines = texts(file, place, self.errors or "strict")
        return (Source({"text": text.text}, text.place) for text in lines)


def _parse_ids(text: str) -> list[int]:
    try:
        return [int(number) for number in text.replace(",", " ").split()]
    except ValueError:
        raise CommandLineError(f"--ids: expected numbers such as 5,17,3; found {text!r}.") from None


def _vectors(place: str) -> Iterator[Source]:
    from weights.vectors import read_vectors

    array = read_vectors(place)
    sequences: Floats | list[Floats] = array if array.ndim == 3 else [array]
    for sequence in sequences:
        yield Source({"vectors": sequence}, place)
