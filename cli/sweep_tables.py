"""A sweep as tables: a heat map of the effects, and the largest of them one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor, isfinite, log10
from typing import cast

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Column
from rich.text import Text

from cli.console import Terminal, printable
from cli.formats.heatmap import written
from cli.formats.words import short
from cli.naming import named
from cli.sweep_page import Page
from cli.tables import HeatCell, heat, heat_line, meanings, number, pairs, plain, section, table
from lstm.address import Address
from lstm.card import NamedUnit
from lstm.model import Model
from lstm.wording import counted

LONGEST = 10  # a longer word is cut in the heading of its column


def tables(page: Page, terminal: Terminal) -> Iterator[RenderableType]:
    """Yield what is printed, part by part."""
    found = page.sweep
    digits = fitting_digits(page)
    text = page.trace.text
    read = counted(page.trace.num_steps, "step") if text is None else printable(text)
    facts = [
        ("model", named(page.model)),
        ("metric", f"{page.metric} = {written(found.before, digits)}"),
        ("set", f"each value of {found.over!r} by itself to {_put(page)}"),
        ("runs", len(found.ranking)),
    ]
    yield section(read, pairs(facts))
    units = _largest_units(page)
    count = len(found.units)
    chosen = "" if len(units) == count else f" ({len(units)} of {count} units)"
    steps = _steps_that_fit(page, units, digits, terminal)
    map = [_heat_map(page, units, steps, digits, terminal)]
    if len(steps) < len(found.steps):
        note = f"{len(steps)} of {len(found.steps)} steps, those with the largest effects."
        map.append(Text(note, style="dim"))
    yield section(f"Effect on the metric{chosen}", *map)
    largest = found.ranking[: page.top]
    heading = f"Largest effects ({len(largest)} of {len(found.ranking)})"
    yield section(heading, _largest(page, largest, digits))
    columns = dict.fromkeys([*units, *(column for _, column in largest)])
    yield from legend(page.model, [found.address(0, column) for column in columns])


def _put(page: Page) -> str:
    return page.to if page.source is None else f"what it is in: {page.source}"


def legend(model: Model, places: Sequence[Address]) -> Iterator[RenderableType]:
    """Yield what is known of those units that have a name."""
    named = [known for place in places if (known := _named(model, place))]
    if named:
        units = [(repr(unit.address), unit.tells, unit.auc) for unit in named]
        yield section("Named units among them", meanings(units))


def _named(model: Model, place: Address) -> NamedUnit | None:
    """What is known of a unit; a projected hidden state is that of no one unit."""
    cell = model.parameters.layers[place.layer].directions[place.direction]
    if place.symbol == "h" and cell.variant.projection is not None:
        return None
    return model.card.named(place.layer, place.direction, cast(int, place.units))


def fitting_digits(page: Page) -> int:
    """How many digits after the point tell the largest effect by three, two at least."""
    effects = page.sweep.effects
    row, column = page.sweep.ranking[0]
    return digits_for(float(effects[row, column]))


def digits_for(largest: float) -> int:
    """How many digits after the point tell a number by three, two at least and ten at most.

    >>> digits_for(-3.5), digits_for(0.0123), digits_for(0.0)
    (2, 4, 2)
    """
    if not isfinite(largest) or largest == 0:
        return 2
    return min(max(2, 2 - floor(log10(abs(largest)))), 10)


def _largest_units(page: Page) -> list[int]:
    """The columns of the units with the largest effects, the largest first."""
    columns = dict.fromkeys(column for _, column in page.sweep.ranking)
    return list(columns)[: page.top]


def _label(page: Page, row: int) -> str:
    tokens = page.trace.tokens
    return short(tokens[page.sweep.steps[row]].text, LONGEST) if tokens else ""


def _unit(page: Page, column: int) -> str:
    return repr(page.sweep.address(0, column)._replace(steps=None))


def _widths(page: Page, units: Sequence[int], digits: int) -> list[int]:
    """The width of each step's column, gap included."""
    shown = page.sweep.effects[:, units].tolist()
    return [
        2
        + max(
            cell_len(_label(page, row)),
            len(str(step)),
            *(len(written(x, digits)) for x in shown[row]),
        )
        for row, step in enumerate(page.sweep.steps)
    ]


def _steps_that_fit(page: Page, units: Sequence[int], digits: int, terminal: Terminal) -> list[int]:
    """The rows of as many steps as have room side by side, those with the largest effects."""
    room = terminal.width - 1 - max(len(_unit(page, column)) for column in units)
    widths = _widths(page, units, digits)
    taken: list[int] = []
    for row in dict.fromkeys(row for row, _ in page.sweep.ranking):
        room -= widths[row]
        if room < 0 and taken:
            break
        taken.append(row)
    return sorted(taken)


def _heat_map(
    page: Page, units: Sequence[int], rows: Sequence[int], digits: int, terminal: Terminal
) -> RenderableType:
    """Units as rows, words as columns; the cells touch, so that patterns show."""
    effects = page.sweep.effects.tolist()
    every = _widths(page, units, digits)
    widths = [every[row] for row in rows]
    shown = [abs(effects[row][column]) for row in rows for column in units]
    scale = max((size for size in shown if isfinite(size)), default=0.0)
    heading = _joined([str(page.sweep.steps[row]) for row in rows], widths)
    first = "unit"
    if page.trace.tokens:
        heading += "\n" + _joined([_label(page, row) for row in rows], widths)
        first = "step\nunit"
    made = table(Column(first, no_wrap=True), Column(Text(heading), no_wrap=True))
    for column in units:
        values = [effects[row][column] for row in rows]
        cells = (
            HeatCell(written(x, digits), x, scale, width)
            for x, width in zip(values, widths, strict=True)
        )
        made.add_row(plain(_unit(page, column)), heat_line(cells, True, terminal.color))
    return made


def _joined(texts: Sequence[str], widths: Sequence[int]) -> str:
    pairs = zip(texts, widths, strict=True)
    return "".join(" " * (width - cell_len(text)) + text for text, width in pairs)


def _largest(page: Page, places: Sequence[tuple[int, int]], digits: int) -> RenderableType:
    """Each address with what was there, what was put there, and what that does."""
    found = page.sweep
    words = ["word"] if page.trace.tokens else []
    headings = ("value", "set to", "metric", "effect")
    made = table("address", *words, *(number(heading) for heading in headings))
    scale = abs(float(found.effects[places[0]]))
    for place in places:
        effect = float(found.effects[place])
        values = (found.values[place], found.put[place])
        texts = [written(float(x), 2) for x in values] + [written(found.after[place], digits)]
        made.add_row(
            plain(found.address(*place)),
            *(plain(_label(page, place[0])) for _ in words),
            *map(plain, texts),
            heat(written(effect, digits), effect, scale),
        )
    return made
