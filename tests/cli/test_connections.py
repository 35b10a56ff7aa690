"""How the layers of a stack are connected, through the real command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests import reference
from weights import load
from weights.archive import archive_bytes

D, H, T = 2, 3, 5


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


def expected(weights: Path, vectors: Path) -> dict[tuple[int, str], list[dict]]:
    """What the reference makes of it."""
    parameters = load(weights, dtype="float64").parameters
    zeros = {
        (n, name): ([0.0] * cell.output_size, [0.0] * cell.hidden_size)
        for n, layer in enumerate(parameters.layers)
        for name, cell in layer.directions.items()
    }
    return reference.stack(
        reference.layers_of(parameters), np.load(vectors).astype(float).tolist(), zeros
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
