"""AllenNLP's own modules, run by `tests/golden/make_allennlp.py`: every way in which they stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from lstm.errors import LSTMError, ShapeError
from lstm.trace import Trace
from tests.weights.builders import GOLDEN, close, write, zeros
from weights import load

NAMES = {
    "highway": "allennlp-highway",
    "highway_one_bias": "allennlp-highway",
    "alternating": "allennlp",
    "bidirectional": "allennlp-highway",
}
CLIPS = {"cell_clip": 0.5, "projection_clip": 0.4}


def golden(name: str) -> Path:
    return GOLDEN / f"allennlp_{name}.safetensors"


def golden_run(name: str) -> dict[str, np.ndarray]:
    with np.load(GOLDEN / f"allennlp_{name}.npz") as run:
        return dict(run)


def run(name: str, dtype: str) -> Trace:
    """Run a stack on what AllenNLP was given; both directions of a layer start alike."""
    model, given = load(golden(name), dtype=dtype), golden_run(name)
    assert model.card.layout == NAMES[name]
    start = {
        f"layers.{n}.{direction}.{kind}": given[key][n]
        for n, layer in enumerate(model.parameters.layers)
        for direction in layer.directions
        for kind, key in (("hidden", "h0"), ("cell", "c0"))
    }
    return model.run(vectors=given["x"], initial_state=start)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 1e-5)])
@pytest.mark.parametrize("name", NAMES)
def test_allennlp_is_reproduced(name: str, dtype: str, tolerance: float) -> None:
    trace, expected = run(name, dtype), golden_run(name)
    close(trace.output, expected["hs"], tolerance)
    final = list(trace.final.cells.values())
    close(np.stack([state.h for state in final]), expected["h_n"], tolerance)
    close(np.stack([state.c for state in final]), expected["c_n"], tolerance)


@pytest.mark.parametrize(
    ("name", "directions"),
    [
        ("highway", [["forward"], ["reverse"], ["forward"]]),
        ("highway_one_bias", [["forward"]]),
        ("alternating", [["forward"], ["reverse"], ["forward"]]),
        ("bidirectional", [["forward", "reverse"], ["forward", "reverse"]]),
    ],
)
def test_layers_read_as_allennlps_do(name: str, directions: list[list[str]]) -> None:
    parameters = load(golden(name)).parameters
    assert [list(layer.directions) for layer in parameters.layers] == directions
    assert (parameters.independent, parameters.residual) == (False, False)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 1e-5)])
def test_elmo_is_reproduced_layer_by_layer(dtype: str, tolerance: float) -> None:
    model, given = load(golden("elmo"), dtype=dtype, **CLIPS), golden_run("elmo")
    assert model.card.layout == "allennlp-elmo"
    start = side_by_side(given["h0"], given["c0"])
    trace = model.run(vectors=given["x"], initial_state=start)
    close(np.stack([layer.output for layer in trace.layers]), given["hs"], tolerance)
    for name, expected in side_by_side(given["h_n"], given["c_n"]).items():
        close(trace.final.arrays()[name], expected, tolerance)


@pytest.mark.parametrize("changed", [{"residual": False}, {"cell_clip": 3}, {"projection_clip": 3}])
def test_each_of_elmos_options_counts(changed: dict[str, Any]) -> None:
    given = golden_run("elmo")
    model = load(golden("elmo"), dtype="float64", **{**CLIPS, **changed})
    start = side_by_side(given["h0"], given["c0"])
    found = model.run(vectors=given["x"], initial_state=start).output
    assert np.abs(found - given["hs"][-1]).max() > 1e-2


def side_by_side(hidden: np.ndarray, cell: np.ndarray) -> dict[str, np.ndarray]:
    """The states of both directions, forward to the left, under this project's names."""
    return {
        f"layers.{n}.{direction}.{kind}": half
        for kind, whole in (("hidden", hidden), ("cell", cell))
        for n, layer in enumerate(whole)
        for direction, half in zip(("forward", "reverse"), np.split(layer, 2, axis=-1), strict=True)
    }


def test_the_highway_is_read_block_by_block() -> None:
    """i, f, g, o, then the highway gate; the input has the projected input besides."""
    stored = load_file(golden("highway"))
    ih, hh = (stored[f"layer_0.cell.{n}_linearity.weight"] for n in ("input", "state"))
    bias, more = (stored[f"layer_0.cell.{n}_linearity.bias"] for n in ("input", "state"))
    (first, *_) = load(golden("highway")).parameters.layers
    variant = first.first.variant
    np.testing.assert_array_equal(first.first.weight_ih, ih[:12])
    np.testing.assert_array_equal(variant.highway_ih, ih[12:])
    np.testing.assert_array_equal(variant.highway_hh, hh[12:])
    np.testing.assert_array_equal(variant.highway_bias, [*(bias[12:15] + more[12:]), *bias[15:]])


def test_another_number_of_blocks_is_refused(tmp_path: Path) -> None:
    shapes = {"input_linearity.weight": (18, 4), "state_linearity.weight": (12, 3)}
    path = write(tmp_path / "x.safetensors", zeros(**shapes))
    with pytest.raises(ShapeError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: input_linearity.weight: expected (4*hidden_size, input_size) = (12, 4), found "
        "(18, 4)."
    )


def test_the_blocks_of_a_highway_have_no_other_order() -> None:
    with pytest.raises(LSTMError) as caught:
        load(golden("highway"), gate_order="igfo")
    assert str(caught.value) == (
        f"{golden('highway')}: --gate-order: allennlp-highway has other blocks: input, forget, "
        "candidate, output, highway, highway_input. Leave it out."
    )
