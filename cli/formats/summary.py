"""What the numbers say in plain words: the gates, the predictions, the named units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Column
from rich.text import Text

from cli.console import printable
from cli.formats.heatmap import written
from cli.formats.report import Report
from cli.formats.words import Words
from cli.tables import heat, number, pairs, plain, table
from lstm.card import NamedUnit
from lstm.head import Forecast
from lstm.trace import DirectionTrace, Trace

OPEN = 0.5  # a gate above it lets more than half through

GATES_EXPLAINED = (
    "forgot: 1 - forget gate f; remembered: input gate i; revealed: output gate o; each the mean "
    f"over all units. kept, wrote, showed: how many units have that gate above {OPEN}."
)


def gate_table(words: Words, record: DirectionTrace) -> RenderableType:
    """Say how much each step forgot, remembered and revealed, over all units."""
    columns = ("forgot", "kept", "remembered", "wrote", "revealed", "showed")
    made = table(*words.headers, *(number(column) for column in columns))
    for row, step in enumerate(words.steps):
        forget, write, show = record.forget[step], record.input[step], record.output[step]
        shares = (1 - forget.mean(), write.mean(), show.mean())
        counts = (int((gate > OPEN).sum()) for gate in (forget, write, show))
        cells = [
            cell
            for share, count in zip(shares, counts, strict=True)
            for cell in (heat(f"{share:.0%}", float(share), 1.0, False), plain(count, "dim"))
        ]
        made.add_row(*words.cells(row), *cells)
    return made


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
        cells = [plain("-" if bits is None else f"{bits:.1f} bits")] if columns else []
        best = (f"{printable(o.name)} {o.probability:.0%}" for o in forecast.predictions[step])
        made.add_row(*words.cells(row), *cells, Text(_filled(best, room)))
    return made


def _filled(items: Iterable[str], room: int) -> str:
    """Put items side by side, on as many lines as they need, without breaking one."""
    lines = [""]
    for item in items:
        longer = f"{lines[-1]}  {item}" if lines[-1] else item
        if cell_len(longer) <= room or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(item)
    return "\n".join(lines)


def named_unit_tables(
    words: Words, trace: Trace, units: Sequence[NamedUnit], report: Report
) -> RenderableType:
    """Show the units that are known to tell something, as many side by side as fit, and what."""
    width = 1 + max(len(repr(unit.address)) for unit in units)
    room = max((report.terminal.width - words.width) // width, 1)
    groups = [units[start : start + room] for start in range(0, len(units), room)]
    tables = [_named_unit_table(words, trace, group, report.digits) for group in groups]
    spaced = [part for made in tables for part in (made, Text())]
    return Group(*spaced[:-1], pairs((repr(unit.address), _meaning(unit)) for unit in units))


def _named_unit_table(
    words: Words, trace: Trace, units: Sequence[NamedUnit], digits: int
) -> RenderableType:
    """Show each unit coloured against its own largest value: small ones can tell much."""
    columns = [_values(trace, unit)[words.steps].tolist() for unit in units]
    scales = [max(map(abs, column)) for column in columns]
    made = table(*words.headers, *(number(repr(unit.address)) for unit in units))
    for row, values in enumerate(zip(*columns, strict=True)):
        cells = (heat(written(v, digits), v, s) for v, s in zip(values, scales, strict=True))
        made.add_row(*words.cells(row), *cells)
    return made


def _values(trace: Trace, unit: NamedUnit) -> np.ndarray:
    """The (T,) values of a named unit."""
    at = unit.address
    record = getattr(trace.layers[at.layer], at.direction)
    return np.asarray(getattr(record, at.quantity)[:, at.units])


def _meaning(unit: NamedUnit) -> str:
    return unit.tells if unit.auc is None else f"{unit.tells} (AUC {unit.auc:.2f})"
