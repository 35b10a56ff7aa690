"""How the layers of a stack are connected, through the real command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lstm.head import Head
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from tests import reference
from weights import load, save
from weights.containers.safetensors import archive_bytes, open_archive

D, H, P, T = 2, 3, 4, 5


def numbers(seed: int, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {name: random.normal(size=shape).astype("f") for name, shape in shapes.items()}


def write(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    path.write_bytes(archive_bytes(arrays, {}))
    return path


def torch_layer(end: str, width: int, seed: int) -> dict[str, np.ndarray]:
    shapes = {"weight_ih": (4 * H, width), "weight_hh": (4 * H, H), "bias_ih": (4 * H,)}
    return {f"{name}{end}": a for name, a in numbers(seed, **shapes).items()}


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    path = tmp_path_factory.mktemp("connections") / "x.npy"
    np.save(path, numbers(0, x=(T, D))["x"])
    return path


@pytest.fixture(scope="module")
def backward(tmp_path_factory):
    """One layer that only reads from the end."""
    arrays = torch_layer("_l0_reverse", D, 1)
    return write(tmp_path_factory.mktemp("connections") / "backward.safetensors", arrays)


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory):
    """Two layers; the first reads from the start, the second from the end."""
    arrays = {**torch_layer("_l0", D, 2), **torch_layer("_l1_reverse", H, 3)}
    return write(tmp_path_factory.mktemp("connections") / "in_turn.safetensors", arrays)


@pytest.fixture(scope="module")
def elmo(tmp_path_factory):
    """Two layers, two directions that never meet, projected: ELMo's names."""
    arrays = {}
    for n in range(4):
        direction, layer = divmod(n, 2)
        place, width = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell", (D, P)[layer]
        shapes = {"W_0": (width + P, 4 * H), "B": (4 * H,), "W_P_0": (H, P)}
        arrays |= {f"{place}/{name}": a for name, a in numbers(10 + n, **shapes).items()}
    return write(tmp_path_factory.mktemp("connections") / "elmo.safetensors", arrays)


def expected(weights: Path, vectors: Path, **options: bool) -> dict[tuple[int, str], list[dict]]:
    """What the reference makes of it."""
    parameters = load(weights, dtype="float64", **options).parameters
    zeros = {
        (n, name): ([0.0] * cell.output_size, [0.0] * cell.hidden_size)
        for n, layer in enumerate(parameters.layers)
        for name, cell in layer.directions.items()
    }
    return reference.stack(
        reference.layers_of(parameters),
        np.load(vectors).astype(float).tolist(),
        zeros,
        parameters.independent,
        parameters.residual,
    )


def check_numbers(document: dict, record: dict[tuple[int, str], list[dict]]) -> None:
    """Compare every record of a trace with the reference, and that each is there once."""
    steps = document["sequences"][0]["steps"]
    assert len(steps) == sum(map(len, record.values()))
    for step in steps:
        one = record[step["layer"], step["direction"]][step["step"]]
        for name in set(step) & set(one):
            np.testing.assert_allclose(step[name], one[name], atol=1e-12, err_msg=name)


def test_a_layer_that_only_reads_in_reverse_is_run(done, valid, backward, vectors):
    given = ("run", "-w", backward, "--vectors", vectors, "--dtype", "float64", "--show", "all")
    document = valid("trace", done(*given, "--json").json)
    assert document["model"]["directions"] == 1
    assert {step["direction"] for step in document["sequences"][0]["steps"]} == {"reverse"}
    check_numbers(document, expected(backward, vectors))
    text = done("run", "-w", backward, "--vectors", vectors).stdout
    assert "1 layer of 3 units, in reverse" in text
    assert "Hidden state h, reverse" in text


def test_layers_may_read_forward_and_reverse_in_turn(done, valid, in_turn, vectors):
    given = ("run", "-w", in_turn, "--vectors", vectors, "--dtype", "float64", "--show", "all")
    document = valid("trace", done(*given, "--json").json)
    check_numbers(document, expected(in_turn, vectors))
    assert "2 layers of 3 units, forward and reverse in turn" in done(*given).stdout


