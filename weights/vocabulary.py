"""Tokenizers from files: vocab.txt, vocab.json, tokenizer.json. Free of numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from lstm.errors import LSTMError
from lstm.tokenizers.character import CharacterTokenizer
from lstm.tokenizers.huggingface import HuggingFaceTokenizer
from lstm.tokenizers.tokenizer import Tokenizer, Vocabulary, strings
from lstm.tokenizers.word import WordTokenizer
from weights.documents import parse
from weights.errors import UnreadableFileError, WeightsError
from weights.files import require_file

BESIDE = ("tokenizer.json", "vocab.json", "vocab.txt")
UNKNOWN = ("<unk>", "[UNK]", "<UNK>", "[unk]", "<oov>", "<OOV>", "UNK", "unk")
START = ("<s>", "<bos>", "[BOS]", "<sos>", "<start>")
END = ("</s>", "<eos>", "[EOS]", "<end>")


def beside(weights: Path) -> Path | None:
    """Return the vocabulary file in the folder of a weight file, or None."""
    found = (weights.parent / name for name in BESIDE)
    return next((path for path in found if path.is_file()), None)


def read_tokenizer(path: Path) -> tuple[Tokenizer, tuple[str, ...]]:
    """Read a vocabulary file and choose the tokenizer for it.

    A `vocab.txt` has one token a line, in the order of the ids; a `vocab.json` is a list of
    tokens, or an object from tokens to ids. Neither says how a text is cut: that is assumed
    from the tokens, and said.

    Returns:
        The tokenizer, and what was assumed, one sentence each.

    Raises:
        UnreadableFileError: the file cannot be read.
        LSTMError: its content is malformed.
    """
    try:
        require_file(path)
        text = path.read_text("utf-8")
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror}.").at(str(path)) from None
    except UnicodeDecodeError as error:
        message = f"expected UTF-8 text, found the byte at offset {error.start}."
        raise UnreadableFileError(message).at(str(path)) from None
    except LSTMError as error:
        raise error.at(str(path)) from None
    try:
        return _tokenizer(path, text)
    except LSTMError as error:
        raise error.at(str(path)) from None


def fingerprint(tokenizer: Tokenizer) -> str:
    """Return a hash of all that decides how a text becomes ids."""
    from hashlib import sha256  # late: it takes longer to import than a short run has

    return sha256(orjson.dumps(tokenizer.specification())).hexdigest()


def _tokenizer(path: Path, text: str) -> tuple[Tokenizer, tuple[str, ...]]:
    if path.suffix != ".json":
        return _guess(tuple(text.removesuffix("\n").split("\n")) if text else ())
    try:
        content = parse(text)
    except ValueError as error:
        raise WeightsError(f"expected JSON, found an error: {error}.") from None
    if isinstance(content, dict) and isinstance(content.get("model"), dict):
        return HuggingFaceTokenizer(text), ()
    return _guess(_in_order(content))


def _in_order(content: Any) -> tuple[str, ...]:
    """The tokens of a vocab.json, each at the place of its id."""
    if not isinstance(content, dict):
        return strings(content)
    if sorted(map(repr, content.values())) != sorted(map(repr, range(len(content)))):
        raise WeightsError(f"expected the ids 0 to {len(content) - 1}, each once, found others.")
    return tuple(sorted(content, key=content.__getitem__))


def _guess(tokens: tuple[str, ...]) -> tuple[Tokenizer, tuple[str, ...]]:
    """Choose words or characters, and the case, by what the tokens look like."""
    special = {
        role: next((token for token in names if token in tokens), None)
        for role, names in (("unknown", UNKNOWN), ("start", START), ("end", END))
    }
    vocabulary = Vocabulary(tokens, **special)
    plain = [token for token in tokens if token not in special.values()]
    lowercase = bool(plain) and not any(token != token.lower() for token in plain)
    # Some character models have white space, or nothing, of any length as padding.
    characters = bool(plain) and all(len(token.strip()) <= 1 for token in plain)
    kind = CharacterTokenizer if characters else WordTokenizer
    assumed = [f"tokenizer: {kind.kind} (from the look of the vocabulary)"]
    if lowercase:
        assumed.append("tokenizer: lower case (the vocabulary has no upper case)")
    if vocabulary.unknown:
        assumed.append(f"tokenizer: {vocabulary.unknown} stands for unknown words")
    return kind(vocabulary, lowercase=lowercase), tuple(assumed)
