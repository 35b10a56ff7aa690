"""npz and safetensors: named arrays with where they come from."""

import json
from io import BytesIO

import numpy as np
import pytest
from safetensors import safe_open

from lstm.quantities import NAMES
from weights import load


def read(format, result, folder):
    """The arrays and the metadata of a result."""
    if format == "npz":
        with np.load(BytesIO(result.data)) as content:
            arrays = {name: content[name] for name in content.files}
        return arrays, json.loads(str(arrays.pop("metadata")))
    path = folder / "read.safetensors"
    path.write_bytes(result.data)
    with safe_open(path, "numpy") as content:
        return {name: content.get_tensor(name) for name in content.keys()}, content.metadata()  # noqa: SIM118


@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_every_array_of_the_trace_is_there_under_its_name(done, valid, deep, format, tmp_path):
    given = ("run", "the cat sat", "down", "-w", deep, "--show", "all")
    arrays, metadata = read(format, done(*given, "-f", format), tmp_path)
    model = load(deep)
    expected = {
        f"sequences.{n}.layers.{layer}.{direction}.{name}": getattr(
            getattr(model.run(text).layers[layer], direction), name
        )
        for n, text in enumerate(("the cat sat", "down"))
        for layer in (0, 1)
        for direction in ("forward", "reverse")
        for name in NAMES
    }
    assert set(arrays) == set(expected)
    for name, array in expected.items():
        assert arrays[name].dtype == array.dtype
        assert np.array_equal(arrays[name], array)
    document = done(*given, "--json").json
    assert metadata["schema"] == document["schema"]
    assert json.loads(metadata["model"]) == document["model"]
    texts = [{key: s[key] for key in ("text", "tokens", "ids", "unknown")}
             for s in document["sequences"]]  # fmt: skip
    assert json.loads(metadata["sequences"]) == texts


@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_the_choice_of_layers_units_and_steps_holds(done, deep, format, tmp_path):
    choice = ("--layers", "1", "--units", "0,2", "--steps", "1:", "--show", "cell,layer_input")
    result = done("run", "the cat sat", "-w", deep, "-f", format, *choice)
    arrays, metadata = read(format, result, tmp_path)
    assert {name: array.shape for name, array in arrays.items()} == {
        "sequences.0.layers.1.forward.cell": (2, 2),
        "sequences.0.layers.1.forward.layer_input": (2, 6),
        "sequences.0.layers.1.reverse.cell": (2, 2),
        "sequences.0.layers.1.reverse.layer_input": (2, 6),
    }
    whole = load(deep).run("the cat sat").layers[1].reverse.cell
    assert np.array_equal(arrays["sequences.0.layers.1.reverse.cell"], whole[1:][:, [0, 2]])
    assert json.loads(metadata["units"]) == [0, 2]


@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_an_empty_line_and_what_is_not_finite_are_kept(done, infinite, format, tmp_path):
    given = ("run", "-w", infinite, "--allow-nonfinite", "-f", format, "--show", "pre_candidate")
    arrays, _ = read(format, done(*given, stdin="\nup down nil\n"), tmp_path)
    first, second = (arrays[f"sequences.{n}.layers.0.forward.pre_candidate"] for n in (0, 1))
    assert first.shape == (0, 1)
    assert np.array_equal(second, [[np.inf], [-np.inf], [np.nan]], equal_nan=True)
