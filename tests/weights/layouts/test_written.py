"""Every layout reads what an independent writer wrote; what a file cannot tell is said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm.errors import LSTMError
from lstm.parameters import CellParameters
from tests.weights.builders import write
from tests.weights.layouts.test_native import FORMAT
from tests.weights.layouts.writers import (
    HIDDEN,
    INPUT,
    PROJECTED,
    WRITERS,
    Cell,
    allennlp_elmo,
    cell,
    halves,
    rows,
)
from weights import load
from weights.errors import AmbiguousError
from weights.layouts.registry import LAYOUTS, NAMES

# What the framework adds to the forget gate at run time.
FORGET_BIAS = dict.fromkeys(
    (
        "tensorflow",
        "elmo",
        "tensorflow-coupled",
        "tensorflow-layer-norm",
        "sonnet-1",
        "haiku",
        "dynet",
    ),
    1.0,
)
# Which gate has no weights of its own.
COUPLED = {"tensorflow-coupled": "i", "tflite-coupled": "i", "dynet-coupled": "f"}
# Files whose names and shapes are also those of another layout, which is found instead.
TAKEN_FOR = {
    "haste": "keras",
    "keras-1": "textbook-w-u-inputs",
    "coreml": "equinox",
    "flax-bidirectional": "flax",
}
# Layouts whose files always have two directions.
BOTH = {"icu", "dl4j-bidirectional"}
AMBIGUOUS = {"cs231n", "deep-learning-from-scratch"}

# What a layout's files do not tell, and the option that tells it.
TOLD: Mapping[str, Mapping[str, Any]] = {
    "gate order": {"gate_order": "ifgo"},
    "gate activation": {"gate_activation": "sigmoid"},
    "forget bias": {"forget_bias": 1.0},
    "concatenation": {"concatenation": "hx"},
    "cell clip": {"cell_clip": 50.0},
    "projection clip": {"projection_clip": 50.0},
    "residual": {"residual": True},
    "coupled": {"coupled": True},
}


def file(name: str, folder: Path, seed: int = 7) -> Path:
    metadata = FORMAT if name == "native" else None
    return write(folder / "model.safetensors", WRITERS[name](cell(seed)), metadata)


def expected_bias(one: Cell, name: str) -> np.ndarray:
    bias = dict(one.bias)
    bias["f"] = bias["f"] + FORGET_BIAS.get(name, 0.0)
    return rows(without(bias, name), "ifgo")


def without(gates: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Zeros for a gate that has no weights of its own."""
    missing = COUPLED.get(name)
    return {k: a * 0 if k == missing else a for k, a in gates.items()}


def test_every_layout_has_a_writer() -> None:
    assert sorted(WRITERS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_parameters_are_those_that_were_written(name: str, tmp_path: Path) -> None:
    one = cell(7)
    model = load(file(name, tmp_path), layout=name)
    assert model.card.layout == name
    found = model.parameters.layers[0].forward
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found.weight_ih, rows(without(one.ih, name), "ifgo"))
    np.testing.assert_array_equal(found.weight_hh, rows(without(one.hh, name), "ifgo"))
    np.testing.assert_allclose(found.bias, expected_bias(one, name), rtol=0, atol=1e-15)
    assert model.parameters.num_layers == 1
    assert model.parameters.num_directions == (2 if name in BOTH else 1)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in AMBIGUOUS])
def test_names_and_shapes_tell_the_layout(name: str, tmp_path: Path) -> None:
    path = file(name, tmp_path)
    assert load(path).card.layout == TAKEN_FOR.get(name, name)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "native"])
@pytest.mark.parametrize("prefix", ["model.", "decoder/", "a.b.c."])
def test_a_prefix_changes_nothing(name: str, prefix: str, tmp_path: Path) -> None:
    if name == "dynet-coupled":
        prefix = prefix.rstrip("./")
    arrays = {prefix + key: array for key, array in WRITERS[name](cell(7)).items()}
    if name == "icu":  # its names are too short to be looked for anywhere else
        arrays = WRITERS[name](cell(7))
    model = load(write(tmp_path / "model.safetensors", arrays), layout=name)
    np.testing.assert_array_equal(
        model.parameters.layers[0].forward.weight_ih, rows(without(cell(7).ih, name), "ifgo")
    )


