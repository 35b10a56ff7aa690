"""Words, numbers and single punctuation marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar
from unicodedata import category

from lstm.tokenizers.normalization import nfkc_with_offsets
from lstm.tokenizers.tokenizer import Piece, Tokenizer, Vocabulary

NO_GAP_BEFORE = frozenset(".,;:!?)]}%…")
NO_GAP_AFTER = frozenset("([{$")


class WordTokenizer(Tokenizer):
    """Cut a text into words with inner apostrophes, numbers, and single other characters.

    The text is read in its NFKC form, with a straight apostrophe for a curly one, and in lower
    case where `lowercase` says so.

    >>> from lstm.tokenizers.tokenizer import Vocabulary
    >>> tokenizer = WordTokenizer(Vocabulary(("don't", "?")), lowercase=True)
    >>> [(piece.text, piece.read) for piece in tokenizer.pieces("Don’t?")]
    [('Don’t', "don't"), ('?', '?')]
    """

    kind: ClassVar[str] = "word"

    def __init__(self, vocabulary: Vocabulary, lowercase: bool = False) -> None:
        super().__init__(vocabulary)
        self.lowercase = lowercase

    def pieces(self, text: str) -> list[Piece]:
        form, offsets = nfkc_with_offsets(text)
        read = self._read
        found = []
        for match in _pattern(form.isascii()).finditer(form):
            start, end = match.span()
            typed = word = match[0]
            if form is not text:
                # Two pieces of one character (an ellipsis read as three dots) share its place.
                start, end = offsets[start], max(offsets[end], offsets[start] + 1)
                typed = text[start:end]
            found.append(Piece(typed, read(word), start, end))
        return found

    def write(self, ids: Sequence[int]) -> str:
        words = [self.vocabulary.tokens[i] for i in ids]
        pairs = zip(["", *words], words, strict=False)
        return "".join(_gap(before, word) + word for before, word in pairs)

    def options(self) -> dict[str, Any]:
        return {"lowercase": self.lowercase}

    def _read(self, word: str) -> str:
        straight = word if word.isascii() else word.replace("’", "'")
        return straight.lower() if self.lowercase else straight


def _gap(before: str, word: str) -> str:
    tight = not before or word in NO_GAP_BEFORE or before in NO_GAP_AFTER
    return "" if tight else " "


@cache
def _pattern(ascii_only: bool) -> re.Pattern[str]:
    """The grammar of a piece; combining marks belong to the letter that they follow."""
    letter = r"[^\W_]" if ascii_only else rf"(?:[^\W_][{_combining_marks()}]*)"
    number = r"\d+(?:[.,]\d+)*(?![^\W_])"
    word = rf"{letter}+(?:['’]{letter}+)*"
    return re.compile(rf"{number}|{word}|\S")


def _combining_marks() -> str:
    """Every combining mark of the basic plane, as the inside of a character class.

    The standard library's expressions do not count vowel signs (Devanagari, Thai) as letters.
    """
    marks = (chr(code) for code in range(0x300, 0xFFFF))
    return "".join(mark for mark in marks if category(mark).startswith("M"))
