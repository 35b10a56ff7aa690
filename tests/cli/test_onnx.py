"""Graphs that ONNX Runtime ran, through the command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

onnx = pytest.importorskip("onnx")

GOLDEN = Path(__file__).parents[1] / "golden" / "onnx_activations"
GRAPHS = sorted(path.stem for path in GOLDEN.glob("*.onnx"))


@pytest.fixture(scope="module")
def run():
    with np.load(GOLDEN / "run.npz") as content:
        return dict(content)


def given(run, folder, directions, names=("forward", "reverse")):
    """The input and the state that ONNX Runtime was given, as options."""
    np.save(folder / "x.npy", run["x"].swapaxes(0, 1))
    names = names[:directions]
    state = {f"layers.0.{d}.hidden": run["h0"][n] for n, d in enumerate(names)}
    state |= {f"layers.0.{d}.cell": run["c0"][n] for n, d in enumerate(names)}
    save_file(
        {name: np.ascontiguousarray(a) for name, a in state.items()}, folder / "s.safetensors"
    )
    return ["--vectors", folder / "x.npy", "--initial-state", folder / "s.safetensors"]


def hidden(document, direction):
    """(T, N, H), as ONNX Runtime orders them."""
    every = [
        [step["hidden"] for step in sequence["steps"] if step["direction"] == direction]
        for sequence in document["sequences"]
    ]
    return np.array(every).swapaxes(0, 1)


@pytest.mark.parametrize("graph", ["affine_scaled_tanh", "elu_scaled", "clip"])
def test_a_node_that_only_reads_in_reverse_has_its_activations_too(done, run, tmp_path, graph):
    """Flipped, its input gives what ONNX Runtime's forward node gave, flipped."""
    model = onnx.load(GOLDEN / f"{graph}.onnx")
    node = next(node for node in model.graph.node if node.op_type == "LSTM")
    kept = [a for a in node.attribute if a.name != "direction"]
    del node.attribute[:]
    node.attribute.extend([*kept, onnx.helper.make_attribute("direction", "reverse")])
    onnx.save(model, tmp_path / "x.onnx")
    native = tmp_path / "native.safetensors"
    done("convert", tmp_path / "x.onnx", native)
    options = given({**run, "x": run["x"][::-1]}, tmp_path, 1, ("reverse",))
    for weights in (tmp_path / "x.onnx", native):
        document = done("run", *options, "-w", weights, "--json").json
        expected = run[f"{graph}.hs"][::-1, 0]
        np.testing.assert_allclose(hidden(document, "reverse"), expected, atol=2e-6)


@pytest.mark.parametrize("graph", GRAPHS)
def test_every_activation_gives_the_states_of_onnx_runtime(done, lstm, run, tmp_path, graph):
    expected, last = run[f"{graph}.hs"], run[f"{graph}.c_n"]
    options = given(run, tmp_path, expected.shape[1])
    native = tmp_path / "native.safetensors"
    assert lstm("convert", GOLDEN / f"{graph}.onnx", native).code == 0
    for weights in (GOLDEN / f"{graph}.onnx", native):
        document = done("run", *options, "-w", weights, "--json").json
        for n, direction in enumerate(("forward", "reverse")[: expected.shape[1]]):
            np.testing.assert_allclose(hidden(document, direction), expected[:, n], atol=2e-6)
            step = 0 if direction == "reverse" else len(expected) - 1
            cells = [
                one["cell"]
                for sequence in document["sequences"]
                for one in sequence["steps"]
                if (one["step"], one["direction"]) == (step, direction)
            ]
            np.testing.assert_allclose(cells, last[n], atol=2e-6)


def test_the_activations_stand_in_the_native_file(done, lstm, tmp_path):
    native = tmp_path / "native.safetensors"
    lstm("convert", GOLDEN / "each_direction.onnx", native)
    assert done("inspect", native, "--json").json["lstms"][0]["options"] == {
        "gate_activation": "hard-sigmoid(0.3,0.45)",
        "candidate_activation": "tanh",
        "cell_activation": "elu(0.6)",
        "reverse.gate_activation": "sigmoid",
        "reverse.candidate_activation": "leaky-relu(0.1)",
        "reverse.cell_activation": "tanh",
    }


def test_an_option_holds_for_both_directions(done, tmp_path, run):
    options = given(run, tmp_path, 2)
    graph = GOLDEN / "each_direction.onnx"
    said = ["run", *options, "-w", graph, "--json"]
    steps = done(*said, "--gate-activation", "sigmoid", "--show", "pre_input,input").json
    for step in steps["sequences"][0]["steps"]:
        expected = 1 / (1 + np.exp(-np.array(step["pre_input"])))
        np.testing.assert_allclose(step["input"], expected, atol=1e-6)


