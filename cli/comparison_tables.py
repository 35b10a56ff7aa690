"""A comparison for people: where it first differs, where most, how that grows, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite, log10
from textwrap import wrap

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.comparison import Cause, Outcome
from cli.comparison_record import token_of
from cli.sides import Side
from cli.tables import number, pairs, plain, section, show, table
from lstm.analysis.divergence import Difference, QuantityDifference, Tolerance
from lstm.quantities import BY_NAME
from lstm.wording import counted

BARS = "▁▂▃▄▅▆▇█"
LONGEST = 32  # bars; more steps share one
MOST_CAUSES = 4
FAR = 10_000_000  # ULP; a number and its double are 8,388,608 apart
SMALLEST = 1e-9  # the lowest bar; below it a difference is a dot


def print_comparison(console: Console, outcome: Outcome, cause: Cause | None, width: int) -> None:
    """Print the parts of a comparison, each under its heading; sentences are `width` wide."""
    show(console, Group(*_parts(outcome, cause, width)))


def _parts(outcome: Outcome, cause: Cause | None, width: int) -> Iterator[RenderableType]:
    left, right = outcome.sides
    found = outcome.comparison
    yield section("Compared", pairs((("A", _named(left)), ("B", _named(right)))))
    yield section(_verdict(outcome), *_where(outcome))
    several = len(outcome.recordings[0]) > 1
    if any(one.largest and one.largest.absolute for one in found.quantities):
        yield section("Largest differences", _largest(found.quantities, several))
        yield section("Growth, from 1e-9 to 1", _growth(found.quantities))
    if remarks := list(_remarks(outcome)):
        yield section("What is not on both sides", *_wrapped(remarks, width))
    if cause is not None:
        yield section("Cause", *_wrapped(_explained(cause), width))


def _wrapped(lines: Iterable[str], width: int) -> Iterator[Text]:
    """Break lines between words; what is indented stays so."""
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        yield from map(plain, wrap(line, width, subsequent_indent=indent))


def _named(side: Side) -> str:
    kind = "a trace" if side.model is None else "weights"
    return f"{side.source}: {kind}, {counted(len(side.recordings), 'sequence')}"


def _verdict(outcome: Outcome) -> str:
    if outcome.comparison.same:
        return "They agree"
    if outcome.comparison.first is None:
        return "They differ: not in numbers, but in shape"
    return "They differ: the first place"


def _where(outcome: Outcome) -> Iterator[RenderableType]:
    """The first divergence; where there is none, how much was compared."""
    first = outcome.comparison.first
    if first is not None:
        yield pairs(_described(first, outcome))
        return
    quantities = outcome.comparison.quantities
    compared = f"{sum(one.compared for one in quantities)} numbers compared"
    if any(one.largest and one.largest.absolute for one in quantities):
        yield plain(f"{compared}, all within tolerance: {_written(outcome.tolerances.default)}")
    else:
        yield plain(f"{compared}, no two differ")


def _described(one: Difference, outcome: Outcome) -> Iterator[tuple[str, object]]:
    quantity = BY_NAME[one.place.quantity]
    token = token_of(one, outcome)
    if len(outcome.recordings[0]) > 1:
        yield "sequence", one.sequence
    yield "step", one.step if token is None else f"{one.step} {token}"
    yield "layer", f"{one.place.layer}, {one.place.direction}"
    yield "quantity", f"{quantity.title} {quantity.symbol}"
    yield "unit", f"{one.unit}: {one.beyond} of {one.width} units are beyond the tolerance here"
    yield "address", one.address
    yield "A", _short(one.left)
    yield "B", _short(one.right)
    yield "difference", f"{_rounded(one.absolute)}, relative {_rounded(one.relative)}, {_ulps(one)}"
    yield "tolerance", _written(outcome.tolerances[one.place.quantity])


def _short(value: float) -> str:
    """Nine digits tell any float32 from its neighbours."""
    return f"{value:.9g}"


def _rounded(value: float) -> str:
    return f"{value:.3g}"


def _ulps(one: Difference) -> str:
    """Count the numbers between two that are close; of others the count says nothing."""
    if one.ulps is None:
        return "not a number"
    return f"{one.ulps} ULP" if one.ulps < FAR else f"{FAR:,} ULP or more"


def _written(tolerance: Tolerance) -> str:
    parts = f"{tolerance.absolute:g} + {tolerance.relative:g} times the larger"
    return parts if tolerance.ulps is None else f"{parts}, or {tolerance.ulps} ULP"


def _largest(quantities: Sequence[QuantityDifference], several: bool) -> Table:
    made = table("quantity", number("largest"), "at", number("A"), number("B"))
    for one in quantities:
        made.add_row(plain(one.name), *map(plain, _place(one.largest, several)))
    return made


def _place(most: Difference | None, several: bool) -> tuple[object, ...]:
    """The cells of the largest difference; where nothing differs, there is no place to name."""
    if most is None or most.absolute == 0:
        return 0, "", "", ""
    place = f"{most.address}{f' sequence {most.sequence}' if several else ''}"
    return _rounded(most.absolute), place, _short(most.left), _short(most.right)


def _growth(quantities: Sequence[QuantityDifference]) -> Table:
    made = table("quantity", number("beyond tolerance"), "largest difference at each step")
    for one in quantities:
        beyond = plain(f"{one.beyond} of {one.compared}", "bold" if one.beyond else "")
        made.add_row(plain(one.name), beyond, Text(growth(one.growth.tolist())))
    return made


def growth(steps: Sequence[float]) -> str:
    """Draw the largest difference at each step, on a logarithmic scale from 1e-9 to 1.

    >>> growth([0.0, 1e-9, 1e-3, 1.0, float("inf"), float("nan")])
    '·▁▆██ '
    """
    size = -(-len(steps) // LONGEST) or 1
    return "".join(_bar(steps[n : n + size]) for n in range(0, len(steps), size))


def _bar(steps: Sequence[float]) -> str:
    known = [step for step in steps if step == step]
    if not known:
        return " "
    most = max(known)
    if most < SMALLEST:
        return "·"
    height = 1.0 if not isfinite(most) else min(1 - log10(most) / log10(SMALLEST), 1.0)
    return BARS[round(height * (len(BARS) - 1))]


def _remarks(outcome: Outcome) -> Iterator[str]:
    found = outcome.comparison.structure
    for sentence in (*found.differs, *found.chosen):
        yield f"{sentence}."
    for side, names in (("A", found.only_left), ("B", found.only_right)):
        if names:
            yield f"Only in {side}: {', '.join(names)}."


def _explained(cause: Cause) -> Iterator[str]:
    """Say which mistake explains what the suspect shows, or that none does."""
    tried, pairs, found = cause.finding
    other = "A" if cause.suspect == "B" else "B"
    if not cause.right:
        yield f"The weights give neither what A nor what B shows; explaining {cause.suspect}."
    if not found:
        yield (
            f"None of {tried} known mistakes explains every step of {cause.suspect}, and no two "
            f"of them together: {pairs} pairs were tried."
        )
        return
    yield f"Every step of {cause.suspect} is explained, within tolerance, if in it"
    for one in found[:MOST_CAUSES]:
        yield f"  {one.says}."
    if more := found[MOST_CAUSES:]:
        yield f"  or one of {len(more)} more, from {more[0].name} to {more[-1].name}."
    if len(found) > 1:
        yield "What was recorded cannot tell these apart; record more quantities or steps."
    if pairs:
        yield (
            f"These are two mistakes: none of {tried} explains it alone, and {pairs} pairs were "
            "tried."
        )
    if cause.right:
        tail = "" if pairs else f" {tried} mistakes were tried."
        yield f"{other} is what the weights give.{tail}"
