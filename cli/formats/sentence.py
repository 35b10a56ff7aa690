"""The sentence itself, coloured by one unit, with a spark line and the numbers under it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.text import Text

from cli.formats.heatmap import written
from cli.formats.words import short
from cli.tables import heat_style, section
from lstm.address import Address
from lstm.arrays import Floats
from lstm.errors import LSTMError
from lstm.quantities import BY_SYMBOL, Quantity
from lstm.trace import Trace

BLOCKS = "▁▂▃▄▅▆▇█"
LONGEST = 16  # blocks of a spark line beside other text


def series(trace: Trace, address: Address) -> Floats:
    """Return the (T,) values of one unit over the steps.

    Raises:
        LSTMError: the run has no such place.
    """
    layers = trace.layers[address.layer : address.layer + 1]
    record = getattr(layers[0], address.direction) if layers else None
    if record is None:
        raise LSTMError(f"{address}: the model has no such layer and direction.")
    values = np.asarray(getattr(record, address.quantity))
    if not isinstance(address.units, int) or address.units >= values.shape[1]:
        last = values.shape[1] - 1
        raise LSTMError(f"{address}: unit: expected 0 to {last}, found {address.units}.")
    return values[:, address.units]


def coloured(
    trace: Trace, steps: Sequence[int], address: Address, digits: int, width: int, at: int = -1
) -> RenderableType:
    """Make the section of a unit: words, spark line, numbers, line by line, and the scale.

    Args:
        at: the step that is marked; -1 marks none.
        width: of the terminal, in columns.
    """
    values = series(trace, address)
    low, high = _ends(values, BY_SYMBOL[address.symbol])
    lines = [Text(), Text(), Text()]
    made: list[RenderableType] = []
    for step in steps:
        word = str(step) if trace.tokens is None else short(trace.tokens[step].text)
        x = float(values[step])
        size = max(cell_len(word), cell_len(written(x, digits)))
        if lines[0].cell_len and lines[0].cell_len + size > width:
            made += [*lines, Text()]
            lines = [Text(), Text(), Text()]
        mark = " bold underline" if step == at else ""
        styles = (f"{heat_style(x, high, low < 0)}{mark}", "dim", "dim")
        cells = (word, spark(x, low, high) * size, written(x, digits))
        for line, cell, style in zip(lines, cells, styles, strict=True):
            line.append(set_cell_size(cell, size), style.strip()).append(" ")
    made += [*lines, Text()]
    title = f"Words, coloured by {address}"
    return section(title, Group(*made, _scale(low, high, digits)))


def spark_line(trace: Trace, steps: Sequence[int], address: Address) -> str:
    """Draw a unit over the steps, a block for each; of many, the largest of as many as go together.

    Raises:
        LSTMError: the run has no such place.
    """
    values = series(trace, address)[list(steps)]
    low, high = _ends(values, BY_SYMBOL[address.symbol])
    stretches = np.array_split(values, min(len(values), LONGEST))
    peaks = (stretch[np.abs(stretch).argmax()] for stretch in stretches)
    return "".join(spark(float(peak), low, high) for peak in peaks)


def _ends(values: Floats, quantity: Quantity) -> tuple[float, float]:
    """Where the scale of a quantity begins and ends."""
    finite = values[np.isfinite(values)]
    high = float(np.abs(finite).max(initial=0)) if quantity.high is None else float(quantity.high)
    return 0.0 if quantity.low == 0 else -high, high


def _scale(low: float, high: float, digits: int) -> Text:
    scale = Text().append(f"{written(low, digits)} ", "dim")
    for x, block in zip(np.linspace(low, high, len(BLOCKS)).tolist(), BLOCKS, strict=True):
        scale.append(block, heat_style(x, high, low < 0) or "dim")
    return scale.append(f" {written(high, digits)}", "dim")


def spark(value: float, low: float, high: float) -> str:
    """Return the block that stands for a value between two ends; a blank where it is no number.

    >>> "".join(spark(x, -1, 1) for x in (-1, 0, 0.5, 1))
    '▁▅▇█'
    """
    if not np.isfinite(value):
        return " "
    share = 0.0 if high == low else (value - low) / (high - low)
    return BLOCKS[min(max(int(share * len(BLOCKS)), 0), len(BLOCKS) - 1)]
