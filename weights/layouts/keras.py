"""Keras 1 to 3 and what is stored alike: x @ W, blocks i, f, g, o."""

from __future__ import annotations

from dataclasses import replace

from weights.layouts.layout import LETTERS, NOTHING, Layout, TensorKind

# `lstm/lstm_cell/kernel:0`, and what a TensorFlow checkpoint appends.
_END = r"(?::0)?(?:/\.ATTRIBUTES/VARIABLE_VALUE)?"
_ASSUMED = {
    "gate_activation": "sigmoid; Keras before 2.3 and TensorFlow.js have hard-sigmoid by default"
}
_SOURCE = "https://github.com/keras-team/keras/blob/master/keras/src/layers/rnn/lstm.py"

_NAMED = (
    TensorKind(rf"(?<!recurrent_)kernel{_END}", "ih", written="kernel"),
    TensorKind(rf"recurrent_kernel{_END}", "hh", written="recurrent_kernel"),
    TensorKind(rf"bias{_END}", "bias", optional=True, written="bias"),
)

KERAS = Layout(
    name="keras",
    title="Keras LSTM",
    kinds=(
        *_NAMED,
        TensorKind(rf"(?P<gate>input|forget|output)_gate_peephole_weights{_END}", "peephole", True),
    ),
    gates={"input": "input", "forget": "forget", "output": "output"},
    rows_are_outputs=False,
    assumed=_ASSUMED,
    places={
        "only": "lstm_{layer}/lstm_cell/",
        "forward": "bidirectional_{layer}/forward_lstm/lstm_cell/",
        "reverse": "bidirectional_{layer}/backward_lstm/lstm_cell/",
    },
    assumed_bare={"gate_order": "i f g o; Haste has these names too, and i g f o"},
    source=_SOURCE,
)

# Names by number: Keras 3's weights.h5 and RTNeural.
KERAS_NUMBERED = Layout(
    name="keras-numbered",
    title="Keras 3 weights.h5, RTNeural",
    kinds=(
        TensorKind(r"(?:vars/|weights[./])0", "ih"),
        TensorKind(r"(?:vars/|weights[./])1", "hh"),
        TensorKind(r"(?:vars/|weights[./])2", "bias", optional=True),
    ),
    rows_are_outputs=False,
    assumed=_ASSUMED,
    within=r"cell\w*/vars/|weights[./]\d",  # a dense layer has vars/0 and vars/1 too
    source=_SOURCE,
)

FRUGALLY_DEEP = Layout(
    name="frugally-deep",
    title="frugally-deep",
    kinds=(
        TensorKind("(?<!recurrent_)weights", "ih"),
        TensorKind("recurrent_weights", "hh"),
        TensorKind("bias", "bias", optional=True),
    ),
    rows_are_outputs=False,
    assumed=_ASSUMED,
    source="Dobiasd/frugally-deep, keras_export/convert_model.py",
)

# The op of NVIDIA: two biases, and each block of a kernel is stored the other way round.
CUDNN = Layout(
    name="keras-cudnn",
    title="Keras CuDNNLSTM",
    kinds=(*_NAMED[:2], TensorKind(rf"bias{_END}", "bias_pair")),
    rows_are_outputs=False,
    reread=True,
    source="Keras 2.2, engine/saving.py, the conversion from CuDNNLSTM to LSTM",
)

KERAS_1 = Layout(
    name="keras-1",
    title="Keras 1 LSTM",
    kinds=(
        TensorKind(r"W_(?P<gate>[ifco])", "ih"),
        TensorKind(r"U_(?P<gate>[ifco])", "hh"),
        TensorKind(r"b_(?P<gate>[ifco])", "bias"),
    ),
    gates={"i": "input", "f": "forget", "c": "candidate", "o": "output"},
    rows_are_outputs=False,
    variant={"gate_activation": "hard-sigmoid"},
    assumed={"gate_activation": "hard-sigmoid, the default of Keras 1"},
    by_name_only=True,  # W_f, U_f, b_f are a textbook's names too
    source="Keras 2.2, engine/saving.py, preprocess_weights_for_loading",
)

