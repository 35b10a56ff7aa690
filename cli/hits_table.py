"""The hits of a search for people: each word between those around it, and its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from cli.console import UNLIMITED, Terminal, printable
from cli.tables import heat, number, plain, show, table
from weights.search.hits import Hit, Search

NARROWEST, WIDEST_WORD, WIDEST_NAME = 8, 20, 24  # cells, where a terminal limits them
CUT, MARKED = "…", "‹{}›"


def print_hits(terminal: Terminal, search: Search, hits: Sequence[Hit], digits: int) -> None:
    """Print as many hits as the search's limit says, and whether there are more."""
    parts: list[RenderableType] = [plain("Nothing found.")]
    if shown := hits[: search.limit]:
        layout = _Layout(terminal.width, search, shown, digits)
        parts = [layout.table()]
        if lines := list(_footer(search, len(hits), layout)):
            parts += [Text(), *(plain(line, "dim") for line in lines)]
    show(terminal.console(), Group(*parts))


def _footer(search: Search, found: int, layout: _Layout) -> Iterator[str]:
    if search.limit is not None and found > search.limit:
        everything = "" if search.rank else ", --format ndjson all"
        yield f"The first {search.limit}; --limit N shows more{everything}."
    if left_out := len(search.names) - layout.num_values:
        yield f"{left_out} of {len(search.names)} values do not fit; --json has all."


class _Layout:
    """What fits into a width: the numbers first, then as many words as there is room for."""

    def __init__(self, width: int, search: Search, hits: Sequence[Hit], digits: int) -> None:
        is_limited = width < UNLIMITED
        self.hits = hits
        self.names = [_cut(name, WIDEST_NAME, is_limited) for name in search.names]
        self.words = [
            MARKED.format(_cut(printable(hit.token or ""), WIDEST_WORD, is_limited)) for hit in hits
        ]
        self.numbers = [[f"{value:.{digits}f}" for value in hit.values] for hit in hits]
        self.context = search.context > 0
        self.num_values = len(self.names)
        while self.num_values and self._room(width) < 2 * NARROWEST * self.context:
            self.num_values -= 1
        self.room = max(0, self._room(width)) // 2

    def _room(self, width: int) -> int:
        """How many cells are left for the words before and after."""
        columns = [
            _widest("sequence", (str(hit.sequence) for hit in self.hits)),
            _widest("step", (str(hit.step) for hit in self.hits)),
            _widest("", self.words),
            *(
                _widest(self.names[n], (numbers[n] for numbers in self.numbers))
                for n in range(self.num_values)
            ),
        ]
        gaps = len(columns) - 1 + 2 * self.context
        return width - sum(columns) - gaps

    def table(self) -> Table:
        around = [Column("before", justify="right", no_wrap=True), Column("after", no_wrap=True)]
        before, after = ([column] if self.context else [] for column in around)
        values = map(number, self.names[: self.num_values])
        made = table(number("sequence"), number("step"), *before, "", *after, *values)
        scales = [self._scale(n) for n in range(self.num_values)]
        for hit, word, numbers in zip(self.hits, self.words, self.numbers, strict=True):
            made.add_row(
                plain(hit.sequence),
                plain(hit.step),
                *([plain(_fitting(hit.before[::-1], self.room, -1))] if self.context else []),
                plain(word, "bold"),
                *([plain(_fitting(hit.after, self.room, 1))] if self.context else []),
                *(
                    heat(text, float(value), *scale)
                    for text, value, scale in zip(numbers, hit.values, scales, strict=False)
                ),
            )
        return made

    def _scale(self, n: int) -> tuple[float, bool]:
        """The end of a column's scale of colours, and whether it has two sides."""
        values = [float(hit.values[n]) for hit in self.hits if isfinite(hit.values[n])]
        return max(map(abs, values), default=0.0), min(values, default=0.0) < 0


def _widest(heading: str, texts: Iterable[str]) -> int:
    return max(map(cell_len, (heading, *texts)))


def _cut(text: str, width: int, is_limited: bool) -> str:
    if not is_limited or cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + CUT


def _fitting(nearest: Sequence[str], room: int, order: int) -> str:
    """Join as many words as fit, the nearest to the hit first; a sign stands for the others."""
    words: list[str] = []
    for word in map(printable, nearest):
        if cell_len(" ".join((*words, word))) > room - 2 * (len(words) + 1 < len(nearest)):
            words.append(CUT)
            break
        words.append(word)
    return " ".join(words[::order])
