"""A sum taken apart: terms, groups of them, and what is made of the total."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstm.address import Address


class Term(NamedTuple):
    """One product of a sum: `weight` times `value`; `address` tells whose value it is.

    An address without a step is that of the state before the first; None: a constant.
    """

    address: Address | None
    weight: float
    value: float

    @property
    def amount(self) -> float:
        return self.weight * self.value


class Group(NamedTuple):
    """The terms of one origin, such as `input` or `bias`."""

    origin: str
    terms: tuple[Term, ...]

    @property
    def amount(self) -> float:
        return total_of([term.amount for term in self.terms])

    def largest(self, k: int) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
        """Return the k largest terms, the largest first, and the rest."""
        order = sorted(self.terms, key=lambda term: -abs(term.amount))
        return tuple(order[:k]), tuple(order[k:])


class Applied(NamedTuple):
    """What is made of a number: a function by its name, or `clip` with its limit."""

    function: str
    value: float
    limit: float | None = None


class Explanation(NamedTuple):
    """How one number came about.

    Args:
        groups: what is added up, each group in float64; none where a number is only squashed.
        total: the sum, as the trace has it; where it is clipped at once, as it is added up here.
        prepared: what was made of other numbers before, in order.
        applied: what is made of the sum, in order; the last is the number that was asked for.
    """

    groups: tuple[Group, ...]
    total: float
    prepared: tuple[Applied, ...] = ()
    applied: tuple[Applied, ...] = ()

    @property
    def value(self) -> float:
        return self.applied[-1].value if self.applied else self.total


@np.errstate(invalid="ignore")
def total_of(amounts: list[float]) -> float:
    """The sum, also of what is not finite."""
    return float(np.sum(amounts))
