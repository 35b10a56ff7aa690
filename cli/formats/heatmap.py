"""One quantity of one layer: steps as rows, units as columns, coloured around zero."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from rich.console import RenderableType
from rich.table import Column
from rich.text import Text

from cli.formats.report import Report
from cli.formats.words import Words
from cli.tables import HeatCell, aligned, heat_line, table
from lstm.cell_trace import DirectionTrace
from lstm.quantities import Quantity


def heat_map(
    words: Words, record: DirectionTrace, quantity: Quantity, columns: Columns, report: Report
) -> RenderableType:
    """Make the table of a quantity; the cells touch, so that patterns show."""
    values = getattr(record, quantity.name)[words.steps][:, list(columns.units)]
    finite = values[np.isfinite(values)]
    scale = float(np.abs(finite).max(initial=0)) if quantity.high is None else quantity.high
    numbered = Text(aligned(map(str, columns.units), [columns.width] * len(columns.units)))
    made = table(*words.headers, Column(numbered, no_wrap=True))
    for row, numbers in enumerate(values.tolist()):
        cells = (HeatCell(written(x, report.digits), x, scale, columns.width) for x in numbers)
        line = heat_line(cells, quantity.low != 0, report.terminal.color)
        made.add_row(*words.cells(row), line)
    return made


class Columns(NamedTuple):
    """Which units get a column, and how wide it is, the same for all quantities of a layer."""

    units: tuple[int, ...]
    width: int

    @classmethod
    def choose(
        cls, words: Words, record: DirectionTrace, report: Report, of: str = "cell"
    ) -> Columns:
        """Take the units asked for, or as many as fit, those with the largest numbers.

        Args:
            of: the quantity whose numbers decide: the cell state, for all that has a number per
                cell; a layer's input and a projected hidden state have columns of their own.
        """
        array = getattr(record, of)[words.steps]
        width = _width(words, record, report)
        if report.selection.units.text is not None and of != "layer_input":
            return cls(tuple(report.selection.units.within(array.shape[1])), width)
        room = max((report.terminal.width - words.width) // width, 1)
        largest = np.abs(np.nan_to_num(array)).max(axis=0)
        chosen = np.argsort(-largest, kind="stable")[:room]
        return cls(tuple(sorted(chosen.tolist())), width)


def written(value: float | Decimal, digits: int) -> str:
    """Write a number with so many digits after the point; a zero has no sign."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def signed(value: float, digits: int) -> str:
    """Write a number with its sign, also where it is positive."""
    text = written(value, digits)
    return text if text.startswith("-") or float(text) == 0 else f"+{text}"


def _width(words: Words, record: DirectionTrace, report: Report) -> int:
    """The width of the widest number among the shown quantities, and a gap."""
    shown: list[Any] = [getattr(record, name)[words.steps] for name in report.selection.show]
    ends = [
        float(end(array, axis=None)) for array in shown for end in (np.fmin.reduce, np.fmax.reduce)
    ]
    numbers = max(len(written(end, report.digits)) for end in ends)
    return 1 + max(numbers, len(str(record.cell.shape[1] - 1)))
