"""How much there is in a corpus, and how much its states will take, from the start of each file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lstm.errors import LSTMError
from lstm.model import Model
from weights.corpus.reading import Source
from weights.corpus.rows import Wanted
from weights.corpus.shards import sample


class Estimate(NamedTuple):
    """Exact where the files are short, else about right."""

    sequences: int
    tokens: int
    bytes: int


def estimate(model: Model, wanted: Wanted, sources: Sequence[Source]) -> Estimate | None:
    """Estimate what is to be done; None where a pipe is among the sources.

    Raises:
        LSTMError: a file cannot be read, or its first sequences do not fit the model.
    """
    if any(source.is_stream for source in sources):
        return None
    sequences = tokens = steps = 0.0
    for source in sources:
        texts, share = sample(source)
        lengths = []
        for text in texts:
            try:
                lengths.append(len(model.encode(text.text)))
            except LSTMError as error:
                raise error.at(text.place) from None
        if lengths:
            sequences += len(lengths) / share
            tokens += sum(lengths) / share
            steps += sum(len(wanted.steps(length)) for length in lengths) / share
    return Estimate(round(sequences), round(tokens), round(steps * wanted.step_bytes))
