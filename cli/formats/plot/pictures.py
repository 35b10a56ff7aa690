"""The pictures that `lstm plot` makes, each a few numbers of a run with their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from cli.console import printable
from cli.formats.plot.parts import Heat, Lines, Part, Picture, Points
from cli.formats.words import short
from cli.limits import LEDGER_STEPS, check_steps
from cli.selection import Selection
from lstm.analysis.ledger import Ledger
from lstm.analysis.saturation import GATED, OPEN, SHUT, Saturation
from lstm.arrays import Floats
from lstm.cell_trace import DirectionTrace
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.quantities import BY_NAME
from lstm.trace import Trace

# As many units as a reader can follow, where none are chosen.
MOST_ROWS, MOST_LINES = 32, 4
Rows = Iterator[tuple[Part, ...]]


class Cell(NamedTuple):
    """One layer and direction of a run, and the units that are shown of it."""

    model: Model
    layer: int
    record: DirectionTrace
    selection: Selection

    @property
    def where(self) -> str:
        """The layer and direction, where there is more than one."""
        parameters = self.model.parameters
        parts = [f", layer {self.layer}"] if parameters.num_layers > 1 else []
        return "".join(parts + ([f", {self.record.direction}"] if parameters.reads_back else []))

    def ledger(self) -> Ledger:
        """Account for the memory.

        Raises:
            LSTMError: this kind of cell has no such account.
        """
        layer = self.model.parameters.layers[self.layer]
        check_steps("plot", self.record.num_steps, LEDGER_STEPS, "Give less text.")
        return Ledger(layer.directions[self.record.direction], self.record)

    def units(self, most: int | None, of: Floats | None = None) -> list[int]:
        """Return the units asked for, or all; `most`: those with the largest numbers."""
        values = self.record.cell if of is None else of
        if most is None or self.selection.units.text is not None:
            return self.selection.units.within(values.shape[1])
        largest = np.abs(np.nan_to_num(values)).max(axis=0, initial=0)
        return sorted(np.argsort(-largest, kind="stable")[:most].tolist())

    def heat(self, name: str, units: Sequence[int]) -> Heat:
        """Return one quantity of some units over the steps."""
        quantity, values = BY_NAME[name], getattr(self.record, name)[:, units]
        limit = _reach(values) if quantity.high is None else quantity.high
        title = f"{quantity.title} {quantity.symbol}{self.where}"
        return Heat(
            title[0].upper() + title[1:], tuple(map(str, units)), values.T, limit,
            quantity.low != 0, quantity.symbol, row_title="unit",
        )  # fmt: skip


def picture(what: str, model: Model, traces: Sequence[Trace], selection: Selection) -> Picture:
    """Make one of PICTURES of a run, or of two.

    Raises:
        LSTMError: this kind of cell has no such picture, or there is nothing to see in it.
    """
    title, make = PICTURES[what]
    if not all(trace.num_steps for trace in traces):
        raise LSTMError("plot: expected a text of at least one word, found none.")
    changes = "".join(f", with {change}" for change in model.changes)
    texts = " | ".join(_text(trace) for trace in traces)
    words = tuple(_word(traces, step) for step in range(min(t.num_steps for t in traces)))
    rows = [
        row
        for number in selection.layers.within(len(traces[0].layers))
        for records in zip(*(trace.layers[number].directions for trace in traces), strict=True)
        for row in make(*(Cell(model, number, record, selection) for record in records))
    ]
    return Picture(texts, f"{title} · {printable(model.card.source)}{changes}", words, tuple(rows))


def _text(trace: Trace) -> str:
    text = printable(trace.text or f"{trace.num_steps} steps")
    return text if len(text) <= 120 else f"{text[:119]}…"


def _word(traces: Sequence[Trace], step: int) -> str:
    """The word at a step; both, where two texts have different ones."""
    words = [str(step) if t.tokens is None else short(t.tokens[step].text) for t in traces]
    return " | ".join(dict.fromkeys(words))


def _reach(values: Floats) -> float:
    """Where a scale ends: one unit that counts on and on must not make all others pale."""
    peaks = np.abs(np.where(np.isfinite(values), values, 0)).max(axis=0)
    return float(np.quantile(peaks, 0.95, method="lower")) or _largest(values)


def _largest(values: Floats) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max(initial=0)) or 1.0


def _heatmap(cell: Cell) -> Rows:
    names = cell.selection.show
    units = cell.units(MOST_ROWS)
    inputs = cell.units(MOST_ROWS, cell.record.layer_input)
    heats = [cell.heat(name, inputs if name == "layer_input" else units) for name in names]
    yield tuple(heats)


def _units(cell: Cell) -> Rows:
    for unit in cell.units(MOST_LINES):
        record = cell.record
        told = [u for u in cell.model.card.units if u.address.units == unit]
        mine = [u for u in told if u.address[:2] == (cell.layer, record.direction)]
        meaning = f": {printable(mine[0].tells)}" if mine else ""
        lines = {"c": record.cell[:, unit]}
        if unit < record.hidden.shape[1]:
            lines["h"] = record.hidden[:, unit]
        gates = np.stack([getattr(record, name)[:, unit] for name in GATED])
        symbols = tuple(BY_NAME[name].symbol for name in GATED)
        yield (Lines(f"Unit {unit}{cell.where}{meaning}", lines, "state"),)
        yield (Heat("", symbols, gates, 1.0, False, "gate", height=14),)


def _ledger(cell: Cell) -> Rows:
    """What each step's memory consists of; with a sign where it is that of one unit."""
    units, ledger = cell.units(None), cell.ledger()
    values = np.zeros((cell.record.num_steps, cell.record.num_steps + 1))
    for entry in ledger.entries():
        shares = entry.shares[:, units]
        sizes = np.abs(shares).sum(axis=1)
        values[entry.step] = shares[:, 0] if len(units) == 1 else sizes / (sizes.sum() or 1)
    one = f" of unit {units[0]}" if len(units) == 1 else ""
    limit = _largest(values) if one else 1.0
    yield (_matrix(f"Who wrote the memory{one}{cell.where}", values, limit, bool(one), "share"),)


