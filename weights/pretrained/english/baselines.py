"""The baselines: counted words, and the modified Kneser-Ney trigram of Chen and Goodman (1999)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

Gram = tuple[int, ...]
Ids = Sequence[Sequence[int]]
Probability = Callable[[Gram, int], float]  # of a token, after the tokens before it

ORDER = 3


def unigram(sentences: Ids, end: int) -> Probability:
    """Return the share of a token in the training text, whatever stands before it.

    One is added to every count, so that no word of the vocabulary is impossible.
    """
    counts = Counter(token for ids in sentences for token in (*ids, end))
    total = counts.total() + len(counts)
    return lambda _, token: (counts[token] + 1) / total


def kneser_ney(sentences: Ids, start: int, end: int, tokens: int) -> Probability:
    """Return the interpolated trigram with three discounts per order.

    Every order below the highest counts how many different tokens a gram follows.
    """
    counts = Counter(gram for ids in sentences for gram in _grams(ids, start, end))
    orders = []
    for _ in range(ORDER):
        orders.append(_Order(counts))
        counts = Counter(gram[1:] for gram in counts)

    def probability(before: Gram, token: int) -> float:
        # Mixed from below: the uniform distribution, single tokens, pairs, triples.
        mixed = 1 / tokens
        padded = (*(start,) * ORDER, *before)
        for length, order in enumerate(reversed(orders)):
            mixed = order.mixed(padded[len(padded) - length :], token, mixed)
        return mixed

    return probability


def perplexity(probability: Probability, sentences: Ids, end: int) -> float:
    """Return the perplexity from the second word on, the end of the sentence included."""
    surprise = [
        -math.log(probability(whole[:at], whole[at]))
        for whole in ((*ids, end) for ids in sentences)
        for at in range(1, len(whole))
    ]
    return math.exp(math.fsum(surprise) / len(surprise))


class _Order:
    """The grams of one length, discounted by what the counts of counts say."""

    def __init__(self, counts: Counter[Gram]) -> None:
        self._counts = counts
        self._discounts = _discounts(counts)
        self._totals: Counter[Gram] = Counter()
        self._freed: defaultdict[Gram, float] = defaultdict(float)
        for gram, count in counts.items():
            self._totals[gram[:-1]] += count
            self._freed[gram[:-1]] += self._discount(count)

    def mixed(self, before: Gram, token: int, lower: float) -> float:
        """Return the probability, the freed mass being shared out as the lower order says."""
        total = self._totals[before]
        if not total:
            return lower
        count = self._counts[*before, token]
        return (count - self._discount(count) + self._freed[before] * lower) / total

    def _discount(self, count: int) -> float:
        return self._discounts[min(count, 3)]


def _grams(ids: Sequence[int], start: int, end: int) -> list[Gram]:
    padded = (*(start,) * (ORDER - 1), *ids, end)
    return [padded[at : at + ORDER] for at in range(len(padded) - ORDER + 1)]


def _discounts(counts: Counter[Gram]) -> tuple[float, ...]:
    """Estimate the discounts of a count of 0, 1, 2 and 3 or more."""
    of = Counter(counts.values())
    y = of[1] / (of[1] + 2 * of[2])
    return (0.0, *(n - (n + 1) * y * of[n + 1] / of[n] for n in (1, 2, 3)))
