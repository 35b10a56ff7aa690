"""One outcome of a head, next word or label: its name, and its score as a sum over units."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from lstm.arrays import Floats
from lstm.errors import LSTMError
from lstm.head import Head, log_softmax

_GRAMMAR = r"logit\((?P<name>.+)\)(?:@(?P<step>\d+))?"


class Score(NamedTuple):
    """A place: the score of an outcome, after one step or, None, after any.

    >>> Score.parse("logit(are)@3")
    logit(are)@3
    """

    name: str
    step: int | None = None

    @classmethod
    def parse(cls, text: str) -> Score:
        """Read `logit(are)@3` or `logit(are)`.

        Raises:
            LSTMError: the text does not follow the grammar.
        """
        match = re.fullmatch(_GRAMMAR, text)
        if match is None:
            raise LSTMError(
                f"score {text!r}: expected logit(WORD) or logit(WORD)@step, as logit(are)@3."
            )
        return cls(match["name"], None if match["step"] is None else int(match["step"]))

    def __repr__(self) -> str:
        return f"logit({self.name})" + ("" if self.step is None else f"@{self.step}")


class Outcome(NamedTuple):
    """An outcome's score: `weights` (H,) times the top hidden state, plus a constant.

    A projection of the head is multiplied out, so that every unit has one weight.
    """

    id: int
    name: str
    weights: Floats
    constant: float

    @classmethod
    def of(cls, head: Head, name: str) -> Outcome:
        """Find an outcome by its name, or by its number where outcomes have no names.

        Raises:
            LSTMError: there is no such outcome.
        """
        number = _number(head, name)
        row = head.weight[number].astype(np.float64)
        constant = 0.0 if head.bias is None else float(head.bias[number])
        if head.projection_bias is not None:
            constant += float(row @ head.projection_bias)
        weights = row if head.projection is None else row @ head.projection.astype(np.float64)
        return cls(number, name, weights, constant)


def _number(head: Head, name: str) -> int:
    if head.names is not None and name in head.names:
        return head.names.index(name)
    last = head.num_outcomes - 1
    if head.names is None and name.isdecimal() and int(name) <= last:
        return int(name)
    known = f"a number from 0 to {last}" if head.names is None else f"one of {last + 1} names"
    raise LSTMError(f"logit({name}): expected {known} that the head scores, found {name!r}.")


class Standing(NamedTuple):
    """How an outcome stands among all: its probability, 0 to 1, and its rank, 1 for the best."""

    probability: float
    rank: int
    among: int

    @classmethod
    def of(cls, logits: Floats, outcome: int) -> Standing:
        """Compare one score with all, (O,).

        >>> Standing.of(np.array([0.0, 0.0, -np.inf]), 0)
        Standing(probability=0.5, rank=1, among=3)
        """
        scores = log_softmax(logits)
        rank = 1 + int((scores > scores[outcome]).sum())
        return cls(float(np.exp(scores[outcome])), rank, len(scores))
