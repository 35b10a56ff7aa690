"""A corpus in shards: what one part of the dataset is made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, BinaryIO, NamedTuple

from weights.corpus.lines import Text
from weights.corpus.reading import Source

# A shard ends here at the latest, however few the sequences in it: one part is what is lost when
# a run is killed.
SHARD_BYTES = 2**22


class Shard(NamedTuple):
    """Some consecutive sequences: the `number`-th shard, from the sequence `first` on.

    `read` is how much of the corpus is read at its end, in bytes of its files.
    """

    number: int
    first: int
    texts: tuple[Text, ...]
    read: float = 0.0

    @property
    def sha256(self) -> str:
        """A hash of the texts, which tells whether a stream is still the same."""
        digest = sha256()
        for text in self.texts:
            data = text.text.encode()
            digest.update(b"%d:" % len(data))
            digest.update(data)
        return digest.hexdigest()

    def __reduce__(self) -> Any:
        """Travel to another process as bare texts: where they stand counts up by itself."""
        runs: list[tuple[str, int, list[str]]] = []
        for text, where, number in self.texts:
            if not runs or runs[-1][0] != where or runs[-1][1] + len(runs[-1][2]) != number:
                runs.append((where, number, []))
            runs[-1][2].append(text)
        return _unpacked, (self.number, self.first, self.read, runs)


def _unpacked(
    number: int, first: int, read: float, runs: Iterable[tuple[str, int, list[str]]]
) -> Shard:
    texts = (
        Text(text, where, start + n) for where, start, run in runs for n, text in enumerate(run)
    )
    return Shard(number, first, tuple(texts), read)


def shards(
    sources: Sequence[Source], num_sequences: int, stdin: BinaryIO | None = None
) -> Iterator[Shard]:
    """Cut a corpus into shards of `num_sequences`, fewer where they are long.

    Where a shard ends depends on the texts alone, so that a run can be taken up again by any
    number of workers.
    """
    number = first = size = 0
    texts: list[Text] = []
    read = 0.0
    for read, text in _texts(sources, stdin):
        texts.append(text)
        size += len(text.text)
        if len(texts) == num_sequences or size >= SHARD_BYTES:
            yield Shard(number, first, tuple(texts), read)
            number, first, size = number + 1, first + len(texts), 0
            texts = []
    if texts:
        yield Shard(number, first, tuple(texts), read)


def _texts(sources: Sequence[Source], stdin: BinaryIO | None) -> Iterator[tuple[float, Text]]:
    before = 0
    for source in sources:
        size = source.num_bytes
        for text, fraction in source.items(stdin):
            yield before + fraction * size, text
        before += size