def test_a_clip_that_the_file_cannot_tell_is_an_option_of_every_command(done, lstm, run, tmp_path):
    graph = onnx.load(str(GOLDEN / "clip.onnx")).graph
    bare = tmp_path / "bare.safetensors"
    save_file({t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}, bare)
    clip = ["--pre-activation-clip", "0.3"]
    options = given(run, tmp_path, 1)
    document = done("run", *options, "-w", bare, *clip, "--json").json
    np.testing.assert_allclose(hidden(document, "forward"), run["clip.hs"][:, 0], atol=2e-6)

    native = tmp_path / "native.safetensors"
    assert lstm("convert", bare, native, *clip).code == 0
    assert (
        done("inspect", native, "--json").json["lstms"][0]["options"]["pre_activation_clip"] == 0.3
    )
    assert done("compare", bare, GOLDEN / "clip.onnx", *options, *clip, "--json").json["same"]
    np.save(tmp_path / "one.npy", run["x"][:, 0])
    one = ["--vectors", tmp_path / "one.npy", "-w", bare, *clip]
    golden = done("golden", *one, "--format", "json").json
    assert golden["cells"][0]["options"] == {"pre_activation_clip": 0.3}


def test_a_clipped_model_goes_on_as_its_native_file_does(done, tiny, tmp_path):
    clip = ["--pre-activation-clip", "0.05"]
    done("convert", tiny, tmp_path / "clipped.safetensors", *clip)
    said = ["generate", "john", "--steps", "5", "--json"]
    plain = done(*said, "-w", tiny).json["sequences"]
    clipped = done(*said, "-w", tiny, *clip).json["sequences"]
    assert clipped == done(*said, "-w", tmp_path / "clipped.safetensors").json["sequences"]
    assert clipped != plain


def branches(folder, *graphs, name="vad"):
    """A condition whose branches are other graphs, which all call their tensors alike."""
    helper = onnx.helper
    inner = [onnx.load(str(GOLDEN / f"{graph}.onnx")).graph for graph in graphs]
    for graph in inner:
        del graph.input[:]
    node = helper.make_node(
        "If", ["which"], ["y", "c"], name=name, then_branch=inner[0], else_branch=inner[1]
    )
    made = helper.make_graph([node], "outer", [], [])
    onnx.save(helper.make_model(made), str(folder / "w.onnx"))
    return folder / "w.onnx"


@pytest.mark.parametrize(("place", "graph"), [("then_branch", "clip"), ("else_branch", "relu")])
def test_nodes_in_the_branches_of_a_condition_are_told_apart(
    lstm, refusal, run, tmp_path, place, graph
):
    """Each has its own weights and attributes, though their names are the same."""
    weights = branches(tmp_path, "clip", "relu")
    said = refusal(3, "run", "--ids", "1", "-w", weights)
    places = "vad.else_branch/lstm0/, vad.then_branch/lstm1/"
    assert said.endswith(f"expected one LSTM, found {places}. Choose with --prefix.")
    options = given(run, tmp_path, 1)
    found = lstm("run", *options, "-w", weights, "--prefix", f"vad.{place}", "--json")
    assert found.code == 0, found.stderr
    np.testing.assert_allclose(hidden(found.json, "forward"), run[f"{graph}.hs"][:, 0], atol=2e-6)


def two_nodes(folder, names, *attributes):
    """Two nodes of one name or two, the second on top of the first, with their attributes."""
    graph = onnx.load(str(GOLDEN / "clip.onnx")).graph
    first = graph.node[0]
    del first.attribute[:]
    size = onnx.numpy_helper.to_array(graph.initializer[1]).shape[-1]
    square = np.ones((1, 4 * size, size), np.float32)
    graph.initializer.append(onnx.numpy_helper.from_array(square, "S"))
    second = onnx.helper.make_node("LSTM", ["hs", "S", "S"], ["top"])
    graph.node.append(second)
    for node, name, given_ones in zip(graph.node, names, attributes, strict=True):
        node.name = name
        made = [onnx.helper.make_attribute(key, value) for key, value in given_ones.items()]
        node.attribute.extend(made)
    onnx.save(onnx.helper.make_model(graph), str(folder / "w.onnx"))
    return folder / "w.onnx"


def test_a_stack_whose_layers_differ_is_refused_and_each_can_be_chosen(refusal, done, tmp_path):
    weights = two_nodes(tmp_path, ("a0", "a1"), {}, {"clip": 0.5})
    said = refusal(3, "run", "--ids", "1", "-w", weights)
    assert said.endswith(
        "a0, a1: expected one kind of cell in all layers, found different activations, clips or "
        "couplings. Choose one with --prefix."
    )
    described = done("inspect", weights, "--prefix", "a1", "--json").json["lstms"]
    assert [one["options"] for one in described] == [{"pre_activation_clip": 0.5}]
    described = done("inspect", weights, "--prefix", "a0", "--json").json["lstms"]
    assert [one["options"] for one in described] == [{}]


def test_two_nodes_of_one_name_are_two_layers(done, tmp_path):
    weights = two_nodes(tmp_path, ("rnn", "rnn"), {}, {})
    (described,) = done("inspect", weights, "--json").json["lstms"]
    assert described["layers"] == 2
