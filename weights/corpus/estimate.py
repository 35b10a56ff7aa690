"""How much there is in a corpus, and how much its states will take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate
from random import Random
from typing import NamedTuple

from lstm.errors import LSTMError
from lstm.model import Model
from weights.corpus.lines import Text
from weights.corpus.reading import Source
from weights.corpus.rows import Wanted

# So many sequences, from all over the corpus, tell how many tokens there are; of long ones the
# beginning does.
_SAMPLE = 1000
_BEGINNING = 2**12
# Whether there is too much already is asked after so many sequences, twice as many, and so on.
_FIRST_LOOK = 10_000
# The steps -1 or :10 are as many of so many as of twice as many; 5: is not.
_MANY = 10_000


class Estimate(NamedTuple):
    """Sequences are counted; tokens and bytes are exact of a few short ones, else about right."""

    sequences: int
    tokens: int
    bytes: int


def estimate(
    model: Model, wanted: Wanted, sources: Sequence[Source], most: float = math.inf
) -> Estimate | None:
    """Estimate what is to be done; None where a pipe is among the sources.

    All of the corpus is read, so that what cannot be read is found before anything is made. As
    soon as there are more than `most` bytes to write, the rest is taken to be as what was read.

    Raises:
        LSTMError: a file cannot be read, or a sequence of the sample does not fit the model.
    """
    if any(source.is_stream for source in sources):
        return None
    sample = _Sample()
    before = list(accumulate((source.num_bytes for source in sources), initial=0))
    look = _FIRST_LOOK
    for number, source in enumerate(sources):
        for text, fraction in source.items():
            sample.add(text)
            if sample.sequences == look:
                look *= 2
                if _scaled(model, wanted, sample, 1.0).bytes > most:
                    read = before[number] + fraction * source.num_bytes
                    return _scaled(model, wanted, sample, before[-1] / max(1.0, read))
    return _scaled(model, wanted, sample, 1.0)


class _Sample:
    """Counts sequences and characters, and keeps some sequences, each as likely as any other.

    Which ones is drawn, always alike: every k-th would be one half only of a corpus whose lines
    take turns. Source: Li (1994), Reservoir-sampling algorithms of time complexity O(n(1 +
    log(N/n))), algorithm L.
    """

    def __init__(self) -> None:
        self.sequences = self.characters = 0
        self.texts: list[Text] = []
        self._random = Random(0)
        self._share = 1.0
        self._next = self._drawn(_SAMPLE)

    def add(self, text: Text) -> None:
        if self.sequences < _SAMPLE:
            self.texts.append(text)
        elif self.sequences == self._next:
            self.texts[self._random.randrange(_SAMPLE)] = text
            self._next = self._drawn(self._next + 1)
        self.sequences += 1
        self.characters += len(text.text)

    def _drawn(self, first: int) -> int:
        """Draw the number of the next sequence to keep, `first` or a later one."""
        self._share *= (1 - self._random.random()) ** (1 / _SAMPLE)
        return first + int(math.log(1 - self._random.random()) / math.log1p(-self._share))


def _scaled(model: Model, wanted: Wanted, sample: _Sample, factor: float) -> Estimate:
    """Conclude from the sample to `factor` times what was counted."""
    lengths = [_length(model, text) for text in sample.texts]
    steps = sum(len(wanted.steps(length)) for length in lengths)
    by_sequences = sample.sequences / max(1, len(lengths))
    by_characters = sample.characters / max(1, sum(len(text.text) for text in sample.texts))
    # Of the last step, say, there are as many as sequences, however long these are.
    has_end = len(wanted.steps(_MANY)) == len(wanted.steps(2 * _MANY))
    return Estimate(
        round(factor * sample.sequences),
        round(factor * by_characters * sum(lengths)),
        round(factor * (by_sequences if has_end else by_characters) * steps * wanted.step_bytes),
    )


def _length(model: Model, text: Text) -> int:
    """Count the tokens of a sequence; those of a long one about."""
    beginning = text.text[:_BEGINNING]
    if len(beginning) < len(text.text):
        with suppress(LSTMError):  # a word may be cut in two
            return round(len(model.encode(beginning)) * len(text.text) / len(beginning))
    try:
        return len(model.encode(text.text))
    except LSTMError as error:
        raise error.at(text.place) from None
