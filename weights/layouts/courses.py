"""Courses that pack all gates into one matrix for the input and one for the hidden state."""

from __future__ import annotations

from dataclasses import replace

from weights.layouts.layout import Layout, TensorKind
from weights.layouts.textbook import AROUND, COURSE

_ORDER = {"gate_order": "i f g o, as most have it"}

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
    # W_proj and b_proj make the first hidden state out of a picture.
    around={
        "embedding": "W_embed",
        "head": "W_vocab",
        "head_bias": "b_vocab",
        "start": "[Wb]_proj",
    },
    source="https://cs231n.github.io, assignment 3, rnn_layers.py",
)
FROM_SCRATCH = replace(
    CS231N,
    name="deep-learning-from-scratch",
    title="Deep Learning from Scratch 2 (Wx, Wh, b), x W",
    order="fgio",
    source="oreilly-japan/deep-learning-from-scratch-2, common/time_layers.py",
)

# As many teach it: gates = x @ W + h @ U + bias.
PACKED = Layout(
    name="textbook-packed",
    title="textbook (W, U, bias for all gates), x W",
    kinds=(
        TensorKind("W", "ih"),
        TensorKind("U", "hh"),
        TensorKind("b(?:ias)?", "bias", optional=True),
    ),
    rows_are_outputs=False,
    common=True,
    around=AROUND,
    assumed=_ORDER,
    source=COURSE,
)
PACKED_OUTPUTS = replace(
    PACKED,
    name="textbook-packed-outputs",
    title="textbook (W, U, bias for all gates), W x",
    rows_are_outputs=True,
)
# Two PyTorch Linears for all gates: chunk(4) of x2h(x) + h2h(h).
LINEARS = Layout(
    name="textbook-linears",
    title="two PyTorch Linears for all gates (x2h, h2h)",
    kinds=(
        TensorKind(r"[xi]2h[./]weight", "ih"),
        TensorKind(r"h2h[./]weight", "hh"),
        TensorKind(r"[xi]2h[./]bias", "bias", optional=True),
        TensorKind(r"h2h[./]bias", "bias", optional=True),
    ),
    common=True,
    assumed=_ORDER,
    source="for example PyTorch courses that write the cell themselves",
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
