"""Write .onnx files with one LSTM node each, and run them with ONNX Runtime.

Run from a checkout, with onnx and onnxruntime: python tests/golden/make_onnx.py
What the files hold is told in recording.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from recording import HERE, D, H, N, Run, draw, record

MADE_WITH = f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}"
OPSET = 22


def main() -> None:
    """Write all files."""
    write("lstm", 200)
    write("no_bias", 210, parts="WR")
    write("bidirectional", 220, direction="bidirectional")
    write("peepholes", 230, parts="WRBP")
    write("bidirectional_peepholes", 240, parts="WRBP", direction="bidirectional")
    write("input_forget", 250, input_forget=1)
    write("clip", 260, clip=0.5)
    hard = ["HardSigmoid", "Tanh", "Tanh"]
    write("activations", 270, activations=hard, activation_alpha=[0.2], activation_beta=[0.5])
    write("stacked", 280, layers=2)
    write("bidirectional_stacked", 290, layers=2, direction="bidirectional")


def write(name: str, seed: int, parts: str = "WRB", layers: int = 1, **attributes: Any) -> None:
    """Write a graph of one LSTM node, or of several on top of each other, and its run."""
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    graph = network(seed, parts, layers, directions, attributes)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, producer_name="make_onnx.py")
    model.ir_version = 10
    onnx.checker.check_model(model, full_check=True)
    path = HERE / f"onnx_{name}.onnx"
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    cells = layers * directions
    record(f"onnx_{name}", MADE_WITH, seed + 9, running(session, layers), cells, directions)


def network(
    seed: int, parts: str, layers: int, directions: int, attributes: dict[str, Any]
) -> onnx.GraphProto:
    """The nodes, their constant weights under names that say nothing, and the initial states."""
    nodes, constants, outputs = [], [], []
    inputs = [tensor("X", "T", N, D)]
    source = "X"
    for layer in range(layers):
        shapes = {
            "W": (directions, 4 * H, directions * H if layer else D), "R": (directions, 4 * H, H),
            "B": (directions, 8 * H), "P": (directions, 3 * H),
        }  # fmt: skip
        names = {part: f"onnx::LSTM_{layer * 10 + n}" for n, part in enumerate(parts)}
        for n, (part, constant) in enumerate(names.items()):
            array = draw(seed + layer * 4 + n, *shapes[part])
            constants.append(numpy_helper.from_array(array, constant))
        states = [f"h0_{layer}", f"c0_{layer}"]
        inputs += [tensor(state, directions, N, H) for state in states]
        results = [f"Y_{layer}", f"h_{layer}", f"c_{layer}"]
        given = [names.get("W", ""), names.get("R", ""), names.get("B", ""), ""]
        nodes.append(
            helper.make_node(
                "LSTM", [source, *given, *states, names.get("P", "")], results,
                name=f"/rnn/LSTM_{layer}", hidden_size=H, **attributes,
            )
        )  # fmt: skip
        source = f"hidden_{layer}"
        shape = f"shape_{layer}"
        constants.append(numpy_helper.from_array(np.array([0, 0, directions * H]), shape))
        nodes.append(
            helper.make_node("Transpose", results[:1], [f"turned_{layer}"], perm=[0, 2, 1, 3])
        )
        nodes.append(helper.make_node("Reshape", [f"turned_{layer}", shape], [source]))
        outputs += [tensor(result, directions, N, H) for result in results[1:]]
    outputs.insert(0, tensor(source, "T", N, directions * H))
    return helper.make_graph(nodes, "lstm", inputs, outputs, constants)


def tensor(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    """What is told of an input or an output."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def running(session: onnxruntime.InferenceSession, layers: int) -> Run:
    """A run of the graph, each layer from its own part of the state."""

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> tuple[np.ndarray, ...]:
        feeds = {"X": x}
        for layer, (h, c) in enumerate(
            zip(np.split(h0, layers), np.split(c0, layers), strict=True)
        ):
            feeds |= {f"h0_{layer}": h, f"c0_{layer}": c}
        hs, *final = session.run(None, feeds)
        return hs, np.concatenate(final[0::2]), np.concatenate(final[1::2])

    return run


if __name__ == "__main__":
    main()