def _survival(cell: Cell) -> Rows:
    units = cell.units(None)
    values = np.zeros((cell.record.num_steps, cell.record.num_steps + 1))
    for entry in cell.ledger().entries():
        values[entry.step] = entry.survival[:, units].mean(axis=1)
    title = f"How much of each word is left, mean over {len(units)} units{cell.where}"
    yield (_matrix(title, values, 1.0, False, "left"),)


def _matrix(title: str, values: Floats, limit: float, diverging: bool, measure: str) -> Heat:
    """Words by words: one row after each step, one column for each that wrote."""
    first = -1 if values[:, 0].any() and measure == "share" else 0
    shown = values[:, first + 1 :]
    return Heat(title, (), shown, limit, diverging, measure, "after", first)


def _saturation(cell: Cell) -> Rows:
    units, found = cell.units(None), Saturation.of(cell.record)
    yield tuple(
        Points(
            f"{BY_NAME[gate].title.capitalize()} {BY_NAME[gate].symbol}{cell.where}",
            tuple(units), found.shut[gate][units], found.opened[gate][units],
        )
        for gate in GATED
    )  # fmt: skip


def _contrast(one: Cell, two: Cell) -> Rows:
    """Where two texts part, step beside step, and which units carry the difference on."""
    steps = min(one.record.num_steps, two.record.num_steps)
    for name, more in (("cell", True), ("hidden", False)):
        apart = getattr(two.record, name)[:steps] - getattr(one.record, name)[:steps]
        symbol = BY_NAME[name].symbol
        if more:
            norms = {symbol: np.linalg.norm(apart, axis=1)}
            yield (Lines(f"How far apart the texts are{one.where}", norms, "distance"),)
        units = one.units(MOST_ROWS, apart)
        title = f"{BY_NAME[name].title.capitalize()} {symbol}: second text minus first{one.where}"
        rows = tuple(map(str, units))
        values = apart[:, units].T
        heat = Heat(title, rows, values, _largest(values), True, f"Δ{symbol}", row_title="unit")
        yield (heat,)


PICTURES: dict[str, tuple[str, Callable[..., Rows]]] = {
    "heatmap": ("gates, cells and hidden states over the words", _heatmap),
    "units": ("units over the words, their gates below", _units),
    "ledger": ("by time of writing, not by cause", _ledger),
    "survival": ("the product of the forget gates since", _survival),
    "saturation": (f"share of steps with a gate below {SHUT} or above {OPEN}", _saturation),
    "contrast": ("two texts, step beside step", _contrast),
}
