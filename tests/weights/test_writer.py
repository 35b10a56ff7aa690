"""What is written in a layout is read back bit for bit; what it cannot hold is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.errors import LSTMError
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.variants import STANDARD, Variant
from weights import load
from weights.conversion import convert, verify
from weights.layouts.registry import LAYOUTS

WRITTEN = [layout for layout in LAYOUTS if layout.is_written]
TWO_DIRECTIONS = ("native", "pytorch", "onnx", "textbook")


def cell(random, input_size, size, *, output_size=None, variant=STANDARD, dtype=np.float32):
    def numbers(*shape):
        return random.normal(size=shape).astype(dtype)

    rows = 4 * size
    return CellParameters(
        numbers(rows, input_size), numbers(rows, output_size or size), numbers(rows), variant
    )


def stack(random, sizes, directions, dtype=np.float32):
    width, layers = 2, []
    for size in sizes:
        # In turn: each layer has one direction, the first reads in reverse.
        there = ("reverse", "forward")[len(layers) % 2 :][:1] if directions == "in turn" else (
            "forward", "reverse")[:directions]  # fmt: skip
        cells = {name: cell(random, width, size, dtype=dtype) for name in there}
        layers.append(LayerParameters(**cells))
        width = len(there) * size
    return Parameters(tuple(layers))


def arrays(parameters):
    for layer in parameters.layers:
        for each in layer.directions.values():
            yield from (each.weight_ih, each.weight_hh, each.bias)
            for name in Variant.__dataclass_fields__:
                if isinstance(array := getattr(each.variant, name), np.ndarray):
                    yield array


def same(one, other):
    pairs = zip(arrays(one), arrays(other), strict=True)
    if [list(layer.directions) for layer in one.layers] != [
        list(layer.directions) for layer in other.layers
    ]:
        return False
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


@pytest.mark.parametrize("layout", WRITTEN, ids=lambda layout: layout.name)
@given(seed=st.integers(0, 2**32), sizes=st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_reading_gives_back_what_was_written(tmp_path_factory, layout, seed, sizes):
    path = tmp_path_factory.mktemp("written") / "x.safetensors"
    random = np.random.default_rng(seed)
    for directions in (1, 2, "in turn") if layout.name in TWO_DIRECTIONS else (1,):
        # A forget bias that is taken off and added again needs the wider type to be exact.
        dtype = np.float64 if layout.forget_bias else np.float32
        parameters = stack(random, sizes, directions, dtype)
        if layout.forget_bias:
            parameters = rounded_to_float32(parameters)
        convert(Model(parameters), path, layout.name)
        assert same(
            load(path, layout=layout.name, dtype=np.dtype(dtype).name).parameters, parameters
        )


def rounded_to_float32(parameters):
    def narrow(array):
        return array.astype(np.float32).astype(np.float64)

    return Parameters(
        tuple(
            LayerParameters(CellParameters(*map(narrow, (c.weight_ih, c.weight_hh, c.bias))))
            for layer in parameters.layers
            for c in layer.directions.values()
        )
    )


@pytest.mark.parametrize(
    ("layout", "fields"),
    [
        ("pytorch", ["projection"]),
        ("onnx", ["peephole_input", "peephole_forget", "peephole_output"]),
        ("native", ["projection", "peephole_input", "peephole_shown", "norm_cell_gain"]),
    ],
)
def test_a_variant_that_a_layout_can_hold_is_held(tmp_path, layout, fields):
    random = np.random.default_rng(3)
    shapes = {"projection": (4, 3)}
    made = {name: random.normal(size=shapes.get(name, (3,))).astype("f") for name in fields}
    width = 4 if "projection" in made else 3
    one = cell(random, 2, 3, output_size=width, variant=Variant(**made))
    model = Model(Parameters((LayerParameters(one),)))
    convert(model, tmp_path / "x.safetensors", layout)
    again = load(tmp_path / "x.safetensors", layout=layout)
    assert same(again.parameters, model.parameters)
    assert verify(model, tmp_path / "x.safetensors", layout) == (0, 0)


@pytest.mark.parametrize(
    ("layout", "variant", "named"),
    [
        ("pytorch", {"cell_clip": 0.5}, "cell_clip"),
        ("keras", {"gate_activation": "hard-sigmoid"}, "gate_activation"),
        ("mlx", {"peephole_input": np.ones(3, "f")}, "peephole_input"),
        ("textbook", {"coupled": "input"}, "coupled"),
    ],
)
def test_what_a_layout_cannot_hold_is_refused_by_name(tmp_path, layout, variant, named):
    one = cell(np.random.default_rng(0), 2, 3, variant=Variant(**variant))
    model = Model(Parameters((LayerParameters(one),)))
    with pytest.raises(LSTMError, match=f"^--to: {layout} cannot hold {named}.$"):
        convert(model, tmp_path / "x.safetensors", layout)
    assert list(tmp_path.iterdir()) == []


def test_a_second_direction_needs_names(tmp_path):
    model = Model(stack(np.random.default_rng(0), [3], 2))
    with pytest.raises(LSTMError, match=r"^--to: keras has no names for a reverse direction.$"):
        convert(model, tmp_path / "x.safetensors", "keras")
    model = Model(stack(np.random.default_rng(0), [3], "in turn"))
    with pytest.raises(LSTMError, match=r"^--to: mlx has no names for a reverse direction.$"):
        convert(model, tmp_path / "x.safetensors", "mlx")


@pytest.mark.parametrize(
    ("connection", "what"),
    [("independent", "directions that never meet"), ("residual", "a residual connection")],
)
def test_only_the_native_layout_holds_how_a_stack_is_connected(tmp_path, connection, what):
    random = np.random.default_rng(0)
    layers = [
        LayerParameters(*(cell(random, width, 3) for _ in range(2)))
        for width in ((2, 3) if connection == "independent" else (6, 6))
    ]
    model = Model(Parameters(tuple(layers), **{connection: True}))
    with pytest.raises(LSTMError, match=f"^--to: pytorch cannot hold {what}.$"):
        convert(model, tmp_path / "x.safetensors", "pytorch")
    convert(model, tmp_path / "x.safetensors")
    again = load(tmp_path / "x.safetensors").parameters
    assert getattr(again, connection)
    assert again.independent + again.residual == 1
    assert same(again, model.parameters)


def test_a_layout_that_is_only_read_is_refused(tmp_path):
    model = Model(stack(np.random.default_rng(0), [3], 1))
    with pytest.raises(LSTMError, match=r"^--to: chainer is read, but not written.$"):
        convert(model, tmp_path / "x.safetensors", "chainer")
    with pytest.raises(LSTMError, match=r"^--to: expected one of native, pytorch, .*found 'x'.$"):
        convert(model, tmp_path / "x.safetensors", "x")


def test_a_forget_bias_that_would_be_rounded_is_refused(tmp_path):
    model = Model(stack(np.random.default_rng(0), [3], 1))
    with pytest.raises(LSTMError, match="cannot hold this bias without it exactly"):
        convert(model, tmp_path / "x.safetensors", "tensorflow")


def test_a_file_with_other_numbers_is_found_out(tmp_path):
    random = np.random.default_rng(0)
    convert(Model(stack(random, [3], 1)), tmp_path / "x.safetensors", "pytorch")
    with pytest.raises(LSTMError, match="expected the numbers of the model, found differences"):
        verify(Model(stack(random, [3], 1)), tmp_path / "x.safetensors", "pytorch")
