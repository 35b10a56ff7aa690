"""What the numbers say in plain words: the gates, the predictions, the named units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Column
from rich.text import Text

from cli.formats.heatmap import written
from cli.formats.report import Report
from cli.formats.sentence import series, spark_line
from cli.formats.words import Words, short
from cli.tables import HeatCell, aligned, heat_line, meanings, number, plain, table
from lstm.analysis.walk import OPEN, Opening
from lstm.card import NamedUnit
from lstm.cell_trace import DirectionTrace
from lstm.head import Forecast
from lstm.trace import Trace

SHARES = ("forgot", "remembered", "revealed")  # of an Opening; the others are counts
GATES_EXPLAINED = (
    "forgot: 1 - forget gate f; remembered: input gate i; revealed: output gate o; each the mean "
    f"over all units. kept, wrote, showed: how many units have that gate above {OPEN}."
)


def gate_table(words: Words, record: DirectionTrace, color: bool) -> RenderableType:
    """Say how much each step forgot, remembered and revealed, over all units."""
    columns = [
        _share_column(name, values) if name in SHARES else _count_column(name, values)
        for name, values in zip(
            Opening._fields,
            zip(*(Opening.of(record, step) for step in words.steps), strict=True),
            strict=True,
        )
    ]
    heading = aligned(Opening._fields, [column[0].width for column in columns])
    made = table(*words.headers, Column(Text(heading), no_wrap=True))
    for row, cells in enumerate(zip(*columns, strict=True)):
        made.add_row(*words.cells(row), heat_line(cells, False, color))
    return made


def _share_column(name: str, shares: Sequence[float]) -> list[HeatCell]:
    texts = [percent(share) for share in shares]
    width = 1 + max(map(len, (name, *texts)))
    return [HeatCell(text, x, 1.0, width) for text, x in zip(texts, shares, strict=True)]


def _count_column(name: str, counts: Sequence[int | None]) -> list[HeatCell]:
    texts = ["-" if count is None else str(count) for count in counts]
    width = 1 + max(map(len, (name, *texts)))
    return [HeatCell(text, 0.0, 0.0, width, "dim") for text in texts]


def prediction_table(
    words: Words, trace: Trace, forecast: Forecast, report: Report
) -> RenderableType:
    """Say after each step what the head expects, and how unexpected each word was."""
    surprisal = dict(enumerate(forecast.surprisal))
    expects = "next" if trace.head and trace.head.predicts_tokens else "label"
    columns = [number("surprisal")] if surprisal else []
    room = report.terminal.width - words.width - 10 * len(columns)
    made = table(*words.headers, *columns, Column(expects))
    for row, step in enumerate(words.steps):
        bits = surprisal.get(step)
        is_known = bits is not None and not np.isnan(bits)
        cells = [plain(f"{bits:.1f} bits" if is_known else "-")] if columns else []
        outcomes = forecast.predictions[step]
        known = all(np.isfinite(outcome.probability) for outcome in outcomes)
        best = (f"{short(o.name)} {percent(o.probability)}" for o in outcomes)
        made.add_row(*words.cells(row), *cells, Text(filled(best, room) if known else "-"))
    return made


def percent(share: float) -> str:
    """Write a share; what is not nothing is not written as 0 %."""
    if not np.isfinite(share):
        return "-"
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def filled(items: Iterable[str], room: int) -> str:
    """Put items side by side, on as many lines as they need, without breaking one."""
    lines = [""]
    for item in items:
        longer = f"{lines[-1]}  {item}" if lines[-1] else item
        if cell_len(longer) <= room or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(item)
    return "\n".join(lines)


def named_unit_table(
    words: Words, trace: Trace, units: Sequence[NamedUnit], digits: int, color: bool
) -> RenderableType:
    """Show units that are known to tell something, and what, with a spark line over the steps.

    A value is coloured by how far it lies to one side of what the unit tells, against what it
    has there on average.
    """
    columns = [series(trace, unit.address)[words.steps].tolist() for unit in units]
    scales = [u.scale or max(map(abs, c)) for u, c in zip(units, columns, strict=True)]
    names = [repr(unit.address) for unit in units]
    texts = [[written(value, digits) for value in column] for column in columns]
    widths = [1 + max(map(len, (name, *own))) for name, own in zip(names, texts, strict=True)]
    made = table(*words.headers, Column(Text(aligned(names, widths)), no_wrap=True))
    for row in range(len(words.steps)):
        cells = (
            HeatCell(own[row], column[row] - unit.middle, scale, width)
            for own, column, unit, scale, width in zip(
                texts, columns, units, scales, widths, strict=True
            )
        )
        made.add_row(*words.cells(row), heat_line(cells, True, color))
    width = max(map(len, names))
    legend = meanings(
        (
            f"{unit.address!r:<{width}}  {spark_line(trace, words.steps, unit.address)}",
            unit.tells,
            unit.auc,
        )
        for unit in units
    )
    return Group(made, Text(), legend)


def units_that_fit(words: Words, units: Sequence[NamedUnit], report: Report) -> Sequence[NamedUnit]:
    """Return as many named units as have room side by side, the first ones first."""
    number = len("-0.") + report.digits
    width = 1 + max((len(repr(unit.address)) for unit in units), default=0)
    width = max(width, 1 + number)
    return units[: max((report.terminal.width - words.width) // width, 1)]
