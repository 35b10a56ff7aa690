"""What every tokenizer has in common: pieces of a text, a vocabulary, token ids."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from lstm.errors import LSTMError, UnknownTokenError


class Piece(NamedTuple):
    """A stretch of the text, before it is looked up.

    `text` is what was typed, `read` what the model is given for it, `start` and `end` are
    character offsets into the text, so that `text == whole[start:end]`.
    """

    text: str
    read: str
    start: int
    end: int


class Token(NamedTuple):
    """A piece with its id; where it is not `known`, `read` is the unknown token."""

    text: str
    read: str
    id: int
    start: int
    end: int
    known: bool = True


@dataclass(frozen=True)
class Vocabulary:
    """The tokens a model knows, in the order of their ids.

    `unknown` stands for every other token; `start` and `end` mark the borders of a sequence,
    where the model was trained with such tokens. Each of the three is None or one of `tokens`.

    Raises:
        LSTMError: a token stands twice, or a special token is not in the list.

    >>> Vocabulary(("a", "b", "?"), unknown="?").id_of("b")
    1
    """

    tokens: tuple[str, ...]
    unknown: str | None = None
    start: str | None = None
    end: str | None = None
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = {token: number for number, token in enumerate(self.tokens)}
        if len(ids) != len(self.tokens):
            twice = next(t for n, t in enumerate(self.tokens) if ids[t] != n)
            raise LSTMError(f"vocabulary: expected every token once, found {twice!r} twice.")
        for role in ("unknown", "start", "end"):
            special = getattr(self, role)
            if special is not None and (not isinstance(special, str) or special not in ids):
                raise LSTMError(
                    f"vocabulary: expected the {role} token {special!r} among its "
                    f"{len(self.tokens)} entries, found no such entry."
                )
        object.__setattr__(self, "_ids", ids)

    def __len__(self) -> int:
        return len(self.tokens)

    def id_of(self, token: str) -> int | None:
        """Return the id of a token, or None where the vocabulary lacks it."""
        return self._ids.get(token)

    @property
    def unknown_id(self) -> int | None:
        """The id that stands for every token outside the vocabulary, or None."""
        return None if self.unknown is None else self._ids[self.unknown]


class Tokenizer(ABC):
    """Cuts a text into pieces and gives each its id.

    A subclass names its `kind`, finds the `pieces` and says in `options` what it was made with,
    so that a file can hold it.
    """

    kind: ClassVar[str]

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    @abstractmethod
    def pieces(self, text: str) -> list[Piece]:
        """Cut a text into pieces, in order; every character outside them is white space."""

    def encode(self, text: str) -> tuple[Token, ...]:
        """Look up every piece of a text.

        Raises:
            UnknownTokenError: a piece is not in the vocabulary and nothing stands for it.
        """
        id_of = self.vocabulary.id_of
        tokens: list[Token] = []
        for typed, read, start, end in self.pieces(text):
            number = id_of(read)
            known = number is not None
            if number is None:
                read, number = self._unknown(len(tokens), read)
            tokens.append(Token(typed, read, number, start, end, known))
        return tuple(tokens)

    def write(self, ids: Sequence[int]) -> str:
        """Return the text that these ids stand for, as far as they tell it."""
        return "".join(self.vocabulary.tokens[i] for i in ids)

    def options(self) -> dict[str, Any]:
        """Return what a file must hold, beside the vocabulary, to make this tokenizer again."""
        return {}

    def specification(self) -> dict[str, Any]:
        """Return the plain record from which `registry.from_specification` makes it again."""
        words = self.vocabulary
        special = {"unknown": words.unknown, "start": words.start, "end": words.end}
        named = {role: token for role, token in special.items() if token is not None}
        return {"kind": self.kind, **self.options(), **named, "vocabulary": list(words.tokens)}

    @classmethod
    def from_specification(cls, specification: dict[str, Any]) -> Tokenizer:
        """Make the tokenizer from such a record.

        Raises:
            LSTMError: the record has an entry that this kind of tokenizer does not know.
        """
        record = dict(specification)
        record.pop("kind", None)
        special = {role: record.pop(role, None) for role in ("unknown", "start", "end")}
        vocabulary = Vocabulary(strings(record.pop("vocabulary", None)), **special)
        try:
            return cls(vocabulary, **record)
        except TypeError:
            raise LSTMError(
                f"tokenizer: expected the options of kind {cls.kind!r}, "
                f"found {', '.join(sorted(record))}."
            ) from None

    def _unknown(self, position: int, read: str) -> tuple[str, int]:
        """Return what stands for a piece that the vocabulary lacks."""
        words = self.vocabulary
        if words.unknown is None or words.unknown_id is None:
            raise UnknownTokenError(read, position, words.tokens)
        return words.unknown, words.unknown_id


def strings(value: object) -> tuple[str, ...]:
    """Check that a value read from a file is a list of strings, and return it."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise LSTMError("vocabulary: expected a list of tokens, found none.")
    if wrong := [entry for entry in value if not isinstance(entry, str)]:
        raise LSTMError(f"vocabulary: expected strings, found {wrong[0]!r}.")
    return tuple(value)
