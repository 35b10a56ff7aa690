"""Any `tokenizer.json`, through the package `tokenizers` (the extra of the same name)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from lstm.errors import LSTMError, MissingExtraError
from lstm.tokenizers.tokenizer import Piece, Token, Tokenizer, Vocabulary


class HuggingFaceTokenizer(Tokenizer):
    """Read a text with a tokenizer in the JSON form of the Hugging Face library.

    Special tokens are added where the file's own rules add them.

    Args:
        source: the text of a `tokenizer.json`.

    Raises:
        MissingExtraError: the package `tokenizers` is not installed.
        LSTMError: the package refuses the text.
    """

    kind: ClassVar[str] = "huggingface"

    def __init__(self, source: str) -> None:
        self.source = source
        self._inner = _parse(source)
        ids = self._inner.get_vocab(with_added_tokens=True)
        words = [f"<{n}>" for n in range(max(ids.values(), default=-1) + 1)]
        for word, number in ids.items():
            words[number] = word
        unknown = getattr(self._inner.model, "unk_token", None)
        super().__init__(Vocabulary(tuple(words), unknown if unknown in ids else None))

    def pieces(self, text: str) -> list[Piece]:
        return [Piece(t.text, t.read, t.start, t.end) for t in self.encode(text)]

    def encode(self, text: str) -> tuple[Token, ...]:
        found = self._encoded(text)
        unknown = self.vocabulary.unknown_id
        return tuple(
            Token(text[start:end] or word, word, number, start, end, number != unknown)
            for number, word, (start, end) in zip(
                found.ids, found.tokens, found.offsets, strict=True
            )
        )

    def _encoded(self, text: str) -> Any:
        try:
            return self._inner.encode(text)
        except Exception as error:  # the package raises bare Exception for a word without an id
            raise LSTMError(f"tokenizer: {error}.") from None

    def write(self, ids: Sequence[int]) -> str:
        return str(self._inner.decode(list(ids)))

    def specification(self) -> dict[str, Any]:
        return {"kind": self.kind, "source": self.source}

    @classmethod
    def from_specification(cls, specification: dict[str, Any]) -> HuggingFaceTokenizer:
        source = specification.get("source")
        if not isinstance(source, str):
            raise LSTMError("tokenizer: expected the text of a tokenizer.json, found none.")
        return cls(source)


def _parse(source: str) -> Any:
    try:
        import tokenizers
    except ImportError:
        raise MissingExtraError("tokenizers", "tokenizers", "a tokenizer.json") from None
    try:
        return tokenizers.Tokenizer.from_str(source)
    except Exception as error:  # the package raises bare Exception for a malformed file
        raise LSTMError(f"expected a tokenizer.json, found: {error}.") from None
