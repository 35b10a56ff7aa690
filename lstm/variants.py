"""What some frameworks add to the standard cell: as data, and the one place that applies it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple, Protocol

import numpy as np

from lstm.activation_names import read_activation
from lstm.activations import activation
from lstm.arrays import Floats, frozen, matvec
from lstm.errors import LSTMError, ShapeError
from lstm.quantities import GATES

# Which gate is computed from which where two are coupled.
COUPLINGS = ("input", "forget")


@dataclass(frozen=True, eq=False)
class Variant:
    """How a cell differs from the standard one; what is None or at its default does not differ.

    Args:
        gate_activation: of the input, forget and output gates; a name that
            `lstm.activation_names` reads, such as `sigmoid` or `elu(0.5)`.
        candidate_activation: of the candidate.
        cell_activation: of the cell state on its way to the hidden state.
        coupled: `input` where i = 1 - f, `forget` where f = 1 - i; the gate named is the one
            that has no weights of its own, or whose weights are ignored.
        pre_activation_clip: pre-activations are cut to plus or minus this.
        cell_clip: the cell state is cut so, before it is carried on and before it shows.
        projection: (P, H); the hidden state is projection @ (o * tanh(c)), P wide.
        projection_clip: the projected hidden state is cut so.
        peephole_input: (H,) by which the old cell state is multiplied and added to the input
            gate's pre-activation, or a full (H, H) matrix.
        peephole_forget: the same for the forget gate.
        peephole_output: the same for the output gate, which sees the new cell state.
        peephole_shown: (H,); h = o * tanh(c + peephole_shown * c), as Sonnet 1 has it.
        norm_gain: (4H,); each gate's pre-activation is brought to mean 0 and variance 1 over
            its units and multiplied by this, before the bias is added.
        norm_cell_gain: (H,); so is the new cell state, before it is carried on.
        norm_cell_bias: (H,), added to the normalised cell state.
        norm_epsilon: added to the variance.
        highway_ih: (2H, D), rows of the highway gate r, then of the projected input p;
            h = r * o * tanh(c) + (1 - r) * p. Without them there is no highway.
        highway_hh: (H, P), what the highway gate sees of the previous hidden state.
        highway_bias: (2H,), of the gate, then of the projected input.

    Raises:
        LSTMError: an activation or a coupling has no such name, a clip is not positive, or a
            highway or a projection lacks a part.
    """

    gate_activation: str = "sigmoid"
    candidate_activation: str = "tanh"
    cell_activation: str = "tanh"
    coupled: str | None = None
    pre_activation_clip: float | None = None
    cell_clip: float | None = None
    projection: Floats | None = None
    projection_clip: float | None = None
    peephole_input: Floats | None = None
    peephole_forget: Floats | None = None
    peephole_output: Floats | None = None
    peephole_shown: Floats | None = None
    norm_gain: Floats | None = None
    norm_cell_gain: Floats | None = None
    norm_cell_bias: Floats | None = None
    norm_epsilon: float = 1e-12
    highway_ih: Floats | None = None
    highway_hh: Floats | None = None
    highway_bias: Floats | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                object.__setattr__(self, field.name, frozen(value))
            if field.name.endswith("_activation"):
                try:
                    object.__setattr__(self, field.name, str(read_activation(value)))
                except LSTMError as error:
                    raise LSTMError(f"{field.name}: {error.message}") from None
            if field.name.endswith(("_clip", "_epsilon")) and value is not None:
                if not 0 < value < np.inf:
                    raise LSTMError(f"{field.name}: expected a positive number, found {value!r}.")
                object.__setattr__(self, field.name, float(value))
        if self.projection_clip is not None and self.projection is None:
            raise LSTMError("projection_clip: expected a projected hidden state, found none.")
        highway = [name for name in self.arrays if name.startswith("highway_")]
        if highway and not {"highway_ih", "highway_hh"}.issubset(highway):
            found = " and ".join(highway)
            raise LSTMError(f"highway: expected highway_ih and highway_hh, found {found}.")
        if self.coupled not in (None, *COUPLINGS):
            raise LSTMError(f"coupled: expected input or forget, found {self.coupled!r}.")

    def check(self, input_size: int, hidden_size: int, dtype: np.dtype[np.floating]) -> None:
        """Refuse arrays that do not fit a cell of these sizes and this number format.

        Raises:
            ShapeError: naming the array, what it should be, and what it is.
            LSTMError: an array has another number format.
        """
        h = hidden_size
        for name, array in self.arrays.items():
            if array.dtype != dtype:
                raise LSTMError(f"{name}: expected {dtype} as the weights, found {array.dtype}.")
        for name in ("peephole_input", "peephole_forget", "peephole_output"):
            array = getattr(self, name)
            if array is not None and array.shape not in ((h,), (h, h)):
                symbols = "(hidden_size,) or (hidden_size, hidden_size)"
                raise ShapeError(name, symbols, (h,), array.shape)
        for name, times in (
            ("peephole_shown", 1), ("norm_gain", 4), ("norm_cell_gain", 1), ("norm_cell_bias", 1),
        ):  # fmt: skip
            array = getattr(self, name)
            if array is not None and array.shape != (times * h,):
                symbols = "(hidden_size,)" if times == 1 else f"({times}*hidden_size,)"
                raise ShapeError(name, symbols, (times * h,), array.shape)
        if self.projection is not None and self.projection.shape[1:] != (h,):
            symbols, found = "(projection_size, hidden_size)", self.projection.shape
            raise ShapeError("projection", symbols, (*found[:1], h), found)
        self._check_highway(input_size, h)

    def _check_highway(self, input_size: int, hidden_size: int) -> None:
        width = hidden_size if self.projection is None else len(self.projection)
        output = "hidden_size" if self.projection is None else "projection_size"
        for name, symbols, expected in (
            ("highway_ih", "(2*hidden_size, input_size)", (2 * hidden_size, input_size)),
            ("highway_hh", f"(hidden_size, {output})", (hidden_size, width)),
            ("highway_bias", "(2*hidden_size,)", (2 * hidden_size,)),
        ):
            array = getattr(self, name)
            if array is not None and array.shape != expected:
                raise ShapeError(name, symbols, expected, array.shape)

    @property
    def arrays(self) -> dict[str, Floats]:
        """Return the arrays that are there, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    @property
    def options(self) -> dict[str, str | float]:
        """Return what is not an array and not the default: names and numbers."""
        options = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value
            for name, value in options.items()
            if isinstance(value, str | float) and value != getattr(Variant, name)
        }

    @property
    def is_standard(self) -> bool:
        """Whether nothing is other than in the standard cell."""
        return not self.arrays and not self.options