def assumed(path: Path, **options: Any) -> set[str]:
    """What is assumed that an option would tell."""
    return {line.split(":")[0] for line in load(path, **options).card.assumed if "(--" in line}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_assumed_is_not_once_it_is_told(name: str, tmp_path: Path) -> None:
    path = file(name, tmp_path)
    every = assumed(path, layout=name)
    for what in every:
        assert assumed(path, layout=name, **TOLD[what]) == every - {what}


def test_the_layouts_that_leave_something_open() -> None:
    open_ones = {layout.name: set(layout.assumed) for layout in LAYOUTS if layout.assumed}
    assert {name for name, what in open_ones.items() if "forget_bias" in what} == {
        *FORGET_BIAS, "caffe2", "coreml-neural",
    }  # fmt: skip
    assert {name for name, what in open_ones.items() if "gate_activation" in what} == {
        "keras", "keras-numbered", "frugally-deep", "keras-1", "keras2c", "textbook-w-u-inputs",
    }  # fmt: skip
    assert {name for name, what in open_ones.items() if "concatenation" in what} == {
        "textbook-concatenated", "textbook-concatenated-inputs", "textbook-gates",
        "textbook-update",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(FORGET_BIAS))
@pytest.mark.parametrize("value", [0.0, 2.5])
def test_another_forget_bias_may_be_told(name: str, value: float, tmp_path: Path) -> None:
    found = load(file(name, tmp_path), layout=name, forget_bias=value)
    bias = found.parameters.layers[0].forward.bias[HIDDEN : 2 * HIDDEN]
    np.testing.assert_allclose(bias, cell(7).bias["f"] + value, rtol=0, atol=1e-15)


@pytest.mark.parametrize("order", ["ifog", "gfoi", "ogfi"])
def test_another_order_of_the_blocks_may_be_told(order: str, tmp_path: Path) -> None:
    one = cell(7)
    arrays = {
        "weight_ih_l0": rows(one.ih, order),
        "weight_hh_l0": rows(one.hh, order),
        "bias_ih_l0": rows(one.bias, order),
    }
    found = load(write(tmp_path / "model.safetensors", arrays), gate_order=order)
    np.testing.assert_array_equal(
        found.parameters.layers[0].forward.weight_ih, rows(one.ih, "ifgo")
    )
    np.testing.assert_array_equal(found.parameters.layers[0].forward.bias, rows(one.bias, "ifgo"))


@pytest.mark.parametrize("name", ["textbook", "textbook-concatenated", "native"])
def test_input_first_may_be_told(name: str, tmp_path: Path) -> None:
    one = cell(7)
    turned = one._replace(ih=one.hh, hh=one.ih)  # the writer puts what it calls hh first
    metadata = FORMAT if name == "native" else None
    path = write(tmp_path / "model.safetensors", WRITERS[name](turned), metadata)
    found = load(path, layout=name, concatenation="xh").parameters.layers[0].forward
    np.testing.assert_array_equal(found.weight_ih, rows(one.ih, "ifgo"))
    np.testing.assert_array_equal(found.weight_hh, rows(one.hh, "ifgo"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"gate_order": "ifgg"},
            "--gate-order: expected the letters i, f, g and o, found 'ifgg'.",
        ),
        ({"concatenation": "xh"}, "--concatenation: pytorch keeps input and hidden state apart."),
        ({"concatenation": "yz"}, "--concatenation: expected hx or xh, found 'yz'."),
        ({"cell_clip": -1.0}, "cell_clip: expected a positive number, found -1.0."),
        (
            {"gate_activation": "step"},
            "gate_activation: expected one of sigmoid, hard-sigmoid, keras3-hard-sigmoid, tanh, "
            "relu, softsign, softplus, linear, leaky-relu, thresholded-relu, elu, affine, "
            "scaled-tanh; found 'step'.",
        ),
        (
            {"projection_clip": 1.0},
            "projection_clip: expected a projected hidden state, found none.",
        ),
    ],
)
def test_an_option_that_does_not_fit_is_refused(options: Any, message: str, tmp_path: Path) -> None:
    path = file("pytorch", tmp_path)
    with pytest.raises(LSTMError) as caught:
        load(path, **options)
    assert str(caught.value) == f"{path}: {message}"


def test_the_order_of_tensors_per_gate_cannot_be_told(tmp_path: Path) -> None:
    path = file("flax", tmp_path)
    with pytest.raises(LSTMError) as caught:
        load(path, gate_order="ifgo")
    assert str(caught.value) == f"{path}: --gate-order: flax has a tensor per gate, in no order."


