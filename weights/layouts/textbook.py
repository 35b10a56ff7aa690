"""The textbook's names: WFG, WIPG, WCS, WOPG over [CURRHS, INP], and BFG, BIPG, BCS, BOPG."""

from __future__ import annotations

from weights.layouts.layout import Layout, TensorKind

# `2.reverse.WFG`: a number before the name is the layer.
_PLACE = r"(?:(?P<layer>\d+)[._/])?(?:(?P<direction>forward|backward|reverse)[._/])?"
_GATE = r"(?P<gate>FG|IPG|CS|OPG)"

TEXTBOOK = Layout(
    name="textbook",
    title="textbook (WFG, BFG, ...)",
    kinds=(
        TensorKind(rf"{_PLACE}W{_GATE}", part="hx"),
        TensorKind(rf"{_PLACE}B{_GATE}", part="bias", optional=True),
    ),
    gates={"IPG": "input", "FG": "forget", "CS": "candidate", "OPG": "output"},
    directions={"forward": "forward", "backward": "reverse", "reverse": "reverse"},
    first_layers=(0, 1),
    source="one matrix per gate, applied to the concatenation of hidden state and input",
)
