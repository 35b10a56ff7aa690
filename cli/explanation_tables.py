"""One number on paper: its terms, their sum, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.console import printable
from cli.explained import Sheet
from cli.formats.heatmap import written
from cli.formats.summary import percent
from cli.formats.words import label
from cli.naming import named, tells
from cli.rounding import Part, round_off, shown
from cli.tables import heat, number, pairs, plain, table
from cli.textbook import SINGLE, Names, names_of, rest_of, term_of
from lstm.address import Address
from lstm.quantities import BY_SYMBOL

if TYPE_CHECKING:
    from lstm.analysis.terms import Term
    from lstm.trace import Trace

ADDS_UP = (
    "The terms add up to the total as printed: the rest is the sum of those that are not shown, "
    "and what rounding leaves."
)

NEAR = 20  # words before and after the one that is looked at


def sheet_parts(sheet: Sheet) -> Iterator[RenderableType]:
    """Yield the heading, the arithmetic, and what the units in it are known to tell."""
    source = printable(named(sheet.model))
    yield Text.assemble((f"{source}  ", "bold"), marked(sheet.trace, sheet.step))
    yield Text(f"{_title(sheet)}\n", style="bold")
    parts, total = round_off(sheet.explanation, sheet.top, sheet.digits)
    yield Group(_arithmetic(sheet, parts, total), Text())
    if told := list(_told(sheet, parts)):
        yield Group(pairs(told), Text())
    if any(line.left_out for part in parts for line in part.lines):
        yield Text(f"{ADDS_UP}\n", style="dim")


def marked(trace: Trace, step: int) -> Text:
    """The words that were read around a step, its own set off."""
    if trace.tokens is None:
        return Text(f"step {step} of {trace.num_steps}")
    first, last = max(step - NEAR, 0), min(step + NEAR + 1, trace.num_steps)
    words = [
        (f"[{label(token).plain}]", "bold") if n == step else (printable(token.text), "dim")
        for n, token in enumerate(trace.tokens[first:last], start=first)
    ]
    words = [("…", "dim")] * (first > 0) + words + [("…", "dim")] * (last < trace.num_steps)
    return Text(" ").join(Text.assemble(word) for word in words)


def _title(sheet: Sheet) -> str:
    value = written(sheet.explanation.value, sheet.digits)
    if isinstance(sheet.at, Address):
        quantity = BY_SYMBOL[sheet.at.symbol]
        book = f", {quantity.textbook}" if quantity.textbook else ""
        return f"{sheet.at!r} = {value}: {quantity.title}{book}, of unit {sheet.at.units}"
    standing = sheet.standing
    return (
        f"{printable(repr(sheet.at))} = {value}: probability {percent(standing.probability)}, "
        f"rank {standing.rank} of {standing.among}"
    )


def _arithmetic(sheet: Sheet, parts: list[Part], total: Decimal) -> Table:
    """The whole sum, part by part."""
    names = names_of(sheet.at, sheet.model, sheet.trace)
    made = table("", "", number("weight"), number("value"), number("product"), number("sum"))
    for one in sheet.explanation.prepared:
        made.add_row(*_named(names.applied(one)), "", "", "", _number(one.value, sheet))
    amounts = [abs(float(line.amount)) for part in parts for line in part.lines if line.term]
    scale = max((amount for amount in amounts if amount == amount), default=0.0)
    for part in parts:
        for row in _rows(sheet, names, part, scale):
            made.add_row(*row)
    total_cell = plain(shown(total, sheet.digits), "bold")
    made.add_row(*_named(names.total, "bold"), "", "", "", total_cell)
    for one in sheet.explanation.applied:
        made.add_row(*_named(names.applied(one), "bold"), "", "", "", _number(one.value, sheet))
    return made


def _rows(sheet: Sheet, names: Names, part: Part, scale: float) -> Iterator[list[Text]]:
    """A group with one term is one line; else its terms stand under its name."""
    single = part.origin in SINGLE
    factors = _factors(part.lines[0].term, sheet.digits) if single else ["", ""]
    amount = plain(shown(part.amount, sheet.digits))
    yield [*_named(names.group(part.origin)), *map(plain, factors), Text(), amount]
    for line in () if single else part.lines:
        product, value = shown(line.amount, sheet.digits), float(line.amount)
        if line.term is None:
            rest = plain(rest_of(part.origin, line.left_out), "dim")
            yield [rest, Text(), Text(), Text(), plain(product, "dim"), Text()]
        else:
            pair = map(plain, _factors(line.term, sheet.digits))
            yield [plain(term_of(line.term)), Text(), *pair, heat(product, value, scale), Text()]


def _named(names: tuple[str, str], style: str = "") -> list[Text]:
    return [plain(names[0], style), plain(names[1], "dim")]


def _number(value: float, sheet: Sheet) -> Text:
    return plain(written(value, sheet.digits), "bold")


def _factors(term: Term | None, digits: int) -> list[str]:
    if term is None or term.address is None:
        return ["", ""]
    return [written(term.weight, digits), written(term.value, digits)]


def _told(sheet: Sheet, parts: list[Part]) -> Iterator[tuple[str, str]]:
    """What is known of the unit itself and of those among its terms, each once."""
    terms = [line.term for part in parts for line in part.lines]
    places = [term.address for term in terms if term is not None and term.address is not None]
    asked = [sheet.at] if isinstance(sheet.at, Address) else []
    seen = set()
    for place in (*asked, *places):
        known = tells(sheet.model, place)
        if known is not None and (place.layer, place.direction, place.units) not in seen:
            seen.add((place.layer, place.direction, place.units))
            yield repr(place._replace(steps=None)), known
