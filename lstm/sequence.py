"""One cell over whole sequences, forward or reverse."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from lstm.arrays import Floats, matvec
from lstm.cell_trace import DirectionTrace
from lstm.engines.engine import Engine, Looked
from lstm.engines.plain import PLAIN
from lstm.parameters import CellParameters
from lstm.state import State
from lstm.variants import Edit, Stepped, step_variant

StepEdit = Callable[[int], Edit]


def run_cell(
    cell: CellParameters,
    inputs: Floats,
    initial: State,
    direction: str,
    engine: Engine = PLAIN,
    products: Looked | None = None,
    edit: StepEdit | None = None,
) -> DirectionTrace:
    """Run a cell over sequences and record every step.

    The numbers of a sequence do not depend on the others beside it, nor a step's on the steps
    after it.

    Args:
        cell: the weights, 4H rows.
        inputs: (N, T, D), N sequences of T steps.
        initial: the state before the first step, h and c each (H,) or (N, H).
        direction: "forward", or "reverse" to read each sequence from its end. A reverse step
            is recorded at the place of its input.
        engine: runs the cell, if it can; else numpy does.
        products: where W x + b of this engine are looked up, if they are known.
        edit: given a step, what is to be put in place of which values; the cell is then run in
            numpy, step by step, whatever the engine.

    Returns:
        The record, arrays (N, T, ...), in the dtype of the weights.
    """
    n, num_steps, _ = inputs.shape
    first = State(
        h=np.broadcast_to(initial.h, (n, cell.output_size)),
        c=np.broadcast_to(initial.c, (n, cell.hidden_size)),
    )
    able = next((each for each in (engine, PLAIN) if each.can_run(cell)), None)
    if able is None or edit is not None:
        steps = range(num_steps) if direction == "forward" else reversed(range(num_steps))
        record = _run_by_step(cell, inputs, first, steps, edit)
    else:
        known = able.multiply(cell, inputs) if products is None else products
        record = able.run(cell, known, first, direction)
    inputs = inputs.view()  # the caller's own array stays writeable
    for array in (inputs, *record):
        array.flags.writeable = False
    return DirectionTrace(direction, inputs, *record, first, cell.variant)


def _run_by_step(
    cell: CellParameters,
    inputs: Floats,
    first: State,
    steps: Iterable[int],
    edit: StepEdit | None,
) -> Stepped:
    """Any cell, step by step through `step_variant`."""
    products, bias = matvec(cell.weight_ih, inputs), cell.bias
    if PLAIN.can_run(cell):  # whose bias comes first: an edit that changes nothing changes no bit
        products, bias = PLAIN.multiply(cell, inputs), np.zeros_like(cell.bias)
    widths = (4 * cell.hidden_size, 4 * cell.hidden_size, cell.hidden_size, cell.output_size)
    record = Stepped(*(np.empty((*inputs.shape[:2], width), cell.dtype) for width in widths))
    h, c = first.h, first.c
    for t in steps:
        z = products[:, t] + matvec(cell.weight_hh, h)
        here = {} if edit is None else {"edit": edit(t)}
        new = step_variant(cell.variant, z, bias, inputs[:, t], h, c, **here)
        for whole, part in zip(record, new, strict=True):
            whole[:, t] = part
        h, c = new.hidden, new.cell
    return record