def test_inspect_says_in_which_directions_layers_read(done, valid, backward, in_turn):
    (found,) = valid("inspect", done("inspect", backward, "--json").json)["lstms"]
    assert (found["directions"], found["input_size"], found["hidden_size"]) == (1, D, H)
    assert [cell["direction"] for cell in found["cells"]] == ["reverse"]
    assert "LSTM        1 layer, in reverse" in done("inspect", backward).lines
    assert "LSTM        2 layers, forward and reverse in turn" in done("inspect", in_turn).lines


def test_a_state_is_handed_on_under_the_name_of_its_direction(done, backward, vectors, tmp_path):
    """A text read from its end: the last half first, then the first half from its state."""
    x = np.load(vectors)
    np.save(tmp_path / "late.npy", x[3:])
    np.save(tmp_path / "early.npy", x[:3])
    state = tmp_path / "state.safetensors"
    given = ("run", "-w", backward, "--json", "--vectors")
    late = done(*given, tmp_path / "late.npy", "--final-state", state).json
    early = done(*given, tmp_path / "early.npy", "--initial-state", state).json
    whole = done(*given, vectors).json
    hidden = [[s["hidden"] for s in d["sequences"][0]["steps"]] for d in (early, late, whole)]
    assert hidden[0] + hidden[1] == hidden[2]


@pytest.mark.parametrize("to", ["native", "pytorch", "onnx", "textbook"])
@pytest.mark.parametrize("name", ["backward", "in_turn"])
def test_a_reverse_direction_is_converted(name, to, lstm, vectors, tmp_path, request):
    weights, out = request.getfixturevalue(name), tmp_path / "out.safetensors"
    assert lstm("convert", weights, out, "--to", to).code == 0
    given = ("run", "--vectors", vectors, "--show", "all", "--json", "-w")
    one, other = (lstm(*given, path).json["sequences"] for path in (weights, out))
    assert one == other


def test_a_port_of_a_reverse_layer_is_checked_and_its_mistake_is_found(
    lstm, done, valid, backward, vectors, tmp_path
):
    golden = valid(
        "golden", done("golden", "-w", backward, "--vectors", vectors, "--format", "json").json
    )
    (cell,) = golden["cells"]
    assert cell["direction"] == "reverse"
    record = expected(backward, vectors)[0, "reverse"]
    np.testing.assert_allclose(cell["expected"]["hidden"], [s["hidden"] for s in record], atol=1e-6)
    turned = load(backward).run(vectors=np.load(vectors)[::-1])
    np.savez(tmp_path / "port.npz", h=turned.hidden, c=turned.cell)
    port = ("--map", "l0.reverse.hidden=h,l0.reverse.cell=c", "--vectors", vectors)
    found = lstm("compare", backward, tmp_path / "port.npz", *port)
    assert found.code == 1
    assert "the input is read from its end" in found.stdout
    trace = tmp_path / "trace.json"
    done("run", "-w", backward, "--vectors", vectors, "--show", "all", "-o", trace)
    assert lstm("compare", trace, backward).code == 0


def test_allennlps_alternating_stack_reads_in_turn(lstm, vectors, in_turn, tmp_path):
    names = {"weight_ih": "input_linearity.weight", "weight_hh": "state_linearity.weight",
             "bias_ih": "state_linearity.bias"}  # fmt: skip
    arrays = {
        f"encoder.layer_{n}.cell.{names[name.removesuffix(end)]}": array
        for n, (end, width) in enumerate((("_l0", D), ("_l1_reverse", H)))
        for name, array in torch_layer(end, width, 2 + n).items()
    }
    path = write(tmp_path / "alternating.safetensors", arrays)
    given = ("run", "--vectors", vectors, "--show", "all", "--json", "-w")
    found, expected = lstm(*given, path), lstm(*given, in_turn)
    assert found.json["sequences"] == expected.json["sequences"]
    told = (
        "directions: encoder.layer_0.cell, encoder.layer_1.cell read forward and reverse in turn, "
        "as AllenNLP's StackedAlternatingLstm does"
    )
    assert told in found.json["model"]["assumed"]
    assert told in found.stderr


