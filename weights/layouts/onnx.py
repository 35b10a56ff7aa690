"""ONNX, OpenVINO, TensorFlow Lite and CoreML: exchange formats with names of their own."""

from __future__ import annotations

from weights.layouts.layout import LETTERS, Layout, TensorKind

ONNX = Layout(
    name="onnx",
    title="ONNX LSTM",
    kinds=tuple(
        TensorKind(
            rf"(?P<direction>reverse/)?{name}", part, optional, order,
            written=f"lstm{{layer}}/{{direction}}{name}",
        )
        for name, part, optional, order in (
            ("W", "ih", False, ""),
            ("R", "hh", False, ""),
            ("B", "bias_pair", True, ""),
            ("P", "peephole", True, "iof"),
        )
    ),
    order="iofg",
    by_direction=True,
    directions={"reverse/": "reverse"},  # of a node that has this direction alone
    source="https://onnx.ai/onnx/operators/onnx__LSTM.html",
)  # fmt: skip

OPENVINO = Layout(
    name="openvino",
    title="OpenVINO LSTMSequence",
    kinds=(
        TensorKind("W", "ih"),
        TensorKind("R", "hh"),
        TensorKind("B", "bias"),
    ),
    order="figo",
    by_direction=True,
    source="https://docs.openvino.ai (LSTMSequence-5)",
)

_TFLITE = {"input": "input", "forget": "forget", "cell": "candidate", "output": "output"}

TFLITE = Layout(
    name="tflite",
    title="TensorFlow Lite",
    kinds=(
        TensorKind(r"input_to_(?P<gate>input|forget|cell|output)_weights", "ih"),
        TensorKind(r"recurrent_to_(?P<gate>input|forget|cell|output)_weights", "hh"),
        TensorKind(r"(?P<gate>input|forget|cell|output)_gate_bias", "bias"),
        TensorKind(r"cell_to_(?P<gate>input|forget|output)_weights", "peephole", optional=True),
        TensorKind(r"projection_weights", "projection", optional=True),
    ),
    gates=_TFLITE,
    refused={
        "projection_bias": "a bias of the projection",
        r"(input|forget|cell|output)_layer_norm_coefficients": "layer normalisation",
    },
    source="tensorflow/lite/core/api, builtin UnidirectionalSequenceLSTM",
)

COREML = Layout(
    name="coreml",
    title="CoreML MIL lstm",
    kinds=(
        TensorKind("weight_ih(?P<direction>_back)?", "ih"),
        TensorKind("weight_hh(?P<direction>_back)?", "hh"),
        TensorKind("bias(?P<direction>_back)?", "bias", optional=True),
        TensorKind("peephole(?P<direction>_back)?", "peephole", optional=True, order="ifo"),
    ),
    order="ifog",
    gates=LETTERS,
    directions={"_back": "reverse"},
    source="coremltools, converters/mil/mil/ops/defs/iOS15/recurrent.py",
)

# Without an input gate of its own: i = 1 - f.
TFLITE_COUPLED = Layout(
    name="tflite-coupled",
    title="TensorFlow Lite, coupled gates",
    kinds=tuple(
        TensorKind(pattern, part, optional)
        for pattern, part, optional in (
            (r"input_to_(?P<gate>forget|cell|output)_weights", "ih", False),
            (r"recurrent_to_(?P<gate>forget|cell|output)_weights", "hh", False),
            (r"(?P<gate>forget|cell|output)_gate_bias", "bias", False),
            (r"cell_to_(?P<gate>forget|output)_weights", "peephole", True),
            (r"projection_weights", "projection", True),
        )
    ),
    gates={name: gate for name, gate in _TFLITE.items() if gate != "input"},
    variant={"coupled": "input"},
    refused=TFLITE.refused,
    source=TFLITE.source,
)

_COREML = r"(?P<gate>inputGate|forgetGate|blockInput|outputGate)"

COREML_NEURAL = Layout(
    name="coreml-neural",
    title="CoreML NeuralNetwork LSTM",
    kinds=(
        TensorKind(rf"{_COREML}WeightMatrix", "ih"),
        TensorKind(rf"{_COREML}RecursionMatrix", "hh"),
        TensorKind(rf"{_COREML}BiasVector", "bias", optional=True),
        TensorKind(r"(?P<gate>inputGate|forgetGate|outputGate)PeepholeVector", "peephole", True),
    ),
    gates={
        "inputGate": "input",
        "forgetGate": "forget",
        "blockInput": "candidate",
        "outputGate": "output",
    },
    variant={"cell_clip": 50.0},
    assumed={
        "cell_clip": "50, the format's default",
        "forget_bias": "nothing is added to the forget gate at run time",
        "coupled": "the input and forget gates are not coupled",
    },
    source="apple/coremltools, mlmodel/format/NeuralNetwork.proto",
)