KERAS2C = Layout(
    name="keras2c",
    title="keras2c",
    kinds=(
        TensorKind(r"(?<!_recurrent)_kernel", "ih"),
        TensorKind(r"_recurrent_kernel", "hh"),
        TensorKind(r"_bias", "bias", optional=True),
    ),
    rows_are_outputs=False,
    blocks_along_inputs=True,
    assumed=_ASSUMED,
    source="f0uriest/keras2c, weights2c.py",
)

# ICU's word-break models: an embedding, two directions, a dense layer, all by number.
ICU = Layout(
    name="icu",
    title="ICU word segmentation",
    kinds=(
        TensorKind(r"mat(?P<direction>[25])", "ih"),
        TensorKind(r"mat(?P<direction>[36])", "hh"),
        TensorKind(r"mat(?P<direction>[47])", "bias"),
    ),
    directions={n: "forward" if n in "234" else "reverse" for n in "234567"},
    rows_are_outputs=False,
    around={"embedding": "mat1", "head": "mat8", "head_bias": "mat9"},
    source="unicode-org/lstm_word_segmentation",
)

# By names and shapes the same as Keras, but i, g, f, o.
HASTE = Layout(
    name="haste",
    title="Haste LSTM",
    kinds=_NAMED,
    order="igfo",
    rows_are_outputs=False,
    by_name_only=True,
    places={"only": KERAS.places["only"]},
    source="lmnt-com/haste, frameworks/pytorch/lstm.py",
)

SONNET_2 = Layout(
    name="sonnet-2",
    title="Sonnet 2 LSTM",
    kinds=(
        TensorKind(r"w_i(?::0)?", "ih", written="w_i"),
        TensorKind(r"w_h(?::0)?", "hh", written="w_h"),
        TensorKind(r"b(?::0)?", "bias", written="b"),
        TensorKind(r"projection(?::0)?", "projection", optional=True, written="projection"),
    ),
    rows_are_outputs=False,
    places={"only": "lstm_{layer}/"},
    source="google-deepmind/sonnet, v2, src/recurrent.py",
)

# NNX keeps a number in a variable, which a file may name too.
_VALUE = r"(?:[./](?:raw_)?value)?"

FLAX = Layout(
    name="flax",
    title="Flax LSTMCell",
    kinds=(
        TensorKind(rf"i(?P<gate>[igfo])_?[./]kernel{_VALUE}", "ih", written="i{gate}/kernel"),
        TensorKind(rf"h(?P<gate>[igfo])[./]kernel{_VALUE}", "hh", written="h{gate}/kernel"),
        TensorKind(rf"h(?P<gate>[igfo])[./]bias{_VALUE}", "bias", True, written="h{gate}/bias"),
    ),
    gates=LETTERS,
    rows_are_outputs=False,
    pairs_by_number="unless they fit",
    alike="flax-bidirectional",
    places={
        "only": "params/OptimizedLSTMCell_{layer}/",
        "forward": "params/bidirectional_{layer}/forward_rnn/cell/",
        "reverse": "params/bidirectional_{layer}/backward_rnn/cell/",
    },
    source="https://flax.readthedocs.io/en/latest/api_reference/flax.linen/layers.html",
)

# linen numbers two directions as it numbers two layers: where input and hidden size are equal,
# only the reader can tell.
FLAX_BIDIRECTIONAL = replace(
    FLAX,
    name="flax-bidirectional",
    title="Flax LSTMCell, two cells for each layer",
    kinds=tuple(kind._replace(written="") for kind in FLAX.kinds),
    by_name_only=True,
    pairs_by_number="always",
    alike="",
    places=NOTHING,
)

