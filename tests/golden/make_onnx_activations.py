"""Run ONNX Runtime's LSTM with every activation that the standard has.

Run from a checkout, with onnx and onnxruntime: python tests/golden/make_onnx_activations.py

Nothing of this project is imported: the files are what its own code is tested against. Each
`onnx_activations/NAME.onnx` is a graph with one LSTM node; `onnx_activations/run.npz` holds the
input x (T, N, D), the states h0 and c0 (directions, N, H) of the two directions (a node with one
takes the first), and for each NAME what ONNX Runtime gave: `NAME.hs` (T, directions, N, H), and
the last cell states `NAME.c_n` (directions, N, H). `version` is ONNX Runtime's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parent / "onnx_activations"
N, H, D, T = 2, 3, 4, 5
CASES: dict[str, dict[str, Any]] = {
    "relu": {"activations": ["Sigmoid", "Relu", "Tanh"]},
    "softsign_softplus": {"activations": ["Sigmoid", "Softsign", "Softplus"]},
    "hard_sigmoid": {"activations": ["HardSigmoid", "Tanh", "Tanh"]},
    "hard_sigmoid_scaled": {
        "activations": ["HardSigmoid", "Tanh", "Tanh"],
        "activation_alpha": [0.3],
        "activation_beta": [0.4],
    },
    "elu": {"activations": ["Sigmoid", "Elu", "Tanh"]},
    "elu_scaled": {"activations": ["Sigmoid", "Elu", "Tanh"], "activation_alpha": [0.7]},
    "leaky_relu": {"activations": ["Sigmoid", "LeakyRelu", "Tanh"]},
    "leaky_relu_scaled": {
        "activations": ["Sigmoid", "LeakyRelu", "Tanh"],
        "activation_alpha": [0.3],
    },
    # Without an alpha ONNX Runtime takes 0 and not the standard's 1.
    "thresholded_relu": {
        "activations": ["Sigmoid", "ThresholdedRelu", "Tanh"],
        "activation_alpha": [0.25],
    },
    # Two functions with a number between them that has none: the numbers follow each other.
    "affine_scaled_tanh": {
        "activations": ["Affine", "Tanh", "ScaledTanh"],
        "activation_alpha": [0.2, 1.7],
        "activation_beta": [0.4, 0.6],
    },
    "each_direction": {
        "direction": "bidirectional",
        "activations": ["HardSigmoid", "Tanh", "Elu", "Sigmoid", "LeakyRelu", "Tanh"],
        "activation_alpha": [0.3, 0.6, 0.1],
        "activation_beta": [0.45],
    },
    "clip_and_coupled": {
        "activations": ["HardSigmoid", "ScaledTanh", "Tanh"],
        "activation_alpha": [0.3, 1.5],
        "activation_beta": [0.45, 0.8],
        "clip": 0.3,
        "input_forget": 1,
    },
    "clip": {"clip": 0.3},
}


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    random = np.random.default_rng(21)
    run = {
        "x": random.normal(size=(T, N, D)).astype("f"),
        "h0": random.uniform(-1, 1, (2, N, H)).astype("f"),
        "c0": random.normal(size=(2, N, H)).astype("f"),
        "version": np.array(onnxruntime.__version__),
    }
    for seed, (name, attributes) in enumerate(CASES.items()):
        directions = 2 if "direction" in attributes else 1
        model = graph(np.random.default_rng(seed), directions, attributes)
        onnx.save(model, str(FOLDER / f"{name}.onnx"))
        session = onnxruntime.InferenceSession(model.SerializeToString())
        given = {"x": run["x"], "h0": run["h0"][:directions], "c0": run["c0"][:directions]}
        run[f"{name}.hs"], run[f"{name}.c_n"] = session.run(None, given)
    np.savez(FOLDER / "run.npz", **run)


def graph(random: np.random.Generator, directions: int, attributes: dict[str, Any]) -> Any:
    """A graph with one LSTM node, which is given its states."""
    shapes = {"W": (4 * H, D), "R": (4 * H, H), "B": (8 * H,)}
    weights = {
        name: random.normal(size=(directions, *shape)).astype("f") for name, shape in shapes.items()
    }
    node = helper.make_node(
        "LSTM", ["x", "W", "R", "B", "", "h0", "c0"], ["hs", "", "c_n"],
        hidden_size=H, **attributes,
    )  # fmt: skip
    value = helper.make_tensor_value_info
    state = [directions, N, H]
    made = helper.make_graph(
        [node],
        "lstm",
        [
            value(n, TensorProto.FLOAT, s)
            for n, s in (("x", [T, N, D]), ("h0", state), ("c0", state))
        ],
        [value("hs", TensorProto.FLOAT, [T, *state]), value("c_n", TensorProto.FLOAT, state)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 14)])
    model.ir_version = 8
    return model


if __name__ == "__main__":
    main()
