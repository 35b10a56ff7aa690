"""How tables look, in every command that prints one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Column, Table
from rich.text import Text

from cli.console import printable
from cli.palette import INK, NEGATIVE, POSITIVE, SHARE


class HeatCell(NamedTuple):
    """A number as it is written, right-aligned in its width, and the scale's end.

    `style` is what it has where its value is too weak for a colour.
    """

    text: str
    value: float
    scale: float
    width: int
    style: str = ""


def table(*headers: str | Column, caption: str = "") -> Table:
    """Make an empty table in the house's style."""
    return Table(
        *(Column(h, no_wrap=True) if isinstance(h, str) else h for h in headers),
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="dim",
        caption=caption or None,
        caption_justify="left",
        caption_style="dim",
    )


def number(heading: str) -> Column:
    """Make a column of numbers."""
    return Column(heading, justify="right", no_wrap=True)


def section(title: str, *content: RenderableType) -> Group:
    """Put a heading over something, and an empty line under it."""
    return Group(Text(printable(title), style="bold"), *content, Text())


def reading(directions: Sequence[str], at_once: int, independent: bool) -> str:
    """Say how a stack reads: the direction of each of its cells, and how many a layer has."""
    if independent:
        return "forward and reverse, directions independent"
    if len(set(directions)) == 1:
        return "forward" if directions[0] == "forward" else "in reverse"
    return "forward and reverse" if at_once > 1 else "forward and reverse in turn"


def plain(text: object, style: str = "") -> Text:
    """Make a cell of a text as it is: no markup, no control characters."""
    return Text(printable(str(text)), style=style)


def heat(text: str, value: float, scale: float, diverging: bool = True) -> Text:
    """Make a cell whose background tells how large a value is, against the scale's end."""
    return Text(text, style=heat_style(value, scale, diverging))


def heat_line(cells: Iterable[HeatCell], diverging: bool, color: bool) -> Text:
    """Make one text of many heat cells: they touch, so that patterns show.

    Rich takes its time for each cell of a table; one text per row is quick.
    """
    cells = list(cells)
    texts = [_aligned(cell.text, cell.width) for cell in cells]
    line, place = Text("".join(texts)), 0
    for cell, text in zip(cells, texts, strict=True) if color else ():
        if style := heat_style(cell.value, cell.scale, diverging) or cell.style:
            line.stylize(style, place, place + len(text))
        place += len(text)
    return line


def aligned(texts: Iterable[str], widths: Iterable[int]) -> str:
    """Put texts side by side, each at the right end of its width: what stands over heat cells."""
    return "".join(map(_aligned, texts, widths))


def _aligned(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + text


def heat_style(value: float, scale: float, diverging: bool) -> str:
    """Return the style of such a cell; a weak value, or one that is no number, has none."""
    strength = 0.0 if scale == 0 else min(abs(value) / scale, 1.0)
    level = int(strength * 5 - 1e-9) - 1 if strength == strength else -1
    if level < 0:
        return ""
    colors = (NEGATIVE if value < 0 else POSITIVE) if diverging else SHARE
    return f"{INK} on {colors[level]}"


def show(console: Console, content: RenderableType) -> None:
    """Print something without cutting it, and without blanks at the ends of plain lines."""
    if not console.no_color:
        console.print(content, crop=False)
        return
    with console.capture() as captured:
        console.print(content, crop=False)
    lines = captured.get().splitlines()
    console.file.write("".join(f"{line.rstrip()}\n" for line in lines))


def meanings(units: Iterable[tuple[str, str, float | None]]) -> RenderableType:
    """Make a table of named units: address, what it tells, and how well (None: by design)."""
    rows = [(address, tells, auc) for address, tells, auc in units]
    if all(auc is None for _, _, auc in rows):
        return pairs((address, tells) for address, tells, _ in rows)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for address, tells, auc in rows:
        grid.add_row(plain(address), plain("" if auc is None else f"AUC {auc:.2f}"), plain(tells))
    return grid


def measured(quality: Mapping[str, object]) -> str:
    """Write what was measured of a model for people: `test perplexity 29.0, top1 0.385`."""

    def short(value: object) -> str:
        return f"{value:.3g}" if isinstance(value, int | float) else str(value)

    return ", ".join(f"{name.replace('_', ' ')} {short(v)}" for name, v in quality.items())


def pairs(rows: Iterable[tuple[str, object]]) -> RenderableType:
    """Put names and what they are side by side."""
    return _Pairs([(plain(n, "dim"), v if isinstance(v, Text) else plain(v)) for n, v in rows])


class _Pairs:
    """A grid of two columns, of which the second takes as many lines as it needs.

    Rich takes its time for each cell of a table; one text per row is quick.
    """

    def __init__(self, rows: Sequence[tuple[Text, Text]]) -> None:
        self.rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        indent = max((name.cell_len for name, _ in self.rows), default=0) + 2
        room = max(options.max_width - indent, 1)
        for name, value in self.rows:
            start = name
            for line in value.wrap(console, room, overflow="fold"):
                gap = " " * (indent - start.cell_len)
                yield from Text.assemble(start, gap, line).render(console, end="\n")
                start = Text()
