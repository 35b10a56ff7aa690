"""What ports get wrong, each mistake as a small function: a changed cell, or a changed run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstm.analysis.recording import Place, Recording, Series
from lstm.analysis.rerun import Subject, by_step, run_layers
from lstm.arrays import Floats
from lstm.model import CellPlace
from lstm.parameters import CellParameters
from lstm.quantities import GATES
from lstm.state import State

LETTERS = "ifgo"  # of GATES, the order of our own blocks


def reordered(cell: CellParameters, right: str, wrong: str, forget_bias: float) -> CellParameters:
    """Take blocks that are in the order `right` as if they were in the order `wrong`.

    What the framework adds to the forget gate at run time goes to the gate that is then called
    the forget gate.
    """
    blocks = [LETTERS.index(right[wrong.index(letter)]) for letter in LETTERS]
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
        order: of the blocks in the file.
        outputs_first: whether they are (4H, K) in the file.
    """
    for name in names:
        array = getattr(cell, name)
        stored = _in_order(array, LETTERS, order)
        if outputs_first:
            read = stored.reshape(array.shape[::-1]).T
        else:
            read = np.ascontiguousarray(stored.T).reshape(array.shape)
        cell = _with(cell, name, _in_order(read, order, LETTERS))
    return cell


def _in_order(array: Floats, given: str, wanted: str) -> Floats:
    """Put the four blocks of rows from one order into another."""
    blocks = np.split(array, len(GATES))
    return np.concatenate([blocks[given.index(letter)] for letter in wanted])


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


def with_bias(subject: Subject, number: int | None, times: int) -> tuple[Recording, ...]:
    """Add one of the file's biases so many times more; None: the sum of them."""

    def change(place: CellPlace, cell: CellParameters) -> CellParameters:
        terms = subject.bias_terms(place)
        chosen = terms if number is None else terms[number : number + 1]
        more = np.sum(chosen, axis=0, dtype=cell.dtype) * times
        return replace(cell, bias=cell.bias + more.astype(cell.dtype))

    return run_layers(subject, change=change)


def backwards(subject: Subject, in_place: bool = False) -> tuple[Recording, ...]:
    """Read every sequence from its end; `in_place` records each step where its input stands."""
    turned = replace(subject, inputs=tuple(x[::-1] for x in subject.inputs))
    rows = slice(None, None, -1 if in_place else 1)
    return tuple(_rows(one, rows) for one in run_layers(turned))


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


def relabelled(subject: Subject) -> tuple[Recording, ...]:
    """Record the cell state as the hidden state, and the hidden state as the cell state."""
    names = {"hidden": "cell", "cell": "hidden"}
    return tuple(
        Recording(
            {
                Place(layer, direction, names.get(quantity, quantity)): series
                for (layer, direction, quantity), series in one.series.items()
            }
        )
        for one in run_layers(subject)
    )


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


def padded(subject: Subject, vector: Floats, before: bool, count: int) -> tuple[Recording, ...]:
    """Read padding (D,) as if it were input, and record as many steps as the port does."""
    block = np.tile(vector, (count, 1))
    inputs = tuple(np.concatenate((block, x) if before else (x, block)) for x in subject.inputs)
    padded = run_layers(replace(subject, inputs=inputs))
    return tuple(
        _rows(one, slice(len(x) - steps, None) if before else slice(steps))
        for one, x, steps in zip(padded, inputs, subject.port_steps, strict=True)
    )


def _rows(recording: Recording, rows: slice) -> Recording:
    """Keep some rows of all series, and number them anew."""
    return Recording({p: Series.whole(one.values[rows]) for p, one in recording.series.items()})
