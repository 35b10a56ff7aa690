"""PyTorch's nn.LSTM and nn.LSTMCell, and what is named after them."""

from __future__ import annotations

from dataclasses import replace

from weights.layouts.layout import LETTERS, Layout, TensorKind
from weights.layouts.tensorflow import ELMO_ASSUMED

_END = r"_l(?P<layer>\d+)(?P<direction>_reverse)?"
_NAME = "_l{layer}{direction}"
_REVERSE = {"_reverse": "reverse"}
_SOURCE = "https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html"

PYTORCH = Layout(
    name="pytorch",
    title="PyTorch nn.LSTM",
    kinds=(
        TensorKind(rf"weight_ih{_END}", "ih", written=f"weight_ih{_NAME}"),
        TensorKind(rf"weight_hh{_END}", "hh", written=f"weight_hh{_NAME}"),
        TensorKind(rf"bias_ih{_END}", "bias", optional=True, written=f"bias_ih{_NAME}"),
        TensorKind(rf"bias_hh{_END}", "bias", optional=True, written=f"bias_hh{_NAME}"),
        TensorKind(rf"weight_hr{_END}", "projection", optional=True, written=f"weight_hr{_NAME}"),
    ),
    directions=_REVERSE,
    refused={
        rf"weight_[ih]h{_END}_(orig|mask|u)": "a matrix that is pruned or spectrally normalised",
        rf"parametrizations\.weight_[ih][hr]{_END}\.(original|\d+\..*)": "a parametrised matrix",
    },
    source=_SOURCE,
)

PYTORCH_CELL = Layout(
    name="pytorch-cell",
    title="PyTorch nn.LSTMCell, tinygrad",
    kinds=(
        TensorKind("weight_ih", "ih"),
        TensorKind("weight_hh", "hh"),
        TensorKind("bias_ih", "bias", optional=True),
        TensorKind("bias_hh", "bias", optional=True),
    ),
    instead_of="coreml",
    source=_SOURCE,
)

EQUINOX = Layout(
    name="equinox",
    title="Equinox LSTMCell",
    kinds=(*PYTORCH_CELL.kinds[:2], TensorKind("bias", "bias")),
    instead_of="coreml",
    assumed={"gate_order": "i f g o; CoreML has these names too, and i f o g"},
    source="Equinox 0.13, equinox/nn/_rnn.py",
)

# Its weight dropout keeps the recurrent matrix a level above the rest, as `_raw`.
FASTAI = Layout(
    name="fastai",
    title="fastai AWD-LSTM",
    kinds=(
        TensorKind(r"weight_hh_l0_raw", "hh"),
        TensorKind(r"module\.weight_ih_l0", "ih"),
        TensorKind(r"module\.weight_hh_l0", "alias", optional=True),
        TensorKind(r"module\.bias_ih_l0", "bias", optional=True),
        TensorKind(r"module\.bias_hh_l0", "bias", optional=True),
    ),
    source="fastai 2.8, text/models/awdlstm.py",
)

# Every tensor stands twice in the file; the projection once, as (H, P).
PADDLE = Layout(
    name="paddle",
    title="PaddlePaddle LSTM",
    kinds=(
        *PYTORCH.kinds[:4],
        TensorKind(
            r"(?P<layer>\d+)\.cell(?P<direction>_fw|_bw)?\.weight_ho", "projection", True,
            rows_are_outputs=False,
        ),
        TensorKind(r"\d+\.cell(?:_fw|_bw)?\.(?:weight|bias)_(?:ih|hh)", "alias"),
    ),
    directions={**_REVERSE, "_fw": "forward", "_bw": "reverse"},
    source="PaddlePaddle 3.3, nn/layer/rnn.py",
)  # fmt: skip

# Name, part, and whether a file may lack it; Gluon and Module differ in what stands before.
_MXNET_TENSORS = (
    ("i2h_weight", "ih", False),
    ("h2h_weight", "hh", False),
    ("i2h_bias", "bias", True),
    ("h2h_bias", "bias", True),
    ("h2r_weight", "projection", True),
)

