"""From hidden states to predictions: the next token, or a label for each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lstm.arrays import Floats, Integers, frozen, matvec
from lstm.errors import LSTMError, ShapeError

# How many steps are scored at once: a block of scores stays small however long the text.
BLOCK = 256


class Prediction(NamedTuple):
    """One outcome and its probability, 0 to 1."""

    name: str
    id: int
    probability: float


class Forecast(NamedTuple):
    """What a head says of a sequence of T steps.

    `predictions` holds the best outcomes after each step. `surprisal` holds, for each token,
    how unexpected it was in bits, 0 or more; None where nothing had predicted it.
    """

    predictions: tuple[tuple[Prediction, ...], ...]
    surprisal: tuple[float | None, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Head:
    """A matrix with bias over the top hidden state, with or without a projection before it.

    logits = weight (projection h + projection_bias) + bias

    Args:
        weight: (O, P), or (O, H) where there is no projection; a tied head is given the
            embedding's table.
        bias: (O,) or None.
        projection: (P, H) or None; `projection_bias` (P,) or None.
        names: O labels, or the O tokens of the vocabulary; None: outcomes are named by number.
        predicts_tokens: True where an outcome is the next token, False where it is a label.

    Raises:
        ShapeError: the parts do not fit together.
        LSTMError: there is no outcome, or there are more or fewer names than outcomes.
    """

    weight: Floats
    bias: Floats | None = None
    projection: Floats | None = None
    projection_bias: Floats | None = None
    names: tuple[str, ...] | None = None
    predicts_tokens: bool = True

    def __post_init__(self) -> None:
        for name, array in self.arrays.items():
            object.__setattr__(self, name, frozen(array))
        self._check_shapes()
        if self.names is not None and len(self.names) != self.num_outcomes:
            raise LSTMError(
                f"head: expected {self.num_outcomes} names, one per row of its weight, "
                f"found {len(self.names)}."
            )

    def _check_shapes(self) -> None:
        if self.weight.ndim != 2:
            raise ShapeError("head", "(outcomes, hidden_size)", (), self.weight.shape)
        outcomes, width = self.weight.shape
        if not self.weight.size:
            raise LSTMError(f"head: expected at least one outcome, found {self.weight.shape}.")
        for name, array, expected in (
            ("head bias", self.bias, (outcomes,)),
            ("head projection", self.projection, (width, self.input_size)),
            ("head projection bias", self.projection_bias, (width,)),
        ):
            if array is not None and array.shape != expected:
                raise ShapeError(name, str(expected), expected, array.shape)

    @property
    def num_outcomes(self) -> int:
        return int(self.weight.shape[0])

    @property
    def input_size(self) -> int:
        """The width of the hidden state that it reads."""
        first = self.weight if self.projection is None else self.projection
        return int(first.shape[-1])

    @property
    def arrays(self) -> dict[str, Floats]:
        """Return the arrays that are there, by name."""
        names = ("weight", "bias", "projection", "projection_bias")
        return {name: array for name in names if (array := getattr(self, name)) is not None}

    def logits(self, hidden: Floats) -> Floats:
        """Score every outcome for hidden states (..., H); returns (..., O)."""
        if self.projection is not None:
            hidden = matvec(self.projection, hidden)
        if self.projection_bias is not None:
            hidden = hidden + self.projection_bias
        scores = matvec(self.weight, hidden)
        return scores if self.bias is None else scores + self.bias

    def name(self, outcome: int) -> str:
        """Return the token or label of an outcome, or its number."""
        return str(outcome) if self.names is None else self.names[outcome]

    def outcome(self, name: str) -> int:
        """Return the outcome of this name; where none has a name, its number is one.

        Raises:
            LSTMError: there is no such outcome.
        """
        if self.names is not None and name in self.names:
            return self.names.index(name)
        if self.names is None and name.isdecimal() and int(name) < self.num_outcomes:
            return int(name)
        kind = "token" if self.predicts_tokens else "label"
        known = (
            f"a number from 0 to {self.num_outcomes - 1}"
            if self.names is None
            else (f"a {kind} among the {self.num_outcomes} that the head scores")
        )
        raise LSTMError(f"expected {known}, found {name!r}.")


def log_softmax(logits: Floats) -> Floats:
    """Turn scores (..., O) into natural logarithms of probabilities, in float64.

    >>> np.exp(log_softmax(np.array([0.0, 0.0]))).tolist()
    [0.5, 0.5]
    """
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=-1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True)))


def softmax(logits: Floats) -> Floats:
    """Turn scores (..., O) into probabilities of the same dtype, computed in float64.

    >>> softmax(np.array([0.0, np.log(3)])).round(6).tolist()
    [0.25, 0.75]
    """
    return np.exp(log_softmax(logits)).astype(logits.dtype)


@np.errstate(over="ignore", invalid="ignore")
def forecast(
    head: Head,
    hidden: Floats,
    k: int,
    ids: Sequence[int] | None = None,
    before: Floats | None = None,
) -> Forecast:
    """Let a head predict after each step, and measure how well the next token was foreseen.

    Args:
        head: the head.
        hidden: (T, H), the top layer's hidden states.
        k: how many outcomes to name per step.
        ids: the T tokens that were read; None: no surprisal.
        before: (H,), the hidden state before the first step, which predicts the first token;
            None at the start of a text, where nothing predicts it.

    Returns:
        Predictions for T steps, and T surprisals (none where there are no ids).
    """
    predictions: list[tuple[Prediction, ...]] = []
    surprisal: list[float | None] = []
    if ids:
        surprisal.append(None if before is None else _bits(head, before, ids[0]))
    for step, scores in _scored(head, hidden):
        predictions.append(_best(head, scores, k))
        if ids and step + 1 < len(ids):
            surprisal.append(float(-scores[ids[step + 1]] / np.log(2)))
    return Forecast(tuple(predictions), tuple(surprisal))


def _scored(head: Head, hidden: Floats) -> Iterator[tuple[int, Floats]]:
    """Yield each step with its log probabilities."""
    for start in range(0, len(hidden), BLOCK):
        block = log_softmax(head.logits(hidden[start : start + BLOCK]))
        yield from enumerate(block, start)


def _bits(head: Head, hidden: Floats, outcome: int) -> float:
    return float(-log_softmax(head.logits(hidden))[outcome] / np.log(2))


def best_outcomes(scores: Floats, k: int) -> Integers:
    """Return the k best outcomes of (O,) scores, the best first, equals by their number.

    >>> best_outcomes(np.array([1.0, 3.0, 3.0, 2.0]), 2).tolist()
    [1, 2]
    """
    candidates = np.arange(len(scores))
    if 0 < k < len(scores):
        floor = np.partition(scores, -k)[-k]
        candidates = np.flatnonzero(~(scores < floor))  # all of them where the floor is no number
    order = np.argsort(-scores[candidates], kind="stable")
    return np.asarray(candidates[order][:k])


def _best(head: Head, scores: Floats, k: int) -> tuple[Prediction, ...]:
    """The k best outcomes of one step, the most probable first, equals by their number."""
    best = best_outcomes(scores, k).tolist()
    return tuple(Prediction(head.name(n), n, float(np.exp(scores[n]))) for n in best)