FLAX_PACKED = Layout(
    name="flax-packed",
    title="Flax NNX OptimizedLSTMCell",
    kinds=(
        TensorKind(rf"dense_i[./]kernel{_VALUE}", "ih", written="dense_i.kernel"),
        TensorKind(rf"dense_h[./]kernel{_VALUE}", "hh", written="dense_h.kernel"),
        TensorKind(rf"dense_h[./]bias{_VALUE}", "bias", optional=True, written="dense_h.bias"),
    ),
    rows_are_outputs=False,
    places={
        "only": "layers.{layer}.cell.",
        "forward": "layers.{layer}.forward_rnn.cell.",
        "reverse": "layers.{layer}.backward_rnn.cell.",
    },
    source="Flax 0.12, nnx/nn/recurrent.py",
)

# MLX before its weights were turned; the very first version called the bias b.
MLX_INPUTS = Layout(
    name="mlx-inputs",
    title="older MLX nn.LSTM, x W",
    kinds=(
        TensorKind("Wx", "ih"),
        TensorKind("Wh", "hh"),
        TensorKind("b(?:ias)?", "bias", optional=True),
    ),
    rows_are_outputs=False,
    source="MLX 0.10, nn/layers/recurrent.py",
)

CNTK = Layout(
    name="cntk",
    title="CNTK layers.LSTM",
    kinds=(
        TensorKind("W", "ih"),
        TensorKind("H", "hh"),
        TensorKind("b", "bias"),
        TensorKind("C(?P<gate>[ifo])", "peephole", optional=True),
        TensorKind("P", "projection", optional=True),
    ),
    order="igfo",
    gates=LETTERS,
    rows_are_outputs=False,
    refused={"alpha.*": "a self-stabiliser"},
    source="CNTK 2.7, layers/blocks.py",
)

BURN = Layout(
    name="burn",
    title="Burn nn::Lstm",
    kinds=tuple(
        TensorKind(rf"(?P<gate>input|forget|output|cell)_gate\.{where}_transform\.{what}", part, o)
        for where, what, part, o in (
            ("input", "weight", "ih", False),
            ("hidden", "weight", "hh", False),
            ("input", "bias", "bias", True),
            ("hidden", "bias", "bias", True),
        )
    ),
    gates={"input": "input", "forget": "forget", "cell": "candidate", "output": "output"},
    rows_are_outputs=False,
    source="tracel-ai/burn, burn-nn/src/modules/rnn/lstm.rs",
)

_SIDE = "(?P<direction>[FB])?"  # of a GravesBidirectionalLSTM

DL4J = Layout(
    name="dl4j",
    title="Deeplearning4j LSTM, GravesLSTM and GravesBidirectionalLSTM",
    kinds=(
        TensorKind(rf"(?<!R)W{_SIDE}", "ih"),
        TensorKind(rf"RW{_SIDE}(?:\[:, :-3\])?", "hh"),
        TensorKind(f"b{_SIDE}", "bias"),
        TensorKind(rf"RW{_SIDE}\[:, (?P<gate>-[123])\]", "peephole", optional=True),
    ),
    order="gfoi",
    gates={"-3": "forget", "-2": "output", "-1": "input"},
    directions={"F": "forward", "B": "reverse", "f": "forward", "b": "reverse"},
    rows_are_outputs=False,
    source="deeplearning4j, nn/layers/recurrent/LSTMHelpers.java",
)

# The wrapper Bidirectional puts the mark in front: fW, fRW, fb and bW, bRW, bb.
DL4J_BIDIRECTIONAL = replace(
    DL4J,
    name="dl4j-bidirectional",
    title="Deeplearning4j Bidirectional",
    kinds=tuple(
        kind._replace(
            pattern="(?P<direction>[fb])" + kind.pattern.replace(_SIDE, "").replace("(?<!R)", "")
        )
        for kind in DL4J.kinds
    ),
    instead_of="dl4j",
    source="deeplearning4j, nn/params/BidirectionalParamInitializer.java",
)
