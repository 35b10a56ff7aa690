"""TensorFlow 1 cells and what descends from them: [x, h] @ W, blocks i, g, f, o."""

from __future__ import annotations

from weights.layouts.layout import LETTERS, Layout, TensorKind

_END = r"(?::0)?"
_KERNEL = r"(?<!recurrent_)(?<!projection/)kernel"
_STACK = "stack_bidirectional_rnn/cell_{layer}/bidirectional_rnn"


def _places(cell: str) -> dict[str, str]:
    """Where dynamic_rnn and stack_bidirectional_dynamic_rnn put a cell of this name."""
    return {
        "only": f"rnn/multi_rnn_cell/cell_{{layer}}/{cell}/",
        "forward": f"{_STACK}/fw/{cell}/",
        "reverse": f"{_STACK}/bw/{cell}/",
    }


_ASSUMED = {"forget_bias": "1 is added to the forget gate, as the framework does at run time"}
_PEEPHOLES = TensorKind(rf"w_(?P<gate>[ifo])_diag{_END}", "peephole", optional=True)

TENSORFLOW = Layout(
    name="tensorflow",
    title="TensorFlow 1 LSTM cells",
    kinds=(
        TensorKind(
            rf"(?:{_KERNEL}|weights|W_0|Linear/Matrix){_END}", "xh", written="kernel"
        ),
        TensorKind(rf"(?:bias|biases|B|Linear/Bias){_END}", "bias", written="bias"),
        _PEEPHOLES._replace(written="w_{gate}_diag"),
        TensorKind(
            rf"(?:projection/kernel|projection/weights|W_P_0){_END}", "projection", True,
            rows_are_outputs=False, written="projection/kernel",
        ),
    ),
    order="igfo",
    gates=LETTERS,
    rows_are_outputs=False,
    forget_bias=1.0,
    assumed=_ASSUMED,
    # A dense layer has the same names and could have the same shape.
    within=r"^(?!.*cudnn_compatible)"
    r"(?!.*(?<!lstmcell/)(dense|linear|logits|softmax|output|proj|projection|fc|conv)(_?\d+|_projection|_layer)*"
    r"/(kernel|weights|bias))"
    r".*(lstm|rnn_cell|rnn/)|/projection/",
    places=_places("lstm_cell"),
    unbiased="tensorflow-cudnn",
    source="TensorFlow 1.14, python/ops/rnn_cell_impl.py",
)  # fmt: skip

ELMO_ASSUMED = {
    "cell_clip": "3, as ELMo's own models have it",
    "projection_clip": "3, as ELMo's own models have it",
    "residual": "from layer 1 on, what a layer reads is added to what it hands on",
}
_ELMO = r"RNN_(?P<direction>[01])[./]RNN[./]MultiRNNCell[./]Cell(?P<layer>\d+)[./]LSTMCell[./]"

ELMO = Layout(
    name="elmo",
    title="ELMo's language model of two directions, TensorFlow 1",
    kinds=(
        TensorKind(f"{_ELMO}W_0", "xh"),
        TensorKind(f"{_ELMO}B", "bias"),
        TensorKind(f"{_ELMO}W_P_0", "projection", rows_are_outputs=False),
    ),
    order="igfo",
    directions={"0": "forward", "1": "reverse"},
    rows_are_outputs=False,
    forget_bias=1.0,
    variant={"cell_clip": 3.0, "projection_clip": 3.0},
    independent=True,
    residual=True,
    instead_of="tensorflow",
    assumed={**_ASSUMED, **ELMO_ASSUMED},
    source="allenai/bilm-tf, bilm/model.py",
)

CUDNN_COMPATIBLE = Layout(
    name="tensorflow-cudnn",
    title="TensorFlow 1 CudnnCompatibleLSTMCell",
    kinds=TENSORFLOW.kinds[:2],
    order="igfo",
    rows_are_outputs=False,
    within="cudnn_compatible_lstm_cell",
    places=_places("cudnn_compatible_lstm_cell"),
    source="TensorFlow 1.14, contrib/cudnn_rnn/python/ops/cudnn_rnn_ops.py",
)

COUPLED = Layout(
    name="tensorflow-coupled",
    title="TensorFlow 1 CoupledInputForgetGateLSTMCell",
    kinds=(
        TensorKind(rf"W_0{_END}", "xh"),
        TensorKind(rf"B{_END}", "bias"),
        TensorKind(rf"W_(?P<gate>[FO])_diag{_END}", "peephole", optional=True),
    ),
    order="gfo",
    gates={"F": "forget", "O": "output"},
    rows_are_outputs=False,
    forget_bias=1.0,
    variant={"coupled": "input"},
    assumed=_ASSUMED,
    source="TensorFlow 1.14, contrib/rnn/python/ops/rnn_cell.py",
)

LAYER_NORM = Layout(
    name="tensorflow-layer-norm",
    title="TensorFlow 1 LayerNormBasicLSTMCell",
    kinds=(
        TensorKind(rf"(?<!recurrent_)kernel{_END}", "xh"),
        TensorKind(rf"(?P<gate>input|transform|forget|output)/gamma{_END}", "norm_gain"),
        TensorKind(rf"(?P<gate>input|transform|forget|output)/beta{_END}", "norm_bias"),
        TensorKind(rf"state/gamma{_END}", "cell_norm_gain"),
        TensorKind(rf"state/beta{_END}", "cell_norm_bias"),
    ),
    order="igfo",
    gates={"input": "input", "transform": "candidate", "forget": "forget", "output": "output"},
    rows_are_outputs=False,
    forget_bias=1.0,
    assumed=_ASSUMED,
    source="TensorFlow 1.14, contrib/rnn/python/ops/rnn_cell.py",
)

SONNET_1 = Layout(
    name="sonnet-1",
    title="Sonnet 1 LSTM",
    kinds=(
        TensorKind(rf"w_gates{_END}", "xh"),
        TensorKind(rf"b_gates{_END}", "bias"),
        TensorKind(rf"w_(?P<gate>[if])_diag{_END}", "peephole", optional=True),
        TensorKind(rf"w_o_diag{_END}", "shown", optional=True),
    ),
    order="igfo",
    gates=LETTERS,
    rows_are_outputs=False,
    forget_bias=1.0,
    assumed=_ASSUMED,
    source="google-deepmind/sonnet, v1, modules/gated_rnn.py",
)

HAIKU = Layout(
    name="haiku",
    title="Haiku LSTM",
    kinds=(
        TensorKind(r"linear[./~]+w", "xh"),
        TensorKind(r"linear[./~]+b", "bias"),
    ),
    order="igfo",
    rows_are_outputs=False,
    forget_bias=1.0,
    assumed=_ASSUMED,
    within=r"lstm(_\d+)?[./~]+linear[./~]",
    source="https://dm-haiku.readthedocs.io/en/latest/api.html#lstm",
)