STANDARD = Variant()


class Stepped(NamedTuple):
    """What one step gives: pre-activations and gates (..., 4H), cell (..., H), hidden (..., P)."""

    pre_activations: Floats
    gates: Floats
    cell: Floats
    hidden: Floats


class Edit(Protocol):
    """Puts other values in place of a quantity as it is made: name, (..., W) to (..., W)."""

    def __call__(self, quantity: str, values: Floats, /) -> Floats: ...


def _as_it_is(_: str, values: Floats, /) -> Floats:
    return values


def step_variant(
    variant: Variant,
    products: Floats,
    bias: Floats,
    x: Floats,
    previous_hidden: Floats,
    previous_cell: Floats,
    edit: Edit = _as_it_is,
) -> Stepped:
    """Take one step of a cell that is not the standard one, or of one that is changed on its way.

    Args:
        variant: how it differs.
        products: (..., 4H), W x + U h, without the bias; blocks i, f, g, o.
        bias: (4H,).
        x: (..., D), which only a highway reads again.
        previous_hidden: (..., P), so too.
        previous_cell: (..., H).
        edit: is given each gate, the cell and the hidden state, and says what they are to be;
            what comes after them reads that.

    Returns:
        The step's quantities; peepholes and clips are in the pre-activations.

    Source: Gers, Schraudolph and Schmidhuber (2002) for peepholes; Sak, Senior and Beaufays
    (2014) for the projection; Greff et al. (2017) for coupled gates; Srivastava, Greff and
    Schmidhuber (2015) for highways, as He et al. (2017) put them into an LSTM; the frameworks'
    own code for clips and normalisation.
    """
    gate, limit = activation(variant.gate_activation), variant.pre_activation_clip
    z = _normalized(products, variant.norm_gain, variant.norm_epsilon, len(GATES)) + bias
    blocks: list[Floats] = np.split(z, len(GATES), axis=-1)
    z_i, z_f, z_g, z_o = blocks
    z_i = _clipped(_peeped(z_i, variant.peephole_input, previous_cell), limit)
    z_f = _clipped(_peeped(z_f, variant.peephole_forget, previous_cell), limit)
    z_g = _clipped(z_g, limit)
    i, f = gate(z_i), gate(z_f)
    if variant.coupled == "input":
        f = edit("forget", f)
        i = edit("input", 1 - f)
    else:
        i = edit("input", i)
        f = edit("forget", 1 - i if variant.coupled == "forget" else f)
    g = edit("candidate", activation(variant.candidate_activation)(z_g))
    c: Floats = f * previous_cell + i * g
    c = _normalized(c, variant.norm_cell_gain, variant.norm_epsilon)
    c = c if variant.norm_cell_bias is None else c + variant.norm_cell_bias
    c = edit("cell", _clipped(c, variant.cell_clip))

    z_o = _clipped(_peeped(z_o, variant.peephole_output, c), limit)
    o = edit("output", gate(z_o))
    h: Floats = o * shown(variant, c)
    h = _on_highway(variant, h, x, previous_hidden)
    if variant.projection is not None:
        h = _clipped(matvec(variant.projection, h), variant.projection_clip)
    h = edit("hidden", h)
    pre = np.concatenate([z_i, z_f, z_g, z_o], axis=-1)
    return Stepped(pre, np.concatenate([i, f, g, o], axis=-1), c, h)


