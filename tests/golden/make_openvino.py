"""Run OpenVINO's own LSTM operators and write their weights.

Run from a checkout, with openvino and safetensors: python tests/golden/make_openvino.py
What the files hold is told in recording.py. The tensors are called by the inputs of the operator.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino as ov
from openvino import opset15 as ops
from recording import D, H, N, Run, draw, record, write_weights

MADE_WITH = f"openvino {ov.__version__.partition('-')[0]}"


def main() -> None:
    """Write all files."""
    write("sequence", 800)
    write("bidirectional", 810, directions=2)


def write(name: str, seed: int, directions: int = 1, **attributes: Any) -> None:
    """Write the constants of an LSTMSequence, and its run."""
    shapes = {"W": (directions, 4 * H, D), "R": (directions, 4 * H, H), "B": (directions, 4 * H)}
    drawn = {key: draw(seed + n, *shape) for n, (key, shape) in enumerate(shapes.items())}
    write_weights(f"openvino_{name}", drawn)
    run = running(drawn, "bidirectional" if directions == 2 else "forward")
    record(f"openvino_{name}", MADE_WITH, seed + 5, run, directions, directions)


def running(drawn: dict[str, np.ndarray], direction: str) -> Run:
    """A run of a graph that is this operator alone."""

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> tuple[np.ndarray, ...]:
        given = [x.swapaxes(0, 1), h0.swapaxes(0, 1), c0.swapaxes(0, 1)]
        inputs = [ops.parameter(array.shape, np.float32) for array in given]
        lengths = ops.constant(np.full(N, len(x), np.int32))
        weights = [ops.constant(array) for array in drawn.values()]
        node = ops.lstm_sequence(*inputs, lengths, *weights, H, direction)
        model = ov.compile_model(
            ov.Model(node.outputs(), inputs), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
        )
        y, h_n, c_n = model(given).to_tuple()  # sequences stand first, then directions
        hs = y.transpose(2, 0, 1, 3).reshape(len(x), N, -1)
        return hs, h_n.swapaxes(0, 1), c_n.swapaxes(0, 1)

    return run


if __name__ == "__main__":
    main()
