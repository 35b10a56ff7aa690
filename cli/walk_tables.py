"""A walk through a text, one screen per step: what was forgotten, written and revealed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from cli.console import Terminal, printable
from cli.explained import NAMED_IN_A_SENTENCE, Walk
from cli.explanation_tables import marked
from cli.formats.heatmap import signed, written
from cli.formats.summary import filled, percent
from cli.naming import named, tells
from cli.tables import HeatCell, heat_line, pairs
from lstm.address import Address
from lstm.analysis.walk import Change, Passage, largest
from lstm.head import Forecast

if TYPE_CHECKING:
    from lstm.arrays import Floats

GAP = 2  # between what is told and its name

# The numbers of a change, each with its name in the textbook and the field's letter.
COLUMNS = (
    ("before", "CURRCS", "c'"), ("forget", "FGOP", "f"), ("input", "IPGOP", "i"),
    ("candidate", "CNDCS", "g"), ("after", "NEWCS", "c"), ("change", "change", "c - c'"),
    ("output", "OGOP", "o"), ("hidden", "NEWHS", "h"),
)  # fmt: skip


def walk_parts(walk: Walk, terminal: Terminal) -> Iterator[RenderableType]:
    """Yield the screens, as wide as a terminal is."""
    yield Text(f"{printable(named(walk.model))}\n", style="bold")
    forecast = walk.forecast
    for step in walk.steps:
        yield Group(*_screen(walk, step, forecast, terminal))


def _screen(
    walk: Walk, step: int, forecast: Forecast | None, terminal: Terminal
) -> Iterator[RenderableType]:
    """What one step did to each layer, and what the model expects now."""
    last = walk.trace.num_steps - 1
    yield Text.assemble((f"Step {step} of 0 to {last}  ", "bold"), marked(walk.trace, step))
    yield Text()
    several = walk.model.parameters.num_layers * walk.model.parameters.num_directions > 1
    for layer, passage in walk.passages(step):
        if several:
            yield Text(f"Layer {layer}, {passage.trace.direction}", style="bold")
        yield pairs(_sentences(walk, layer, passage))
        yield Text()
        changes = walk.changes(layer, passage)
        yield from _changes(walk, changes, terminal.color)
        yield Text()
        if told := [(_unit(at), tells(walk.model, at)) for at, _ in changes]:
            yield pairs((name, text) for name, text in told if text is not None)
            yield Text()
    if forecast is not None:
        yield pairs(_expected(walk, step, forecast, terminal.width))
        yield Text()


def _unit(at: Address) -> str:
    return repr(at._replace(steps=None))


def _sentences(walk: Walk, layer: int, passage: Passage) -> Iterator[tuple[str, str]]:
    """What was forgotten, written and revealed, in words with numbers."""
    opening, size = passage.opening, passage.after.shape[-1]
    over = "" if size == 1 else f", the mean over {size} units"
    lost = "nothing was there yet"
    if passage.before.any():
        lost = _most(walk, layer, passage, "c", passage.forgotten, "lost")
    written = _most(walk, layer, passage, "c", passage.written, "written")
    shown = _most(walk, layer, passage, "h", passage.revealed, "shown")
    for what, share, count, of, did, most in (
        ("forgot", opening.forgot, opening.kept, "was there", "kept", lost),
        ("wrote", opening.remembered, opening.wrote, "was new", "took", written),
        ("revealed", opening.revealed, opening.showed, "it holds", "show", shown),
    ):
        many = "nobody can tell how many" if count is None else str(count)
        yield what, f"{percent(share)} of what {of}{over}; {many} {did} more than half; {most}"


def _most(walk: Walk, layer: int, passage: Passage, symbol: str, values: Floats, what: str) -> str:
    """Name the units of which most was forgotten, written or shown, with how much."""
    best = (
        f"{Address(layer, passage.trace.direction, symbol, unit)!r} {signed(value, walk.digits)}"
        for unit, value in largest(values, NAMED_IN_A_SENTENCE)
    )
    return f"most {what}: {', '.join(best) or 'nothing'}"


def _changes(walk: Walk, changes: Sequence[tuple[Address, Change]], color: bool) -> Iterator[Text]:
    """The units that changed most, each with the numbers of its step."""
    units = [_unit(at) for at, _ in changes]
    columns = [_column(walk, changes, *heading) for heading in COLUMNS]
    widths = [1 + max(map(len, column)) for column in columns]
    left = max(map(len, ("unit", *units)))
    scale = max(abs(change.change) for _, change in changes)
    for row, unit in enumerate(("unit", "", *units)):
        value = 0.0 if row < 2 else changes[row - 2][1].change
        cells = [
            HeatCell(column[row], value if name == "change" else 0.0, scale, width)
            for (name, _, _), column, width in zip(COLUMNS, columns, widths, strict=True)
        ]
        line = heat_line([HeatCell(unit.ljust(left), 0.0, scale, left), *cells], True, color)
        if row < 2:
            line.stylize("dim")
        yield line


def _column(
    walk: Walk, changes: Sequence[tuple[Address, Change]], name: str, book: str, letter: str
) -> list[str]:
    """One number of each unit, under its name in the textbook and the field's letter."""
    form = signed if name == "change" else written
    numbers = [getattr(change, name) for _, change in changes]
    return [book, letter, *("-" if x is None else form(x, walk.digits) for x in numbers)]


def _expected(
    walk: Walk, step: int, forecast: Forecast, width: int
) -> Iterator[tuple[str, object]]:
    """How unexpected the word was, and what is expected next."""
    head = walk.trace.head
    bits = forecast.surprisal[step] if step < len(forecast.surprisal) else None
    if bits is not None:
        yield "surprise", f"{bits:.1f} bits"
    what = "expects now" if head is not None and head.predicts_tokens else "label"
    best = (f"{printable(o.name)} {percent(o.probability)}" for o in forecast.predictions[step])
    yield what, Text(filled(best, width - len(what) - GAP))
