"""How much a run gives to write, counted before it is written."""

from __future__ import annotations

from cli.formats.report import Report
from lstm.errors import LSTMError
from lstm.trace import Trace

FEWER = "Choose fewer with --show, --units, --layers or --steps, or use lstm extract."


def count_numbers(trace: Trace, report: Report) -> int:
    """Count the numbers of a sequence that are to be written."""
    selection = report.selection
    widths = (
        len(selection.units.within(width)) if name != "layer_input" else width
        for layer in selection.layers.within(len(trace.layers))
        for record in trace.layers[layer].directions
        for name in selection.show
        for width in [getattr(record, name).shape[-1]]
    )
    return len(selection.steps.within(trace.num_steps)) * sum(widths)


def check_size(what: str, found: int, most: int) -> None:
    """Refuse more bytes than are kept in memory until all of them are there.

    Raises:
        LSTMError: there are more; the message says how many it may be, and what to do.
    """
    if found > most:
        raise LSTMError(
            f"{what}: expected at most {most / 1e9:g} GB in one piece, found about "
            f"{found / 1e9:.1f} GB or more. {FEWER}"
        )
