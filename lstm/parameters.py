"""The frozen weights of an LSTM: one cell, one layer, the stack. Checked when made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from lstm.arrays import FLOAT_TYPES, Floats, frozen
from lstm.errors import LSTMError, ShapeError
from lstm.quantities import GATES
from lstm.variants import STANDARD, Variant


@dataclass(frozen=True, eq=False, repr=False)
class CellParameters:
    """The weights of one layer in one direction.

    Args:
        weight_ih: (4H, D), applied to the input; row blocks i, f, g, o.
        weight_hh: (4H, H), applied to the previous hidden state; the same blocks. With a
            projection (4H, P), as the hidden state is P wide.
        bias: (4H,), the same blocks; a framework's two biases are summed.
        variant: how the cell differs from the standard one.

    Raises:
        ShapeError: the three do not fit together.
        LSTMError: they are not all float32 or all float64.

    >>> cell = CellParameters(np.zeros((12, 2)), np.zeros((12, 3)), np.zeros(12))
    >>> cell.input_size, cell.hidden_size
    (2, 3)
    """

    weight_ih: Floats
    weight_hh: Floats
    bias: Floats
    variant: Variant = STANDARD

    def __post_init__(self) -> None:
        for name in ("weight_ih", "weight_hh", "bias"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        self._check_shapes()
        self.variant.check(self.input_size, self.hidden_size, self.dtype)
        if self.variant.is_standard:  # said aloud or not, it is run in the same way
            object.__setattr__(self, "variant", STANDARD)
        if len({a.dtype for a in self.arrays}) > 1 or self.dtype not in FLOAT_TYPES:
            found = ", ".join(str(a.dtype) for a in self.arrays)
            raise LSTMError(f"weights: expected all float32 or all float64, found {found}.")

    def _check_shapes(self) -> None:
        rows = 4 * self.hidden_size
        width = "hidden_size" if self.variant.projection is None else "projection_size"
        for name, symbols, expected in (
            ("weight_hh", f"(4*hidden_size, {width})", (rows, self.output_size)),
            ("weight_ih", "(4*hidden_size, input_size)", (rows, self.input_size)),
            ("bias", "(4*hidden_size,)", (rows,)),
        ):
            found = getattr(self, name).shape
            if found != expected:
                raise ShapeError(name, symbols, expected, found)

    @property
    def arrays(self) -> tuple[Floats, Floats, Floats]:
        return self.weight_ih, self.weight_hh, self.bias

    @property
    def input_size(self) -> int:
        return int(self.weight_ih.shape[-1])

    @property
    def hidden_size(self) -> int:
        """The number of cells, H: a quarter of the recurrent matrix's rows."""
        projected = self.variant.projection is not None
        return int(self.weight_hh.shape[0]) // 4 if projected else int(self.weight_hh.shape[-1])

    @property
    def output_size(self) -> int:
        """The width of the hidden state: H, or P where it is projected."""
        projection = self.variant.projection
        return self.hidden_size if projection is None else int(projection.shape[0])

    @property
    def dtype(self) -> np.dtype[np.floating]:
        return self.weight_hh.dtype

    def gate_weight(self, gate: str) -> Floats:
        """Return one gate's matrix over [hidden, input], (H, H + D): WFG, WIPG, WCS or WOPG."""
        rows = self._rows(gate)
        return np.concatenate([self.weight_hh[rows], self.weight_ih[rows]], axis=1)

    def gate_bias(self, gate: str) -> Floats:
        """Return one gate's bias, (H,): BFG, BIPG, BCS or BOPG."""
        return self.bias[self._rows(gate)]

    def _rows(self, gate: str) -> slice:
        block = GATES.index(gate)
        return slice(block * self.hidden_size, (block + 1) * self.hidden_size)


