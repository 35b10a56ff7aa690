"""The project's own layout: one matrix over [hidden, input] and one bias per gate."""

from __future__ import annotations

from weights.layouts.layout import Layout, TensorKind

_CELL = r"layers\.(?P<layer>\d+)\.(?P<direction>forward|reverse)"
_GATE = r"(?P<gate>input_gate|forget_gate|candidate|output_gate)"

NATIVE = Layout(
    name="native",
    title="lstm's own",
    kinds=(
        TensorKind(rf"{_CELL}\.{_GATE}\.weight", part="hx"),
        TensorKind(rf"{_CELL}\.{_GATE}\.bias", part="bias", optional=True),
    ),
    gates={
        "input_gate": "input",
        "forget_gate": "forget",
        "candidate": "candidate",
        "output_gate": "output",
    },
    directions={"forward": "forward", "reverse": "reverse"},
    source="this project",
)
