"""Textbooks: one matrix per gate, over the concatenation or over input and state apart."""

from __future__ import annotations

from dataclasses import replace

from weights.layouts.layout import Layout, TensorKind

# `2.reverse.WFG`: a number before the name is the layer.
_PLACE = r"(?:(?P<layer>\d+)[._/])?(?:(?P<direction>forward|backward|reverse)[._/])?"
_DIRECTIONS = {"forward": "forward", "backward": "reverse", "reverse": "reverse"}
_CONCATENATION = {"concatenation": "[hidden, input], hidden state first"}

# What a textbook's model has on top, under a name of the same kind: `Wy`, `W_hq`, `b_q`.
AROUND = {"head": r"W_?(?:h?y|hq|out|v)", "head_bias": r"b_?(?:h?y|q|out|v)"}

_GATE = r"(?P<gate>FG|IPG|CS|OPG)"

TEXTBOOK = Layout(
    name="textbook",
    title="textbook (WFG, BFG, ...)",
    kinds=(
        TensorKind(rf"{_PLACE}W{_GATE}", "hx", written="{layer}.{direction}.W{gate}"),
        TensorKind(rf"{_PLACE}B{_GATE}", "bias", True, written="{layer}.{direction}.B{gate}"),
    ),
    gates={"IPG": "input", "FG": "forget", "CS": "candidate", "OPG": "output"},
    directions=_DIRECTIONS,
    first_layers=(0, 1),
    around=AROUND,
    source="one matrix per gate, applied to the concatenation of hidden state and input",
)

TEXTBOOK_INPUTS = replace(
    TEXTBOOK,
    name="textbook-inputs",
    title="textbook (WFG, BFG, ...), x W",
    kinds=tuple(kind._replace(written="") for kind in TEXTBOOK.kinds),
    rows_are_outputs=False,
)

# The gates' usual letters and words; the candidate has many.
_GATES = {
    "i": "input", "f": "forget", "o": "output", **dict.fromkeys("gcazjunC", "candidate"),
    "input": "input", "forget": "forget", "output": "output",
    "cell": "candidate", "candidate": "candidate",
    "input_gate": "input", "forget_gate": "forget", "output_gate": "output",
    "cell_gate": "candidate", "candidate_gate": "candidate",
}  # fmt: skip
_ANY = rf"(?P<gate>{'|'.join(_GATES)})"
_LETTER = rf"_?{_ANY}"
_LINEAR = r"(?:[./]weight)?"  # of a PyTorch Linear for each gate, which has a bias of its own
COURSE = "for example d2l.ai, section 10.1, and the Deep Learning Specialization, course 5"

CONCATENATED = Layout(
    name="textbook-concatenated",
    title="textbook (W_f, b_f or Wf, bf over [h, x])",
    kinds=(
        TensorKind(rf"{_PLACE}W{_LETTER}{_LINEAR}", "hx"),
        TensorKind(rf"{_PLACE}b{_LETTER}", "bias", optional=True),
        TensorKind(rf"{_PLACE}W{_LETTER}[./]bias", "bias", optional=True),
    ),
    gates=_GATES,
    directions=_DIRECTIONS,
    first_layers=(0, 1),
    around=AROUND,
    assumed=_CONCATENATION,
    source=COURSE,
)

SPLIT_XH = Layout(
    name="textbook-x-h",
    title="textbook (W_xf, W_hf, b_f)",
    kinds=(
        TensorKind(rf"{_PLACE}W_?x{_LETTER}{_LINEAR}", "ih"),
        TensorKind(rf"{_PLACE}W_?h{_LETTER}{_LINEAR}", "hh"),
        TensorKind(rf"{_PLACE}b{_LETTER}", "bias", optional=True),
        TensorKind(rf"{_PLACE}W_?x{_LETTER}[./]bias", "bias", optional=True),
        TensorKind(rf"{_PLACE}W_?h{_LETTER}[./]bias", "bias", optional=True),
    ),
    gates=_GATES,
    directions=_DIRECTIONS,
    first_layers=(0, 1),
    around=AROUND,
    rows_are_outputs=False,
    source=COURSE,
)

SPLIT_XH_OUTPUTS = replace(
    SPLIT_XH,
    name="textbook-x-h-outputs",
    title="textbook (W_xf, W_hf, b_f), W x",
    rows_are_outputs=True,
)

# The gate first: W_fx, W_fh.
SPLIT_FX = Layout(
    name="textbook-f-x",
    title="textbook (W_fx, W_fh, b_f)",
    kinds=(
        TensorKind(rf"{_PLACE}W{_LETTER}_?x{_LINEAR}", "ih"),
        TensorKind(rf"{_PLACE}W{_LETTER}_?h{_LINEAR}", "hh"),
        TensorKind(rf"{_PLACE}b{_LETTER}", "bias", optional=True),
        TensorKind(rf"{_PLACE}W{_LETTER}_?x[./]bias", "bias", optional=True),
        TensorKind(rf"{_PLACE}W{_LETTER}_?h[./]bias", "bias", optional=True),
    ),
    gates=_GATES,
    directions=_DIRECTIONS,
    first_layers=(0, 1),
    around=AROUND,
    source=COURSE,
)
SPLIT_FX_INPUTS = replace(
    SPLIT_FX,
    name="textbook-f-x-inputs",
    title="textbook (W_fx, W_fh, b_f), x W",
    rows_are_outputs=False,
)

