"""PyTorch's quantizable LSTM: a cell for each layer and direction, with one Linear or four."""

from __future__ import annotations

from dataclasses import replace

from weights.layouts.layout import Layout, TensorKind

_SPLIT = r"(?P<gate>input|forget|cell|output)"

QUANTIZABLE = Layout(
    name="pytorch-quantizable",
    title="PyTorch torch.ao.nn.quantizable.LSTM",
    kinds=tuple(
        TensorKind(
            rf"layers\.(?P<layer>\d+)\.layer_(?P<direction>fw|bw)\.cell\.{gates}\.{what}",
            part,
            what == "bias",
        )
        for gates, what, part in (
            ("igates", "weight", "ih"),
            ("hgates", "weight", "hh"),
            ("igates", "bias", "bias"),
            ("hgates", "bias", "bias"),
        )
    ),
    directions={"fw": "forward", "bw": "reverse"},
    source="torch/ao/nn/quantizable/modules/rnn.py",
)

# With split_gates=True there is a Linear for each gate.
QUANTIZABLE_SPLIT = replace(
    QUANTIZABLE,
    name="pytorch-quantizable-split",
    title="PyTorch torch.ao.nn.quantizable.LSTM, split_gates",
    kinds=tuple(
        kind._replace(pattern=kind.pattern.replace(r"gates\.", rf"gates\.{_SPLIT}\."))
        for kind in QUANTIZABLE.kinds
    ),
    gates={"input": "input", "forget": "forget", "cell": "candidate", "output": "output"},
)
