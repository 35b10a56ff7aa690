"""One cell over whole sequences, forward or reverse: the fast path."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lstm.arrays import Floats, matvec
from lstm.cell_trace import DirectionTrace
from lstm.parameters import CellParameters
from lstm.state import State
from lstm.variants import STANDARD, Stepped, step_variant


def run_cell(
    cell: CellParameters, inputs: Floats, initial: State, direction: str
) -> DirectionTrace:
    """Run a cell over sequences and record every step.

    The numbers of a sequence do not depend on the others beside it, nor a step's on the steps
    after it: every matrix product is one matrix with one vector (`matvec`), all else is element
    by element.

    Args:
        cell: the weights, 4H rows.
        inputs: (N, T, D), N sequences of T steps.
        initial: the state before the first step, h and c each (H,) or (N, H).
        direction: "forward", or "reverse" to read each sequence from its end. A reverse step
            is recorded at the place of its input.

    Returns:
        The record, arrays (N, T, ...), in the dtype of the weights.
    """
    n, num_steps, _ = inputs.shape
    first = State(
        h=np.broadcast_to(initial.h, (n, cell.output_size)),
        c=np.broadcast_to(initial.c, (n, cell.hidden_size)),
    )
    steps = range(num_steps) if direction == "forward" else reversed(range(num_steps))
    run = _run_standard if cell.variant is STANDARD else _run_variant
    record = run(cell, inputs, first, steps)
    inputs = inputs.view()  # the caller's own array stays writeable
    for array in (inputs, *record):
        array.flags.writeable = False
    return DirectionTrace(direction, inputs, *record, first, cell.variant)


def _run_standard(
    cell: CellParameters, inputs: Floats, first: State, steps: Iterable[int]
) -> Stepped:
    """The standard cell, all four gates with one tanh."""
    size = cell.hidden_size
    pre = matvec(cell.weight_ih, inputs) + cell.bias
    gates = np.empty_like(pre)
    cells = np.empty((*inputs.shape[:2], size), cell.dtype)
    hidden = np.empty_like(cells)
    scale, shift = _one_tanh_for_all(size, cell.dtype)
    h, c = first.h, first.c
    for t in steps:
        z, a = pre[:, t], gates[:, t]
        z += matvec(cell.weight_hh, h)
        np.multiply(z, scale, out=a)
        np.tanh(a, out=a)
        a *= scale
        a += shift
        i, f, g, o = a[:, :size], a[:, size : 2 * size], a[:, 2 * size : -size], a[:, -size:]
        c = np.add(f * c, i * g, out=cells[:, t])
        h = np.multiply(o, np.tanh(c), out=hidden[:, t])
    return Stepped(pre, gates, cells, hidden)


def _run_variant(
    cell: CellParameters, inputs: Floats, first: State, steps: Iterable[int]
) -> Stepped:
    """Any other cell, step by step through `step_variant`."""
    products = matvec(cell.weight_ih, inputs)
    widths = (4 * cell.hidden_size, 4 * cell.hidden_size, cell.hidden_size, cell.output_size)
    record = Stepped(*(np.empty((*inputs.shape[:2], width), cell.dtype) for width in widths))
    h, c = first.h, first.c
    for t in steps:
        z = products[:, t] + matvec(cell.weight_hh, h)
        new = step_variant(cell.variant, z, cell.bias, inputs[:, t], h, c)
        for whole, part in zip(record, new, strict=True):
            whole[:, t] = part
        h, c = new.hidden, new.cell
    return record


def _one_tanh_for_all(size: int, dtype: np.dtype[np.floating]) -> tuple[Floats, Floats]:
    """Return scale and shift with which scale * tanh(scale * z) + shift is all four activations.

    sigmoid(z) = tanh(z / 2) / 2 + 1 / 2 for i, f and o; for the candidate it is tanh itself.
    """
    scale = np.full(4 * size, 0.5, dtype)
    shift = np.full(4 * size, 0.5, dtype)
    scale[2 * size : 3 * size], shift[2 * size : 3 * size] = 1, 0
    return scale, shift
