"""One token per byte of the text's UTF-8 form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from lstm.errors import LSTMError
from lstm.tokenizers.tokenizer import Piece, Tokenizer, Vocabulary

BYTES = tuple(f"<{value:02x}>" for value in range(256))


class ByteTokenizer(Tokenizer):
    """Cut a text into the bytes of its UTF-8 form; the id of a byte is its value.

    A byte is read as `<c3>`. Every byte of a character stands at that character's offsets.

    >>> [(piece.text, piece.read) for piece in ByteTokenizer().pieces("é")]
    [('é', '<c3>'), ('é', '<a9>')]
    """

    kind: ClassVar[str] = "byte"

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        super().__init__(vocabulary or Vocabulary(BYTES))

    def pieces(self, text: str) -> list[Piece]:
        return [
            Piece(character, BYTES[value], n, n + 1)
            for n, character in enumerate(text)
            for value in character.encode("utf-8", "surrogateescape")
        ]

    def write(self, ids: Sequence[int]) -> str:
        return bytes(ids).decode("utf-8", "replace")

    def specification(self) -> dict[str, Any]:
        """A byte tokenizer needs no vocabulary in the file: the bytes are the vocabulary."""
        return {"kind": self.kind}

    @classmethod
    def from_specification(cls, specification: dict[str, Any]) -> ByteTokenizer:
        if options := sorted(specification.keys() - {"kind"}):
            raise LSTMError(
                f"tokenizer: expected the options of kind {cls.kind!r}, found {', '.join(options)}."
            )
        return cls()
