"""From parameters to the tensors of another layout: the reader, the other way round."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lstm.arrays import Floats
from lstm.errors import LSTMError
from lstm.parameters import CellParameters, Parameters
from lstm.quantities import GATES
from lstm.variants import Variant
from weights.errors import ForgetBiasError
from weights.layouts.layout import Layout, TensorKind

Tensors = dict[str, Floats]

# How a stack may be connected that only the native layout can say.
CONNECTIONS = {
    "independent": "directions that never meet",
    "residual": "a residual connection",
}


def write_parameters(parameters: Parameters, layout: Layout) -> Tensors:
    """Return the tensors that hold the parameters in a layout, by name.

    Raises:
        ForgetBiasError: what the framework adds at run time cannot be taken off exactly.
        LSTMError: the layout is only read, or cannot hold what these parameters have; nothing
            is dropped.
    """
    if not layout.is_written:
        raise LSTMError(f"--to: {layout.name} is read, but not written.")
    _refuse_connections(parameters, layout)
    tensors: Tensors = {}
    for number, layer in enumerate(parameters.layers):
        cells = {name: _cell(cell, layout) for name, cell in layer.directions.items()}
        for kind in next(iter(cells.values())):
            _put(tensors, layout, kind, number, {name: cell[kind] for name, cell in cells.items()})
    return tensors


def _refuse_connections(parameters: Parameters, layout: Layout) -> None:
    """Raise where the layout has no names for the directions, or for how the cells are joined."""
    if parameters.num_directions > 1 and not layout.has_two_directions:
        raise LSTMError(
            f"--to: {layout.name} has no layer that reads in two directions, so no names for a "
            "second one."
        )
    if parameters.num_directions == 1 and parameters.reads_back and not layout.directions:
        raise LSTMError(
            f"--to: {layout.name} has no layer that only reads in reverse, so no names for one."
        )
    for name, what in CONNECTIONS.items():
        if getattr(parameters, name):
            raise LSTMError(f"--to: {layout.name} cannot hold {what}.")


def _put(
    tensors: Tensors,
    layout: Layout,
    kind: TensorKind,
    layer: int,
    arrays: Mapping[str, dict[str, Floats]],
) -> None:
    """Name the tensors of one kind: one per direction and gate, or one for both directions."""
    marks = _marks(layout.directions)
    if layout.by_direction:
        mark = marks.get("reverse", "") if list(arrays) == ["reverse"] else ""
        name = kind.written.format(layer=layer, direction=mark, gate="")
        tensors[name] = np.stack([array[""] for array in arrays.values()])
        return
    for direction, by_gate in arrays.items():
        place = layout.places.get(direction if len(arrays) > 1 else "only", "")
        for gate, array in by_gate.items():
            mark = marks.get(direction, "")
            name = (place + kind.written).format(layer=layer, direction=mark, gate=gate)
            tensors[name] = array


def _cell(cell: CellParameters, layout: Layout) -> dict[TensorKind, dict[str, Floats]]:
    """The arrays of a cell by kind and by the layout's name of a gate ("": all, packed)."""
    left = _Remainder(cell, layout)
    written = {kind: left.take(kind) for kind in layout.kinds if kind.written}
    left.refuse_rest()
    return {kind: arrays for kind, arrays in written.items() if arrays}


class _Remainder:
    """What of a cell is not yet written; a bias is written once, further ones are zero."""

    def __init__(self, cell: CellParameters, layout: Layout) -> None:
        self.cell, self.layout = cell, layout
        self.variant = {
            name: getattr(cell.variant, name)
            for name in Variant.__dataclass_fields__
            if getattr(cell.variant, name) is not None
            and name not in layout.variant
            and not _is_default(cell.variant, name)
        }
        self.bias = self._own_bias()

    def take(self, kind: TensorKind) -> dict[str, Floats]:
        """Return the arrays of one kind, and count them as written."""
        match kind.part:
            case "projection":
                projection = self.variant.pop("projection", None)
                return {} if projection is None else {"": self._turned(projection, kind)}
            case "peephole":
                return self._peepholes(kind)
            case "bias":
                blocks, self.bias = self.bias, _nothing(self.bias)
                return self._packed(blocks, kind)
            case "bias_pair":
                return {
                    "": np.concatenate([self._packed(self.bias, kind)[""], _nothing(self.bias)])
                }
            case "ih":
                return self._packed(self.cell.weight_ih, kind)
            case "hh":
                return self._packed(self.cell.weight_hh, kind)
            case "hx":
                return self._packed(np.hstack([self.cell.weight_hh, self.cell.weight_ih]), kind)
            case "xh":
                return self._packed(np.hstack([self.cell.weight_ih, self.cell.weight_hh]), kind)
        return {}

    def refuse_rest(self) -> None:
        """Raise where something of the cell has no place in the layout."""
        if self.variant:
            raise LSTMError(f"--to: {self.layout.name} cannot hold {', '.join(self.variant)}.")
        if self.bias.any() and not any(kind.part == "bias_pair" for kind in self.layout.kinds):
            raise LSTMError(f"--to: {self.layout.name} cannot hold biases.")

    def _own_bias(self) -> Floats:
        """The bias as the file has it: without what the framework adds at run time."""
        bias, size = self.cell.bias.copy(), self.cell.hidden_size
        forget = bias[size : 2 * size]
        if self.layout.forget_bias == 0:
            return bias
        added = forget.dtype.type(self.layout.forget_bias)
        kept = forget - added
        if (added + kept).tobytes() != forget.tobytes():
            raise ForgetBiasError(self.layout.name, self.layout.forget_bias, bias.dtype)
        bias[size : 2 * size] = kept
        return bias

    def _packed(self, rows: Floats, kind: TensorKind) -> dict[str, Floats]:
        """Cut rows into gates, and put them together as the layout has them."""
        blocks = dict(zip(GATES, np.split(rows, len(GATES)), strict=True))
        if "{gate}" in kind.written:
            marks = _marks(self.layout.gates)
            return {marks[gate]: self._turned(block, kind) for gate, block in blocks.items()}
        ordered = [blocks[gate] for gate in self.layout.order_of(kind)]
        return {"": self._turned(np.concatenate(ordered), kind)}

    def _peepholes(self, kind: TensorKind) -> dict[str, Floats]:
        found = {gate: self.variant.pop(f"peephole_{gate}", None) for gate in GATES}
        there = {gate: array for gate, array in found.items() if array is not None}
        if not there:
            return {}
        if "{gate}" in kind.written:
            marks = _marks(self.layout.gates)
            return {marks[gate]: array for gate, array in there.items()}
        order = self.layout.order_of(kind)
        if set(order) != set(there) or any(array.ndim != 1 for array in there.values()):
            raise LSTMError(f"--to: {self.layout.name} holds a peephole for every gate or none.")
        return {"": np.concatenate([there[gate] for gate in order])}

    def _turned(self, array: Floats, kind: TensorKind) -> Floats:
        keep = array.ndim == 1 or self.layout.has_output_rows(kind)
        return np.ascontiguousarray(array if keep else array.T)


def _nothing(bias: Floats) -> Floats:
    """A second bias that changes no bit of the first: 0 would turn -0 into 0, as -0 does not."""
    return np.full_like(bias, -0.0)


def _marks(meanings: Mapping[str, str]) -> dict[str, str]:
    """Turn a layout's marks around; of several with one meaning the first is written."""
    return {ours: mark for mark, ours in reversed(list(meanings.items()))}


def _is_default(variant: Variant, name: str) -> bool:
    value = getattr(variant, name)
    return not isinstance(value, np.ndarray) and value == getattr(Variant, name)
