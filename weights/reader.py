"""From the tensors of a recognised layout to parameters: the one reader for all layouts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lstm.arrays import Floats
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.quantities import GATES
from weights.archive import Archive
from weights.layouts.layout import CellAddress, FoundLSTM, Part


def read_parameters(archive: Archive, lstm: FoundLSTM, dtype: str) -> Parameters:
    """Read an LSTM and put its blocks into the order i, f, g, o.

    Args:
        archive: the file.
        lstm: what `detect` found in it.
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
        layers.append(LayerParameters(cells["forward"], cells.get("reverse")))
    return Parameters(tuple(layers))


def _read_cell(archive: Archive, lstm: FoundLSTM, at: CellAddress, dtype: str) -> CellParameters:
    input_size, size = lstm.sizes(at)
    ih = {gate: np.zeros((size, input_size), dtype) for gate in GATES}
    hh = {gate: np.zeros((size, size), dtype) for gate in GATES}
    bias: dict[str, Floats] = {}
    for part in lstm.cells[at]:
        for gate, block in _blocks(archive.read(part.info.name, dtype), lstm, part):
            match part.kind.part:
                case "ih":
                    ih[gate] = block
                case "hh":
                    hh[gate] = block
                case "hx":
                    hh[gate], ih[gate] = block[:, :size], block[:, size:]
                case "bias":
                    # not 0 + block, which would turn -0 into 0
                    bias[gate] = bias[gate] + block if gate in bias else block
    bias = bias or {gate: np.zeros(size, dtype) for gate in GATES}
    return CellParameters(*(np.concatenate([w[g] for g in GATES]) for w in (ih, hh, bias)))


def _blocks(array: Floats, lstm: FoundLSTM, part: Part) -> Iterator[tuple[str, Floats]]:
    """Yield each gate with its rows, outputs first."""
    if part.kind.part == "bias":
        array = array.reshape(-1)
    elif not lstm.layout.rows_are_outputs:
        array = array.T
    if part.gate is not None:
        yield part.gate, array
    else:
        yield from zip(lstm.layout.gates.values(), np.split(array, len(GATES)), strict=True)
