"""Words by words: a row after each word, a column for what each word wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Column, Table
from rich.text import Text

from cli.console import Terminal
from cli.formats.words import Words, short
from cli.tables import HeatCell, aligned, heat_line, table
from lstm.trace import Trace

LONGEST = 10  # a longer word is cut in the heading of its column
BOTH = "both"  # a place at which both directions have read


class Strip(NamedTuple):
    """One column: what stands above it, and its number in each row; None leaves a gap."""

    title: str
    values: Sequence[float | None]
    step: str = ""
    is_heat: bool = True


Strips: TypeAlias = Sequence[Strip]


class Scale(NamedTuple):
    """How a number is written, and what the strongest colour stands for.

    `adds` says whether the numbers of a row add up, so that several may share a column.
    """

    written: Callable[[float], str]
    end: float
    diverging: bool
    adds: bool


class Grid(NamedTuple):
    """Numbers of one direction, or both: (R, T + 1) for R steps; column 0: the initial state.

    `has_initial` says whether that was anything but zero; else it has no column.
    """

    trace: Trace
    direction: str
    has_initial: bool
    steps: Sequence[int]
    numbers: Sequence[Sequence[float]]

    def has_read(self, step: int, word: int) -> bool:
        """Whether a word is read when a step is done."""
        if self.direction == BOTH:
            return True
        return word >= step if self.direction == "reverse" else word <= step

    @property
    def words(self) -> Sequence[int]:
        """The words that are read at any of the steps, in the order of reading."""
        every = range(self.trace.num_steps)
        if self.direction == "reverse":
            return every[min(self.steps) :][::-1]
        return every if self.direction == BOTH else every[: max(self.steps) + 1]

    def title(self, word: int) -> str:
        return short(self.trace.tokens[word].text, LONGEST) if self.trace.tokens else ""


def matrix(
    grid: Grid,
    scale: Scale,
    terminal: Terminal,
    are_chosen: bool,
    first: Strips = (),
    last: Strips = (),
) -> Iterator[RenderableType]:
    """Yield the table, and a sentence where not all of it fits.

    The words read last have columns; those before share one. Steps whose word has no column
    have no row, unless somebody chose them.
    """
    taken = _that_fit(grid, scale, terminal.width, (*first, *last))
    hidden = [word for word in grid.words if word not in taken]
    places = [
        place for place, step in enumerate(grid.steps) if are_chosen or not hidden or step in taken
    ]
    shown = grid._replace(
        steps=[grid.steps[place] for place in places],
        numbers=[grid.numbers[place] for place in places],
    )
    left, right = (
        [strip._replace(values=[strip.values[place] for place in places]) for strip in side]
        for side in (first, last)
    )
    middle = _strips(shown, sorted(taken), hidden if scale.adds else [])
    words = Words(grid.trace, shown.steps)
    yield _drawn(words, [*left, *middle, *right], scale, terminal.color)
    if hidden:
        rest = "; before: the sum of those before" if scale.adds else ""
        yield Text(
            f"The last {len(taken)} of {len(taken) + len(hidden)} words{rest}. "
            "--steps chooses others.",
            style="dim",
        )


def _that_fit(grid: Grid, scale: Scale, width: int, others: Iterable[Strip]) -> frozenset[int]:
    """The words that have room for a column, those read last."""
    ends = (min(map(min, grid.numbers)), max(map(max, grid.numbers)))
    widest = max(len(scale.written(end)) for end in ends)
    room = width - Words(grid.trace, grid.steps).width
    room -= sum(_width(strip, _texts(strip, scale)) for strip in others)
    if grid.has_initial:
        room -= 1 + max(len("initial"), widest)
    columns = [(k, 1 + max(cell_len(grid.title(k)), len(str(k)), widest)) for k in grid.words[::-1]]
    if sum(needed for _, needed in columns) > room:
        room -= 1 + max(len("before"), widest)
    taken: list[int] = []
    for k, needed in columns:
        room -= needed
        if room < 0 and taken:
            break
        taken.append(k)
    return frozenset(taken)


def _strips(grid: Grid, words: Iterable[int], before: Sequence[int]) -> Iterator[Strip]:
    """The initial state, what was read before, then each word."""
    if grid.has_initial:
        yield Strip("initial", [row[0] for row in grid.numbers])
    if before:
        yield Strip("before", [sum(row[k + 1] for k in before) for row in grid.numbers])
    for k in words:
        values = [
            row[k + 1] if grid.has_read(step, k) else None
            for step, row in zip(grid.steps, grid.numbers, strict=True)
        ]
        yield Strip(grid.title(k), values, str(k))


def _drawn(words: Words, strips: Strips, scale: Scale, color: bool) -> Table:
    """The table; its cells touch, so that patterns show."""
    texts = [_texts(strip, scale) for strip in strips]
    widths = [_width(strip, own) for strip, own in zip(strips, texts, strict=True)]
    heading = aligned([strip.step for strip in strips], widths)
    headers = words.headers
    if any(strip.title for strip in strips):
        heading += "\n" + aligned([strip.title for strip in strips], widths)
        for header in headers:
            header.header = f"\n{header.header}"
    made = table(*headers, Column(Text(heading), no_wrap=True))
    for row in range(len(words.steps)):
        cells = (
            HeatCell(own[row], strip.values[row] or 0.0, scale.end if strip.is_heat else 0.0, width)
            for strip, own, width in zip(strips, texts, widths, strict=True)
        )
        made.add_row(*words.cells(row), heat_line(cells, scale.diverging, color))
    return made


def _texts(strip: Strip, scale: Scale) -> list[str]:
    return ["" if value is None else scale.written(value) for value in strip.values]


def _width(strip: Strip, texts: list[str]) -> int:
    return 1 + max(cell_len(strip.title), len(strip.step), *map(len, texts))