@dataclass(frozen=True, eq=False, repr=False)
class LayerParameters:
    """One layer: a cell that reads from the start, one that reads from the end, or both.

    Raises:
        LSTMError: there is neither, or their dtypes differ.
        ShapeError: the two directions differ in size.
    """

    forward: CellParameters | None = None
    reverse: CellParameters | None = None

    def __post_init__(self) -> None:
        if not self.directions:
            raise LSTMError("layer: expected a forward or a reverse cell, found none.")
        if self.forward is not None and self.reverse is not None:
            for name in ("weight_ih", "weight_hh"):
                ours, theirs = (getattr(c, name).shape for c in (self.forward, self.reverse))
                if ours != theirs:
                    raise ShapeError(f"reverse {name}", str(ours), ours, theirs)
            if self.reverse.dtype != self.forward.dtype:
                raise LSTMError(
                    f"reverse weights: expected {self.forward.dtype}, found {self.reverse.dtype}."
                )

    @cached_property
    def directions(self) -> Mapping[str, CellParameters]:
        """The cells by the name of their direction, forward first."""
        cells = {"forward": self.forward, "reverse": self.reverse}
        return MappingProxyType({name: cell for name, cell in cells.items() if cell is not None})

    @property
    def first(self) -> CellParameters:
        """The forward cell, or the reverse one where it stands alone."""
        return next(iter(self.directions.values()))

    @property
    def hidden_size(self) -> int:
        return self.first.hidden_size

    @property
    def input_size(self) -> int:
        return self.first.input_size

    @property
    def output_size(self) -> int:
        """The width of what the layer hands on: the hidden states side by side."""
        return len(self.directions) * self.first.output_size


@dataclass(frozen=True, eq=False, repr=False)
class Parameters:
    """The whole stack; the output of each layer is the input of the next.

    Layers have the same number of directions; those of one may read forward and reverse in turn.

    Args:
        layers: the first reads the input.
        independent: each direction reads only its own below; they meet at the top.
        residual: from layer 1 on, a layer hands on its hidden states plus what it read. The
            state that it carries from step to step is the hidden state by itself.

    Raises:
        LSTMError: there is no layer, layers differ in dtype or number of directions, or there
            are too few of either for the connection.
        ShapeError: a layer's input is not as wide as the output of the one below it, or as its
            own where the two are added.
    """

    layers: tuple[LayerParameters, ...]
    independent: bool = False
    residual: bool = False

    def __post_init__(self) -> None:
        if not self.layers:
            raise LSTMError("parameters: expected at least one layer, found none.")
        if self.independent and min(self.num_layers, self.num_directions) < 2:
            raise LSTMError(
                "independent directions: expected at least two layers of two directions, found "
                f"{self.num_layers} of {self.num_directions}."
            )
        if self.residual and self.num_layers < 2:
            raise LSTMError("residual connection: expected at least two layers, found 1.")
        for number, (below, layer) in enumerate(
            zip(self.layers, self.layers[1:], strict=False), start=1
        ):
            self._check_pair(number, below, layer)

    def _check_pair(self, number: int, below: LayerParameters, layer: LayerParameters) -> None:
        if len(below.directions) != len(layer.directions):
            raise LSTMError(
                f"layer {number}: expected {len(below.directions)} direction(s) as in layer "
                f"{number - 1}, found {len(layer.directions)}."
            )
        if below.first.dtype != layer.first.dtype:
            raise LSTMError(
                f"layer {number}: expected {below.first.dtype}, found {layer.first.dtype}."
            )
        given, rows = self._handed_on(below), 4 * layer.hidden_size
        if given != layer.input_size:
            times = "" if self.independent else "directions*"
            symbols = f"(4*hidden_size, {times}hidden_size of the layer below)"
            expected, found = (rows, given), (rows, layer.input_size)
            raise ShapeError(f"layer {number} weight_ih", symbols, expected, found)
        if self.residual and self._handed_on(layer) != given:
            width, what = self._handed_on(layer), "as wide as its input, which is added"
            raise ShapeError(f"layer {number} output", what, (given,), (width,))

    def _handed_on(self, layer: LayerParameters) -> int:
        """How wide is what a cell of the next layer reads."""
        return layer.first.output_size if self.independent else layer.output_size

    @property
    def num_layers(self) -> int:
        return len(self.layers)

    @property
    def num_directions(self) -> int:
        return len(self.layers[0].directions)

    @property
    def reads_back(self) -> bool:
        """Whether any layer reads from the end."""
        return any(layer.reverse is not None for layer in self.layers)

    @property
    def input_size(self) -> int:
        return self.layers[0].input_size

    @property
    def hidden_size(self) -> int:
        """The hidden size of the top layer."""
        return self.layers[-1].hidden_size

    @property
    def output_size(self) -> int:
        return self.layers[-1].output_size

    @property
    def dtype(self) -> np.dtype[np.floating]:
        return self.layers[0].first.dtype
