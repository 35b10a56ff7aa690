"""Textbooks: one matrix per gate, over the concatenation or over input and state apart."""

from __future__ import annotations

from dataclasses import replace

from weights.layouts.layout import Layout, TensorKind

# `2.reverse.WFG`: a number before the name is the layer.
_PLACE = r"(?:(?P<layer>\d+)[._/])?(?:(?P<direction>forward|backward|reverse)[._/])?"
_DIRECTIONS = {"forward": "forward", "backward": "reverse", "reverse": "reverse"}
_CONCATENATION = {"concatenation": "[hidden, input], hidden state first"}

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
    source="one matrix per gate, applied to the concatenation of hidden state and input",
)

# The gates' usual letters; the candidate has many.
_LETTER = r"_?(?P<gate>[ifogcazju])"
_GATES = {"i": "input", "f": "forget", "o": "output", **dict.fromkeys("gcazju", "candidate")}
_COURSE = "for example d2l.ai, section 10.1, and the Deep Learning Specialization, course 5"

CONCATENATED = Layout(
    name="textbook-concatenated",
    title="textbook (W_f, b_f or Wf, bf over [h, x])",
    kinds=(
        TensorKind(rf"{_PLACE}W{_LETTER}", "hx"),
        TensorKind(rf"{_PLACE}b{_LETTER}", "bias", optional=True),
    ),
    gates=_GATES,
    directions=_DIRECTIONS,
    first_layers=(0, 1),
    assumed=_CONCATENATION,
    source=_COURSE,
)

SPLIT_XH = Layout(
    name="textbook-x-h",
    title="textbook (W_xf, W_hf, b_f)",
    kinds=(
        TensorKind(rf"{_PLACE}W_?x{_LETTER}", "ih"),
        TensorKind(rf"{_PLACE}W_?h{_LETTER}", "hh"),
        TensorKind(rf"{_PLACE}b{_LETTER}", "bias", optional=True),
    ),
    gates=_GATES,
    directions=_DIRECTIONS,
    first_layers=(0, 1),
    rows_are_outputs=False,
    source=_COURSE,
)

SPLIT_XH_OUTPUTS = Layout(
    name="textbook-x-h-outputs",
    title="textbook (W_xf, W_hf, b_f), W x",
    kinds=SPLIT_XH.kinds,
    gates=_GATES,
    directions=_DIRECTIONS,
    first_layers=(0, 1),
    source=_COURSE,
)

SPLIT_WU = Layout(
    name="textbook-w-u",
    title="textbook (W_f, U_f, b_f)",
    kinds=(
        TensorKind(rf"{_PLACE}W{_LETTER}", "ih"),
        TensorKind(rf"{_PLACE}U{_LETTER}", "hh"),
        TensorKind(rf"{_PLACE}b{_LETTER}", "bias", optional=True),
    ),
    gates=_GATES,
    directions=_DIRECTIONS,
    first_layers=(0, 1),
    source=_COURSE,
)

SPLIT_UV = Layout(
    name="textbook-u-v",
    title="textbook (U_f, V_f, b_f)",
    kinds=(
        TensorKind(rf"{_PLACE}U{_LETTER}", "ih"),
        TensorKind(rf"{_PLACE}V{_LETTER}", "hh"),
        TensorKind(rf"{_PLACE}b{_LETTER}", "bias", optional=True),
    ),
    gates=_GATES,
    directions=_DIRECTIONS,
    first_layers=(0, 1),
    rows_are_outputs=False,
    source=_COURSE,
)

# The same names, the other way round: shapes tell, unless input and hidden size are equal.
CONCATENATED_INPUTS = replace(
    CONCATENATED,
    name="textbook-concatenated-inputs",
    title="textbook (W_f, b_f or Wf, bf over [h, x]), x W",
    rows_are_outputs=False,
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

# Packed, from two courses: the same names and shapes, so that only the reader can tell.
CS231N = Layout(
    name="cs231n",
    title="CS231n (Wx, Wh, b), x W",
    kinds=(
        TensorKind("Wx", "ih"),
        TensorKind("Wh", "hh"),
        TensorKind("b", "bias", optional=True),
    ),
    order="ifog",
    rows_are_outputs=False,
    source="https://cs231n.github.io, assignment 3, rnn_layers.py",
)
# One matrix for all, cut into its first row and the rest when the file is opened.
GIST = Layout(
    name="karpathy-gist",
    title="Karpathy's gist (WLSTM)",
    kinds=(TensorKind(r"(?i:WLSTM)\[1:\]", "xh"), TensorKind(r"(?i:WLSTM)\[0\]", "bias")),
    order="ifog",
    rows_are_outputs=False,
    source="https://gist.github.com/karpathy/587454dc0146a6ae21fc",
)
FROM_SCRATCH = replace(
    CS231N,
    name="deep-learning-from-scratch",
    title="Deep Learning from Scratch 2 (Wx, Wh, b), x W",
    order="fgio",
    source="oreilly-japan/deep-learning-from-scratch-2, common/time_layers.py",
)
