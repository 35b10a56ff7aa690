"""A corpus of sentences: tokens a second with all gates kept, beside the peers at their best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from lstm.embedding import Embedding
from lstm.engines.compiled import CompiledEngine
from lstm.lengths import batches, starts
from lstm.lookup import Lookup
from lstm.model import Model
from lstm.parameters import LayerParameters, Parameters
from lstm.quantities import GATES
from tests.benchmarks.long import cell_of
from tests.benchmarks.peers import Peer, peers
from tests.benchmarks.timing import medians

SIZES = (64, 256, 650)
# Sequences in one batch; each peer is given the best of these.
BATCHES = (32, 64, 128)
# Bytes of a batch of ours, as `lstm extract` has them.
OURS = 2**24


class Sentences(NamedTuple):
    """Token ids of all, one sentence after another, and where each begins and how long it is."""

    ids: np.ndarray
    first: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, sentences: Sequence[np.ndarray]) -> Sentences:
        lengths = np.array([len(each) for each in sentences])
        return cls(np.concatenate(sentences), starts(lengths), lengths)


def measure(
    sentences: Sequence[np.ndarray], embedded: Model, threads: int, rounds: int = 3
) -> Iterator[dict[str, Any]]:
    """Yield one record per model: the embedded one, and random ones with its vocabulary."""
    assert embedded.embedding is not None
    rows = len(embedded.embedding.weight)
    yield _measure(sentences, embedded, threads, rounds)
    for size in SIZES:
        table = np.random.default_rng(2).normal(size=(rows, size)).astype(np.float32)
        layers = (LayerParameters(cell_of(size)),)
        yield _measure(sentences, Model(Parameters(layers), Embedding(table)), threads, rounds)


def _measure(
    sentences: Sequence[np.ndarray], model: Model, threads: int, rounds: int
) -> dict[str, Any]:
    size = model.parameters.hidden_size
    assert model.parameters.num_layers == 1
    assert model.embedding is not None
    # The peers need minutes for the large models: the same part of the corpus for all.
    count = max(1000, int(len(sentences) * min(1, (64 / size) ** 2)))
    some = Sentences.of(sentences[:count])
    engine = CompiledEngine().recording((*GATES, "cell", "hidden"))
    lookup = Lookup(Model(model.parameters, model.embedding, engine=engine))
    ways = {"lstm": lambda: ours(lookup, some, threads)}
    cell = model.parameters.layers[0].forward
    table = model.embedding.weight
    for count in sorted({1, threads}):
        for peer in peers(cell, count):
            for batch in BATCHES:
                ways[f"{peer.name}, {count} thread(s), batches of {batch}"] = (
                    lambda peer=peer, batch=batch: theirs(peer, table, some, batch)
                )
    seconds = medians(ways, rounds)
    return {
        "size": size,
        "threads": threads,
        "sentences": len(some.lengths),
        "tokens per second": {name: len(some.ids) / each for name, each in seconds.items()},
    }


def ours(lookup: Lookup, sentences: Sentences, threads: int) -> None:
    """Batches of like lengths, nothing padded; each thread takes one after the other."""
    ids, first, lengths = sentences

    def run(batch: Sequence[int]) -> None:
        some = lengths[batch]
        places = np.repeat(first[batch] - starts(some), some) + np.arange(some.sum())
        lookup.run(ids[places], None, some)

    cells = lookup.model.parameters.layers[0].directions.values()
    numbers = sum(cell.input_size + 10 * cell.hidden_size for cell in cells)
    parts = batches(lengths, max(1, OURS // (4 * numbers)))
    if threads == 1:
        for batch in parts:
            run(batch)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, parts))


def theirs(peer: Peer, table: np.ndarray, sentences: Sentences, batch: int) -> None:
    """Sorted by length, padded to the longest of the batch, or packed."""
    ids, first, lengths = sentences
    order = np.argsort(lengths, kind="stable")
    for low in range(0, len(order), batch):
        some = order[low : low + batch]
        steps = np.arange(lengths[some].max())[:, np.newaxis]
        places = first[some] + np.minimum(steps, lengths[some] - 1)
        peer.run(table[ids[places]], lengths[some])