MXNET = Layout(
    name="mxnet",
    title="MXNet Gluon",
    kinds=tuple(
        TensorKind(
            rf"(?:_unfused\.(?P<layer>\d+)\.(?:(?P<direction>[lr])_cell\.)?){name}", part, optional
        )
        for name, part, optional in _MXNET_TENSORS
    ),
    directions={"l": "forward", "r": "reverse"},
    source="MXNet 1.9, gluon/rnn/rnn_layer.py",
)

MXNET_MODULE = Layout(
    name="mxnet-module",
    title="MXNet Module and older Gluon",
    kinds=tuple(
        TensorKind(rf"(?P<direction>[lr])(?P<layer>\d+)_{name}", part, optional)
        for name, part, optional in _MXNET_TENSORS
    ),
    directions={"l": "forward", "r": "reverse"},
    source="MXNet 1.9, gluon/rnn/rnn_layer.py",
)

ALLENNLP = Layout(
    name="allennlp",
    title="AllenNLP AugmentedLstm and LstmCellWithProjection",
    kinds=(
        TensorKind(r"input_linearity\.weight", "ih"),
        TensorKind(r"input_linearity\.bias", "bias", optional=True),
        TensorKind(r"state_linearity\.weight", "hh"),
        TensorKind(r"state_linearity\.bias", "bias", optional=True),
        TensorKind(r"state_projection\.weight", "projection", optional=True),
    ),
    in_turn=r"(^|[./])layer_\d+[./]",  # StackedAlternatingLstm
    source="AllenNLP, modules/lstm_cell_with_projection.py",
)

ALLENNLP_HIGHWAY = replace(
    ALLENNLP,
    name="allennlp-highway",
    title="AllenNLP AugmentedLstm with a highway connection",
    kinds=tuple(
        kind._replace(order="ifgor") if kind.pattern.startswith("state") else kind
        for kind in ALLENNLP.kinds[:4]
    ),
    order="ifgorp",
    source="AllenNLP, modules/augmented_lstm.py",
)

_ELMO = r"(?P<direction>forward|backward)_layer_(?P<layer>\d+)\.(?:cell\.)?"

ALLENNLP_ELMO = Layout(
    name="allennlp-elmo",
    title="AllenNLP ElmoLstm",
    kinds=tuple(
        TensorKind(_ELMO + name, part)
        for name, part in (
            (r"input_linearity\.weight", "ih"),
            (r"state_linearity\.weight", "hh"),
            (r"state_linearity\.bias", "bias"),
            (r"state_projection\.weight", "projection"),
        )
    ),
    directions={"forward": "forward", "backward": "reverse"},
    variant={"cell_clip": 3.0, "projection_clip": 3.0},
    independent=True,
    residual=True,
    instead_of=ALLENNLP.name,
    assumed=ELMO_ASSUMED,
    source="AllenNLP, modules/elmo_lstm.py",
)

MLX = Layout(
    name="mlx",
    title="MLX nn.LSTM",
    kinds=(
        TensorKind("Wx", "ih", written="layers.{layer}.Wx"),
        TensorKind("Wh", "hh", written="layers.{layer}.Wh"),
        TensorKind("bias", "bias", optional=True, written="layers.{layer}.bias"),
    ),
    source="https://ml-explore.github.io/mlx/build/html/python/nn/_autosummary/mlx.nn.LSTM.html",
)

CHAR_RNN = Layout(
    name="char-rnn",
    title="Torch7 char-rnn",
    kinds=tuple(
        TensorKind(rf"{name}_(?P<layer>\d+)[._/]{what}", part, optional)
        for name, what, part, optional in (
            ("i2h", "weight", "ih", False),
            ("h2h", "weight", "hh", False),
            ("i2h", "bias", "bias", True),
            ("h2h", "bias", "bias", True),
        )
    ),
    order="ifog",
    first_layers=(0, 1),  # Lua counts from 1
    source="karpathy/char-rnn, model/LSTM.lua",
)

# Two directions stand in one tensor, cut in two when the file is opened.
_HALF = r"(?:\[:\d+\]|\[\d+(?P<direction>:)\])?"

