"""Two texts side by side: where they part, and which units carry the difference on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lstm.address import Address
from lstm.analysis.intervention import Change
from lstm.analysis.metric import Metric
from lstm.analysis.sweep import one_by_one
from lstm.arrays import Floats
from lstm.card import Card
from lstm.cell_trace import DirectionTrace
from lstm.errors import LSTMError
from lstm.head import best_outcomes, log_softmax
from lstm.model import Model
from lstm.trace import Trace

# How many words are named that lose, and as many that gain.
NUM_WORDS = 4

Float: TypeAlias = "np.floating[Any]"


class Pair(NamedTuple):
    """A step of the first text and the one beside it of the second.

    `cell` and `hidden` are the distances of all their cell states and hidden states, Euclidean;
    `largest` is the unit whose cell states differ most, None where none do.
    """

    first: int
    second: int
    same_token: bool
    cell: float
    hidden: float
    largest: Address | None


class UnitDifference(NamedTuple):
    """A unit at the last pair of steps: what each text has there.

    `hidden` is None where a projection mixes the units.
    """

    layer: int
    direction: str
    unit: int
    cell: tuple[Float, Float]
    hidden: tuple[Float, Float] | None

    @property
    def address(self) -> Address:
        """Where its cell state is."""
        return Address(self.layer, self.direction, "c", self.unit)

    @property
    def differences(self) -> tuple[float, float | None]:
        """By how much the second text has more, of the cell state and of the hidden state."""
        cell = float(self.cell[1]) - float(self.cell[0])
        if self.hidden is None:
            return cell, None
        return cell, float(self.hidden[1]) - float(self.hidden[0])

    @property
    def size(self) -> float:
        """The larger of the two differences, without its sign."""
        return max(abs(difference or 0.0) for difference in self.differences)


class WordDifference(NamedTuple):
    """An outcome of the head after the last pair of steps, and its two probabilities."""

    name: str
    id: int
    probabilities: tuple[float, float]

    @property
    def change(self) -> float:
        return self.probabilities[1] - self.probabilities[0]


class Patches(NamedTuple):
    """A metric in both texts, and in the first after each of several patches, (N,)."""

    metric: Metric
    first: float
    second: float
    after: Floats


class Contrast(NamedTuple):
    """How two runs differ, step by step and at the end.

    Args:
        pairs: the steps that stand side by side.
        units: all of them, the largest difference first.
        words: the outcomes that lose most and that gain most, the largest change first.
    """

    pairs: tuple[Pair, ...]
    units: tuple[UnitDifference, ...]
    words: tuple[WordDifference, ...]

    @property
    def parting(self) -> Pair | None:
        """The first pair with other tokens."""
        return next((pair for pair in self.pairs if not pair.same_token), None)

    def carriers(self, card: Card, count: int) -> list[UnitDifference]:
        """The units that differ most at the end, those with a name before the others."""
        largest = [unit for unit in self.units[:count] if unit.size]
        return sorted(largest, key=lambda unit: card.named(*unit[:3]) is None)

    @property
    def log_odds(self) -> Metric | None:
        """The word that loses most against the one that gains most; None where none does."""
        losing = min(self.words, key=lambda word: word.change, default=None)
        gaining = max(self.words, key=lambda word: word.change, default=None)
        if losing is None or gaining is None or not losing.change < 0 < gaining.change:
            return None
        return Metric.log_odds(losing.name, gaining.name)


def contrast(first: Trace, second: Trace, align: str = "start") -> Contrast:
    """Put two runs of one model side by side.

    Args:
        first: a run of one sequence, at least one step.
        second: another.
        align: which ends of texts of different lengths stand side by side, "start" or "end".

    Raises:
        LSTMError: a text has no step.
    """
    numbers = aligned((first.num_steps, second.num_steps), align)
    steps = list(zip(*numbers, strict=True))
    if not steps:
        raise LSTMError("contrast: expected two texts of at least one word, found an empty one.")
    return Contrast(
        tuple(_pair(first, second, *both) for both in steps),
        tuple(sorted(_units(first, second, *steps[-1]), key=lambda unit: -unit.size)),
        _words(first, second, *steps[-1]),
    )


def aligned(lengths: Sequence[int], align: str) -> list[range]:
    """Return the steps of each text that stand side by side, from the `start` or to the `end`.

    >>> aligned((2, 3), "end")
    [range(0, 2), range(1, 3)]
    """
    common = min(lengths)
    starts = (length - common if align == "end" else 0 for length in lengths)
    return [range(start, start + common) for start in starts]


def patch(
    model: Model,
    traces: tuple[Trace, Trace],
    last: Pair,
    units: Sequence[UnitDifference],
    metric: Metric,
) -> Patches:
    """Give the first text the cell state of the second in some units, one at a time.

    Args:
        model: what ran.
        traces: the runs of both texts.
        last: the last pair of their steps.
        units: the units, as they are there.
        metric: what is measured, after this pair's step where it does not say.

    Raises:
        LSTMError: the metric asks for what is not there.
    """
    first, second = traces
    changes = [Change(u.address._replace(steps=last.first), float(u.cell[1])) for u in units]
    before, after = one_by_one(model, first, changes, metric, last.first)
    other = one_by_one(model, second, (), metric, last.second).before
    return Patches(metric, before, other, after)


def _cells(first: Trace, second: Trace) -> Iterator[tuple[int, DirectionTrace, DirectionTrace]]:
    for layer, (one, two) in enumerate(zip(first.layers, second.layers, strict=True)):
        for records in zip(one.directions, two.directions, strict=True):
            yield layer, *records


def _pair(first: Trace, second: Trace, one: int, two: int) -> Pair:
    squares = {"cell": 0.0, "hidden": 0.0}
    largest: tuple[float, Address | None] = (0.0, None)
    for layer, left, right in _cells(first, second):
        for name in squares:
            difference = _difference(getattr(left, name)[one], getattr(right, name)[two])
            squares[name] += float(difference @ difference)
        sizes = np.abs(_difference(left.cell[one], right.cell[two]))
        unit = int(sizes.argmax())
        if sizes[unit] > largest[0]:
            largest = float(sizes[unit]), Address(layer, left.direction, "c", unit)
    same = _is_same_token(first, second, one, two)
    cell, hidden = (float(np.sqrt(square)) for square in squares.values())
    return Pair(one, two, same, cell, hidden, largest[1])


def _difference(one: Floats, two: Floats) -> Floats:
    return np.asarray(two.astype(np.float64) - one)


def _is_same_token(first: Trace, second: Trace, one: int, two: int) -> bool:
    """Whether the model reads the same, whatever was typed."""
    left, right = (trace.layers[0].first.layer_input for trace in (first, second))
    return np.array_equal(left[one], right[two])


def _units(first: Trace, second: Trace, one: int, two: int) -> Iterator[UnitDifference]:
    for layer, left, right in _cells(first, second):
        is_mixed = left.variant.projection is not None
        for unit in range(left.cell.shape[1]):
            cell = (left.cell[one, unit], right.cell[two, unit])
            hidden = None if is_mixed else (left.hidden[one, unit], right.hidden[two, unit])
            yield UnitDifference(layer, left.direction, unit, cell, hidden)


def _words(first: Trace, second: Trace, one: int, two: int) -> tuple[WordDifference, ...]:
    """The outcomes that lose most and those that gain most, from one text to the other."""
    head = first.head
    if head is None:
        return ()
    scores = (head.logits(trace.output[step]) for trace, step in ((first, one), (second, two)))
    left, right = (np.exp(log_softmax(score)) for score in scores)
    changes = right - left
    chosen = {
        *best_outcomes(changes, NUM_WORDS).tolist(),
        *best_outcomes(-changes, NUM_WORDS).tolist(),
    }
    words = (
        WordDifference(head.name(n), n, (float(left[n]), float(right[n])))
        for n in chosen
        if changes[n] != 0
    )
    return tuple(sorted(words, key=lambda word: (-abs(word.change), word.id)))