# As PyTorch's documentation writes the formulas, with two biases.
SPLIT_IH = Layout(
    name="textbook-i-h",
    title="textbook (W_if, W_hf, b_if, b_hf)",
    kinds=tuple(
        kind
        for name, part in (("i", "ih"), ("h", "hh"))
        for kind in (
            TensorKind(rf"{_PLACE}W_?{name}{_LETTER}{_LINEAR}", part),
            TensorKind(rf"{_PLACE}b_?{name}{_LETTER}", "bias", optional=True),
            TensorKind(rf"{_PLACE}W_?{name}{_LETTER}[./]bias", "bias", optional=True),
        )
    ),
    gates=_GATES,
    directions=_DIRECTIONS,
    first_layers=(0, 1),
    around=AROUND,
    source="https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html, the formulas",
)
SPLIT_IH_INPUTS = replace(
    SPLIT_IH,
    name="textbook-i-h-inputs",
    title="textbook (W_if, W_hf, b_if, b_hf), x W",
    rows_are_outputs=False,
)

SPLIT_WU = Layout(
    name="textbook-w-u",
    title="textbook (W_f, U_f, b_f)",
    kinds=(
        TensorKind(rf"{_PLACE}W{_LETTER}{_LINEAR}", "ih"),
        TensorKind(rf"{_PLACE}U{_LETTER}{_LINEAR}", "hh"),
        TensorKind(rf"{_PLACE}b{_LETTER}", "bias", optional=True),
        TensorKind(rf"{_PLACE}W{_LETTER}[./]bias", "bias", optional=True),
        TensorKind(rf"{_PLACE}U{_LETTER}[./]bias", "bias", optional=True),
    ),
    gates=_GATES,
    directions=_DIRECTIONS,
    first_layers=(0, 1),
    around=AROUND,
    source=COURSE,
)

SPLIT_UV = Layout(
    name="textbook-u-v",
    title="textbook (U_f, V_f, b_f)",
    kinds=(
        TensorKind(rf"{_PLACE}U{_LETTER}{_LINEAR}", "ih"),
        TensorKind(rf"{_PLACE}V{_LETTER}{_LINEAR}", "hh"),
        TensorKind(rf"{_PLACE}b{_LETTER}", "bias", optional=True),
        TensorKind(rf"{_PLACE}U{_LETTER}[./]bias", "bias", optional=True),
        TensorKind(rf"{_PLACE}V{_LETTER}[./]bias", "bias", optional=True),
    ),
    gates=_GATES,
    directions=_DIRECTIONS,
    first_layers=(0, 1),
    around=AROUND,
    rows_are_outputs=False,
    source=COURSE,
)

# The same names, the other way round: shapes tell, unless input and hidden size are equal.
CONCATENATED_INPUTS = replace(
    CONCATENATED,
    name="textbook-concatenated-inputs",
    title="textbook (W_f, b_f or Wf, bf over [h, x]), x W",
    rows_are_outputs=False,
)
# The Deep Learning Specialization calls the input gate the update gate.
UPDATE = replace(
    CONCATENATED,
    name="textbook-update",
    title="textbook (W_u, W_f, W_c, W_o over [h, x]), update for input gate",
    kinds=tuple(
        kind._replace(pattern=kind.pattern.replace(_ANY, "(?P<gate>[ufco])"))
        for kind in CONCATENATED.kinds
    ),
    gates={"u": "input", "f": "forget", "c": "candidate", "o": "output"},
)
# A Linear for each gate, by the gate's name alone.
GATES = replace(
    CONCATENATED,
    name="textbook-gates",
    title="a PyTorch Linear for each gate (forget_gate.weight, ... over [h, x])",
    common=True,
    kinds=(
        TensorKind(
            r"(?P<gate>input_gate|forget_gate|cell_gate|candidate_gate|output_gate|candidate)[./]weight",
            "hx",
        ),
        TensorKind(
            r"(?P<gate>input_gate|forget_gate|cell_gate|candidate_gate|output_gate|candidate)[./]bias",
            "bias",
            optional=True,
        ),
    ),
)
SPLIT_WU_INPUTS = replace(
    SPLIT_WU,
    name="textbook-w-u-inputs",
    title="textbook (W_f, U_f, b_f), x W",
    rows_are_outputs=False,
    assumed={"gate_activation": "sigmoid; Keras 1 has such names and hard-sigmoid by default"},
)
SPLIT_UV_OUTPUTS = replace(
    SPLIT_UV,
    name="textbook-u-v-outputs",
    title="textbook (U_f, V_f, b_f), W x",
    rows_are_outputs=True,
)
