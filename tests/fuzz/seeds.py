"""The files that are damaged: real ones of every layout and every container, by family."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from safetensors.numpy import save

from tests.weights.builders import FIXTURES, GOLDEN
from tests.weights.layouts.writers import WRITERS, cell
from weights.pretrained.registry import NAMES, path_of

LARGEST = 60_000  # bytes; of a longer file most mutations would only change one weight


class Seed(NamedTuple):
    """Files that belong together; the first is the one that is named on the command line."""

    family: str
    files: Mapping[str, bytes]

    @property
    def name(self) -> str:
        return next(iter(self.files))


def every_seed() -> list[Seed]:
    """Make or read them all; what needs a package that is missing is left out."""
    makers: tuple[Callable[[], Iterator[Seed]], ...] = (
        _layouts, _native, _golden, _npz, _hdf5, _onnx, _torch, _tfjs, _sharded, _fixtures,
        _vocabularies, _vectors, _states, _traces,
    )  # fmt: skip
    return [seed for make in makers for seed in make() if len(seed.files[seed.name]) <= LARGEST]


def arrays() -> dict[str, np.ndarray]:
    """A PyTorch LSTM in small, with embedding and head."""
    random = np.random.default_rng(8)
    shapes = {
        "rnn.weight_ih_l0": (12, 2), "rnn.weight_hh_l0": (12, 3), "rnn.bias_ih_l0": (12,),
        "rnn.bias_hh_l0": (12,), "embedding.weight": (5, 2), "fc.weight": (5, 3), "fc.bias": (5,),
    }  # fmt: skip
    return {name: random.normal(size=shape).astype("f") for name, shape in shapes.items()}


def _layouts() -> Iterator[Seed]:
    one = cell(3)
    for name, write in WRITERS.items():
        parts = {key: np.ascontiguousarray(a, np.float32) for key, a in write(one).items()}
        metadata = {"format": "lstm.native/1"} if name == "native" else {"format": "pt"}
        yield Seed("safetensors", {f"{name}.safetensors": save(parts, metadata)})


def _native() -> Iterator[Seed]:
    for name in NAMES:
        yield Seed("native", {f"{name}.safetensors": path_of(name).read_bytes()})
    rows = {"layers.0.forward." + n: a for n, a in _native_cell().items()}
    rows |= {"embedding.weight": np.ones((4, 2), "f"), "head.weight": np.ones((4, 3), "f")}
    words = ["<unk>", "<s>", "it", "is"]
    entries = {
        "tokenizer": {"kind": "word", "lowercase": True, "unknown": "<unk>", "vocabulary": words},
        "cell": {"gate_activation": "hard-sigmoid", "cell_clip": 3.0},
        "head": {"labels": ["a", "b", "c", "d"]},
        "units": [{"address": "l0.c[1]", "tells": "nothing", "auc": 0.5}],
        "quality": {"perplexity": 3.5, "of": {"words": [1, 2]}},
    }
    metadata = {"format": "lstm.native/1", "description": "A model.", "licence": "CC0-1.0"}
    metadata |= {key: json.dumps(value) for key, value in entries.items()}
    yield Seed("native", {"rich.safetensors": save(rows, metadata)})


def _native_cell() -> dict[str, np.ndarray]:
    random = np.random.default_rng(9)
    gates = ("input_gate", "forget_gate", "candidate", "output_gate")
    weights = {f"{gate}.weight": random.normal(size=(3, 5)).astype("f") for gate in gates}
    return weights | {f"{gate}.bias": random.normal(size=3).astype("f") for gate in gates}


def _golden() -> Iterator[Seed]:
    """What the frameworks themselves wrote."""
    for path in sorted(GOLDEN.glob("*.safetensors")):
        yield Seed("frameworks", {path.name: path.read_bytes()})


def _npz() -> Iterator[Seed]:
    for name, write in (("plain", np.savez), ("packed", np.savez_compressed)):
        stream = io.BytesIO()
        write(stream, **arrays())
        yield Seed("npz", {f"{name}.npz": stream.getvalue()})


def _hdf5() -> Iterator[Seed]:
    for path in sorted([*GOLDEN.glob("*.h5"), *GOLDEN.glob("*.keras")]):
        yield Seed("keras" if path.suffix == ".keras" else "hdf5", {path.name: path.read_bytes()})
    try:
        import h5py
    except ImportError:
        return
    for name, how in (("chunked", {"chunks": True, "compression": "gzip"}), ("plain", {})):
        stream = io.BytesIO()
        with h5py.File(stream, "w") as file:
            for key, shape in (("kernel", (2, 12)), ("recurrent_kernel", (3, 12)), ("bias", (12,))):
                file.create_dataset(f"lstm/lstm/{key}", data=np.ones(shape, "f"), **how)
        yield Seed("hdf5", {f"{name}.h5": stream.getvalue()})


def _onnx() -> Iterator[Seed]:
    for path in sorted([*GOLDEN.glob("*.onnx"), *GOLDEN.glob("onnx_activations/*.onnx")]):
        yield Seed("onnx", {path.name: path.read_bytes()})
    try:
        import onnx
    except ImportError:
        return
    numbers = np.arange(120, dtype="f").tobytes()
    parts, start = [], 0
    for name, shape in (("W", (1, 12, 2)), ("R", (1, 12, 3))):
        size = 4 * int(np.prod(shape))
        part = onnx.TensorProto(name=name, dims=shape, data_type=1, data_location=1)
        for key, value in (("location", "x.data"), ("offset", start), ("length", size)):
            part.external_data.add(key=key, value=str(value))
        parts.append(part)
        start += size
    node = onnx.helper.make_node("LSTM", ["X", "W", "R"], ["Y"], hidden_size=3)
    graph = onnx.helper.make_graph([node], "g", [], [], parts)
    model = onnx.helper.make_model(graph).SerializeToString()
    yield Seed("onnx", {"apart.onnx": model, "x.data": numbers})


def _torch() -> Iterator[Seed]:
    try:
        import torch
    except ImportError:
        return
    tensors = {name: torch.from_numpy(array) for name, array in arrays().items()}
    for name, new in (("zip", True), ("old", False)):
        stream = io.BytesIO()
        torch.save({"state_dict": tensors}, stream, _use_new_zipfile_serialization=new)
        yield Seed("torch", {f"{name}.pt": stream.getvalue()})


def _tfjs() -> Iterator[Seed]:
    quantized = GOLDEN / "tfjs_quantized"
    both = {name: (quantized / name).read_bytes() for name in ("model.json", "weights.bin")}
    yield Seed("tfjs", both)
    for name in ("tfjs_lstm", "tfjs_defaults"):
        model = (GOLDEN / f"{name}.model.json").read_bytes()
        weights = (GOLDEN / f"{name}.weights.bin").read_bytes()
        path = json.loads(model)["weightsManifest"][0]["paths"][0]
        yield Seed("tfjs", {"model.json": model, path: weights})


def _sharded() -> Iterator[Seed]:
    every = arrays()
    where = {name: f"{n % 2}.safetensors" for n, name in enumerate(every)}
    files = {"x.safetensors.index.json": json.dumps({"weight_map": where}).encode()}
    for shard in sorted(set(where.values())):
        files[shard] = save({n: a for n, a in every.items() if where[n] == shard})
    yield Seed("sharded", files)


def _fixtures() -> Iterator[Seed]:
    """What lies beside the checkout of some machines: more frameworks' own files."""
    for path in sorted(FIXTURES.glob("layouts/*.safetensors")):
        yield Seed("frameworks", {path.name: path.read_bytes()})


