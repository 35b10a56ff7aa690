"""PyTorch's nn.LSTM and nn.LSTMCell."""

from __future__ import annotations

from weights.layouts.layout import Layout, TensorKind

_END = r"_l(?P<layer>\d+)(?P<direction>_reverse)?"
_GATES = {"i": "input", "f": "forget", "g": "candidate", "o": "output"}
_SOURCE = "https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html"

PYTORCH = Layout(
    name="pytorch",
    title="PyTorch nn.LSTM",
    kinds=(
        TensorKind(rf"weight_ih{_END}", part="ih"),
        TensorKind(rf"weight_hh{_END}", part="hh"),
        TensorKind(rf"bias_ih{_END}", part="bias", optional=True),
        TensorKind(rf"bias_hh{_END}", part="bias", optional=True),
    ),
    gates=_GATES,
    directions={"_reverse": "reverse"},
    refused={r"weight_hr_l\d+(_reverse)?": "a projection of the hidden state (proj_size)"},
    source=_SOURCE,
)

PYTORCH_CELL = Layout(
    name="pytorch-cell",
    title="PyTorch nn.LSTMCell",
    kinds=(
        TensorKind("weight_ih", part="ih"),
        TensorKind("weight_hh", part="hh"),
        TensorKind("bias_ih", part="bias", optional=True),
        TensorKind("bias_hh", part="bias", optional=True),
    ),
    gates=_GATES,
    source=_SOURCE,
)
