"""Every way in which a cell may differ, against scalar loops written from the papers."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm.activation_names import PARAMETERS
from lstm.analysis.statistics import gate_statistics
from lstm.cell import step
from lstm.errors import LSTMError, ShapeError
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.sequence import run_cell
from lstm.state import State
from lstm.variants import STANDARD, Variant
from tests import reference
from tests.lstm.comparison import same_bits
from tests.strategies import few, make_cell, randoms
from weights import load, save

D, H, P, T, N = 2, 3, 4, 5, 2  # P is wider than H on purpose: only the projection tells it
QUANTITIES = (
    "pre_input", "pre_forget", "pre_candidate", "pre_output",
    "input", "forget", "candidate", "output", "cell", "tanh_cell", "hidden",
    "previous_cell",
)  # fmt: skip
RECORDED = ("layer_input", "pre_activations", "gates", "cell", "hidden")


def arrays(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        "projection": random.normal(size=(P, H)),
        "peephole_input": random.normal(size=H),
        "peephole_forget": random.normal(size=H),
        "peephole_output": random.normal(size=H),
        "peephole_shown": random.normal(size=H),
        "norm_gain": random.normal(size=4 * H),
        "norm_cell_gain": random.normal(size=H),
        "norm_cell_bias": random.normal(size=H),
        "highway_ih": random.normal(size=(2 * H, D)),
        "highway_hh": random.normal(size=(H, H)),
        "highway_bias": random.normal(size=2 * H),
    }


def needed_by(name: str) -> dict[str, np.ndarray]:
    """What has to be beside an array: the matrices of a highway belong together."""
    matrices = ("highway_ih", "highway_hh") if "highway" in name else ()
    return {matrix: arrays(0)[matrix] for matrix in matrices}


# Each difference by itself; with a clip, one that bites.
ALONE: dict[str, dict[str, Any]] = {
    name: {name: array} for name, array in arrays(1).items() if "highway" not in name
}
HIGHWAY = {name: array for name, array in arrays(4).items() if "highway" in name}
ACTIVATIONS = [
    name if None not in defaults.values() else f"{name}(0.4,0.3)"
    for name, defaults in PARAMETERS.items()
]
ACTIVATIONS += [
    f"{name}({','.join(['0.7', '0.2'][: len(defaults)])})"
    for name, defaults in PARAMETERS.items()
    if defaults
]
ALONE |= {
    f"{kind}={name}": {f"{kind}_activation": name}
    for kind in ("gate", "candidate", "cell")
    for name in ACTIVATIONS
}
ALONE |= {
    "coupled=input": {"coupled": "input"},
    "coupled=forget": {"coupled": "forget"},
    "pre_activation_clip": {"pre_activation_clip": 0.4},
    "cell_clip": {"cell_clip": 0.3},
    "projection_clip": {"projection": arrays(2)["projection"], "projection_clip": 0.1},
    "norm_epsilon": {"norm_gain": arrays(3)["norm_gain"], "norm_epsilon": 0.5},
    "full peepholes": {
        f"peephole_{gate}": np.random.default_rng(n).normal(size=(H, H))
        for n, gate in enumerate(("input", "forget", "output"))
    },
    "highway": HIGHWAY,
    "highway without bias": {k: a for k, a in HIGHWAY.items() if k != "highway_bias"},
    "an int for a clip": {"cell_clip": 1},
}


def cell_of(variant: Variant, seed: int = 0, dtype: Any = np.float64) -> CellParameters:
    random = np.random.default_rng(seed)
    width = H if variant.projection is None else len(variant.projection)
    cast = {name: array.astype(dtype) for name, array in variant.arrays.items()}
    return CellParameters(
        random.normal(size=(4 * H, D)).astype(dtype),
        random.normal(size=(4 * H, width)).astype(dtype),
        random.normal(size=4 * H).astype(dtype),
        replace(variant, **cast),
    )


def given_to(cell: CellParameters, seed: int = 0) -> tuple[np.ndarray, State]:
    """Inputs (N, T, D), and for each sequence a state that is not zero."""
    random = np.random.default_rng(seed + 100)
    state = State(h=random.uniform(-1, 1, (N, cell.output_size)), c=random.normal(size=(N, H)))
    return random.normal(size=(N, T, D)), state


def assert_as_written(cell: CellParameters, seed: int, tolerance: float) -> None:
    """Compare every quantity of every step, in both directions, with the loops."""
    inputs, state = given_to(cell, seed)
    oracle = reference.cell_of(cell)
    for direction in ("forward", "reverse"):
        trace = run_cell(cell, inputs.astype(cell.dtype), cast(state, cell.dtype), direction)
        for n in range(N):
            h, c = state.h[n].tolist(), state.c[n].tolist()
            steps = reference.sequence(oracle, inputs[n].tolist(), h, c, direction)
            for name in QUANTITIES:
                expected = np.array([new[name] for new in steps])
                found = getattr(trace, name)[n]
                np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def cast(state: State, dtype: Any) -> State:
    return State(h=state.h.astype(dtype), c=state.c.astype(dtype))


@pytest.mark.parametrize("name", ALONE)
def test_each_difference_alone_is_as_the_papers_have_it(name: str) -> None:
    assert_as_written(cell_of(Variant(**ALONE[name])), 0, 1e-11)


@pytest.mark.parametrize("name", ALONE)
def test_each_difference_alone_holds_in_float32(name: str) -> None:
    cell = cell_of(Variant(**ALONE[name]), dtype=np.float32)
    inputs, state = given_to(cell)
    trace = run_cell(cell, inputs.astype(np.float32), cast(state, np.float32), "forward")
    wide = run_cell(cell_of(Variant(**ALONE[name])), inputs, state, "forward")
    for quantity in RECORDED:
        found = getattr(trace, quantity)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, getattr(wide, quantity), rtol=2e-4, atol=2e-4)


SAME = {"gate=sigmoid", "candidate=tanh", "cell=tanh"}


@pytest.mark.parametrize("name", ALONE)
def test_each_difference_makes_one(name: str) -> None:
    cell = cell_of(Variant(**ALONE[name]))
    plain = {"projection": cell.variant.projection, "norm_gain": cell.variant.norm_gain}
    if name in ("projection", "norm_gain"):
        plain = {"projection": None, "norm_gain": None}
    other = cell_of(Variant(**plain))
    inputs, state = given_to(cell)
    found = run_cell(cell, inputs, state, "forward").cell
    expected = run_cell(other, inputs, given_to(other)[1], "forward").cell
    if name in SAME:
        np.testing.assert_array_equal(found, expected)
    else:
        changed = not np.allclose(found, expected, atol=1e-3)
        shows = run_cell(cell, inputs, state, "forward").hidden
        assert changed or not np.allclose(
            shows, run_cell(other, inputs, given_to(other)[1], "forward").hidden, atol=1e-3
        )


@st.composite
def variants(draw: st.DrawFn) -> Variant:
    """Any differences together."""
    every = arrays(draw(st.integers(0, 2**16)))
    chosen = draw(st.sets(st.sampled_from(sorted(every))))
    given: dict[str, Any] = {name: every[name] for name in chosen}
    if any("highway" in name for name in given):
        given |= {"highway_ih": every["highway_ih"], "highway_hh": every["highway_hh"]}
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    if "projection" in given and "highway_hh" in given:
        given["highway_hh"] = random.normal(size=(H, P))
    for gate in ("input", "forget", "output"):
        if f"peephole_{gate}" in given and draw(st.booleans()):
            given[f"peephole_{gate}"] = random.normal(size=(H, H))
    for kind in ("gate", "candidate", "cell"):
        given[f"{kind}_activation"] = draw(st.sampled_from(ACTIVATIONS))
    given["coupled"] = draw(st.sampled_from([None, "input", "forget"]))
    clips = ["pre_activation_clip", "cell_clip"] + ["projection_clip"] * ("projection" in given)
    for clip in clips:
        given[clip] = draw(st.none() | st.floats(0.05, 3))
    given["norm_epsilon"] = draw(st.sampled_from([1e-12, 1e-3]))
    return Variant(**given)


def bounded(variant: Variant) -> Variant:
    """Without the growth that unbounded activations have from step to step."""
    return variant if variant.cell_clip else replace(variant, cell_clip=2.0)


@given(variants(), st.integers(0, 2**16))
@settings(deadline=None, max_examples=150)
def test_all_differences_together_are_as_the_papers_have_them(variant: Variant, seed: int) -> None:
    assert_as_written(cell_of(bounded(variant), seed), seed, 1e-8)


@given(variants(), st.integers(0, 2**16))
@few
def test_a_step_is_a_run_of_one_step(variant: Variant, seed: int) -> None:
    cell = cell_of(bounded(variant), seed)
    inputs, state = given_to(cell, seed)
    trace = run_cell(cell, inputs, state, "forward")
    h, c = state.h[0], state.c[0]
    for t in range(T):
        new, gates = step(cell, inputs[0, t], State(h=h, c=c))
        np.testing.assert_allclose(new.h, trace.hidden[0, t], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(new.c, trace.cell[0, t], rtol=1e-9, atol=1e-9)
        found = np.concatenate([gates.i, gates.f, gates.g, gates.o])
        np.testing.assert_allclose(found, trace.gates[0, t], rtol=1e-9, atol=1e-9)
        h, c = new.h, new.c


@given(variants(), st.integers(0, 2**16), st.integers(1, T - 1), st.sampled_from([4, 8]))
@few
def test_a_run_in_two_parts_is_the_whole_run_bit_for_bit(
    variant: Variant, seed: int, cut: int, width: int
) -> None:
    dtype = np.dtype(f"f{width}")
    cell = cell_of(bounded(variant), seed, dtype)
    inputs, state = given_to(cell, seed)
    inputs, state = inputs.astype(dtype), cast(state, dtype)
    whole = run_cell(cell, inputs, state, "forward")
    first = run_cell(cell, inputs[:, :cut], state, "forward")
    second = run_cell(cell, inputs[:, cut:], first.final, "forward")
    for name in RECORDED:
        both = np.concatenate([getattr(first, name), getattr(second, name)], axis=1)
        assert same_bits(both, getattr(whole, name))


@given(variants(), st.integers(0, 2**16))
@few
def test_reverse_is_flip_forward_flip(variant: Variant, seed: int) -> None:
    cell = cell_of(bounded(variant), seed)
    inputs, state = given_to(cell, seed)
    reverse = run_cell(cell, inputs, state, "reverse")
    flipped = run_cell(cell, inputs[:, ::-1], state, "forward")
    for name in RECORDED:
        assert same_bits(getattr(reverse, name), getattr(flipped, name)[:, ::-1])


@given(variants(), st.integers(0, 2**16))
@few
def test_a_sequence_does_not_depend_on_those_beside_it(variant: Variant, seed: int) -> None:
    cell = cell_of(bounded(variant), seed)
    inputs, state = given_to(cell, seed)
    both = run_cell(cell, inputs, state, "forward")
    alone = run_cell(cell, inputs[1:], State(h=state.h[1:], c=state.c[1:]), "forward")
    for name in RECORDED:
        assert same_bits(getattr(alone, name)[0], getattr(both, name)[1])


def test_a_variant_that_differs_in_nothing_is_the_standard_cell() -> None:
    cell = cell_of(Variant())
    assert cell.variant is STANDARD
    inputs, state = given_to(cell)
    same = run_cell(cell, inputs, state, "forward")
    step = run_cell(cell, inputs, state, "forward", edit=lambda _: lambda _, values: values)
    for name in RECORDED:
        np.testing.assert_allclose(getattr(step, name), getattr(same, name), rtol=1e-14, atol=1e-14)


# -- by hand -----------------------------------------------------------------------------------


def one_unit(**variant: Any) -> CellParameters:
    """No weights, open gates (i = f = o = sigmoid of a large number), candidate 0."""
    width = len(variant["projection"]) if "projection" in variant else 1
    return CellParameters(
        np.zeros((4, 1)),
        np.zeros((4, width)),
        np.array([99.0, 99.0, 0.0, 99.0]),
        Variant(**variant),
    )


def after(cell: CellParameters, c: float) -> tuple[list[float], float]:
    new, _ = step(cell, np.zeros(1), State(h=np.zeros(cell.output_size), c=np.array([c])))
    return new.h.tolist(), new.c.item()


def test_a_clipped_cell_is_carried_on_clipped() -> None:
    assert after(one_unit(cell_clip=0.5), 2.0) == ([pytest.approx(np.tanh(0.5))], 0.5)
    assert after(one_unit(cell_clip=0.5), -2.0)[1] == -0.5


def test_a_projection_makes_the_hidden_state_as_wide_as_it_is() -> None:
    cell = one_unit(projection=np.array([[2.0], [-1.0]]), cell_activation="linear")
    assert after(cell, 3.0) == ([6.0, -3.0], 3.0)


def test_a_clipped_projection_clips_only_what_shows() -> None:
    projection = np.array([[2.0], [-1.0]])
    cell = one_unit(projection=projection, projection_clip=2.5, cell_activation="linear")
    assert after(cell, 3.0) == ([2.5, -2.5], 3.0)


def test_sonnets_peephole_adds_to_what_shows() -> None:
    cell = one_unit(peephole_shown=np.array([0.5]), cell_activation="linear")
    assert after(cell, 2.0) == ([3.0], 2.0)


def test_the_output_gate_sees_the_new_cell_and_the_others_the_old_one() -> None:
    """The cell goes from 1 to 0: a gate that sees the old one is open, the other half open."""
    cell = CellParameters(
        np.zeros((4, 1)), np.zeros((4, 1)), np.array([0.0, -999.0, 0.0, 0.0]),
        Variant(peephole_input=np.array([999.0]), peephole_output=np.array([999.0])),
    )  # fmt: skip
    _, gates = step(cell, np.zeros(1), State(h=np.zeros(1), c=np.ones(1)))
    assert (gates.i.item(), gates.o.item()) == (1.0, 0.5)


def test_coupled_gates_share_one() -> None:
    for coupled in ("input", "forget"):
        cell = CellParameters(
            np.zeros((4, 1)), np.zeros((4, 1)), np.array([1.0, 2.0, 0.0, 0.0]),
            Variant(coupled=coupled),
        )  # fmt: skip
        _, gates = step(cell, np.zeros(1), State(h=np.zeros(1), c=np.ones(1)))
        kept = reference.sigmoid(2.0) if coupled == "input" else 1 - reference.sigmoid(1.0)
        assert gates.f.item() == pytest.approx(kept, abs=1e-15)
        assert gates.i.item() == pytest.approx(1 - kept, abs=1e-15)


# -- frozen, checked, written ------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(arrays(0)))
def test_every_array_is_frozen_and_a_copy(name: str) -> None:
    own = arrays(0)[name]
    kept = own.copy()
    variant = Variant(**{**needed_by(name), name: own})
    with pytest.raises(ValueError, match="read-only"):
        getattr(variant, name)[0] = 7
    own[0] = 7
    np.testing.assert_array_equal(getattr(variant, name), kept)


def test_what_a_run_records_is_frozen() -> None:
    every = arrays(0)
    cell = cell_of(Variant(**{**every, "highway_hh": np.ones((H, P))}))
    trace = run_cell(cell, *given_to(cell), "forward")
    for name in RECORDED:
        assert not getattr(trace, name).flags.writeable


def test_every_field_is_told_apart_from_its_default() -> None:
    """A new field has to come into these tests."""
    named = {name for case in ALONE.values() for name in case}
    assert named == {field.name for field in fields(Variant)}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"gate_activation": "step"},
            "gate_activation: expected one of sigmoid, hard-sigmoid, keras3-hard-sigmoid, tanh, "
            "relu, softsign, softplus, linear, leaky-relu, thresholded-relu, elu, affine, "
            "scaled-tanh; found 'step'.",
        ),
        (
            {"cell_activation": "gelu"},
            "cell_activation: expected one of sigmoid, hard-sigmoid, keras3-hard-sigmoid, tanh, "
            "relu, softsign, softplus, linear, leaky-relu, thresholded-relu, elu, affine, "
            "scaled-tanh; found 'gelu'.",
        ),
        ({"coupled": "output"}, "coupled: expected input or forget, found 'output'."),
        ({"cell_clip": 0.0}, "cell_clip: expected a positive number, found 0.0."),
        ({"cell_clip": float("nan")}, "cell_clip: expected a positive number, found nan."),
        ({"cell_clip": float("inf")}, "cell_clip: expected a positive number, found inf."),
        (
            {"pre_activation_clip": -1},
            "pre_activation_clip: expected a positive number, found -1.",
        ),
        ({"norm_epsilon": 0.0}, "norm_epsilon: expected a positive number, found 0.0."),
        (
            {"projection_clip": 1.0},
            "projection_clip: expected a projected hidden state, found none.",
        ),
        (
            {"highway_ih": np.zeros((2, 2)), "highway_bias": np.zeros(2)},
            "highway: expected highway_ih and highway_hh, found highway_ih and highway_bias.",
        ),
    ],
)
def test_what_makes_no_cell_is_refused(given: Any, message: str) -> None:
    with pytest.raises(LSTMError) as caught:
        Variant(**given)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"peephole_input": np.zeros(4)},
            "peephole_input: expected (hidden_size,) or (hidden_size, hidden_size) = (3,), found "
            "(4,).",
        ),
        (
            {"peephole_output": np.zeros((3, 4))},
            "peephole_output: expected (hidden_size,) or (hidden_size, hidden_size) = (3,), found "
            "(3, 4).",
        ),
        (
            {"peephole_shown": np.zeros((3, 3))},
            "peephole_shown: expected (hidden_size,) = (3,), found (3, 3).",
        ),
        ({"norm_gain": np.zeros(3)}, "norm_gain: expected (4*hidden_size,) = (12,), found (3,)."),
        (
            {"norm_cell_bias": np.zeros(4)},
            "norm_cell_bias: expected (hidden_size,) = (3,), found (4,).",
        ),
        (
            {"highway_ih": np.zeros((3, 2)), "highway_hh": np.zeros((3, 3))},
            "highway_ih: expected (2*hidden_size, input_size) = (6, 2), found (3, 2).",
        ),
        (
            {"highway_ih": np.zeros((6, 2)), "highway_hh": np.zeros((3, 4))},
            "highway_hh: expected (hidden_size, hidden_size) = (3, 3), found (3, 4).",
        ),
        (
            {"projection": np.zeros((4, 5))},
            "projection: expected (projection_size, hidden_size) = (4, 3), found (4, 5).",
        ),
        (
            {"projection": np.zeros(3)},
            "projection: expected (projection_size, hidden_size) = (3, 3), found (3,).",
        ),
    ],
)
def test_an_array_of_another_size_is_refused(given: Any, message: str) -> None:
    width = len(given["projection"]) if "projection" in given else H
    with pytest.raises(ShapeError) as caught:
        CellParameters(
            np.zeros((4 * H, D)), np.zeros((4 * H, width)), np.zeros(4 * H), Variant(**given)
        )
    assert str(caught.value) == message


@pytest.mark.parametrize("name", sorted(arrays(0)))
def test_an_array_of_another_dtype_is_refused(name: str) -> None:
    narrow = Variant(**{**needed_by(name), name: arrays(0)[name].astype(np.float32)})
    width = P if name == "projection" else H
    with pytest.raises(LSTMError) as caught:
        CellParameters(np.zeros((4 * H, D)), np.zeros((4 * H, width)), np.zeros(4 * H), narrow)
    assert str(caught.value) == f"{name}: expected float64 as the weights, found float32."


def stack_of(variant: Variant, seed: int, dtype: Any) -> Parameters:
    """Two layers, two directions; each cell has its own numbers."""
    cells = []
    for n in range(4):
        own = {name: array + n for name, array in variant.arrays.items()}
        cells.append(cell_of(replace(variant, **own), seed + n, dtype))
    below, above = cells[:2], cells[2:]
    width = 2 * below[0].output_size
    random = np.random.default_rng(seed)
    for n, cell in enumerate(above):
        own = {"weight_ih": random.normal(size=(4 * H, width)).astype(dtype)}
        if variant.highway_ih is not None:
            wider = random.normal(size=(2 * H, width)).astype(dtype)
            own["variant"] = replace(cell.variant, highway_ih=wider)
        above[n] = replace(cell, **own)
    return Parameters((LayerParameters(*below), LayerParameters(*above)))


@given(variants(), st.integers(0, 2**16), st.sampled_from([4, 8]))
@few
def test_a_native_file_holds_every_variant_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, variant: Variant, seed: int, width: int
) -> None:
    parameters = stack_of(variant, seed, np.dtype(f"f{width}"))
    path = tmp_path_factory.mktemp("variant") / "model.safetensors"
    save(path, Model(parameters))
    for layer, again in zip(parameters.layers, load(path).parameters.layers, strict=True):
        for direction, cell in layer.directions.items():
            read = again.directions[direction]
            assert all(map(same_bits, cell.arrays, read.arrays))
            assert read.variant.options == cell.variant.options
            assert read.variant.arrays.keys() == cell.variant.arrays.keys()
            for name, array in cell.variant.arrays.items():
                assert same_bits(read.variant.arrays[name], array)


def test_the_directions_of_a_native_file_may_have_options_of_their_own(tmp_path: Path) -> None:
    variants = (
        Variant(cell_clip=1.0, gate_activation="elu(0.5)"),
        Variant(cell_clip=2.0, coupled="forget"),
    )
    layer = LayerParameters(*map(cell_of, variants))
    save(tmp_path / "model.safetensors", Model(Parameters((layer,))))
    (again,) = load(tmp_path / "model.safetensors").parameters.layers
    assert [cell.variant.options for cell in again.directions.values()] == [
        {"cell_clip": 1.0, "gate_activation": "elu(0.5)"}, {"cell_clip": 2.0, "coupled": "forget"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [[Variant(cell_clip=1.0)], [Variant(cell_clip=2.0)]],
            "save: expected the same options for every layer, found different ones.",
        ),
        (
            [[Variant(cell_clip=1.0), Variant()]],
            "save: expected cell_clip in both directions or in none, found it in one.",
        ),
    ],
)
def test_options_that_a_native_file_cannot_hold_are_refused(
    tmp_path: Path, layers: list[list[Variant]], message: str
) -> None:
    random = np.random.default_rng(0)
    made = [
        LayerParameters(*(replace(make_cell(random, H, H), variant=v) for v in variants))
        for variants in layers
    ]
    with pytest.raises(LSTMError) as caught:
        save(tmp_path / "model.safetensors", Model(Parameters(tuple(made))))
    assert str(caught.value) == message


@given(randoms)
@few
def test_a_projected_hidden_state_is_what_the_next_layer_reads(random: np.random.Generator) -> None:
    seed = int(random.integers(2**16))
    parameters = stack_of(Variant(projection=arrays(seed)["projection"]), seed, np.float64)
    trace = Model(parameters).run(vectors=random.normal(size=(T, D)))
    assert trace.layers[0].hidden.shape == (T, 2 * P)
    assert trace.layers[0].cell.shape == (T, 2 * H)
    assert same_bits(trace.layers[1].forward.layer_input, trace.layers[0].hidden)


def test_statistics_of_a_projected_cell_are_of_its_own_blocks() -> None:
    """P + D is less than H here, so that no column can be taken for another."""
    random = np.random.default_rng(4)
    projection = random.normal(size=(2, 7))
    cell = CellParameters(
        random.normal(size=(28, 3)), random.normal(size=(28, 2)), np.zeros(28),
        Variant(projection=projection),
    )  # fmt: skip
    for number, gate in enumerate(gate_statistics(cell)):
        rows = slice(7 * number, 7 * number + 7)
        assert gate.weight_hh is not None
        assert gate.weight_ih is not None
        assert gate.weight_hh.maximum == cell.weight_hh[rows].max()
        assert gate.weight_ih.maximum == cell.weight_ih[rows].max()
        # The eigenvalues of A B that are not zero are those of B A.
        small = np.linalg.eigvals(projection @ cell.weight_hh[rows])
        assert gate.spectral_radius == pytest.approx(np.abs(small).max())
