"""From the tensors of a recognised layout to parameters: the one reader for all layouts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lstm.arrays import Floats
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.quantities import GATES
from lstm.variants import Variant
from weights.archive import Archive
from weights.layouts.found import CellAddress, FoundLSTM, Part
from weights.layouts.layout import Layout

Blocks = dict[str, Floats]


def read_parameters(archive: Archive, lstm: FoundLSTM, dtype: str) -> Parameters:
    """Read an LSTM and put its blocks into the order i, f, g, o.

    Args:
        archive: the file.
        lstm: what `detect` found in it; its layout is already what the options made of it.
        dtype: `float32` or `float64`, in which two biases are also summed.

    Raises:
        UnsupportedDtypeError: a tensor is stored in a format that is not read.
        ShapeError: the layers do not fit on top of each other.
    """
    layers = []
    for number in range(lstm.num_layers):
        cells = {
            direction: _read_cell(archive, lstm, (layer, direction), dtype)
            for layer, direction in lstm.cells
            if layer == number
        }
        layers.append(LayerParameters(**cells))
    return Parameters(tuple(layers), lstm.independent, lstm.residual)


def _read_cell(archive: Archive, lstm: FoundLSTM, at: CellAddress, dtype: str) -> CellParameters:
    sizes = lstm.sizes(at)
    ih = {gate: np.zeros((sizes.hidden_size, sizes.input_size), dtype) for gate in GATES}
    hh = {gate: np.zeros((sizes.hidden_size, sizes.output_size), dtype) for gate in GATES}
    bias: Blocks = {}
    if lstm.layout.forget_bias:
        bias["forget"] = np.full(sizes.hidden_size, lstm.layout.forget_bias, dtype)
    variant = lstm.layout.variant_of(at[1])
    gains: Blocks = {}
    for part in lstm.cells[at]:
        array = archive.read(part.name, dtype)
        for gate, block in blocks_of(array, lstm.layout, part):
            match part.kind.part:
                case "ih":
                    ih[gate] = block
                case "hh":
                    hh[gate] = block
                case "hx":
                    hh[gate], ih[gate] = np.split(block, [sizes.output_size], axis=1)
                case "xh":
                    ih[gate], hh[gate] = np.split(block, [sizes.input_size], axis=1)
                case "bias" | "bias_pair" | "norm_bias":
                    # Not 0 + block, which would turn -0 into 0.
                    bias[gate] = bias[gate] + block if gate in bias else block
                case "norm_gain":
                    gains[gate] = block
                case "peephole":
                    variant[f"peephole_{gate}"] = block
                case name:
                    variant[_WHOLE[name]] = block
    if gains:
        variant["norm_gain"] = np.concatenate([gains[gate] for gate in GATES])
    zero = np.zeros(sizes.hidden_size, dtype)
    variant |= _highway(ih, hh, bias, zero)
    return CellParameters(
        np.concatenate([ih[gate] for gate in GATES]),
        np.concatenate([hh[gate] for gate in GATES]),
        np.concatenate([bias.get(gate, zero) for gate in GATES]),
        Variant(**variant),
    )


def _highway(ih: Blocks, hh: Blocks, bias: Blocks, zero: Floats) -> Blocks:
    """What a highway connection adds to a Variant; nothing where there is none."""
    if "highway" not in ih or "highway_input" not in ih:
        return {}
    names = ("highway", "highway_input")
    arrays = {
        "highway_ih": np.concatenate([ih[name] for name in names]),
        "highway_hh": hh["highway"],
    }
    if any(name in bias for name in names):
        arrays["highway_bias"] = np.concatenate([bias.get(name, zero) for name in names])
    return arrays


# Kinds of tensors that belong to the whole cell, and what they are in a Variant.
_WHOLE = {
    "projection": "projection",
    "shown": "peephole_shown",
    "cell_norm_gain": "norm_cell_gain",
    "cell_norm_bias": "norm_cell_bias",
}


def blocks_of(array: Floats, layout: Layout, part: Part) -> Iterator[tuple[str, Floats]]:
    """Yield each gate with its rows, outputs first; a whole cell's tensor under no gate."""
    if part.slot is not None:
        array = array[part.slot]
    if part.kind.part in _WHOLE:
        yield "", _matrix(array, layout, part)
        return
    if part.gate is not None:
        yield part.gate, _matrix(array, layout, part)
        return
    gates = layout.order_of(part.kind)
    if part.kind.part == "bias_pair":
        for half in np.split(array.reshape(-1), 2):
            yield from zip(gates, np.split(half, len(gates)), strict=True)
    elif len(part.shape) == 2 and part.kind.part in ("ih", "hh", "hx", "xh"):
        yield from zip(gates, _matrices(array, layout, part, len(gates)), strict=True)
    else:
        yield from zip(gates, _cut(array.reshape(-1), layout, len(gates)), strict=True)


def _matrices(array: Floats, layout: Layout, part: Part, gates: int) -> list[Floats]:
    """Cut a packed matrix into one per gate, outputs first."""
    if layout.blocks_along_inputs:
        return [block.T for block in np.split(array, gates, axis=0)]
    if layout.reread:
        blocks = np.split(array, gates, axis=1)
        return [np.ascontiguousarray(block).reshape(block.shape[::-1]) for block in blocks]
    return _cut(_matrix(array, layout, part), layout, gates)


def _matrix(array: Floats, layout: Layout, part: Part) -> Floats:
    """Turn a tensor so that outputs come first; a vector loses its axes of one."""
    if len(part.shape) != 2 or part.kind.part.endswith(("bias", "gain", "shown")):
        return array.reshape(-1)
    if part.kind.part == "peephole" and 1 in part.shape:
        return array.reshape(-1)
    return array if layout.has_output_rows(part.kind) else array.T


def _cut(array: Floats, layout: Layout, gates: int) -> list[Floats]:
    """Cut rows into one part per gate: blocks, or every fourth row."""
    if layout.interleaved:
        return [array[gate::gates] for gate in range(gates)]
    return np.split(array, gates)
