"""What a port is checked against: the weights as it stores them, and all it should compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from lstm.analysis.precision import Tolerance, tolerances
from lstm.arrays import Floats, Integers, frozen
from lstm.cell_trace import DirectionTrace
from lstm.errors import LSTMError
from lstm.head import Head, softmax
from lstm.model import Model
from lstm.parameters import CellParameters
from lstm.quantities import GATES, NAMES
from lstm.trace import Trace
from lstm.variants import STANDARD, Variant
from weights.port import Port

# All that a variant may have; what is not listed here is refused, not left out.
ARRAYS = (
    "projection", "peephole_input", "peephole_forget", "peephole_output", "peephole_shown",
    "norm_gain", "norm_cell_gain", "norm_cell_bias", "highway_ih", "highway_hh", "highway_bias",
)  # fmt: skip
OPTIONS = (
    "gate_activation", "candidate_activation", "cell_activation", "coupled",
    "pre_activation_clip", "cell_clip", "projection_clip", "norm_epsilon",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class GoldenCell:
    """One cell: its weights in the port's form, and what it does.

    Args:
        layer: counted from 0.
        direction: `forward` or `reverse`; a reverse step stands at the place of its input.
        parameters: the weights in our own form, for the sizes.
        options: what is not standard and no array: names and values.
        weights: in the port's form: `weight_ih`, `weight_hh`, `bias` or `bias_ih` and
            `bias_hh`, and what a variant adds.
        initial: `initial_hidden` (P,) and `initial_cell` (H,).
        expected: each quantity, (T, ...).
    """

    layer: int
    direction: str
    parameters: CellParameters
    options: Mapping[str, str | float]
    weights: Mapping[str, Floats]
    initial: Mapping[str, Floats]
    expected: Mapping[str, Floats]

    @property
    def name(self) -> str:
        """Its name in files: `layers.0.forward`."""
        return f"layers.{self.layer}.{self.direction}"

    @property
    def is_standard(self) -> bool:
        """Whether it is the textbook's cell."""
        return self.parameters.variant is STANDARD

    @property
    def arrays(self) -> dict[str, Floats]:
        """All its arrays by name."""
        return {**self.weights, **self.initial, **self.expected}


@dataclass(frozen=True, eq=False)
class GoldenHead:
    """The head over the top layer's hidden states, and what it says after each step.

    logits = weight (projection h + projection_bias) + bias; probabilities = softmax(logits)

    Args:
        input_size: the width of the hidden state that it reads.
        projection_size: that of what its projection gives; 0 where there is none.
        weights: in the port's form: `weight`, and what there is of `bias`, `projection` and
            `projection_bias`.
        expected: `logits` and `probabilities`, (T, O) each.
    """

    input_size: int
    projection_size: int
    weights: Mapping[str, Floats]
    expected: Mapping[str, Floats]

    @property
    def arrays(self) -> dict[str, Floats]:
        """All its arrays by name."""
        return {**self.weights, **self.expected}


@dataclass(frozen=True, eq=False)
class Golden:
    """All that a port is checked against.

    Args:
        model: what ran.
        trace: what it did, of one sequence of at least one step.
        port: how the weights are written.
        cells: layer by layer, forward first.
        tolerances: by quantity, for a port that computes in the model's dtype.
        head: None where it is not wanted.
    """

    model: Model
    trace: Trace
    port: Port
    cells: tuple[GoldenCell, ...]
    tolerances: Mapping[str, Tolerance]
    head: GoldenHead | None = None

    @property
    def inputs(self) -> Floats:
        """What the first layer is given, (T, D)."""
        return frozen(self.trace.layers[0].first.layer_input)

    @property
    def ids(self) -> Integers | None:
        """The ids of the tokens, (T,), or None where vectors were given."""
        tokens = self.trace.tokens
        return None if tokens is None else np.array([t.id for t in tokens], np.int32)

    @property
    def arrays(self) -> dict[str, Floats]:
        """All numbers that may be anything: `inputs`, `layers.0.forward.weight_ih`, ..."""
        arrays = {"inputs": self.inputs}
        for cell in self.cells:
            arrays |= {f"{cell.name}.{name}": array for name, array in cell.arrays.items()}
        if self.head is not None:
            arrays |= {f"head.{name}": array for name, array in self.head.arrays.items()}
        return arrays