def test_independent_directions_and_a_residual_connection_are_run(lstm, valid, elmo, vectors):
    given = ("run", "-w", elmo, "--vectors", vectors, "--dtype", "float64", "--show", "all")
    document = valid("trace", lstm(*given, "--json").json)
    assert (document["model"]["independent"], document["model"]["residual"]) == (True, True)
    record = expected(elmo, vectors)
    check_numbers(document, record)
    text = lstm(*given).stdout
    assert "2 layers of 3 units, forward and reverse, directions independent, residual" in text
    below, top = record[0, "reverse"], record[1, "reverse"]
    for one, other in zip(below, top, strict=True):
        assert other["layer_input"] == one["hidden"]
        assert other["layer_output"] == [
            h + x for h, x in zip(other["hidden"], other["layer_input"], strict=True)
        ]


def test_what_a_file_does_not_tell_of_a_stack_is_said_and_is_an_option(lstm, elmo, vectors):
    given = ("run", "-w", elmo, "--vectors", vectors, "--dtype", "float64", "--show", "all")
    told = lstm(*given, "--json")
    line = "residual: from layer 1 on, what a layer reads is added to what it hands on"
    assert f"{line} (--no-residual)" in told.json["model"]["assumed"]
    plain = lstm(*given, "--json", "--no-residual")
    assert line not in plain.stderr
    assert plain.json["model"]["residual"] is False
    check_numbers(plain.json, expected(elmo, vectors, residual=False))


def test_a_residual_connection_can_be_told_of_any_stack(done, refusal, in_turn, backward, vectors):
    given = ("run", "-w", in_turn, "--vectors", vectors, "--dtype", "float64", "--show", "all")
    document = done(*given, "--json", "--residual").json
    assert document["model"]["residual"]
    check_numbers(document, expected(in_turn, vectors, residual=True))
    said = refusal(3, "run", "-w", backward, "--vectors", vectors, "--residual")
    assert said == (
        f"{backward}: --residual: expected at least two layers, found one. Leave it out."
    )


def test_inspect_says_how_a_stack_is_connected(lstm, valid, elmo, in_turn):
    (found,) = valid("inspect", lstm("inspect", elmo, "--json").json)["lstms"]
    assert (found["independent"], found["residual"], found["layout"]) == (True, True, "elmo")
    says = "LSTM        2 layers, forward and reverse, directions independent, residual"
    assert says in lstm("inspect", elmo).lines
    (found,) = valid("inspect", lstm("inspect", in_turn, "--json").json)["lstms"]
    assert (found["independent"], found["residual"]) == (False, False)


def test_the_native_file_says_how_a_stack_is_connected(lstm, done, elmo, vectors, tmp_path):
    out, options = tmp_path / "out.safetensors", ("--cell-clip", "0.5", "--forget-bias", "2")
    assert lstm("convert", elmo, out, *options).code == 0
    given = ("run", "--vectors", vectors, "--show", "all", "--json")
    before, after = lstm(*given, "-w", elmo, *options).json, done(*given, "-w", out).json
    assert before["sequences"] == after["sequences"]
    assert after["model"]["assumed"] == []
    (found,) = done("inspect", out, "--json").json["lstms"]
    assert (found["independent"], found["residual"]) == (True, True)
    assert "self-test passed" in done("inspect", out, "--verify").stdout
    refused = lstm("convert", elmo, tmp_path / "x.safetensors", "--to", "pytorch")
    assert refused.code == 3
    assert "--to: pytorch cannot hold directions that never meet." in refused.stderr


