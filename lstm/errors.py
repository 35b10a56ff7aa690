"""What can be wrong with an input, as exceptions that carry the facts.

Every message reads `where: expected X, found Y. What to do next.` The place that knows the
file's name adds it once, with `at`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

FEW = 8  # entries of a vocabulary that a message lists


class LSTMError(Exception):
    """An input that cannot be used; the message is complete without a traceback."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.place: str | None = None

    def at(self, place: str) -> Self:
        """Name the file or option at fault, unless something nearer already did."""
        self.place = self.place or place
        return self

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class ShapeError(LSTMError):
    """An array whose shape does not fit the symbols that it stands for."""

    def __init__(
        self,
        name: str,
        symbols: str,
        expected: Sequence[object],
        found: Sequence[object],
        hint: str = "",
    ) -> None:
        self.name, self.symbols = name, symbols
        self.expected, self.found = tuple(expected), tuple(found)
        told = _shape(self.expected)
        sizes = f" = {told}" if self.expected and told != symbols else ""
        message = f"{name}: expected {symbols}{sizes}, found {self.found}."
        super().__init__(f"{message} {hint}".rstrip())


def _shape(sizes: Sequence[object]) -> str:
    """A shape as numpy writes it, also where an axis is a symbol."""
    return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"


class ValueRangeError(LSTMError):
    """A number outside its range, such as a token id beyond the vocabulary."""

    def __init__(self, name: str, found: int, low: int, high: int, hint: str = "") -> None:
        self.name, self.found, self.low, self.high = name, found, low, high
        message = f"{name}: expected {low} to {high}, found {found}."
        super().__init__(f"{message} {hint}".rstrip())


class UnknownTokenError(LSTMError):
    """A token that the vocabulary lacks, where no unknown token can stand for it.

    A vocabulary of a few entries is listed: it is clear then what a text may hold.
    """

    def __init__(self, token: str, position: int, vocabulary: Sequence[str]) -> None:
        self.token, self.position, self.vocabulary_size = token, position, len(vocabulary)
        known = f" Known: {' '.join(vocabulary)}" if len(vocabulary) <= FEW else ""
        super().__init__(
            f'token "{token}" at position {position} is not in the vocabulary '
            f"({self.vocabulary_size} entries), and it has no unknown token.{known}"
        )


class MissingPartError(LSTMError):
    """A part that the request needs and the model lacks: embedding, vocabulary, head."""

    def __init__(self, part: str, needed_for: str, hint: str) -> None:
        self.part, self.needed_for, self.hint = part, needed_for, hint
        super().__init__(f"the model has no {part}, which {needed_for} needs. {hint}")


class MissingExtraError(LSTMError):
    """An optional dependency that is not installed."""

    def __init__(self, package: str, extra: str, needed_for: str) -> None:
        self.package, self.extra, self.needed_for = package, extra, needed_for
        super().__init__(
            f"{needed_for} needs the package {package}, which is not installed. "
            f"Install the extra: pip install 'lstm-cli[{extra}]'."
        )
