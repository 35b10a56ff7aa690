"""The golden files of other frameworks, through the real command: each was written and run there.

tests/golden/README.md tells how they are made; this table, what the command is told of each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.weights.builders import GOLDEN, close, states
from weights.containers.safetensors import open_archive

# By the beginning of a name, the longest that fits: the layout that is found.
LAYOUTS = {
    "chainer": "chainer", "chainer_nstep": "chainer-nstep",
    "equinox_cell": "equinox", "equinox_no_bias": "pytorch-cell",
    "flax": "flax", "flax_nnx_optimized_cell": "flax-packed",
    "haiku": "haiku", "keras": "keras", "mlx": "mlx", "mxnet": "mxnet",
    "mxnet_module": "mxnet-module", "onnx": "onnx", "openvino": "openvino",
    "paddle": "paddle", "sonnet": "sonnet-2", "tensorflow": "tensorflow", "tfjs": "keras",
    "tinygrad": "pytorch-cell",
}  # fmt: skip
# The same model in another kind of file may have other names.
NUMBERED = (".keras", ".weights.h5")
# What the file does not tell; the same model's file with its configuration beside it does.
OPTIONS = {
    "keras2_hard_sigmoid.safetensors": ["--gate-activation=hard-sigmoid"],
    "keras_hard_sigmoid.safetensors": ["--gate-activation=keras3-hard-sigmoid"],
    "tensorflow_clips.safetensors": ["--cell-clip=0.3", "--projection-clip=0.1"],
    "tensorflow_no_forget_bias.safetensors": ["--forget-bias=0"],
}
NEEDS = {".h5": "h5py", ".keras": "h5py", ".onnx": "onnx"}
FILES = sorted(
    path
    for path in GOLDEN.iterdir()
    if path.suffix in (".safetensors", ".h5", ".keras", ".onnx", ".json")
    and path.name.startswith(tuple(LAYOUTS))
)


def record_of(path: Path) -> Path:
    """Files of several endings share the record of one run."""
    return path.with_name(path.name.partition(".")[0] + ".npz")


def layout_of(path: Path) -> str:
    if path.name.endswith(NUMBERED):
        return "keras-numbered"
    fitting = [start for start in LAYOUTS if path.name.startswith(start)]
    return LAYOUTS[max(fitting, key=len)]


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def golden(request) -> Path:
    pytest.importorskip(NEEDS.get(request.param.suffix, "numpy"))
    return request.param


def test_every_step_of_a_framework_is_reproduced(lstm, golden, tmp_path):
    with np.load(record_of(golden)) as record:
        recorded = dict(record)
    directions = recorded["hs"].shape[-1] // recorded["h0"].shape[-1]
    np.save(tmp_path / "x.npy", recorded["x"].swapaxes(0, 1))
    start = states(recorded, directions)
    save_file({k: np.ascontiguousarray(a) for k, a in start.items()}, tmp_path / "s.safetensors")
    done = lstm(
        "run", "-w", golden, *OPTIONS.get(golden.name, []), "--vectors", tmp_path / "x.npy",
        "--initial-state", tmp_path / "s.safetensors", "--dtype=float64",
        "--final-state", tmp_path / "end.safetensors", "-o", tmp_path / "trace.npz",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    with np.load(tmp_path / "trace.npz") as trace:
        close(top_layer(trace, "hidden"), recorded["hs"], 1e-6)
        if "cs" in recorded:
            close(top_layer(trace, "cell"), recorded["cs"], 1e-6)
    final = states({"h0": recorded["h_n"], "c0": recorded["c_n"]}, directions)
    found = load_file(tmp_path / "end.safetensors")
    assert found.keys() == final.keys()
    for name, array in final.items():
        close(found[name], array, 1e-6)


def top_layer(trace: Mapping[str, np.ndarray], quantity: str) -> np.ndarray:
    """(T, N, directions * H) of the last layer, from the arrays of a trace."""
    place = re.compile(rf"sequences\.(\d+)\.layers\.(\d+)\.(forward|reverse)\.{quantity}")
    found = [(*match.groups(), trace[key]) for key in trace if (match := place.fullmatch(key))]
    last = max(layer for _, layer, _, _ in found)
    sequences: dict[str, list[np.ndarray]] = {}
    for number, layer, _, array in sorted(found, key=lambda entry: entry[:3]):
        if layer == last:
            sequences.setdefault(number, []).append(array)
    assert all(array.dtype == np.float64 for parts in sequences.values() for array in parts)
    return np.stack([np.concatenate(parts, axis=-1) for parts in sequences.values()], axis=1)


def test_the_layout_of_a_framework_is_named_with_evidence(done, golden):
    lstms = done("inspect", golden, "--json").json["lstms"]
    assert [found["layout"] for found in lstms] == [layout_of(golden)]
    assert lstms[0]["evidence"]
    assert all(lstms[0]["evidence"])
    assert lstms[0]["hidden_size"] == 5


@pytest.mark.parametrize(
    "record", sorted({record_of(path) for path in FILES}), ids=lambda p: p.stem
)
def test_a_record_tells_with_which_version_it_was_made(record):
    with np.load(record) as arrays:
        made_with = str(arrays["made_with"])
    assert re.match(r"\S+ \d+\.\d+(\.\d+)?\b", made_with)
    readme = (GOLDEN / "README.md").read_text("utf-8")
    assert made_with in readme


def test_the_files_of_torch_tell_with_which_version_they_were_made():
    files = sorted(GOLDEN.glob("pytorch_*.safetensors"))
    versions = {open_archive(path).metadata["torch"] for path in files}
    assert len(versions) == 1
    assert f"| torch {versions.pop()}," in (GOLDEN / "README.md").read_text("utf-8")


def test_a_checkpoint_of_torch_gives_what_its_safetensors_give(done, tmp_path):
    torch = pytest.importorskip("torch")
    arrays = load_file(GOLDEN / "pytorch_bidirectional.safetensors")
    state = {f"rnn.{name}": torch.from_numpy(array) for name, array in arrays.items()}
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "model.pt")
    with np.load(GOLDEN / "pytorch_bidirectional.npz") as record:
        np.save(tmp_path / "x.npy", record["x"].swapaxes(0, 1))
    given = ("--vectors", tmp_path / "x.npy", "--json")
    found = done("run", "-w", tmp_path / "model.pt", *given).json["sequences"]
    assert (
        found
        == done("run", "-w", GOLDEN / "pytorch_bidirectional.safetensors", *given).json["sequences"]
    )
    (described,) = done("inspect", tmp_path / "model.pt", "--json").json["lstms"]
    assert (described["layout"], described["prefix"]) == ("pytorch", "rnn.")
    assert described["evidence"]
