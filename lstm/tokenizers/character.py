"""One token per character."""

from __future__ import annotations

from typing import Any, ClassVar

from lstm.tokenizers.tokenizer import Piece, Tokenizer, Vocabulary


class CharacterTokenizer(Tokenizer):
    """Cut a text into its code points, white space included; in lower case by option.

    >>> from lstm.tokenizers.tokenizer import Vocabulary
    >>> [piece.read for piece in CharacterTokenizer(Vocabulary(("a", "b"))).pieces("ba")]
    ['b', 'a']
    """

    kind: ClassVar[str] = "character"

    def __init__(self, vocabulary: Vocabulary, lowercase: bool = False) -> None:
        super().__init__(vocabulary)
        self.lowercase = lowercase

    def pieces(self, text: str) -> list[Piece]:
        return [
            Piece(character, character.lower() if self.lowercase else character, n, n + 1)
            for n, character in enumerate(text)
        ]

    def options(self) -> dict[str, Any]:
        return {"lowercase": self.lowercase}
