"""Sums as they are printed: rounded terms that still add up, to the last digit."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, NamedTuple

from cli.formats.heatmap import written

if TYPE_CHECKING:
    from lstm.analysis.terms import Explanation, Group, Term

# Enough for every digit of the largest float64; what is not finite goes through without an error.
_EXACT = Context(prec=400, traps=[])


class Line(NamedTuple):
    """One term and its rounded amount; or, without a term, so many that are left out."""

    term: Term | None
    left_out: int
    amount: Decimal


class Part(NamedTuple):
    """The printed terms of one origin."""

    origin: str
    lines: tuple[Line, ...]

    @property
    def amount(self) -> Decimal:
        return _sum([line.amount for line in self.lines])


def round_off(explanation: Explanation, top: int, digits: int) -> tuple[list[Part], Decimal]:
    """Round a sum to its largest terms and the rest of each group.

    A rest is what the shown terms leave of the rounded group. What rounding leaves of the total
    goes to the last of the rests; where all terms are shown, it is a part of its own, named
    `rounding`. So the amounts add up to the total exactly.
    """
    total = _rounded(explanation.total, digits)
    parts = [_part(group, top, digits) for group in explanation.groups]
    over = _EXACT.subtract(total, _sum([part.amount for part in parts]))
    if parts and over.is_finite() and over:
        rests = [
            place for place, part in enumerate(parts) if part.lines and not part.lines[-1].term
        ]
        if rests:
            *lines, rest = parts[rests[-1]].lines
            rest = rest._replace(amount=_EXACT.add(rest.amount, over))
            parts[rests[-1]] = parts[rests[-1]]._replace(lines=(*lines, rest))
        else:
            parts.append(Part("rounding", (Line(None, 0, over),)))
    return parts, total


def shown(amount: Decimal, digits: int) -> str:
    """Write a rounded amount; a zero has no sign."""
    return written(float(amount) if not amount.is_finite() else amount, digits)


def _part(group: Group, top: int, digits: int) -> Part:
    largest, rest = group.largest(top)
    lines = [Line(term, 0, _rounded(term.amount, digits)) for term in largest]
    if rest:
        whole = _rounded(group.amount, digits)
        amount = _EXACT.subtract(whole, _sum([line.amount for line in lines]))
        lines.append(Line(None, len(rest), amount))
    return Part(group.origin, tuple(lines))


def _rounded(number: float, digits: int) -> Decimal:
    if number != number or number in (float("inf"), float("-inf")):
        return Decimal(number)
    return _EXACT.quantize(Decimal(number), Decimal(1).scaleb(-digits))


def _sum(amounts: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total
