"""Standard output and standard error, exit codes, and text made safe to print."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from math import isfinite
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TextIO
from unicodedata import category

if TYPE_CHECKING:
    from rich.console import Console

# Wide enough for any table: where nothing limits the width, nothing is cut.
UNLIMITED = 1_000_000

LONGEST = 4000  # characters of a message

COLORS = ("auto", "always", "never")


class ExitCode(IntEnum):
    """What the command says to the shell."""

    DONE = 0
    DIFFERS = 1
    NOTHING_FOUND = 1  # as grep says it
    USAGE = 2
    INPUT = 3
    INTERRUPTED = 130


class CommandLineError(Exception):
    """Options that contradict each other, have no effect, or have no such value."""


class Terminal(NamedTuple):
    """Where a table goes: how wide it may be, and whether it may have colours."""

    is_terminal: bool
    width: int
    color: bool

    @classmethod
    def of(cls, stream: TextIO | None, color: str | None) -> Terminal:
        """Look at a stream; None is a file, which is no terminal."""
        is_terminal = stream is not None and stream.isatty()
        width = shutil.get_terminal_size().columns if is_terminal else UNLIMITED
        wanted = color == "always" or (
            color in (None, "auto") and is_terminal and not os.environ.get("NO_COLOR")
        )
        return cls(is_terminal, width, wanted)

    def console(self, file: TextIO | None = None) -> Console:
        """Make the console on which tables are printed, independent of the environment."""
        from rich.console import Console

        return Console(
            file=file,
            width=self.width,
            color_system=self._color_system() if self.color else None,
            force_terminal=self.color,
            no_color=not self.color,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=False,
        )

    def _color_system(self) -> Any:
        deep = os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
        return "truecolor" if deep else "256"


@contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Give the bytes of standard output, buffered also where Python was told not to buffer."""
    sys.stdout.flush()
    with open(sys.stdout.fileno(), "wb", closefd=False) as stream:
        yield stream


@contextmanager
def perhaps_unread() -> Iterator[None]:
    """Go on without a word where whoever read standard output has stopped.

    Around what a command prints before its exit code answers; and around all that it does.
    """
    try:
        yield
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as problem:  # so rich leaves
        if not isinstance(problem.__context__ or problem, BrokenPipeError):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_json(document: object) -> None:
    """Write a JSON document and a newline to standard output."""
    import orjson

    with standard_output() as stream:
        stream.write(orjson.dumps(document) + b"\n")


def json_number(value: Any) -> Any:
    """Return a number for JSON, which has no word for what is not finite: its name stands there.

    >>> json_number(0.5), json_number(float("-inf"))
    (0.5, '-inf')
    """
    if isfinite(value):
        return value
    return "nan" if value != value else "inf" if value > 0 else "-inf"


def utf8(text: str, name: str, errors: str = "strict") -> str:
    """Return a text from the command line, which must be UTF-8; or `errors` is `replace`.

    Raises:
        CommandLineError: it is not.
    """
    try:
        return os.fsencode(text).decode("utf-8", errors)
    except UnicodeDecodeError as error:
        raise CommandLineError(
            f"{name}: expected UTF-8 text, found the byte at offset {error.start}."
        ) from None


def note(message: str) -> None:
    """Tell the user something that is no result."""
    print(f"note: {_short(printable(message))}", file=sys.stderr)


def error(message: str) -> None:
    """Tell the user why the command stops."""
    print(f"error: {_short(printable(message))}", file=sys.stderr)


def _short(message: str) -> str:
    """Leave out the middle of a message that quotes a file at length."""
    half = LONGEST // 2
    return message if len(message) <= LONGEST else f"{message[:half]} ... {message[-half:]}"


def printable(text: str) -> str:
    """Return a text in which no character can steer a terminal: those are shown as escapes.

    So is a mark at the start, which would stand on whatever is printed before it.

    >>> printable("a\\x1b[31m"), printable("\\u0301")
    ('a\\\\x1b[31m', '\\\\u0301')
    """
    start = _escaped(text[0]) if _leans(text[:1]) else ""
    rest = text[1:] if start else text
    if rest.isprintable():
        return start + rest
    return start + "".join(c if c == " " or not _steers(c) else _escaped(c) for c in rest)


def _leans(character: str) -> bool:
    """Combining marks, and the skin tones that change the emoji before them."""
    return "\U0001f3fb" <= character <= "\U0001f3ff" or (
        character > "\u02ff" and category(character) in ("Mn", "Me")
    )


def _steers(character: str) -> bool:
    """Control, format (bidirectional overrides), surrogate and line-separating characters."""
    return category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