SQUARE = {
    "textbook-x-h": ("textbook-x-h", "textbook-x-h-outputs"),
    "textbook-w-u": ("textbook-w-u", "textbook-w-u-inputs"),
    "textbook-u-v": ("textbook-u-v", "textbook-u-v-outputs"),
    "textbook-f-x": ("textbook-f-x", "textbook-f-x-inputs"),
    "textbook-i-h": ("textbook-i-h", "textbook-i-h-inputs"),
    "cs231n": ("cs231n", "deep-learning-from-scratch", "mlx-inputs"),
}


@pytest.mark.parametrize("name", SQUARE)
def test_two_layouts_that_fit_equally_are_both_named(name: str, tmp_path: Path) -> None:
    one = cell(7, input_size=HIDDEN)
    path = write(tmp_path / "model.safetensors", WRITERS[name](one))
    with pytest.raises(AmbiguousError) as caught:
        load(path)
    both = ", ".join(sorted(SQUARE[name]))
    assert str(caught.value) == f"{path}: expected one layout, found {both}. Choose with --layout."
    found = load(path, layout=name).parameters.layers[0].forward
    np.testing.assert_array_equal(found.weight_ih, rows(one.ih, "ifgo"))


# -- directions, layers, projections, peepholes ----------------------------------------------


def four_cells(output: int = HIDDEN) -> list[Cell]:
    """Two layers, two directions: forward 0, reverse 0, forward 1, reverse 1."""
    widths = (INPUT, INPUT, 2 * output, 2 * output)
    return [cell(20 + n, width, HIDDEN, output) for n, width in enumerate(widths)]


def named(one: Cell, pattern: str, biases: tuple[str, str]) -> dict[str, np.ndarray]:
    """torch's four tensors under another framework's names."""
    first, second = halves(one, "ifgo")
    ih, hh = rows(one.ih, "ifgo"), rows(one.hh, "ifgo")
    parts = {"weight_ih": ih, "weight_hh": hh, "bias_ih": first, "bias_hh": second}
    return {pattern.format(part): array for part, array in parts.items()}


def mxnet(one: Cell, place: str) -> dict[str, np.ndarray]:
    words = {"weight_ih": "i2h_weight", "weight_hh": "h2h_weight"}
    words |= {"bias_ih": "i2h_bias", "bias_hh": "h2h_bias"}
    plain = named(one, "{}", ("", ""))
    return {f"{place}{words[name]}": array for name, array in plain.items()}


def keras(one: Cell, place: str) -> dict[str, np.ndarray]:
    return {
        f"{place}/kernel": np.concatenate([one.ih[k].T for k in "ifgo"], axis=1),
        f"{place}/recurrent_kernel": np.concatenate([one.hh[k].T for k in "ifgo"], axis=1),
        f"{place}/bias": rows(one.bias, "ifgo"),
    }


def flax(one: Cell, place: str) -> dict[str, np.ndarray]:
    arrays = {}
    for k in "ifgo":
        arrays[f"{place}i{k}{'_' if k == 'f' else ''}.kernel"] = one.ih[k].T
        arrays[f"{place}h{k}.kernel"] = one.hh[k].T
        arrays[f"{place}h{k}.bias"] = one.bias[k]
    return arrays


def burn(one: Cell, place: str) -> dict[str, np.ndarray]:
    return {f"{place}{name}": array for name, array in WRITERS["burn"](one).items()}


def quantizable(one: Cell, place: str) -> dict[str, np.ndarray]:
    arrays = WRITERS["pytorch-quantizable"](one)
    return {name.replace("layers.0.layer_fw", place): array for name, array in arrays.items()}