@pytest.mark.parametrize("lost", ["independent", "residual"])
def test_the_self_test_finds_a_connection_that_was_lost(lost, lstm, elmo, tmp_path):
    """Without a residual connection the shapes are the same: the numbers have to tell."""
    out, changed = tmp_path / "out.safetensors", tmp_path / "changed.safetensors"
    lstm("convert", elmo, out)
    archive = open_archive(out)
    stack = json.loads(archive.metadata["stack"])
    del stack[lost]
    arrays = {name: archive.read(name, "float32") for name in archive.tensors}
    metadata = {**archive.metadata, "stack": json.dumps(stack)}
    changed.write_bytes(archive_bytes(arrays, metadata))
    assert lstm("inspect", changed, "--verify").code == (1 if lost == "residual" else 3)


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ({"apart": True}, "expected options among independent, residual; found apart."),
        ({"residual": 1}, "residual: expected true or false, found 1."),
        ([], "expected a JSON object, found '[]'."),
    ],
)
def test_a_native_file_with_another_stack_is_refused(stack, message, refusal, lstm, elmo, tmp_path):
    lstm("convert", elmo, tmp_path / "out.safetensors")
    archive = open_archive(tmp_path / "out.safetensors")
    arrays = {name: archive.read(name, "float32") for name in archive.tensors}
    path = tmp_path / "changed.safetensors"
    path.write_bytes(archive_bytes(arrays, {**archive.metadata, "stack": json.dumps(stack)}))
    said = refusal(3, "run", "--ids", "1", "-w", path)
    assert said == f"{path}: metadata: stack: {message}"


def test_a_port_of_such_a_stack_is_checked(lstm, valid, elmo, vectors, tmp_path):
    given = ("-w", elmo, "--vectors", vectors, "--dtype", "float64")
    golden = valid("golden", lstm("golden", *given, "--format", "json").json)
    assert (golden["model"]["independent"], golden["model"]["residual"]) == (True, True)
    record = expected(elmo, vectors)
    for cell in golden["cells"]:
        steps = record[cell["layer"], cell["direction"]]
        found = cell["expected"]["layer_output"]
        np.testing.assert_allclose(found, [s["layer_output"] for s in steps], atol=1e-12)
    header = lstm("golden", *given).stdout
    assert "#define LSTM_GOLDEN_INDEPENDENT 1\n#define LSTM_GOLDEN_RESIDUAL 1\n" in header
    assert "#define LSTM_GOLDEN_RESIDUAL 0\n" in lstm("golden", *given, "--no-residual").stdout
    right, wrong = tmp_path / "right.npz", tmp_path / "wrong.npz"
    lstm("run", *given, "--show", "all", "-o", right)
    assert lstm("compare", elmo, right, "--dtype", "float64").code == 0
    lstm("run", *given, "--show", "all", "-o", wrong, "--no-residual")
    found = lstm("compare", elmo, wrong, "--dtype", "float64", "--json").json
    assert found["first"]["address"].startswith("l1.")
    assert ".y[" in found["first"]["address"]


def test_a_mistake_in_such_a_port_is_found(lstm, elmo, vectors, tmp_path):
    """Every mistake is tried with the cells connected as they are."""
    wrong = tmp_path / "wrong.npz"
    options = ("--vectors", vectors, "--gate-activation", "hard-sigmoid", "--show", "all")
    lstm("run", "-w", elmo, *options, "-o", wrong)
    found = lstm("compare", elmo, wrong)
    assert found.code == 1
    assert "the activation of the gates is hard-sigmoid" in found.stdout


@pytest.fixture(scope="module")
def highway(tmp_path_factory):
    """AllenNLP's cell with a highway connection."""
    shapes = {"input_linearity.weight": (6 * H, D), "state_linearity.weight": (5 * H, H),
              "state_linearity.bias": (5 * H,)}  # fmt: skip
    arrays = {f"cell.{name}": a for name, a in numbers(20, **shapes).items()}
    return write(tmp_path_factory.mktemp("connections") / "highway.safetensors", arrays)


