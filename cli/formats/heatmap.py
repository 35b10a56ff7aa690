"""One quantity of one layer: steps as rows, units as columns, coloured around zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import RenderableType

from cli.formats.report import Report
from cli.formats.words import Words
from cli.tables import heat, number, table
from lstm.quantities import Quantity
from lstm.trace import DirectionTrace


def heat_map(
    words: Words, record: DirectionTrace, quantity: Quantity, units: Sequence[int], digits: int
) -> RenderableType:
    """Make the table of a quantity for the chosen units."""
    values = getattr(record, quantity.name)[words.steps][:, units]
    finite = values[np.isfinite(values)]
    scale = float(np.abs(finite).max(initial=0)) if quantity.high is None else quantity.high
    made = table(*words.headers, *(number(str(unit)) for unit in units))
    for row, numbers in enumerate(values.tolist()):
        cells = (heat(written(x, digits), x, scale, quantity.low != 0) for x in numbers)
        made.add_row(*words.cells(row), *cells)
    return made


def choose_units(words: Words, record: DirectionTrace, report: Report) -> list[int]:
    """The units asked for, or as many as fit, those with the largest |c|, in their order."""
    size = record.cell.shape[1]
    if report.selection.units.text is not None:
        return report.selection.units.within(size)
    room = (report.terminal.width - words.width) // _column_width(words, record, report)
    largest = np.abs(np.nan_to_num(record.cell[words.steps])).max(axis=0)
    return sorted(np.argsort(-largest, kind="stable")[: max(room, 1)].tolist())


def written(value: float, digits: int) -> str:
    """Write a number with so many digits after the point; a zero has no sign."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def _column_width(words: Words, record: DirectionTrace, report: Report) -> int:
    """The width of the widest number among the shown quantities, and a gap."""
    shown: list[Any] = [getattr(record, name)[words.steps] for name in report.selection.show]
    ends = [float(end) for array in shown for end in (np.nanmin(array), np.nanmax(array))]
    numbers = max(len(written(end, report.digits)) for end in ends)
    return 1 + max(numbers, len(str(record.cell.shape[1] - 1)))