STACKS = {
    "pytorch": (
        lambda c, p: named(c, "{}" + p, ("", "")),
        ("_l0", "_l0_reverse", "_l1", "_l1_reverse"),
    ),
    "pytorch-cell": (
        lambda c, p: named(c, p + "{}", ("", "")),
        ("rnn.0.cell_fw.", "rnn.0.cell_bw.", "rnn.1.cell_fw.", "rnn.1.cell_bw."),
    ),
    "mxnet": (
        mxnet,
        ("_unfused.0.l_cell.", "_unfused.0.r_cell.", "_unfused.1.l_cell.", "_unfused.1.r_cell."),
    ),
    "mxnet-module": (mxnet, ("lstm0_l0_", "lstm0_r0_", "lstm0_l1_", "lstm0_r1_")),
    "keras": (
        keras,
        (
            "bidirectional/forward_lstm/lstm_cell",
            "bidirectional/backward_lstm/lstm_cell",
            "bidirectional_1/forward_lstm_1/lstm_cell",
            "bidirectional_1/backward_lstm_1/lstm_cell",
        ),
    ),
    "flax": (
        flax,
        (
            "layers.0.forward_rnn.cell.",
            "layers.0.backward_rnn.cell.",
            "layers.1.forward_rnn.cell.",
            "layers.1.backward_rnn.cell.",
        ),
    ),
    "burn": (burn, ("0.forward.", "0.reverse.", "1.forward.", "1.reverse.")),
    "pytorch-quantizable": (
        quantizable,
        ("layers.0.layer_fw", "layers.0.layer_bw", "layers.1.layer_fw", "layers.1.layer_bw"),
    ),
}


@pytest.mark.parametrize("name", STACKS)
def test_two_layers_in_two_directions_are_put_together(name: str, tmp_path: Path) -> None:
    writer, places = STACKS[name]
    cells = four_cells()
    arrays = {k: a for c, p in zip(cells, places, strict=True) for k, a in writer(c, p).items()}
    model = load(write(tmp_path / "model.safetensors", arrays))
    assert model.card.layout == name
    assert (model.parameters.num_layers, model.parameters.num_directions) == (2, 2)
    assert_cells(cells, [c for x in model.parameters.layers for c in x.directions.values()])


@pytest.mark.parametrize("first", [0, 1])
def test_char_rnns_layers_are_counted_from_one(first: int, tmp_path: Path) -> None:
    cells = [cell(30), cell(31, HIDDEN)]
    arrays = {}
    for number, one in enumerate(cells, start=first):
        for key, array in WRITERS["char-rnn"](one).items():
            arrays[key.replace("_1.", f"_{number}.")] = array
    model = load(write(tmp_path / "model.safetensors", arrays))
    assert_cells(cells, [layer.forward for layer in model.parameters.layers])


def test_layers_in_folders_are_stacked_by_their_numbers(tmp_path: Path) -> None:
    cells = [cell(30 + n, INPUT if n == 0 else HIDDEN) for n in range(11)]
    arrays = {}
    for number, one in enumerate(cells):
        arrays |= {f"rnn.{number}.{key}": a for key, a in WRITERS["mlx"](one).items()}
    model = load(write(tmp_path / "model.safetensors", arrays))
    assert_cells(cells, [layer.forward for layer in model.parameters.layers])
    assert any("on top of each other" in line for line in model.card.assumed)


def assert_cells(expected: list[Cell], found: list[CellParameters]) -> None:
    assert len(found) == len(expected)
    for one, read in zip(expected, found, strict=True):
        np.testing.assert_array_equal(read.weight_ih, rows(one.ih, "ifgo"))
        np.testing.assert_array_equal(read.weight_hh, rows(one.hh, "ifgo"))
        np.testing.assert_allclose(read.bias, rows(one.bias, "ifgo"), rtol=0, atol=1e-15)


PROJECTIONS = {
    "pytorch": ("weight_hr_l0", False),
    "mxnet": ("_unfused.0.h2r_weight", False),
    "mxnet-module": ("lstm_l0_h2r_weight", False),
    "paddle": ("0.cell.weight_ho", True),
    "allennlp": ("cell.state_projection.weight", False),
    "sonnet-2": ("lstm/projection", True),
    "cntk": ("P", True),
    "tensorflow": ("rnn/basic_lstm_cell/projection/kernel", True),
    "tflite": ("projection_weights", False),
}


@pytest.mark.parametrize("name", PROJECTIONS)
def test_a_projection_is_read_as_outputs_by_inputs(name: str, tmp_path: Path) -> None:
    one = cell(8, output=PROJECTED)
    tensor, is_turned = PROJECTIONS[name]
    arrays = WRITERS[name](one)
    arrays[tensor] = one.projection.T if is_turned else one.projection
    model = load(write(tmp_path / "model.safetensors", arrays))
    assert model.card.layout == name
    found = model.parameters.layers[0].forward
    assert found.variant.projection is not None
    np.testing.assert_array_equal(found.variant.projection, one.projection)
    np.testing.assert_array_equal(found.weight_hh, rows(one.hh, "ifgo"))
    assert (found.hidden_size, found.output_size) == (HIDDEN, PROJECTED)


