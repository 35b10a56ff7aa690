"""A corpus in shards: what one part of the dataset is made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from weights.corpus.lines import Text
from weights.corpus.reading import Source

# A shard ends here at the latest, however few the sequences in it: one part is what is lost when
# a run is killed.
SHARD_BYTES = 2**22


class Shard(NamedTuple):
    """Some consecutive sequences: the `number`-th shard, from the sequence `first` on."""

    number: int
    first: int
    texts: tuple[Text, ...]

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
        return _unpacked, (self.number, self.first, runs)


def _unpacked(number: int, first: int, runs: Iterable[tuple[str, int, list[str]]]) -> Shard:
    texts = (
        Text(text, where, start + n) for where, start, run in runs for n, text in enumerate(run)
    )
    return Shard(number, first, tuple(texts))


def shards(
    sources: Sequence[Source], num_sequences: int, stdin: BinaryIO | None = None
) -> Iterator[Shard]:
    """Cut a corpus into shards of `num_sequences`, fewer where they are long.

    Where a shard ends depends on the texts alone, so that a run can be taken up again by any
    number of workers.
    """
    number = first = size = 0
    texts: list[Text] = []
    for text, _ in chain.from_iterable(source.items(stdin) for source in sources):
        texts.append(text)
        size += len(text.text)
        if len(texts) == num_sequences or size >= SHARD_BYTES:
            yield Shard(number, first, tuple(texts))
            number, first, size = number + 1, first + len(texts), 0
            texts = []
    if texts:
        yield Shard(number, first, tuple(texts))
