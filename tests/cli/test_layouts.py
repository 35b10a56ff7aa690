"""Layouts that need more than names: through the command, against what PyTorch computed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.weights.builders import golden_run, golden_weights, states, write
from tests.weights.layouts.writers import WRITERS, Cell, cell, columns, rows


def torch_cell() -> Cell:
    """The weights of PyTorch's LSTM, gate by gate."""
    arrays = golden_weights("lstm")
    bias = arrays["bias_ih_l0"].astype(np.float64) + arrays["bias_hh_l0"]

    def gates(array):
        return dict(zip("ifgo", np.split(array, 4), strict=True))

    ih, hh = (gates(arrays[f"weight_{name}_l0"].astype(np.float64)) for name in ("ih", "hh"))
    return cell(0)._replace(ih=ih, hh=hh, bias=gates(bias))


def given(folder):
    """What PyTorch was given, as options, and the hidden states (N, T, H) that it gave."""
    run = golden_run("lstm")
    np.save(folder / "x.npy", run["x"].swapaxes(0, 1))
    start = {name: np.ascontiguousarray(a) for name, a in states(run, 1).items()}
    write(folder / "s.safetensors", start)
    options = ["--vectors", folder / "x.npy", "--initial-state", folder / "s.safetensors"]
    return options, run["hs"].swapaxes(0, 1)


def hidden(document):
    return [[step["hidden"] for step in one["steps"]] for one in document["sequences"]]


@pytest.mark.parametrize("layout", ["mlx-inputs", "karpathy-gist", "dl4j"])
def test_a_repacked_lstm_gives_the_states_of_pytorch(done, tmp_path, layout):
    arrays = WRITERS[layout](torch_cell())
    write(tmp_path / "w.safetensors", {f"rnn.{name}": a for name, a in arrays.items()})
    options, expected = given(tmp_path)
    document = done("run", *options, "-w", tmp_path / "w.safetensors", "--json").json
    assert document["model"]["layout"] == layout
    np.testing.assert_allclose(hidden(document), expected, rtol=0, atol=1e-12)


def graves(one):
    """GravesLSTM: the peepholes of forget, output and input gate as columns of RW."""
    peepholes = [one.peephole[k][:, np.newaxis] for k in "foi"]
    return {
        "0_W": columns(one.ih, "gfoi"),
        "0_RW": np.concatenate([columns(one.hh, "gfoi"), *peepholes], axis=1),
        "0_b": rows(one.bias, "gfoi")[np.newaxis],
    }


def test_the_peepholes_of_graves_lstm_are_those_of_onnx(done, tmp_path):
    one = cell(9)
    packed = np.concatenate([one.peephole[k] for k in "iof"])[np.newaxis]
    write(tmp_path / "dl4j.safetensors", graves(one))
    write(tmp_path / "onnx.safetensors", {**WRITERS["onnx"](one), "P": packed})
    np.save(tmp_path / "x.npy", np.random.default_rng(1).normal(size=(5, 4)))
    both = [tmp_path / "dl4j.safetensors", tmp_path / "onnx.safetensors"]
    found = done("compare", *both, "--vectors", tmp_path / "x.npy", "--json").json
    assert found["same"] is True
    assert [found[side]["model"]["layout"] for side in "ab"] == ["dl4j", "onnx"]

    described = done("inspect", both[0], "--json").json
    assert described["lstms"][0]["hidden_size"] == 3
    names = [tensor["name"] for tensor in described["tensors"]]
    assert {"0_RW[:, :-3]", "0_RW[:, -3]", "0_RW[:, -2]", "0_RW[:, -1]"} < set(names)


@pytest.mark.parametrize(
    ("layout", "names"),
    [("dl4j", ("0_{}F", "0_{}B")), ("dl4j-bidirectional", ("0_f{}", "0_b{}"))],
)
def test_both_directions_of_deeplearning4j_are_those_of_onnx(done, tmp_path, layout, names):
    """GravesBidirectionalLSTM marks them behind the name, the wrapper Bidirectional before it."""
    both, arrays, packed = (cell(9), cell(10)), {}, []
    for one, name in zip(both, names, strict=True):
        arrays |= {name.format(key.removeprefix("0_")): a for key, a in graves(one).items()}
        packed.append(np.concatenate([one.peephole[k] for k in "iof"])[np.newaxis])
    each = [{**WRITERS["onnx"](one), "P": p} for one, p in zip(both, packed, strict=True)]
    write(tmp_path / "dl4j.safetensors", arrays)
    write(tmp_path / "onnx.safetensors", {k: np.concatenate([e[k] for e in each]) for k in each[0]})
    np.save(tmp_path / "x.npy", np.random.default_rng(1).normal(size=(5, 4)))
    files = [tmp_path / "dl4j.safetensors", tmp_path / "onnx.safetensors"]
    found = done("compare", *files, "--vectors", tmp_path / "x.npy", "--json").json
    assert found["same"] is True
    assert found["a"]["model"]["layout"] == layout
    assert found["a"]["model"]["directions"] == 2


