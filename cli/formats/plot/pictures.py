"""The pictures that `lstm plot` makes, each a few numbers of a run with their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from cli.console import printable
from cli.formats.plot.accounts import ledger, survival
from cli.formats.plot.cell import Cell, largest
from cli.formats.plot.parts import Bars, Heat, Lines, Part, Picture, Points
from cli.formats.words import short
from cli.selection import Selection
from lstm.analysis.contrast import aligned, contrast
from lstm.analysis.saturation import GATED, OPEN, SHUT, Saturation
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.quantities import BY_NAME
from lstm.trace import Trace

# As many units as a reader can follow, where none are chosen.
MOST_ROWS, MOST_LINES = 32, 4
LONGEST = 120  # characters of a text in the heading
SIDES = ("first text", "second text")
Rows = Iterator[tuple[Part, ...]]


def picture(
    what: str, model: Model, traces: Sequence[Trace], selection: Selection, align: str = "start"
) -> Picture:
    """Make one of PICTURES of a run, or of two, which may stand side by side from their ends.

    Raises:
        LSTMError: this kind of cell has no such picture, or there is nothing to see in it.
    """
    title, make = PICTURES[what]
    if not all(trace.num_steps for trace in traces):
        raise LSTMError("plot: expected a text of at least one word, found none.")
    changes = "".join(f", with {change}" for change in model.changes)
    texts = " | ".join(_text(trace) for trace in traces)
    steps = aligned([trace.num_steps for trace in traces], align)
    words = tuple(_word(traces, here) for here in zip(*steps, strict=True))
    rows = [
        row
        for number in selection.layers.within(len(traces[0].layers))
        for records in zip(*(trace.layers[number].directions for trace in traces), strict=True)
        for row in make(
            *(
                Cell(model, trace, number, record, selection, own)
                for trace, record, own in zip(traces, records, steps, strict=True)
            )
        )
    ]
    if len(traces) == 2:
        rows += _next_words(traces[0], traces[1], align)
    return Picture(texts, f"{title} · {printable(model.card.source)}{changes}", words, tuple(rows))


def _text(trace: Trace) -> str:
    text = printable(trace.text or f"{trace.num_steps} steps")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _word(traces: Sequence[Trace], steps: Sequence[int]) -> str:
    """The word at a step; both, where two texts have different ones."""
    words = [
        str(step) if trace.tokens is None else short(trace.tokens[step].text)
        for trace, step in zip(traces, steps, strict=True)
    ]
    return " | ".join(dict.fromkeys(words))


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
    """How far two texts are apart, step beside step, and which units carry the difference on."""
    apart = {
        BY_NAME[name]: getattr(two.record, name)[two.steps] - getattr(one.record, name)[one.steps]
        for name in ("cell", "hidden")
    }
    distances = {q.symbol: np.linalg.norm(values, axis=1) for q, values in apart.items()}
    yield (Lines(f"How far apart the texts are{one.where}", distances, "distance"),)
    for quantity, values in apart.items():
        units = one.units(MOST_ROWS, values)
        title = f"{quantity.title.capitalize()} {quantity.symbol}: second text minus first"
        rows, measure = tuple(map(str, units)), f"Δ{quantity.symbol}"
        field = values[:, units].T
        yield (
            Heat(
                f"{title}{one.where}", rows, field, largest(field), True, measure, row_title="unit"
            ),
        )


def _next_words(first: Trace, second: Trace, align: str) -> Rows:
    """What comes after the last step in either text, where that differs."""
    if words := contrast(first, second, align).words:
        likely = ([w.probabilities[side] for w in words] for side in (0, 1))
        names = tuple(short(word.name) for word in words)
        title = "What comes next" if first.head and first.head.predicts_tokens else "Labels"
        yield (Bars(title, names, dict(zip(SIDES, likely, strict=True)), "probability"),)


PICTURES: dict[str, tuple[str, Callable[..., Rows]]] = {
    "heatmap": ("gates, cells and hidden states over the words", _heatmap),
    "units": ("units over the words, their gates below", _units),
    "ledger": ("by time of writing, not by cause", ledger),
    "survival": ("the product of the forget gates since", survival),
    "saturation": (f"share of steps with a gate below {SHUT} or above {OPEN}", _saturation),
    "contrast": ("two texts, step beside step", _contrast),
}
