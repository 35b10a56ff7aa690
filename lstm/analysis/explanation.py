"""The arithmetic of one number: of which products it is the sum, and what is made of the sum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lstm.activations import activation
from lstm.address import Address
from lstm.analysis.outcome import Outcome
from lstm.analysis.terms import Applied, Explanation, Group, Term, total_of
from lstm.arrays import Floats
from lstm.cell_trace import DirectionTrace
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.parameters import CellParameters
from lstm.quantities import BY_SYMBOL
from lstm.trace import Trace

# The gate of each symbol that belongs to one.
GATE_OF = {"i": "input", "f": "forget", "g": "candidate", "o": "output"}
# What is a product, or a function, of other quantities of the same unit and step.
_PRODUCTS = ("ig", "fc", "tanh_c")


def explain_score(model: Model, trace: Trace, outcome: Outcome, step: int) -> Explanation:
    """Explain the score of an outcome by the units that speak for it and against it.

    Raises:
        MissingPartError: the model has no head (from the trace).
    """
    top = len(trace.layers) - 1
    places = (
        Address(top, record.direction, _output_symbol(model, top), unit, step)
        for record in trace.layers[top].directions
        for unit in range(record.hidden.shape[-1])
    )
    numbers = zip(places, outcome.weights.tolist(), trace.output[step].tolist(), strict=True)
    terms = [Term(*one) for one in numbers]
    groups = (
        Group("for", tuple(term for term in terms if not term.amount < 0)),
        Group("against", tuple(term for term in terms if term.amount < 0)),
        Group("bias", (Term(None, 1.0, outcome.constant),)),
    )
    return Explanation(groups, float(trace.logits[step, outcome.id]))


def explain(model: Model, trace: Trace, address: Address) -> Explanation:
    """Explain one number of a layer: one unit at one step.

    Raises:
        LSTMError: it is given or set and not computed, or no sum of products because it is
            normalised.
    """
    cell = model.parameters.layers[address.layer].directions[address.direction]
    record: DirectionTrace = getattr(trace.layers[address.layer], address.direction)
    assert isinstance(address.units, int)
    assert isinstance(address.steps, int)
    edits = None if model.intervention is None else model.intervention.at(*address[:2])
    width = cell.output_size if address.symbol == "h" else cell.hidden_size
    if edits and edits.touches(address.quantity, address.steps, width)[address.units]:
        raise LSTMError(
            f"{address!r}: expected what a cell computes, found a value that was put there. "
            "Ask for what is computed from it."
        )
    return _Place(model, cell, record, address, address.units, address.steps).explained()


@dataclass(frozen=True)
class _Place:
    """One unit at one step, with the cell that computes it and what was recorded."""

    model: Model
    cell: CellParameters
    record: DirectionTrace
    at: Address
    unit: int
    step: int

    def explained(self) -> Explanation:
        symbol = self.at.symbol
        if symbol.startswith("z_"):
            return self._sum(GATE_OF[symbol[2:]])
        if symbol in GATE_OF:
            return self._gate(GATE_OF[symbol])
        if symbol in _PRODUCTS:
            return self._product(symbol)
        if symbol == "c":
            return self._cell_state()
        if symbol == "h":
            return self._hidden()
        if symbol == "y":
            return self._output()
        raise LSTMError(
            f"{self.at!r}: expected what a cell computes, found a layer's input, which it is "
            "given. Ask for a gate, a cell state or a hidden state."
        )

    def _value(self, symbol: str) -> float:
        """A recorded number of this unit at this step."""
        return float(getattr(self.record, BY_SYMBOL[symbol].name)[self.step, self.unit])

    def _address(self, symbol: str, unit: int, step: int | None) -> Address:
        return Address(self.at.layer, self.at.direction, symbol, unit, step)

    def _own(self, symbol: str) -> Address:
        return self._address(symbol, self.unit, self.step)

    @property
    def _before(self) -> int | None:
        """The step that is read before this one; None: there is none."""
        if self.record.direction == "forward":
            return self.step - 1 if self.step else None
        return self.step + 1 if self.step + 1 < self.record.num_steps else None

    def _previous(self, name: str) -> Floats:
        """The cell or hidden states before this step, (H,) or (P,)."""
        if self._before is None:
            return self.record.initial.c if name == "cell" else self.record.initial.h
        return np.asarray(getattr(self.record, name)[self._before])

    def _sum(self, gate: str) -> Explanation:
        """A pre-activation: W x + U h' + b, and what a peephole adds."""
        variant = self.cell.variant
        if variant.norm_gain is not None:
            raise LSTMError(
                f"{self.at!r}: expected gates that are sums of products, found layer "
                "normalisation of the gates, which divides by their spread over the units."
            )
        width = self.cell.output_size
        weights = self.cell.gate_weight(gate)[self.unit].tolist()
        hidden, inputs = self._previous("hidden"), self.record.layer_input[self.step].tolist()
        given = zip(self._input_places(), weights[width:], inputs, strict=True)
        groups = [
            Group("input", tuple(Term(*one) for one in given)),
            Group("hidden", tuple(self._units("h", weights[:width], hidden, self._before))),
        ]
        if peephole := self._peephole(gate):
            groups.append(Group("peephole", peephole))
        bias = float(self.cell.gate_bias(gate)[self.unit])
        groups.append(Group("bias", (Term(None, 1.0, bias),)))
        recorded = float(getattr(self.record, f"pre_{gate}")[self.step, self.unit])
        return _summed(tuple(groups), recorded, variant.pre_activation_clip)

    def _input_places(self) -> list[Address]:
        """Above the first layer, the inputs are what the layer below hands on."""
        if self.at.layer == 0:
            x = self.at._replace(symbol="x")
            return [x._replace(units=place) for place in range(self.cell.input_size)]
        below, parameters = self.at.layer - 1, self.model.parameters
        return [
            Address(below, direction, _output_symbol(self.model, below), unit, self.step)
            for direction, cell in parameters.layers[below].directions.items()
            if not parameters.independent or direction == self.at.direction
            for unit in range(cell.output_size)
        ]

    def _units(
        self, symbol: str, weights: list[float], values: Floats, step: int | None
    ) -> Iterator[Term]:
        for unit, (weight, value) in enumerate(zip(weights, values.tolist(), strict=True)):
            yield Term(self._address(symbol, unit, step), weight, value)

    def _peephole(self, gate: str) -> tuple[Term, ...]:
        """What a gate sees of the cells: its own by a weight, or all by a matrix."""
        if gate == "candidate":
            return ()
        weight: Floats | None = getattr(self.cell.variant, f"peephole_{gate}")
        if weight is None:
            return ()
        new = gate == "output"
        cells = self.record.cell[self.step] if new else self._previous("cell")
        step = self.step if new else self._before
        if weight.ndim == 2:
            return tuple(self._units("c", weight[self.unit].tolist(), cells, step))
        own = self._address("c", self.unit, step)
        return (Term(own, float(weight[self.unit]), float(cells[self.unit])),)

    def _gate(self, gate: str) -> Explanation:
        variant = self.cell.variant
        if variant.coupled == gate:
            other = "f" if gate == "input" else "i"
            one, rest = Term(None, 1.0, 1.0), Term(self._own(other), -1.0, self._value(other))
            groups = (Group("one", (one,)), Group("coupled", (rest,)))
            return Explanation(groups, self._value(self.at.symbol))
        inner = self._sum(gate)
        is_candidate = gate == "candidate"
        name = variant.candidate_activation if is_candidate else variant.gate_activation
        applied = (*inner.applied, Applied(name, self._value(self.at.symbol)))
        return inner._replace(applied=applied)

    def _kept(self) -> Group:
        before = float(self._previous("cell")[self.unit])
        term = Term(self._address("c", self.unit, self._before), self._value("f"), before)
        return Group("kept", (term,))

    def _written(self) -> Group:
        return Group("written", (Term(self._own("g"), self._value("i"), self._value("g")),))

    def _product(self, symbol: str) -> Explanation:
        if symbol == "tanh_c":
            applied = (Applied(self.cell.variant.cell_activation, self._value(symbol)),)
            return Explanation((), self._value("c"), (), applied)
        group = self._kept() if symbol == "fc" else self._written()
        return Explanation((group,), self._value(symbol))

    def _cell_state(self) -> Explanation:
        variant = self.cell.variant
        if variant.norm_cell_gain is not None or variant.norm_cell_bias is not None:
            raise LSTMError(
                f"{self.at!r}: expected a cell state that is f * c' + i * g, found layer "
                "normalisation of the cell state, which mixes the units."
            )
        groups = (self._kept(), self._written())
        return _summed(groups, self._value("c"), variant.cell_clip)

    def _hidden(self) -> Explanation:
        """What shows of a cell, o * tanh(c); where it is projected, a sum of that over all."""
        variant = self.cell.variant
        if variant.highway_ih is not None:
            raise LSTMError(
                f"{self.at!r}: expected a hidden state that shows the cell state, found a highway, "
                "which mixes the input into it."
            )
        squash = activation(variant.cell_activation)
        cells = self.record.cell[self.step]
        seen = cells if variant.peephole_shown is None else cells + variant.peephole_shown * cells
        shown = squash(seen)
        if variant.projection is not None:
            values = self.record.output[self.step] * shown
            weights = variant.projection[self.unit].tolist()
            terms = tuple(self._units("c", weights, values, self.step))
            groups = (Group("projection", terms),)
            return _summed(groups, self._value("h"), variant.projection_clip)
        prepared = [Applied("cell", float(cells[self.unit]))]
        if variant.peephole_shown is not None:
            prepared.append(Applied("peephole", float(seen[self.unit])))
        value = float(shown[self.unit])
        prepared.append(Applied(variant.cell_activation, value))
        term = Term(self._own("c"), self._value("o"), value)
        return Explanation((Group("shown", (term,)),), self._value("h"), tuple(prepared))

    def _output(self) -> Explanation:
        """What the layer hands on: h, and with a residual connection what it read."""
        if self.record.added is None:
            return self._hidden()
        hidden = Term(self._own("h"), 1.0, self._value("h"))
        added = Term(None, 1.0, float(self.record.added[self.step, self.unit]))
        groups = (Group("hidden_state", (hidden,)), Group("residual", (added,)))
        return Explanation(groups, self._value("y"))


def _output_symbol(model: Model, layer: int) -> str:
    """The letter of what a layer hands on: h, or y where more is in it."""
    return "y" if model.parameters.residual and layer > 0 else "h"


def _summed(groups: tuple[Group, ...], recorded: float, limit: float | None) -> Explanation:
    """A sum that the trace has; where it is clipped at once, the trace has what is left of it."""
    if limit is None:
        return Explanation(groups, recorded)
    total = total_of([group.amount for group in groups])
    return Explanation(groups, total, (), (Applied("clip", recorded, limit),))
