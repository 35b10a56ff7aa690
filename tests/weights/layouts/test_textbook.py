from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from lstm.errors import LSTMError, ShapeError
from tests.weights.builders import FIXTURES, assert_same, close, needs_fixtures, run_as, write
from weights import load
from weights.errors import NotAnLSTMError, WeightsError

# One unit, one input: (weight of h, weight of x, bias), all different.
GATES = {
    "FG": (0.1, 0.2, 0.3),
    "IPG": (-0.4, 0.5, -0.6),
    "CS": (0.7, -0.8, 0.9),
    "OPG": (1.0, 1.1, -1.2),
}


def one_unit(place: str = "", scale: float = 1.0, biases: bool = True) -> dict[str, np.ndarray]:
    arrays = {}
    for gate, (h, x, b) in GATES.items():
        arrays[f"{place}W{gate}"] = np.array([[h * scale, x * scale]], np.float64)
        if biases:
            arrays[f"{place}B{gate}"] = np.array([b * scale], np.float64)
    return arrays


def units(size: int, width: int, place: str = "", seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        f"{place}{letter}{gate}": random.standard_normal(shape)
        for gate in GATES
        for letter, shape in (("W", (size, size + width)), ("B", (size,)))
    }


def by_hand(xs: list[float], h: float, c: float, scale: float = 1.0, bias: float = 1.0):
    """The textbook's six lines, with math only."""

    def sum_of(gate: str, h: float, x: float) -> float:
        weight_h, weight_x, b = (number * scale for number in GATES[gate])
        return weight_h * h + weight_x * x + bias * b

    def sigmoid(z: float) -> float:
        return 1 / (1 + math.exp(-z))

    states = []
    for x in xs:
        forget = sigmoid(sum_of("FG", h, x))
        enter = sigmoid(sum_of("IPG", h, x))
        candidate = math.tanh(sum_of("CS", h, x))
        out = sigmoid(sum_of("OPG", h, x))
        c = forget * c + enter * candidate
        h = out * math.tanh(c)
        states.append((h, c))
    return states


def test_one_unit_is_the_textbooks_arithmetic(tmp_path: Path) -> None:
    model = load(write(tmp_path / "model.safetensors", one_unit()))
    xs = [0.5, -1.5, 2.0]
    start = {"layers.0.forward.hidden": np.array([0.25]), "layers.0.forward.cell": np.array([-0.5])}
    trace = model.run(vectors=np.array(xs)[:, np.newaxis], initial_state=start)
    expected = by_hand(xs, 0.25, -0.5)
    close(trace.hidden[:, 0], np.array([h for h, _ in expected]), 1e-15)
    close(trace.cell[:, 0], np.array([c for _, c in expected]), 1e-15)


def test_without_biases_nothing_is_added(tmp_path: Path) -> None:
    model = load(write(tmp_path / "model.safetensors", one_unit(biases=False)))
    trace = model.run(vectors=np.array([[0.5], [-1.5]]))
    close(trace.cell[:, 0], np.array([c for _, c in by_hand([0.5, -1.5], 0, 0, bias=0)]), 1e-15)


def test_a_gate_opens_the_way_it_is_named(tmp_path: Path) -> None:
    arrays = {f"W{gate}": [[0.0, 0.0]] for gate in GATES}
    arrays |= {"BFG": [-100.0], "BIPG": [100.0], "BCS": [100.0], "BOPG": [0.0]}
    trace = load(write(tmp_path / "model.safetensors", arrays)).run(vectors=np.ones((1, 1)))
    record = trace.layers[0].forward
    found = [float(a[0, 0]) for a in (record.forget, record.input, record.candidate, record.output)]
    np.testing.assert_allclose(found, [0, 1, 1, 0.5], atol=1e-7)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("0.", "1."),
        ("1.", "2."),
        ("layers.0.", "layers.1."),
        ("layers.1.", "layers.2."),
        ("l1.", "l2."),
        ("l0/", "l1/"),
        ("cell_0_", "cell_1_"),
        ("0.forward.", "1.forward."),
    ],
)
def test_a_number_before_the_name_is_the_layer(tmp_path: Path, first: str, second: str) -> None:
    arrays = {**one_unit(second, scale=2.0), **one_unit(first)}
    model = load(write(tmp_path / "model.safetensors", arrays))
    trace = model.run(vectors=np.array([[0.5], [-1.5]]))
    below = by_hand([0.5, -1.5], 0, 0)
    above = by_hand([h for h, _ in below], 0, 0, scale=2.0)
    close(trace.hidden[:, 0], np.array([h for h, _ in above]), 1e-15)


@pytest.mark.parametrize("mark", ["reverse", "backward"])
@pytest.mark.parametrize("forward", ["0.", "0.forward."])
def test_both_directions_are_read(tmp_path: Path, mark: str, forward: str) -> None:
    arrays = {**one_unit(forward), **one_unit(f"0.{mark}.", scale=-3.0)}
    trace = load(write(tmp_path / "model.safetensors", arrays)).run(
        vectors=np.array([[0.5], [-1.5], [2.0]])
    )
    there = [h for h, _ in by_hand([0.5, -1.5, 2.0], 0, 0)]
    back = [h for h, _ in by_hand([2.0, -1.5, 0.5], 0, 0, scale=-3.0)][::-1]
    close(trace.hidden, np.array([there, back]).T, 1e-15)


