"""What the numbers say in plain words: the gates, the predictions, the named units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Column
from rich.text import Text

from cli.console import printable
from cli.formats.heatmap import written
from cli.formats.words import Words
from cli.tables import heat, number, pairs, plain, table
from lstm.card import NamedUnit
from lstm.head import Forecast
from lstm.trace import DirectionTrace, Trace

OPEN = 0.5  # a gate above it lets more than half through


def gate_table(words: Words, record: DirectionTrace) -> RenderableType:
    """Say how much each step forgot, remembered and revealed, over all units."""
    size = record.cell.shape[1]
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
    explained = Text(
        "forgot: 1 - forget gate f, remembered: input gate i, revealed: output gate o, means "
        f"over {size} units; kept, wrote, showed: units whose gate is above {OPEN}",
        style="dim",
    )
    return Group(made, explained)


def prediction_table(words: Words, trace: Trace, forecast: Forecast) -> RenderableType:
    """Say after each step what the head expects, and how unexpected each word was."""
    surprisal = dict(enumerate(forecast.surprisal))
    expects = "next" if trace.head and trace.head.predicts_tokens else "label"
    columns = [number("surprisal")] if surprisal else []
    made = table(*words.headers, *columns, Column(expects))
    for row, step in enumerate(words.steps):
        bits = surprisal.get(step)
        cells = [plain("-" if bits is None else f"{bits:.1f} bits")] if surprisal else []
        best = "  ".join(
            f"{printable(outcome.name)} {outcome.probability:.0%}"
            for outcome in forecast.predictions[step]
        )
        made.add_row(*words.cells(row), *cells, Text(best))
    return made


def named_unit_table(
    words: Words, trace: Trace, units: Sequence[NamedUnit], digits: int
) -> RenderableType:
    """Show the units that are known to tell something, and what."""
    columns = [_values(trace, unit)[words.steps] for unit in units]
    made = table(*words.headers, *(number(repr(unit.address)) for unit in units))
    for row in range(len(words.steps)):
        values = [float(column[row]) for column in columns]
        scales = [float(np.abs(column).max()) for column in columns]
        cells = (heat(written(v, digits), v, s) for v, s in zip(values, scales, strict=True))
        made.add_row(*words.cells(row), *cells)
    return Group(made, pairs((repr(unit.address), _meaning(unit)) for unit in units))


def _values(trace: Trace, unit: NamedUnit) -> np.ndarray:
    """The (T,) values of a named unit."""
    at = unit.address
    record = getattr(trace.layers[at.layer], at.direction)
    return np.asarray(getattr(record, at.quantity)[:, at.units])


def _meaning(unit: NamedUnit) -> str:
    return unit.tells if unit.auc is None else f"{unit.tells} (AUC {unit.auc:.2f})"