def _vocabularies() -> Iterator[Seed]:
    words = ["<unk>", "<s>", "john", "likes", "black"]
    ids = {word: number for number, word in enumerate(words)}
    model = {"type": "WordLevel", "vocab": ids, "unk_token": "<unk>"}
    whole = {"version": "1.0", "pre_tokenizer": {"type": "Whitespace"}, "model": model}
    yield Seed("vocabulary", {"vocab.txt": "\n".join(words).encode()})
    yield Seed("vocabulary", {"vocab.json": json.dumps(words).encode()})
    yield Seed("vocabulary", {"vocab.json": json.dumps(ids).encode()})
    yield Seed("vocabulary", {"tokenizer.json": json.dumps(whole).encode()})


def _vectors() -> Iterator[Seed]:
    numbers = np.random.default_rng(2).normal(size=(3, 4)).astype("f")
    plain, packed = io.BytesIO(), io.BytesIO()
    np.save(plain, numbers)
    np.savez_compressed(packed, x=numbers)
    yield Seed("vectors", {"x.npy": plain.getvalue()})
    yield Seed("vectors", {"x.npz": packed.getvalue()})
    yield Seed("vectors", {"x.safetensors": save({"x": numbers})})


def _states() -> Iterator[Seed]:
    numbers = {f"layers.0.forward.{kind}": np.full(3, 0.5, "f") for kind in ("hidden", "cell")}
    yield Seed("state", {"state.safetensors": save(numbers, {"format": "lstm.state/1"})})


def _traces() -> Iterator[Seed]:
    from tests.fuzz.attempt import Attempts

    texts = {"trace.json": "json", "trace.ndjson": "ndjson", "trace.csv": "csv"}
    with Attempts() as attempts:
        for name, kind in {**texts, "trace.npz": "npz", "trace.safetensors": "safetensors"}.items():
            made = attempts.run("run", "( a )", "-w", "brackets", "-f", kind, "--show", "all")
            yield Seed("trace", {name: made.stdout})
        for kind in ("json", "npz"):
            made = attempts.run("golden", "( a )", "-w", "brackets", "--format", kind)
            yield Seed("trace", {f"golden.{kind}": made.stdout})
