"""What is written in a layout is read back bit for bit; what it cannot hold is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.errors import LSTMError
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.variants import STANDARD, Variant
from tests.weights.strategies import parameters
from weights import load
from weights.containers.safetensors import open_archive
from weights.conversion import convert, verify
from weights.layouts.native import NATIVE
from weights.layouts.registry import LAYOUTS

WRITTEN = [layout for layout in LAYOUTS if layout.is_written]


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


def options(parameters):
    return [c.variant.options for layer in parameters.layers for c in layer.directions.values()]


@pytest.mark.parametrize("layout", WRITTEN, ids=lambda layout: layout.name)
@given(made=parameters())
def test_reading_gives_back_what_was_written(tmp_path_factory, layout, made):
    path = tmp_path_factory.mktemp("written") / "x.safetensors"
    if made.num_directions == 2 and not layout.has_two_directions:
        with pytest.raises(LSTMError, match=f"^--to: {layout.name} has no layer that reads in two"):
            convert(Model(made), path, layout.name)
        return
    written = convert(Model(made), path, layout.name).layout
    named = layout.name if layout.by_name_only else None
    again = load(path, layout=named, dtype=made.dtype.name, allow_nonfinite=True)
    assert same(again.parameters, made)
    assert not again.parameters.independent
    assert again.card.layout == written
    assert written in (layout.name, layout.unbiased)


@st.composite
def varied(draw):
    """One cell with any differences from the standard one."""
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    shapes = {
        "projection": (2, 3), "peephole_input": (3,), "peephole_forget": (3,),
        "peephole_output": (3,), "peephole_shown": (3,), "norm_gain": (12,),
        "norm_cell_gain": (3,), "norm_cell_bias": (3,),
    }  # fmt: skip
    chosen = draw(st.sets(st.sampled_from(sorted(shapes)), max_size=3))
    given = {name: random.normal(size=shapes[name]).astype("f") for name in sorted(chosen)}
    given |= draw(st.sampled_from([{}, {}, {"cell_clip": 0.5}, {"coupled": "forget"}]))
    width = 2 if "projection" in given else 3
    made = cell(random, 4, 3, output_size=width, variant=Variant(**given))
    return Parameters((LayerParameters(made),))


@pytest.mark.parametrize("layout", WRITTEN, ids=lambda layout: layout.name)
@given(made=varied())
def test_a_variant_is_held_or_refused_and_never_dropped(tmp_path_factory, layout, made):
    path = tmp_path_factory.mktemp("written") / "x.safetensors"
    refused, written = "", layout.name
    try:
        written = convert(Model(made), path, layout.name).layout
    except LSTMError as error:
        refused = error.message
    if refused:
        assert re.search("cannot hold|holds a peephole for every gate", refused)
        assert layout is not NATIVE
        assert not path.exists()
        return
    named = layout.name if layout.by_name_only else written
    again = load(path, layout=named, allow_nonfinite=True)
    assert same(again.parameters, made)
    assert options(again.parameters) == options(made)


def test_two_directions_have_the_names_that_their_framework_gives_them(tmp_path):
    made = Model(stack(np.random.default_rng(0), [3, 3], 2))
    for layout, name in (
        ("keras", "bidirectional_1/backward_lstm/lstm_cell/recurrent_kernel"),
        ("flax", "params/bidirectional_1/backward_rnn/cell/hg/bias"),
        (
            "tensorflow-cudnn",
            "stack_bidirectional_rnn/cell_1/bidirectional_rnn/bw/cudnn_compatible_lstm_cell/kernel",
        ),
    ):
        convert(made, tmp_path / "x.safetensors", layout)
        assert name in open_archive(tmp_path / "x.safetensors").tensors


@pytest.mark.parametrize("layout", ["tensorflow", "tensorflow-cudnn", "keras", "flax"])
def test_a_stack_whose_directions_meet_is_not_taken_for_independent_ones(tmp_path, layout):
    path, random = tmp_path / "x.safetensors", np.random.default_rng(0)
    for width in (3, 6):  # with 6 both layers read as much
        made = [LayerParameters(*(cell(random, n, 3) for _ in range(2))) for n in (width, 6)]
        convert(Model(Parameters(tuple(made))), path, layout)
        for again in (load(path), load(path, layout=load(path).card.layout)):
            assert same(again.parameters, Parameters(tuple(made)))
            assert not again.parameters.independent
            assert not any("look the same" in line for line in again.card.assumed)


def test_layers_of_two_directions_are_not_paired_by_their_numbers(tmp_path):
    path, random = tmp_path / "x.safetensors", np.random.default_rng(0)
    made = [LayerParameters(*(cell(random, 6, 3) for _ in range(2))) for _ in range(2)]
    convert(Model(Parameters(tuple(made))), path, "flax")
    again = load(path, layout="flax-bidirectional")
    assert same(again.parameters, Parameters(tuple(made)))


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
    assert convert(model, tmp_path / "x.safetensors", layout) == (layout, (0, 0))
    again = load(tmp_path / "x.safetensors", layout=layout)
    assert same(again.parameters, model.parameters)


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


ONE_WAY = "has no layer that only reads in reverse, so no names for one."


@pytest.mark.parametrize("layout", WRITTEN, ids=lambda layout: layout.name)
@given(seed=st.integers(0, 2**16), sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_layers_that_only_read_in_reverse_are_read_back_or_refused(
    tmp_path_factory, layout, seed, sizes
):
    path = tmp_path_factory.mktemp("written") / "x.safetensors"
    model = Model(stack(np.random.default_rng(seed), sizes, "in turn"))
    if not layout.directions:
        with pytest.raises(LSTMError, match=f"^--to: {layout.name} {ONE_WAY}$"):
            convert(model, path, layout.name)
        assert not path.exists()
        return
    convert(model, path, layout.name)
    assert same(load(path, layout=layout.name).parameters, model.parameters)


@pytest.mark.parametrize("layout", ["keras", "flax", "tensorflow", "mlx"])
def test_these_frameworks_have_no_names_for_a_layer_that_only_reads_in_reverse(tmp_path, layout):
    model = Model(stack(np.random.default_rng(0), [3], "in turn"))
    with pytest.raises(LSTMError, match=f"^--to: {layout} {ONE_WAY}$"):
        convert(model, tmp_path / "x.safetensors", layout)


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


def forgetting(forget, **variant):
    """A layer of one unit with this forget bias."""
    bias = np.array([0.5, forget, 0.25, -1], "f")
    shape = (4, 1)
    one = CellParameters(np.ones((4, 2), "f"), np.ones(shape, "f"), bias, Variant(**variant))
    return Model(Parameters((LayerParameters(one),)))


def test_a_forget_bias_is_written_without_what_the_framework_adds(tmp_path):
    path = tmp_path / "x.safetensors"
    assert convert(forgetting(1.5), path, "tensorflow").layout == "tensorflow"
    name = "rnn/multi_rnn_cell/cell_0/lstm_cell/bias"
    # i, g, f, o; 1 is added to f when the cell runs.
    assert open_archive(path).read(name, "float32").tolist() == [0.5, 0.25, 0.5, -1]


@pytest.mark.parametrize("forget", [1e-9, -0.0])
def test_a_forget_bias_that_would_be_rounded_goes_where_nothing_is_added(tmp_path, forget):
    path = tmp_path / "x.safetensors"
    assert convert(forgetting(forget), path, "tensorflow").layout == "tensorflow-cudnn"
    name = "rnn/multi_rnn_cell/cell_0/cudnn_compatible_lstm_cell/bias"
    found = open_archive(path).read(name, "float32")
    assert found.tobytes() == np.array([0.5, 0.25, forget, -1], "f").tobytes()


def test_what_neither_can_hold_is_refused_with_both_reasons(tmp_path):
    made = forgetting(1e-9, projection=np.ones((1, 1), "f"))
    with pytest.raises(LSTMError) as caught:
        convert(made, tmp_path / "x.safetensors", "tensorflow")
    assert str(caught.value) == (
        "--to: tensorflow adds 1 to the forget gate at run time, and float32 cannot hold this "
        "bias without it exactly. tensorflow-cudnn cannot hold projection."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_other_numbers_is_found_out(tmp_path):
    random = np.random.default_rng(0)
    convert(Model(stack(random, [3], 1)), tmp_path / "x.safetensors", "pytorch")
    with pytest.raises(LSTMError, match="expected the numbers of the model, found differences"):
        verify(Model(stack(random, [3], 1)), tmp_path / "x.safetensors", "pytorch")