def shown(variant: Variant, cell: Floats) -> Floats:
    """Return what the output gate lets through: tanh(c), or what a variant makes of it."""
    squash = activation(variant.cell_activation)
    return squash(_peeped(cell, variant.peephole_shown, cell))


def _on_highway(variant: Variant, h: Floats, x: Floats, previous_hidden: Floats) -> Floats:
    """Mix what the cell gives with the projected input, as the highway gate r has it."""
    if variant.highway_ih is None or variant.highway_hh is None:
        return h
    z = matvec(variant.highway_ih, x)
    z = z if variant.highway_bias is None else z + variant.highway_bias
    z_r, p = np.split(z, 2, axis=-1)
    r = activation(variant.gate_activation)(z_r + matvec(variant.highway_hh, previous_hidden))
    return np.asarray(r * h + (1 - r) * p)


def _peeped(z: Floats, weight: Floats | None, cell: Floats) -> Floats:
    if weight is None:
        return z
    return z + (weight * cell if weight.ndim == 1 else matvec(weight, cell))


def _clipped(values: Floats, limit: float | None) -> Floats:
    return values if limit is None else np.clip(values, -limit, limit)


def _normalized(values: Floats, gain: Floats | None, epsilon: float, blocks: int = 1) -> Floats:
    """Bring each block to mean 0 and variance 1 over its units, and multiply by the gain."""
    if gain is None:
        return values
    split = values.reshape(*values.shape[:-1], blocks, -1)
    centred = split - split.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt(variance + values.dtype.type(epsilon))
    return np.asarray(scaled.reshape(values.shape) * gain)