def test_a_highway_connection_is_run(done, valid, highway, vectors):
    given = ("run", "-w", highway, "--vectors", vectors, "--dtype", "float64", "--show", "all")
    document = valid("trace", done(*given, "--json").json)
    check_numbers(document, expected(highway, vectors))
    assert document["model"]["layout"] == "allennlp-highway"
    first = document["sequences"][0]["steps"][-1]
    plain = np.multiply(first["output"], first["tanh_cell"])
    assert np.abs(plain - first["hidden"]).max() > 0.01
    assert first["layer_output"] == first["hidden"]


def test_inspect_tells_the_blocks_of_a_highway(done, valid, highway):
    (found,) = valid("inspect", done("inspect", highway, "--json").json)["lstms"]
    assert (found["layout"], found["gate_order"]) == ("allennlp-highway", "i f g o r p")
    assert (found["hidden_size"], found["input_size"], found["biases"]) == (H, D, 1)
    (cell,) = found["cells"]
    assert cell["parameters"] == 6 * H * D + 5 * H * H + 5 * H
    assert cell["parameters_per_gate"] == H * D + H * H + H


def test_a_highway_goes_into_the_native_file_and_into_no_other(
    done, lstm, refusal, highway, vectors, tmp_path
):
    out = tmp_path / "out.safetensors"
    assert done("convert", highway, out).code == 0
    given = ("run", "--vectors", vectors, "--show", "all", "--json", "-w")
    assert done(*given, highway).json["sequences"] == done(*given, out).json["sequences"]
    assert "self-test passed" in done("inspect", out, "--verify").stdout
    (found,) = done("inspect", out, "--json").json["lstms"]
    assert (found["biases"], found["hidden_size"], found["input_size"]) == (1, H, D)
    assert found["cells"][0]["parameters_per_gate"] == H * D + H * H + H
    assert refusal(3, "convert", highway, tmp_path / "x.safetensors", "--to", "pytorch") == (
        "--to: pytorch cannot hold highway_ih, highway_hh, highway_bias."
    )


def test_a_port_with_a_highway_is_checked(lstm, done, valid, highway, vectors, tmp_path):
    given = ("-w", highway, "--vectors", vectors)
    (cell,) = valid("golden", done("golden", *given, "--format", "json").json)["cells"]
    weights = cell["weights"]
    assert np.shape(weights["highway_ih"]) == (2 * H, D)
    assert np.shape(weights["highway_hh"]) == (H, H)
    assert "lstm_golden_l0_forward_highway_ih[" in done("golden", *given).stdout
    wrong = tmp_path / "wrong.npz"
    done("run", *given, "--gate-activation", "hard-sigmoid", "--show", "all", "-o", wrong)
    found = lstm("compare", highway, wrong)
    assert found.code == 1
    assert "the activation of the gates is hard-sigmoid" in found.stdout


def test_a_head_reads_what_the_top_layer_hands_on(done, tmp_path):
    random = np.random.default_rng(0)
    cells = [CellParameters(*(random.normal(size=shape) for shape in ((12, w), (12, 3), (12,))))
             for w in (2, 3)]  # fmt: skip
    head = Head(random.normal(size=(4, 3)), names=("a", "b", "c", "d"), predicts_tokens=False)
    parameters = Parameters(tuple(map(LayerParameters, cells)), residual=True)
    save(tmp_path / "x.safetensors", Model(parameters, head=head))
    x = random.normal(size=(T, D))
    np.save(tmp_path / "x.npy", x)
    run = ("run", "-w", tmp_path / "x.safetensors", "--vectors", tmp_path / "x.npy", "--json")
    zeros = {(n, "forward"): ([0.0] * 3, [0.0] * 3) for n in (0, 1)}
    record = reference.stack(reference.layers_of(parameters), x.tolist(), zeros, residual=True)
    top = record[1, "forward"]
    for labels, step in zip(done(*run).json["sequences"][0]["labels"], top, strict=True):
        scores = reference.logits(head.weight.tolist(), None, None, None, step["layer_output"])
        expected = dict(zip("abcd", reference.softmax(scores), strict=True))
        for one in labels:
            assert one["probability"] == pytest.approx(expected[one["label"]], abs=1e-12)
