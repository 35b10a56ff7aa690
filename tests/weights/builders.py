"""Files to test with, and the comparison with what a framework computed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from lstm.model import Model
from lstm.trace import Trace
from weights.archive import TensorInfo
from weights.layouts.layout import Layout, TensorKind

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
# Real outputs of other people's LSTMs, which lie beside the checkout; elsewhere for a worktree.
FIXTURES = Path(os.environ.get("LSTM_FIXTURES") or ROOT.parent / "shared" / "fixtures")

needs_fixtures = pytest.mark.skipif(not FIXTURES.is_dir(), reason="no shared fixtures here")

# Read-only layouts that exist in no framework: the reader knows them by their data alone.
PER_GATE_COLUMNS = Layout(
    name="split",
    title="one x @ W matrix per gate, for input and hidden state apart",
    kinds=(
        TensorKind(r"(?P<layer>\d+)/W_x(?P<gate>[iafo])", part="ih"),
        TensorKind(r"(?P<layer>\d+)/W_h(?P<gate>[iafo])", part="hh"),
        TensorKind(r"(?P<layer>\d+)/b_(?P<gate>[iafo])", part="bias", optional=True),
    ),
    gates={"i": "input", "f": "forget", "a": "candidate", "o": "output"},
    rows_are_outputs=False,
)
PACKED_IGFO = Layout(
    name="packed",
    title="blocks i, g, f, o",
    kinds=(
        TensorKind("kernel", part="ih"),
        TensorKind("recurrent", part="hh"),
        TensorKind("shift", part="bias"),
    ),
    order="igfo",
)


def golden(name: str) -> Path:
    return GOLDEN / f"pytorch_{name}.safetensors"


def golden_run(name: str) -> dict[str, np.ndarray]:
    with np.load(GOLDEN / f"pytorch_{name}.npz") as run:
        return dict(run)


def golden_weights(name: str) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(golden(name))


def write(path: Path, arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> Path:
    """Write a file with the format's own library; plain numbers become float32."""
    ready = {
        name: np.array(a, a.dtype if isinstance(a, np.ndarray) else np.float32, order="C")
        for name, a in arrays.items()
    }
    save_file(ready, path, dict(metadata) if metadata else None)
    return path


def zeros(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def raw(path: Path, header: Any, data: bytes = b"") -> Path:
    """Write a file byte by byte as the format has it: length, header, data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def header_of(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size])


def infos(dtype: str = "F32", /, **shapes: tuple[int, ...]) -> dict[str, TensorInfo]:
    """A header without a file; a double underscore stands for a dot."""
    named = {name.replace("__", "."): shape for name, shape in shapes.items()}
    return {name: TensorInfo(name, dtype, shape) for name, shape in named.items()}


def states(run: Mapping[str, np.ndarray], directions: int) -> dict[str, np.ndarray]:
    """The initial state of a framework's run, under this project's names."""
    if "h0" not in run:
        return {}
    named = {}
    for kind, key in (("hidden", "h0"), ("cell", "c0")):
        array = run[key] if run[key].ndim == 3 else run[key][np.newaxis]
        for index, state in enumerate(array):
            layer, reverse = divmod(index, directions)
            direction = "reverse" if reverse else "forward"
            named[f"layers.{layer}.{direction}.{kind}"] = state
    return named


def run_as(model: Model, run: Mapping[str, np.ndarray]) -> Trace:
    """Give a model the input and the initial state that a framework was given."""
    start = states(run, model.parameters.num_directions)
    return model.run(vectors=run["x"].swapaxes(0, 1), initial_state=start or None)


def assert_same(trace: Trace, run: Mapping[str, np.ndarray], tolerance: float) -> None:
    """Compare every step's hidden (and cell) state, and the final states, with a record."""
    close(trace.hidden.swapaxes(0, 1), run["hs"], tolerance)
    if "cs" in run:
        close(trace.cell.swapaxes(0, 1), run["cs"], tolerance)
    final = list(trace.final.cells.values())
    for key, found in (("h_n", [s.h for s in final]), ("c_n", [s.c for s in final])):
        close(np.stack(found), run[key].reshape(-1, *run[key].shape[-2:]), tolerance)


def close(found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    assert found.shape == expected.shape
