"""The project's own layout: one matrix over [hidden, input] and one bias per gate."""

from __future__ import annotations

from weights.layouts.layout import Layout, TensorKind

_CELL = r"layers\.(?P<layer>\d+)\.(?P<direction>forward|reverse)"
_GATE = r"(?P<gate>input_gate|forget_gate|candidate|output_gate)"
_PEEPHOLE = r"(?P<gate>input_gate|forget_gate|output_gate)"

NATIVE = Layout(
    name="native",
    title="lstm's own",
    kinds=(
        TensorKind(
            rf"{_CELL}\.{_GATE}\.weight", "hx", written="layers.{layer}.{direction}.{gate}.weight"
        ),
        TensorKind(rf"{_CELL}\.{_GATE}\.bias", "bias", optional=True),
        TensorKind(rf"{_CELL}\.{_PEEPHOLE}\.peephole", "peephole", optional=True),
        TensorKind(rf"{_CELL}\.{_GATE}\.norm", "norm_gain", optional=True),
        TensorKind(rf"{_CELL}\.(?P<gate>highway_gate)\.weight", "hx", optional=True),
        TensorKind(rf"{_CELL}\.(?P<gate>highway_input)\.weight", "ih", optional=True),
        TensorKind(rf"{_CELL}\.(?P<gate>highway_gate|highway_input)\.bias", "bias", optional=True),
        TensorKind(rf"{_CELL}\.projection", "projection", optional=True),
        TensorKind(rf"{_CELL}\.shown", "shown", optional=True),
        TensorKind(rf"{_CELL}\.cell_norm\.weight", "cell_norm_gain", optional=True),
        TensorKind(rf"{_CELL}\.cell_norm\.bias", "cell_norm_bias", optional=True),
    ),
    gates={
        "input_gate": "input",
        "forget_gate": "forget",
        "candidate": "candidate",
        "output_gate": "output",
        "highway_gate": "highway",
        "highway_input": "highway_input",
    },
    directions={"forward": "forward", "reverse": "reverse"},
    within=_CELL,
    instead_of="textbook-gates",
    source="this project",
)