def golden(
    model: Model,
    trace: Trace,
    port: Port,
    show: Sequence[str] = NAMES,
    with_head: bool = False,
) -> Golden:
    """Collect what a port is checked against.

    Args:
        model: what ran.
        trace: what it did, of one sequence.
        port: how the port stores its weights.
        show: names from `lstm.quantities`.
        with_head: whether to collect the head's weights and what it says, if there is one.

    Raises:
        LSTMError: the trace has no steps, the port's order is none, or a cell has something
            that cannot be written.
    """
    trace.need_one_sequence()
    if not trace.num_steps:
        raise LSTMError("input: expected at least one step, found none.")
    cells = tuple(
        GoldenCell(
            number,
            record.direction,
            cell := layer.directions[record.direction],
            _options(cell.variant),
            stored(cell, port),
            {"initial_hidden": frozen(record.initial.h), "initial_cell": frozen(record.initial.c)},
            _expected(record, show),
        )
        for number, layer in enumerate(model.parameters.layers)
        for record in trace.layers[number].directions
    )
    head = model.head if with_head else None
    limits = tolerances(model.parameters, trace, show, head)
    said = None if head is None else _head(head, trace, port)
    return Golden(model, trace, port, cells, limits, said)


@np.errstate(over="ignore", invalid="ignore")
def _head(head: Head, trace: Trace, port: Port) -> GoldenHead:
    logits = head.logits(trace.output)
    return GoldenHead(
        head.input_size,
        0 if head.projection is None else len(head.projection),
        {name: _oriented(array, port) for name, array in head.arrays.items()},
        {"logits": frozen(logits), "probabilities": frozen(softmax(logits))},
    )


def stored(cell: CellParameters, port: Port) -> dict[str, Floats]:
    """Return a cell's arrays as a port stores them.

    >>> cell = CellParameters(np.ones((4, 1)), np.ones((4, 1)), np.array([1.0, 2.0, 3.0, 4.0]))
    >>> stored(cell, Port("fiog", "inputs-first"))["bias"].tolist()
    [2.0, 1.0, 4.0, 3.0]
    """
    if not port.has_every_gate:
        raise LSTMError(f"order: expected the letters i, f, g and o, found {port.order!r}.")
    _refuse_unknown(cell.variant)
    bias = _ordered(cell.bias, port)
    arrays = {
        "weight_ih": _ordered(cell.weight_ih, port),
        "weight_hh": _ordered(cell.weight_hh, port),
    }
    arrays |= {"bias": bias} if port.biases == "one" else _two(bias)
    for name in ARRAYS:
        if (array := getattr(cell.variant, name)) is not None:
            arrays[name] = _ordered(array, port) if name == "norm_gain" else array
    return {name: _oriented(array, port) for name, array in arrays.items()}


def _two(bias: Floats) -> dict[str, Floats]:
    return {"bias_ih": bias, "bias_hh": np.zeros_like(bias)}


def _ordered(packed: Floats, port: Port) -> Floats:
    """Put the row blocks i, f, g, o into the port's order."""
    blocks = dict(zip(GATES, np.split(packed, len(GATES)), strict=True))
    return np.concatenate([blocks[gate] for gate in port.gates])


def _oriented(array: Floats, port: Port) -> Floats:
    return frozen(array.T if port.matrices == "inputs-first" else array)


def _options(variant: Variant) -> dict[str, str | float]:
    """What a cell has beyond the standard one and that is no array."""
    options = variant.options
    if variant.norm_gain is not None or variant.norm_cell_gain is not None:
        options["norm_epsilon"] = variant.norm_epsilon
    return options


def _refuse_unknown(variant: Variant) -> None:
    for field in fields(variant):
        known = field.name in ARRAYS or field.name in OPTIONS
        if not known and getattr(variant, field.name) is not field.default:
            raise LSTMError(f"golden: a cell with {field.name} cannot be written for a port.")


@np.errstate(over="ignore", invalid="ignore")
def _expected(record: DirectionTrace, show: Sequence[str]) -> dict[str, Floats]:
    return {name: frozen(getattr(record, name)) for name in show}
