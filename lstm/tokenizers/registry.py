"""The tokenizers there are, one line each."""

from __future__ import annotations

from typing import Any

from lstm.errors import LSTMError
from lstm.tokenizers.byte import ByteTokenizer
from lstm.tokenizers.character import CharacterTokenizer
from lstm.tokenizers.huggingface import HuggingFaceTokenizer
from lstm.tokenizers.tokenizer import Tokenizer
from lstm.tokenizers.word import WordTokenizer

TOKENIZERS: tuple[type[Tokenizer], ...] = (
    WordTokenizer,
    CharacterTokenizer,
    ByteTokenizer,
    HuggingFaceTokenizer,
)


def from_specification(specification: object) -> Tokenizer:
    """Make the tokenizer that a file's record describes.

    Raises:
        LSTMError: the record is malformed, or names a kind that does not exist.
    """
    if not isinstance(specification, dict):
        raise LSTMError("tokenizer: expected a record with its kind, found none.")
    record: dict[str, Any] = specification
    for tokenizer in TOKENIZERS:
        if record.get("kind") == tokenizer.kind:
            return tokenizer.from_specification(record)
    known = ", ".join(tokenizer.kind for tokenizer in TOKENIZERS)
    raise LSTMError(f"tokenizer: expected a kind among {known}; found {record.get('kind')!r}.")
