"""One cell over whole sequences, forward or reverse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lstm.arrays import Floats, Integers, matvec
from lstm.cell_trace import DirectionTrace
from lstm.engines.engine import Engine, Looked
from lstm.engines.plain import PLAIN
from lstm.lengths import rectangles
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
    lengths: Integers | None = None,
) -> DirectionTrace:
    """Run a cell over sequences and record every step.

    The numbers of a sequence do not depend on the others beside it, nor a step's on the steps
    after it.

    Args:
        cell: the weights, 4H rows.
        inputs: (N, T, D), N sequences of T steps; or (R, D), all their rows, with `lengths`.
        initial: the state before the first step, h and c each (H,) or (N, H).
        direction: "forward", or "reverse" to read each sequence from its end. A reverse step
            is recorded at the place of its input.
        engine: runs the cell, if it can; else numpy does.
        products: where W x + b of this engine are looked up, if they are known.
        edit: given a step, what is to be put in place of which values; the cell is then run in
            numpy, step by step, whatever the engine.
        lengths: (N,), how many rows each sequence has; the longest comes first.

    Returns:
        The record, arrays (N, T, ...) or (R, ...), in the dtype of the weights.
    """
    shape, flat = inputs.shape[:-1], inputs.reshape(-1, inputs.shape[-1])
    rows = np.full(shape[0], shape[1]) if lengths is None else lengths
    n = len(rows)
    first = State(
        h=np.broadcast_to(initial.h, (n, cell.output_size)),
        c=np.broadcast_to(initial.c, (n, cell.hidden_size)),
    )
    able = next((each for each in (engine, PLAIN) if each.can_run(cell)), None)
    if able is None or edit is not None:
        record = _run_by_step(cell, flat, first, direction, edit, rows)
    else:
        known = able.multiply(cell, flat) if products is None else products
        record = able.run(cell, known, first, direction, rows)
    record = Stepped(*(array.reshape(*shape, array.shape[1]) for array in record))
    inputs = inputs.view()  # the caller's own array stays writeable
    for array in (inputs, *record):
        array.flags.writeable = False
    return DirectionTrace(direction, inputs, *record, first, cell.variant, lengths=lengths)


def _run_by_step(
    cell: CellParameters,
    inputs: Floats,
    first: State,
    direction: str,
    edit: StepEdit | None,
    lengths: Integers,
) -> Stepped:
    """Any cell, step by step through `step_variant`; inputs (R, D), the record (R, ...)."""
    products, bias = matvec(cell.weight_ih, inputs), cell.bias
    if PLAIN.can_run(cell):  # whose bias comes first: an edit that changes nothing changes no bit
        products, bias = PLAIN.multiply(cell, inputs), np.zeros_like(cell.bias)
    widths = (4 * cell.hidden_size, 4 * cell.hidden_size, cell.hidden_size, cell.output_size)
    record = Stepped(*(np.empty((len(inputs), width), cell.dtype) for width in widths))
    for part in rectangles(lengths):
        x, product, *views = (
            array[part.rows].reshape(*part.shape, array.shape[1])
            for array in (inputs, products, *record)
        )
        h, c = (array[part.sequences] for array in first)
        steps = range(part.shape[1])
        for t in steps if direction == "forward" else reversed(steps):
            z = product[:, t] + matvec(cell.weight_hh, h)
            here = {} if edit is None else {"edit": edit(t)}
            new = step_variant(cell.variant, z, bias, x[:, t], h, c, **here)
            for whole, one in zip(views, new, strict=True):
                whole[:, t] = one
            h, c = new.hidden, new.cell
    return record
