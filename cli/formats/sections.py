"""The parts of a run's report, each under its heading."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from cli.console import printable
from cli.formats.heatmap import Columns, heat_map
from cli.formats.report import Report
from cli.formats.sentence import coloured
from cli.formats.summary import (
    GATES_EXPLAINED,
    gate_table,
    named_unit_table,
    prediction_table,
    units_that_fit,
)
from cli.formats.words import Words
from cli.limits import check_table
from cli.tables import reading, section
from lstm.analysis.finiteness import nonfinite
from lstm.cell_trace import DirectionTrace
from lstm.quantities import BY_NAME
from lstm.trace import Trace
from lstm.wording import counted

SAME = "The hidden state, as no residual connection adds to it."


def sections(trace: Trace, report: Report) -> Iterator[RenderableType]:
    """Yield what is printed for one sequence, part by part."""
    steps = report.selection.steps.within(trace.num_steps)
    check_table(len(steps))
    # An address that is not there is better found before anything is printed.
    by_unit = [
        coloured(trace, steps, address, report.digits, report.terminal.width)
        for address in report.color_by
    ]
    yield Text(f"{_title(trace, report)}\n", style="bold")
    if not steps:
        yield Text("No steps to show.\n")
        return
    words = Words(trace, steps)
    yield from by_unit
    for layer in report.selection.layers.within(len(trace.layers)):
        for record in trace.layers[layer].directions:
            yield from _layer(words, layer, record, report)
    if report.summary:
        yield from _whole(words, trace, report)
    if footer := _footer(words, trace, report):
        yield Text(f"{footer}\n", style="dim")


def _title(trace: Trace, report: Report) -> str:
    parameters, source = report.model.parameters, printable(report.model.card.source)
    text = trace.text
    read = counted(trace.num_steps, "step") if text is None else printable(text) or "(empty)"
    layers = counted(parameters.num_layers, "layer")
    units = counted(parameters.hidden_size, "unit")
    directions = [name for layer in parameters.layers for name in layer.directions]
    ways = reading(directions, parameters.num_directions, parameters.independent)
    parts = [f"{layers} of {units}"] + ([ways] if parameters.reads_back else [])
    parts += ["residual"] if parameters.residual else []
    parts += [f"with {change}" for change in report.model.changes]
    return f"{read}\n{source}: {', '.join(parts)}"


def _layer(
    words: Words, layer: int, record: DirectionTrace, report: Report
) -> Iterator[RenderableType]:
    where = _where(layer, record, report)
    for name in report.selection.show:
        quantity = BY_NAME[name]
        per_cell = name != "layer_input" and getattr(record, name).shape == record.cell.shape
        own = "cell" if per_cell else name
        columns = Columns.choose(words, record, report, own)
        heading = f"{quantity.title[0].upper()}{quantity.title[1:]} {quantity.symbol}{where}"
        if name == "layer_output" and "hidden" in report.selection.show and record.added is None:
            yield section(heading, Text(SAME, "dim"))
            continue
        left_out = _left_out(len(columns.units), getattr(record, own).shape[1])
        yield section(heading + left_out, heat_map(words, record, quantity, columns, report))
    if report.summary:
        color = report.terminal.color
        yield section(f"What the gates did{where}", gate_table(words, record, color))


def _left_out(shown: int, size: int) -> str:
    return "" if shown == size else f" ({shown} of {size})"


def _where(layer: int, record: DirectionTrace, report: Report) -> str:
    """Say which layer and direction, where there is more than one."""
    parameters = report.model.parameters
    parts = [f"layer {layer}"] if parameters.num_layers > 1 else []
    parts += [record.direction] if parameters.reads_back else []
    return f", {' '.join(parts)}" if parts else ""


def _whole(words: Words, trace: Trace, report: Report) -> Iterator[RenderableType]:
    """What concerns the whole model: its predictions and its named units."""
    if trace.head is not None:
        heading = "What comes next" if trace.head.predicts_tokens else "Labels"
        predictions = prediction_table(words, trace, trace.forecast(report.top_k), report)
        yield section(heading, predictions)
    if units := units_that_fit(words, report.model.card.units, report):
        color = report.terminal.color
        yield section("Named units", named_unit_table(words, trace, units, report.digits, color))


def _footer(words: Words, trace: Trace, report: Report) -> str:
    """Say what the tables leave out, and which words the model does not know."""
    summary = [GATES_EXPLAINED, _named_units_left_out(words, report)] if report.summary else []
    lines = [
        *summary,
        _units_left_out(words, trace, report),
        _unknown_words(trace),
        _not_finite(trace),
    ]
    return "\n".join(line for line in lines if line)


def _units_left_out(words: Words, trace: Trace, report: Report) -> str:
    """Say how the units were chosen, where not all of a layer are shown."""
    if report.selection.units.text is not None or not report.selection.show:
        return ""
    layers = report.selection.layers.within(len(trace.layers))
    records = [record for layer in layers for record in trace.layers[layer].directions]
    for record in records:
        if len(Columns.choose(words, record, report).units) < record.cell.shape[1]:
            return "The units shown have the largest |c|; --units 0:8,12 chooses others."
    return ""


def _named_units_left_out(words: Words, report: Report) -> str:
    units = report.model.card.units
    shown = len(units_that_fit(words, units, report))
    if shown == len(units):
        return ""
    source = printable(report.model.card.source)
    return f"{shown} of {len(units)} named units; lstm inspect {source} lists all."


def _not_finite(trace: Trace) -> str:
    """Say how much of the run is no number, and where that begins."""
    found = nonfinite(trace)
    if found is None:
        return ""
    return (
        f"{found.bad} of the {found.total} numbers of this run are not finite; "
        f"the first is {found.first!r}: {found.value}."
    )


def _unknown_words(trace: Trace) -> str:
    if not trace.unknown or not trace.tokens:
        return ""
    unknown = ", ".join(trace.tokens[step].text for step in trace.unknown)
    return f"{len(trace.unknown)} of {trace.num_steps} words unknown: {printable(unknown)}."