MATLAB = Layout(
    name="matlab",
    title="MATLAB lstmLayer and bilstmLayer",
    kinds=(
        TensorKind(f"InputWeights{_HALF}", "ih"),
        TensorKind(f"RecurrentWeights{_HALF}", "hh"),
        TensorKind(f"Bias{_HALF}", "bias", optional=True),
    ),
    directions={":": "reverse"},
    source="https://www.mathworks.com/help/deeplearning/ref/nnet.cnn.layer.lstmlayer.html",
)

CAFFE2 = Layout(
    name="caffe2",
    title="Caffe2",
    kinds=(
        TensorKind("i2h_w", "ih"),
        TensorKind("gates_t_w", "hh"),
        TensorKind("i2h_b", "bias", optional=True),
        TensorKind("gates_t_b", "bias", optional=True),
    ),
    order="ifog",
    assumed={"forget_bias": "nothing is added to the forget gate at run time"},
    source="caffe2/operators/lstm_unit_op.h",
)

CHAINER = Layout(
    name="chainer",
    title="Chainer L.LSTM",
    kinds=(
        TensorKind(r"upward[./]W", "ih"),
        TensorKind(r"lateral[./]W", "hh"),
        TensorKind(r"upward[./]b", "bias", optional=True),
        TensorKind(r"peep_(?P<gate>[ifo])[./]W", "peephole", optional=True),
    ),
    order="gifo",
    gates=LETTERS,
    interleaved=True,
    source="Chainer 7.8, functions/rnn/lstm.py",
)

CHAINER_NSTEP = Layout(
    name="chainer-nstep",
    title="Chainer L.NStepLSTM",
    kinds=(
        TensorKind(r"w(?P<gate>[0-3])", "ih"),
        TensorKind(r"w(?P<gate>[4-7])", "hh"),
        TensorKind(r"b(?P<gate>[0-3])", "bias"),
        TensorKind(r"b(?P<gate>[4-7])", "bias"),
    ),
    gates={str(n): LETTERS["ifgo"[n % 4]] for n in range(8)},
    within=r"(^|[./])\d+[./][wb][0-7]$",
    pairs_by_number="unless they fit",  # 2l and 2l + 1 of a link of two directions
    source="Chainer 7.8, links/rnn/n_step_rnn.py",
)

# A number counts the tensors of all layers. Two builders are the directions of a BiRNNBuilder.
DYNET = Layout(
    name="dynet",
    title="DyNet VanillaLSTMBuilder",
    kinds=(
        TensorKind(r"_(?P<tensor>\d+)", "ih"),
        TensorKind(r"_(?P<tensor>\d+)", "hh"),
        TensorKind(r"_(?P<tensor>\d+)", "bias"),
    ),
    order="ifog",
    forget_bias=1.0,
    assumed={"forget_bias": "1 is added to the forget gate, as the framework does at run time"},
    within=r"vanilla-lstm-builder(_\d+)?/_\d+$",
    pairs_by_number="unless they fit",
    source="DyNet 2.1, dynet/lstm.cc",
)

# One builder, eleven tensors: x2i, h2i, c2i, bi, then the same of o, then x2c, h2c, bc.
DYNET_COUPLED = Layout(
    name="dynet-coupled",
    title="DyNet LSTMBuilder (coupled gates, full peepholes)",
    kinds=tuple(
        TensorKind(rf"_(?P<gate>{numbers})", part)
        for numbers, part in (
            ("0|4|8", "ih"), ("1|5|9", "hh"), ("2|6", "peephole"), ("3|7|10", "bias"),
        )
    ),
    gates={
        **dict.fromkeys(("0", "1", "2", "3"), "input"),
        **dict.fromkeys(("4", "5", "6", "7"), "output"),
        **dict.fromkeys(("8", "9", "10"), "candidate"),
    },
    variant={"coupled": "forget"},
    within=r"(?<!vanilla-)lstm-builder(_\d+)?/_\d+$",
    pairs_by_number="unless they fit",
    source="DyNet 2.1, dynet/lstm.cc",
)  # fmt: skip