PEEPHOLES = {
    "keras": {"i": "lstm/lstm_cell/input_gate_peephole_weights",
              "f": "lstm/lstm_cell/forget_gate_peephole_weights",
              "o": "lstm/lstm_cell/output_gate_peephole_weights"},
    "tensorflow": {k: f"rnn/basic_lstm_cell/w_{k}_diag" for k in "ifo"},
    "tensorflow-coupled": {k: f"rnn/coupled_lstm_cell/W_{k.upper()}_diag" for k in "fo"},
    "cntk": {k: f"C{k}" for k in "ifo"},
    "tflite": {"i": "cell_to_input_weights", "f": "cell_to_forget_weights",
               "o": "cell_to_output_weights"},
    "coreml-neural": {"i": "inputGatePeepholeVector", "f": "forgetGatePeepholeVector",
                      "o": "outputGatePeepholeVector"},
}  # fmt: skip


@pytest.mark.parametrize("name", PEEPHOLES)
def test_peepholes_are_read_gate_by_gate(name: str, tmp_path: Path) -> None:
    one = cell(9)
    arrays = WRITERS[name](one)
    arrays |= {tensor: one.peephole[k] for k, tensor in PEEPHOLES[name].items()}
    model = load(write(tmp_path / "model.safetensors", arrays))
    assert model.card.layout == name
    assert_peepholes(model.parameters.layers[0].forward, one, "".join(PEEPHOLES[name]))


@pytest.mark.parametrize(("name", "order"), [("onnx", "iof"), ("coreml", "ifo")])
def test_packed_peepholes_are_read_in_their_own_order(
    name: str, order: str, tmp_path: Path
) -> None:
    one = cell(9)
    packed = np.concatenate([one.peephole[k] for k in order])
    tensor = {"P": packed[np.newaxis]} if name == "onnx" else {"peephole": packed}
    path = write(tmp_path / "model.safetensors", {**WRITERS[name](one), **tensor})
    assert_peepholes(load(path, layout=name).parameters.layers[0].forward, one, "ifo")


def assert_peepholes(found: CellParameters, one: Cell, gates: str) -> None:
    for k, field in (("i", "input"), ("f", "forget"), ("o", "output")):
        weight = getattr(found.variant, f"peephole_{field}")
        if k in gates:
            np.testing.assert_array_equal(weight, one.peephole[k])
        else:
            assert weight is None


