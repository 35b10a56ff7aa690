"""The peers: the same standard cell in torch and in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np

from lstm.parameters import CellParameters

# ONNX has the gates in another order: i, o, f, g of our i, f, g, o.
ONNX_ORDER = (0, 3, 1, 2)


class Peer(NamedTuple):
    """Runs (T, N, D) padded inputs with (N,) lengths, or none, and returns hidden (T, N, H)."""

    name: str
    run: Callable[[np.ndarray, np.ndarray | None], np.ndarray]


def peers(cell: CellParameters, threads: int) -> list[Peer]:
    """Both, with these weights and so many threads."""
    return [_onnx_runtime(cell, threads), *_torch(cell, threads)]


def versions() -> str:
    return ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "torch", "numpy"))


def _torch(cell: CellParameters, threads: int) -> list[Peer]:
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    layer = torch.nn.LSTM(cell.input_size, cell.hidden_size)
    zeros = np.zeros_like(cell.bias)
    given = (cell.weight_ih, cell.weight_hh, cell.bias, zeros)
    with torch.no_grad():
        for parameter, array in zip(layer.parameters(), given, strict=True):
            parameter.copy_(torch.from_numpy(array.copy()))

    def padded(inputs: np.ndarray, _: np.ndarray | None) -> np.ndarray:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            return np.asarray(layer(torch.from_numpy(inputs))[0])

    def packed(inputs: np.ndarray, lengths: np.ndarray | None) -> np.ndarray:
        if lengths is None:
            return padded(inputs, None)
        torch.set_num_threads(threads)
        with torch.inference_mode():
            batch = pack_padded_sequence(
                torch.from_numpy(inputs), torch.from_numpy(lengths), enforce_sorted=False
            )
            return np.asarray(pad_packed_sequence(layer(batch)[0])[0])

    return [Peer("torch", padded), Peer("torch, packed", packed)]


def _onnx_runtime(cell: CellParameters, threads: int) -> Peer:
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # A model that asks for lengths must be given some: one for each case.
    sessions = {
        with_lengths: onnxruntime.InferenceSession(
            _onnx_model(cell, with_lengths).SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
        )
        for with_lengths in (False, True)
    }

    def run(inputs: np.ndarray, lengths: np.ndarray | None) -> np.ndarray:
        given = {"X": inputs}
        if lengths is not None:
            given["lengths"] = lengths.astype(np.int32)
        return np.asarray(sessions[lengths is not None].run(["Y"], given)[0])[:, 0]

    return Peer("ONNX Runtime", run)


def _onnx_model(cell: CellParameters, with_lengths: bool) -> Any:
    from onnx import TensorProto, helper, numpy_helper

    def reordered(weight: np.ndarray) -> np.ndarray:
        blocks = weight.reshape(4, cell.hidden_size, -1)
        return np.concatenate([blocks[number] for number in ONNX_ORDER])[np.newaxis]

    bias = reordered(cell.bias[:, np.newaxis])[:, :, 0]
    arrays = {
        "W": reordered(cell.weight_ih),
        "R": reordered(cell.weight_hh),
        "B": np.concatenate([bias, np.zeros_like(bias)], axis=1),
    }
    names = ["X", "W", "R", "B", *(["lengths"] if with_lengths else [])]
    node = helper.make_node("LSTM", names, ["Y"], hidden_size=cell.hidden_size)
    inputs = [
        helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, None, cell.input_size]),
        helper.make_tensor_value_info("lengths", TensorProto.INT32, [None]),
    ]
    outputs = [helper.make_tensor_value_info("Y", TensorProto.FLOAT, None)]
    tensors = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    inputs = inputs if with_lengths else inputs[:1]
    graph = helper.make_graph([node], "lstm", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    model.ir_version = 8
    return model