@pytest.mark.parametrize("shape", [(3, 1), (1, 3)])
def test_a_bias_may_be_a_column_or_a_row(tmp_path: Path, shape: tuple[int, int]) -> None:
    flat = units(3, 2)
    shaped = {n: a.reshape(shape) if n.startswith("B") else a for n, a in flat.items()}
    x = np.random.default_rng(1).standard_normal((4, 2))
    one = load(write(tmp_path / "flat.safetensors", flat)).run(vectors=x)
    other = load(write(tmp_path / "shaped.safetensors", shaped)).run(vectors=x)
    np.testing.assert_array_equal(one.hidden, other.hidden)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("WFG", (3, 6), "WFG: expected (hidden_size, hidden_size + input_size) = (3, 5), "),
        ("WCS", (2, 5), "WCS: expected (hidden_size, hidden_size + input_size) = (3, 5), "),
        ("BIPG", (4,), "BIPG: expected (hidden_size,) = (3,), "),
        ("BOPG", (3, 3), "BOPG: expected (hidden_size,) = (3,), "),
        ("BCS", (3, 1, 2), "BCS: expected (hidden_size,) = (3,), "),
        ("BCS", (), "BCS: expected (hidden_size,) = (3,), "),
    ],
)
def test_the_tensor_with_the_wrong_shape_is_named(
    tmp_path: Path, name: str, shape: tuple[int, ...], message: str
) -> None:
    arrays = units(3, 2)
    arrays[name] = np.zeros(shape)
    path = write(tmp_path / "model.safetensors", arrays)
    with pytest.raises(ShapeError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {message}found {shape}."
    assert caught.value.found == shape


@pytest.mark.parametrize(
    ("gate", "missing"),
    [("FG", "forget"), ("IPG", "input"), ("CS", "candidate"), ("OPG", "output")],
)
def test_a_missing_gate_is_named(tmp_path: Path, gate: str, missing: str) -> None:
    arrays = units(3, 2)
    del arrays[f"W{gate}"]
    path = write(tmp_path / "model.safetensors", arrays)
    with pytest.raises(NotAnLSTMError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: layer 0 forward: expected a weight of the {missing} gate, found none."
    )


def test_a_missing_bias_of_one_gate_is_named(tmp_path: Path) -> None:
    arrays = units(3, 2)
    del arrays["BOPG"]
    path = write(tmp_path / "model.safetensors", arrays)
    with pytest.raises(NotAnLSTMError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: layer 0 forward: expected a bias of the output gate, found none."
    )


def test_a_missing_middle_layer_is_named(tmp_path: Path) -> None:
    arrays = {**units(3, 2, "0."), **units(3, 3, "2.")}
    path = write(tmp_path / "model.safetensors", arrays)
    with pytest.raises(NotAnLSTMError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: expected layers 0 to 2, each forward; found no layer 1 forward."
    )


def test_a_first_layer_with_a_number_above_one_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", {**units(3, 2, "2."), **units(3, 3, "3.")})
    with pytest.raises(LSTMError, match="layer"):
        load(path)


def test_a_layer_that_lacks_a_direction_is_named(tmp_path: Path) -> None:
    arrays = {**units(3, 2, "0."), **units(3, 2, "0.reverse."), **units(3, 6, "1.")}
    path = write(tmp_path / "model.safetensors", arrays)
    with pytest.raises(NotAnLSTMError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: expected layers 0 to 1, each forward and reverse; found no layer 1 reverse."
    )


def test_a_lone_reverse_direction_is_read_as_one(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", units(3, 2, "0.reverse."))
    (layer,) = load(path).parameters.layers
    assert list(layer.directions) == ["reverse"]
    other = write(tmp_path / "forward.safetensors", units(3, 2, "0."))
    np.testing.assert_array_equal(
        layer.reverse.weight_ih, load(other).parameters.layers[0].forward.weight_ih
    )


@pytest.mark.parametrize("places", [("", "0."), ("0.", "0.forward."), ("0.", "0/")])
def test_two_tensors_for_one_place_are_refused(tmp_path: Path, places: tuple[str, str]) -> None:
    one, other = places
    arrays = {**units(3, 2, one), **units(3, 2, other, seed=1)}
    with pytest.raises(LSTMError, match="expected one tensor for a place, found "):
        load(write(tmp_path / "model.safetensors", arrays))


def test_the_layer_below_decides_how_wide_an_input_is(tmp_path: Path) -> None:
    arrays = {**units(3, 2, "0."), **units(4, 5, "1.")}
    path = write(tmp_path / "model.safetensors", arrays)
    with pytest.raises(ShapeError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: layer 1 weight_ih: expected (4*hidden_size, directions*hidden_size of the "
        "layer below) = (16, 3), found (16, 5)."
    )


def test_a_matrix_over_the_hidden_state_alone_is_refused(tmp_path: Path) -> None:
    arrays = {f"W{gate}": np.zeros((3, 3)) for gate in GATES}
    path = write(tmp_path / "model.safetensors", arrays)
    with pytest.raises(NotAnLSTMError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: layer 0 forward: expected input and hidden size of at least 1, found 0 and 3."
    )


def test_an_unknown_gate_beside_the_others_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", {**units(3, 2), "WPEEP": np.zeros((3, 5))})
    with pytest.raises(WeightsError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: WPEEP: expected only tensors of the layout textbook beside BCS, found this "
        "one, which it does not know."
    )


@needs_fixtures
def test_torchs_weights_under_the_textbooks_names_give_what_torch_gave() -> None:
    model = load(FIXTURES / "layouts" / "textbook_WFG_hx.safetensors")
    with np.load(FIXTURES / "layouts" / "textbook_WFG_hx.npz") as run:
        assert_same(run_as(model, run), run, 1e-5)
