"""Unicode normalisation that remembers where each character came from."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import combining, is_normalized, normalize


def nfkc_with_offsets(text: str) -> tuple[str, list[int] | range]:
    """Return the NFKC form of a text and, per character of it, an offset into the text.

    The list of offsets has one entry more than the form has characters: the end of the text.
    A character that came from several (a letter and its combining accent) points at the first;
    several that came from one (a ligature) all point at it.

    >>> nfkc_with_offsets("e\\u0301!")
    ('é!', [0, 2, 3])
    """
    if is_normalized("NFKC", text):
        return text, range(len(text) + 1)
    characters: list[str] = []
    offsets: list[int] = []
    for start, cluster in _clusters(text):
        form = normalize("NFKC", cluster)
        characters.append(form)
        offsets.extend([start] * len(form))
    return "".join(characters), [*offsets, len(text)]


def _clusters(text: str) -> Iterator[tuple[int, str]]:
    """Cut a text where normalising the parts gives the same as normalising the whole."""
    start = 0
    for position in range(1, len(text) + 1):
        following = text[position : _after_marks(text, position)]
        if position == len(text) or not _joins(text[start:position], following):
            yield start, text[start:position]
            start = position


def _after_marks(text: str, position: int) -> int:
    """Skip the character at a position and the marks on it, which may change places."""
    stop = position + 1
    while stop < len(text) and combining(normalize("NFKD", text[stop])[0]):
        stop += 1
    return stop


def _joins(cluster: str, following: str) -> bool:
    apart = normalize("NFKC", cluster) + normalize("NFKC", following)
    return normalize("NFKC", cluster + following) != apart