def test_chainers_full_peepholes_are_matrices(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    full = {k: random.standard_normal((HIDDEN, HIDDEN)) for k in "ifo"}
    arrays = WRITERS["chainer"](cell(9)) | {f"peep_{k}/W": a for k, a in full.items()}
    found = load(write(tmp_path / "model.safetensors", arrays)).parameters.layers[0].forward
    np.testing.assert_array_equal(found.variant.peephole_input, full["i"])
    np.testing.assert_array_equal(found.variant.peephole_forget, full["f"])
    np.testing.assert_array_equal(found.variant.peephole_output, full["o"])


def test_dynets_coupled_builder_has_no_forget_gate_and_full_peepholes(tmp_path: Path) -> None:
    one = cell(7)
    found = load(file("dynet-coupled", tmp_path)).parameters.layers[0].forward.variant
    assert found.coupled == "forget"
    assert found.peephole_forget is None
    np.testing.assert_array_equal(found.peephole_input, np.outer(one.peephole["i"], one.shown))
    np.testing.assert_array_equal(found.peephole_output, np.outer(one.peephole["o"], one.shown))


def test_sonnet_1_shows_its_output_peephole_and_gates_the_others(tmp_path: Path) -> None:
    one = cell(9)
    arrays = WRITERS["sonnet-1"](one)
    arrays |= {f"lstm/w_{k}_diag": one.peephole[k] for k in "ifo"}
    found = load(write(tmp_path / "model.safetensors", arrays)).parameters.layers[0].forward
    assert_peepholes(found, one, "if")
    np.testing.assert_array_equal(found.variant.peephole_shown, one.peephole["o"])


def test_layer_normalisation_is_read_gate_by_gate(tmp_path: Path) -> None:
    one = cell(7)
    found = load(file("tensorflow-layer-norm", tmp_path)).parameters.layers[0].forward.variant
    np.testing.assert_array_equal(found.norm_gain, rows(one.norm, "ifgo"))
    np.testing.assert_array_equal(found.norm_cell_gain, one.cell_norm[0])
    np.testing.assert_array_equal(found.norm_cell_bias, one.cell_norm[1])


def test_coupled_gates_are_told_by_the_layout(tmp_path: Path) -> None:
    found = load(file("tensorflow-coupled", tmp_path)).parameters.layers[0].forward
    assert found.variant.coupled == "input"


def test_coremls_clip_is_the_formats_default_unless_told(tmp_path: Path) -> None:
    path = file("coreml-neural", tmp_path)
    clips = [
        model.parameters.layers[0].forward.variant.cell_clip
        for model in (load(path), load(path, cell_clip=2.0))
    ]
    assert clips == [50.0, 2.0]


def test_keras_1_has_the_old_hard_sigmoid_unless_told(tmp_path: Path) -> None:
    path = file("keras-1", tmp_path)
    activations = [
        load(path, layout="keras-1", **options).parameters.layers[0].forward.variant.gate_activation
        for options in ({}, {"gate_activation": "sigmoid"})
    ]
    assert activations == ["hard-sigmoid", "sigmoid"]


# -- what stands apart ---------------------------------------------------------------------------


def tensorflow(one: Cell, place: str) -> dict[str, np.ndarray]:
    arrays = WRITERS["tensorflow"](one)
    return {f"{place}/{name.split('/')[-1]}": array for name, array in arrays.items()}


FW, BW = (f"bidirectional_rnn/{d}/multi_rnn_cell" for d in ("fw", "bw"))
PLACES = (f"{FW}/cell_0/lstm_cell", f"{FW}/cell_1/lstm_cell", f"{BW}/cell_0/lstm_cell",
          f"{BW}/cell_1/lstm_cell")  # fmt: skip


def independent(folder: Path) -> tuple[Path, list[Cell]]:
    """TensorFlow 1: two stacks, each of which reads its own hidden states only."""
    cells = [cell(40 + n, INPUT if n % 2 == 0 else HIDDEN) for n in range(4)]
    arrays = {k: a for c, p in zip(cells, PLACES, strict=True) for k, a in tensorflow(c, p).items()}
    return write(folder / "model.safetensors", arrays), cells


def test_stacks_that_never_meet_are_read_as_independent_directions(tmp_path: Path) -> None:
    path, cells = independent(tmp_path)
    model = load(path, forget_bias=0.0)
    assert model.parameters.independent
    found = [
        layer.directions[d] for d in ("forward", "reverse") for layer in model.parameters.layers
    ]
    assert_cells(cells, found)
    assert "directions: each reads only its own below, as names and sizes say" in model.card.assumed


def test_directions_with_one_layer_have_nothing_to_be_independent_of(tmp_path: Path) -> None:
    arrays = {**tensorflow(cell(1), PLACES[0]), **tensorflow(cell(2), PLACES[2])}
    model = load(write(tmp_path / "model.safetensors", arrays))
    assert (model.parameters.num_directions, model.parameters.independent) == (2, False)


def test_layers_of_two_directions_that_read_one_width_are_not_put_together(tmp_path: Path) -> None:
    """Keras may add the two directions up; what is then read is not in the file."""
    places = STACKS["keras"][1]
    cells = [cell(40 + n, INPUT if n < 2 else HIDDEN) for n in range(4)]
    arrays = {k: a for c, p in zip(cells, places, strict=True) for k, a in keras(c, p).items()}
    with pytest.raises(AmbiguousError):
        load(write(tmp_path / "model.safetensors", arrays))


def elmo_file(folder: Path, name: str) -> tuple[Path, list[Cell]]:
    """Two layers, two directions: forward 0 and 1, reverse 0 and 1; each by itself."""
    cells = [cell(60 + n, INPUT if n % 2 == 0 else PROJECTED, output=PROJECTED) for n in range(4)]
    arrays = {}
    for n, one in enumerate(cells):
        direction, layer = divmod(n, 2)
        if name == "elmo":
            arrays |= WRITERS[name](one, f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell/")
        else:
            way = ("forward", "backward")[direction]
            arrays |= WRITERS[name](one, f"{way}_layer_{layer}.")
    return write(folder / "model.safetensors", arrays), cells


@pytest.mark.parametrize("name", ["elmo", "allennlp-elmo"])
def test_elmos_directions_are_independent_and_its_layers_residual(
    name: str, tmp_path: Path
) -> None:
    path, cells = elmo_file(tmp_path, name)
    told = {"forget_bias": 0.0} if name == "elmo" else {}
    model = load(path, **told)
    assert model.card.layout == name
    parameters = model.parameters
    assert (parameters.independent, parameters.residual) == (True, True)
    found = [layer.directions[d] for d in ("forward", "reverse") for layer in parameters.layers]
    assert_cells(cells, found)
    for one, read in zip(cells, found, strict=True):
        np.testing.assert_array_equal(read.variant.projection, one.projection)
        assert read.variant.options == {"cell_clip": 3.0, "projection_clip": 3.0}
    assert assumed(path, **told) == {"cell clip", "projection clip", "residual"}
    plain = load(path, residual=False, cell_clip=1, projection_clip=2, **told)
    assert not plain.parameters.residual
    assert plain.parameters.layers[1].first.variant.options == {
        "cell_clip": 1.0, "projection_clip": 2.0,
    }  # fmt: skip
    assert plain.card.assumed == ()


@pytest.mark.parametrize(("prefix", "first"), [("RNN_0", 0), ("RNN_1", 2)])
def test_one_direction_of_elmo_may_be_chosen(prefix: str, first: int, tmp_path: Path) -> None:
    path, cells = elmo_file(tmp_path, "elmo")
    model = load(path, prefix=prefix, forget_bias=0.0)
    assert model.card.layout == "tensorflow"
    assert_cells(cells[first : first + 2], [layer.forward for layer in model.parameters.layers])


def test_allennlps_stack_whose_directions_meet_is_not_taken_for_elmo(tmp_path: Path) -> None:
    """StackedBidirectionalLstm: the same names, no projection, both directions are read."""
    arrays = {}
    places = [f"{way}_layer_{n}." for n in (0, 1) for way in ("forward", "backward")]
    for one, place in zip(four_cells(), places, strict=True):
        written = allennlp_elmo(one, place)
        arrays |= {k: a for k, a in written.items() if "projection" not in k}
    model = load(write(tmp_path / "model.safetensors", arrays))
    assert model.card.layout == "allennlp"
    assert (model.parameters.independent, model.parameters.residual) == (False, False)
    assert (model.parameters.num_layers, model.parameters.num_directions) == (2, 2)


@pytest.mark.parametrize(("prefix", "first"), [("bidirectional_rnn/fw", 0), (f"{BW}/", 2)])
def test_each_of_them_may_be_chosen(prefix: str, first: int, tmp_path: Path) -> None:
    path, cells = independent(tmp_path)
    model = load(path, prefix=prefix, forget_bias=0.0)
    assert model.parameters.num_directions == 1
    assert_cells(cells[first : first + 2], [layer.first for layer in model.parameters.layers])
    direction = "reverse" if first == 2 else "forward"
    assert all(list(layer.directions) == [direction] for layer in model.parameters.layers)
    told = [line for line in model.card.assumed if line.startswith("direction: ")]
    assert told == [f"direction: {BW}/cell_{n}/lstm_cell reads in reverse, as its name says"
                    for n in range(first // 2 * 2)]  # fmt: skip


@pytest.mark.parametrize("outer", ["encoder_{}.rnn.{}.", "rnn_{}/layers_{}/"])
def test_two_numbers_count_two_things(outer: str, tmp_path: Path) -> None:
    """Four cells of one size are two stacks of two, not one of four."""
    cells = [cell(50 + n, HIDDEN) for n in range(4)]
    arrays = {}
    for n, one in enumerate(cells):
        place = outer.format(n // 2, n % 2)
        arrays |= {place + key: array for key, array in WRITERS["mlx"](one).items()}
    path = write(tmp_path / "model.safetensors", arrays)
    with pytest.raises(AmbiguousError, match="--prefix"):
        load(path)
    separator = outer[outer.index("}") + 1]
    model = load(path, prefix=outer.split("{")[0] + "1" + separator)
    assert_cells(cells[2:], [layer.forward for layer in model.parameters.layers])
