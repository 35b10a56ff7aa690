"""What ports get wrong, each mistake as a small function: a changed cell, or a changed subject."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstm.analysis.rerun import OneDirection, Subject, by_step
from lstm.arrays import Floats
from lstm.model import CellPlace
from lstm.parameters import CellParameters
from lstm.quantities import GATES, LETTERS
from lstm.state import State


def reordered(cell: CellParameters, right: str, wrong: str, forget_bias: float) -> CellParameters:
    """Take blocks that are in the order `right` as if they were in the order `wrong`.

    What the framework adds to the forget gate at run time goes to the gate that is then called
    the forget gate.
    """
    read = {letter: right[wrong.index(letter)] for letter in wrong}
    blocks = [LETTERS.index(read.get(letter, letter)) for letter in LETTERS]
    rows = np.concatenate([np.arange(cell.hidden_size) + n * cell.hidden_size for n in blocks])
    offset = _at_forget(cell, forget_bias)
    bias = (cell.bias - offset)[rows] + offset
    return replace(cell, weight_ih=cell.weight_ih[rows], weight_hh=cell.weight_hh[rows], bias=bias)


def with_forget_bias(cell: CellParameters, amount: float) -> CellParameters:
    """Shift the forget gate's pre-activation."""
    return replace(cell, bias=cell.bias + _at_forget(cell, amount))


def _at_forget(cell: CellParameters, value: float) -> Floats:
    """A (4H,) vector that is zero but for the forget gate."""
    offset = np.zeros_like(cell.bias)
    offset[cell.hidden_size : 2 * cell.hidden_size] = value
    return offset


def transposed(cell: CellParameters, names: tuple[str, ...]) -> CellParameters:
    """Transpose each gate's block of these matrices, where it is square."""
    for name in names:
        array = getattr(cell, name)
        if array.shape[1] == cell.hidden_size:
            blocks = [block.T for block in np.split(array, len(GATES))]
            cell = _with(cell, name, np.concatenate(blocks))
    return cell


def reshaped(
    cell: CellParameters, names: tuple[str, ...], order: str, outputs_first: bool
) -> CellParameters:
    """Read these matrices, which the file has as (4H, K) or as (K, 4H), as the other of the two.

    Args:
        cell: the right weights.
        names: of the matrices.
        order: of the blocks in the file; a gate without a block there is left as it is.
        outputs_first: whether they are (4H, K) in the file.
    """
    for name in names:
        array = getattr(cell, name)
        blocks = np.split(array, len(GATES))
        stored = np.concatenate([blocks[LETTERS.index(letter)] for letter in order])
        if outputs_first:
            read = stored.reshape(stored.shape[::-1]).T
        else:
            read = np.ascontiguousarray(stored.T).reshape(stored.shape)
        own = dict(zip(LETTERS, np.split(array, len(GATES)), strict=True))
        own |= zip(order, np.split(read, len(order)), strict=True)
        cell = _with(cell, name, np.concatenate([own[letter] for letter in LETTERS]))
    return cell


def _with(cell: CellParameters, name: str, array: Floats) -> CellParameters:
    if name == "weight_ih":
        return replace(cell, weight_ih=array)
    return replace(cell, weight_hh=array)


def with_activation(cell: CellParameters, name: str) -> CellParameters:
    """Squash the three gates otherwise."""
    return replace(cell, variant=replace(cell.variant, gate_activation=name))


def concatenated(cell: CellParameters, first: str) -> CellParameters:
    """Multiply the matrix over [h, x] with [x, h], or where `first` is x, the other way round."""
    if first == "h":
        whole = np.concatenate([cell.weight_hh, cell.weight_ih], axis=1)
        ih, hh = np.split(whole, [cell.input_size], axis=1)
    else:
        whole = np.concatenate([cell.weight_ih, cell.weight_hh], axis=1)
        hh, ih = np.split(whole, [cell.output_size], axis=1)
    return replace(cell, weight_ih=ih, weight_hh=hh)


def with_bias(subject: Subject, number: int | None, times: int) -> Subject:
    """Add one of the file's biases so many times more; None: the sum of them."""

    def change(place: CellPlace, cell: CellParameters) -> CellParameters:
        terms = subject.bias_terms(place)
        chosen = terms if number is None else terms[number : number + 1]
        more = np.sum(chosen, axis=0, dtype=cell.dtype) * times
        return replace(cell, bias=cell.bias + more.astype(cell.dtype))

    return subject.with_cells(change)


def backwards(subject: Subject, in_place: bool = False) -> Subject:
    """Read every sequence from its end; `in_place` records each step where its input stands."""
    turn = slice(None, None, -1 if in_place else 1)
    return replace(
        subject,
        inputs=tuple(x[::-1] for x in subject.inputs),
        rows=tuple(rows[turn] for rows in subject.rows),
    )


def read_by(subject: Subject, way: OneDirection) -> Subject:
    """Let every cell read its sequence in another way."""
    return replace(subject, way=way)


def flipped(
    cell: CellParameters, inputs: Floats, start: State, direction: str
) -> dict[str, Floats]:
    """Record the reverse direction in its reading order."""
    record = by_step(cell, inputs, start, direction)
    turn = slice(None, None, -1 if direction == "reverse" else 1)
    return {name: array[turn] for name, array in record.items()}


def unturned(
    cell: CellParameters,
    inputs: Floats,
    start: State,
    direction: str,  # noqa: ARG001  # that is the mistake
) -> dict[str, Floats]:
    """Read in both directions from the start."""
    return by_step(cell, inputs, start, "forward")


def relabelled(subject: Subject) -> Subject:
    """Record the cell state as the hidden state, and the hidden state as the cell state."""
    return replace(subject, labels={"hidden": "cell", "cell": "hidden"})


def swapped(state: State) -> State:
    """Take the two states for each other."""
    return State(h=state.c, c=state.h)


def cleared(state: State) -> State:
    """Forget both states."""
    return State(h=np.zeros_like(state.h), c=np.zeros_like(state.c))


def swapped_at_start(
    cell: CellParameters, inputs: Floats, start: State, direction: str
) -> dict[str, Floats]:
    """Start from the initial states in each other's place."""
    return by_step(cell, inputs, swapped(start), direction)


def padded(subject: Subject, vector: Floats, before: bool, count: int) -> Subject:
    """Read padding (D,) as if it were input; it is recorded where the port has more steps."""
    block = np.tile(vector, (count, 1))
    recorded = np.arange(0 if subject.is_same_length else count)
    inputs, rows = [], []
    for x, shown in zip(subject.inputs, subject.rows, strict=True):
        inputs.append(np.concatenate((block, x) if before else (x, block)))
        parts = (recorded, shown + count) if before else (shown, len(x) + recorded)
        rows.append(np.concatenate(parts))
    return replace(subject, inputs=tuple(inputs), rows=tuple(rows))