def flax(layers):
    """Cells whose input is as wide as their hidden state, unless it is two directions."""
    arrays = {}
    for number, width in enumerate(layers):
        one = cell(30 + number, width)
        for name, array in WRITERS["flax"](one).items():
            last = "/".join(name.replace(".", "/").rsplit("/", 2)[-2:])
            arrays[f"params/OptimizedLSTMCell_{number}/{last}"] = np.ascontiguousarray(array)
    return arrays


@pytest.mark.parametrize(("widths", "layers"), [([3, 3], 1), ([4, 4, 6, 6], 2)])
def test_cells_of_flax_are_two_directions_where_that_is_told(lstm, tmp_path, widths, layers):
    path = tmp_path / "w.safetensors"
    arrays = flax(widths)
    write(path, arrays)
    told = lstm("inspect", path, "--layout", "flax-bidirectional", "--json")
    (found,) = told.json["lstms"]
    assert (found["layers"], found["directions"]) == (layers, 2)
    said = (
        "directions: params/OptimizedLSTMCell_0 forward, params/OptimizedLSTMCell_1 reverse, "
        "as --layout says"
    )
    assert said in found["assumed"]

    # The same cells under names that leave no doubt.
    clear = {
        name.replace(
            f"OptimizedLSTMCell_{n}", f"b_{n // 2}/{('forward', 'backward')[n % 2]}_rnn/cell"
        ): array
        for name, array in arrays.items()
        for n in [int(name.split("_")[1].split("/")[0])]
    }
    write(tmp_path / "clear.safetensors", clear)
    np.save(tmp_path / "x.npy", np.random.default_rng(1).normal(size=(5, widths[0])))
    options = ["--vectors", tmp_path / "x.npy", "--json"]
    one = lstm("run", *options, "-w", path, "--layout", "flax-bidirectional").json
    other = lstm("run", *options, "-w", tmp_path / "clear.safetensors").json
    assert one["sequences"] == other["sequences"]
    assert {step["direction"] for step in one["sequences"][0]["steps"]} == {"forward", "reverse"}


def test_two_cells_of_flax_that_could_be_either_are_a_stack_and_that_is_said(lstm, tmp_path):
    write(tmp_path / "w.safetensors", flax([3, 3]))
    (found,) = lstm("inspect", tmp_path / "w.safetensors", "--json").json["lstms"]
    assert (found["layers"], found["directions"]) == (2, 1)
    assert found["assumed"] == [
        "layers: params/OptimizedLSTMCell_0, params/OptimizedLSTMCell_1, on top of each other in "
        "the order of their numbers; two directions look the same (--layout flax-bidirectional)"
    ]
    write(tmp_path / "w.safetensors", flax([4, 3]))
    (found,) = lstm("inspect", tmp_path / "w.safetensors", "--json").json["lstms"]
    assert "flax-bidirectional" not in found["assumed"][0]


HASTE = "gate order: i f g o; Haste has these names too, and i g f o (--gate-order)"


@pytest.mark.parametrize(
    ("place", "options", "is_said"),
    [
        ("", [], True),
        ("rnn.", [], True),
        ("lstm/", [], False),
        ("", ["--layout", "keras"], False),
        ("", ["--gate-order", "ifgo"], False),
    ],
)
def test_names_that_haste_has_too_are_keras_and_that_is_said(
    lstm, tmp_path, place, options, is_said
):
    arrays = {f"{place}{name}": a for name, a in WRITERS["haste"](cell(3)).items()}
    write(tmp_path / "w.safetensors", arrays)
    np.save(tmp_path / "x.npy", np.ones((2, 4)))
    run = lstm("run", "--vectors", tmp_path / "x.npy", "-w", tmp_path / "w.safetensors", *options)
    assert run.code == 0
    assert (f"note: assumed: {HASTE}\n" in run.stderr) is is_said
