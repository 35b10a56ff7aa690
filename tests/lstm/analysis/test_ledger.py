"""The ledger: sums by hand, the identity on every variant that it claims, refusals by name."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.analysis.intervention import CellIntervention, Change
from lstm.analysis.ledger import Ledger, expected_half_life, half_life
from lstm.errors import LSTMError
from lstm.parameters import CellParameters
from lstm.sequence import run_cell
from lstm.state import State
from lstm.variants import Variant
from tests.strategies import cells, few, make_cell, randoms

SIDES = ("forward", "reverse")
RESIDUAL = {"float32": 1e-5, "float64": 1e-12}


def run(cell, random, direction="forward", steps=7):
    inputs = random.normal(size=(1, steps, cell.input_size)).astype(cell.dtype)
    h = random.uniform(-1, 1, cell.output_size).astype(cell.dtype)
    c = random.uniform(-3, 3, cell.hidden_size).astype(cell.dtype)
    return run_cell(cell, inputs, State(h, c), direction).sequence(0)


def varied(cell, random, name):
    """The cell with one variant."""
    size, dtype = cell.hidden_size, cell.dtype
    vector = random.normal(size=size).astype(dtype)
    if name == "projection":
        matrix = random.normal(size=(2, size)).astype(dtype)
        variant = Variant(projection=matrix, projection_clip=0.2)
        return CellParameters(cell.weight_ih, cell.weight_hh[:, :2], cell.bias, variant)
    variant = {
        "standard": Variant(),
        "clip": Variant(cell_clip=0.4),
        "coupled": Variant(coupled="input"),
        "peepholes": Variant(
            peephole_input=vector, peephole_forget=-vector, peephole_output=vector
        ),
        "shown": Variant(peephole_shown=vector),
        "hard": Variant(gate_activation="hard-sigmoid", cell_activation="softsign"),
        "with numbers": Variant(
            gate_activation="hard-sigmoid(0.3,0.4)", cell_activation="elu(0.5)"
        ),
        "normed gates": Variant(norm_gain=np.tile(vector, 4)),
    }[name]
    return replace(cell, variant=variant)


VARIANTS = ("standard", "clip", "coupled", "peepholes", "shown", "hard", "with numbers",
            "normed gates")  # fmt: skip


@few
@given(cells(), randoms)
@pytest.mark.parametrize("direction", SIDES)
@pytest.mark.parametrize("name", VARIANTS)
def test_the_shares_add_up_to_cell_and_hidden_state(name, direction, cell, random):
    cell = varied(cell, random, name)
    trace = run(cell, random, direction)
    ledger = Ledger(cell, trace)
    limit = RESIDUAL[str(cell.dtype)]
    assert ledger.residual <= limit
    for entry in ledger.entries():
        shares = ledger.hidden_shares(entry)
        size = np.abs(shares).sum(axis=0)
        missed = np.abs(shares.sum(axis=0) - trace.hidden[entry.step])
        assert (missed <= 10 * limit * size + 1e-300).all()


@few
@given(randoms, st.sampled_from([np.float32, np.float64]))
def test_the_shares_add_up_through_a_clipped_projection(random, dtype):
    cell = varied(make_cell(random, 2, 5, dtype), random, "projection")
    trace = run(cell, random)
    ledger = Ledger(cell, trace)
    for entry in ledger.entries():
        sums = ledger.hidden_shares(entry).sum(axis=0)
        np.testing.assert_allclose(sums, trace.hidden[entry.step], atol=2e-5)


CHANGES = ("l0.c[0]@2:=0.7", "l0.c@5:=0", "l0.f[1:]@1:=1", "l0.i@3:4:=0.25", "l0.h[0]@2:=-0.4",
           "l0.h[1:]@4:=0")  # fmt: skip


@few
@given(
    randoms, st.sampled_from([np.float32, np.float64]), st.sampled_from([*VARIANTS, "projection"])
)
@pytest.mark.parametrize("direction", SIDES)
def test_the_shares_add_up_whatever_is_set_on_the_way(direction, random, dtype, name):
    cell = varied(make_cell(random, 2, 5, dtype), random, name)
    changes = tuple(Change.parse(text) for text in CHANGES)
    edits = CellIntervention(changes)
    inputs = random.normal(size=(1, 7, 2)).astype(dtype)
    start = State(np.full(cell.output_size, 0.3, dtype), np.full(5, -0.8, dtype))
    trace = run_cell(cell, inputs, start, direction, edit=edits).sequence(0)
    ledger = Ledger(cell, trace, edits)
    limit = RESIDUAL[str(np.dtype(dtype))]
    assert ledger.residual <= limit
    for entry in ledger.entries():
        shares = ledger.hidden_shares(entry)
        sizes = np.abs(ledger.cell.variant.projection).sum() if name == "projection" else 1
        missed = np.abs(shares.sum(axis=0) - trace.hidden[entry.step])
        assert (missed <= 10 * limit * sizes * (np.abs(shares).sum(axis=0) + 1)).all()
    # What is set was written there, and nothing from before is left of it.
    at_two = ledger.entry(2)
    assert at_two.shares[3, 0] == trace.cell[2, 0] == dtype(0.7)
    assert not np.delete(at_two.shares[:, 0], 3).any()
    assert not np.delete(at_two.survival[:, 0], 3).any()
    assert ledger.hidden_shares(at_two)[3, 0] == dtype(-0.4)


def test_by_hand():
    """Two steps: c0 = 4, f = 1/2 always, i g = 1/2 and then 1/4."""
    cell = CellParameters(np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4))
    trace = run(cell, np.random.default_rng(0), steps=2)
    half = np.full((2, 1), 0.5)
    gates = np.concatenate([half, half, [[1.0], [0.5]], half], axis=1)
    trace = trace._replace(
        gates=gates, cell=np.array([[2.5], [1.5]]), initial=State(np.zeros(1), np.array([4.0]))
    )
    first, second = Ledger(cell, trace).entries()
    assert first.shares.ravel().tolist() == [2.0, 0.5, 0.0]
    assert second.shares.ravel().tolist() == [1.0, 0.25, 0.25]
    assert second.survival.ravel().tolist() == [0.25, 0.5, 1.0]
    assert Ledger(cell, trace).residual == 0


def test_of_no_steps_nothing_is_written():
    cell = make_cell(np.random.default_rng(0), 2, 3)
    zero = State(np.zeros(3), np.zeros(3))
    for direction in ("forward", "reverse"):
        trace = run_cell(cell, np.empty((1, 0, 2)), zero, direction).sequence(0)
        ledger = Ledger(cell, trace)
        assert ledger.kept.shape == ledger.written.shape == (0, 3)
        assert list(ledger.entries()) == []
        assert ledger.residual == 0


def test_a_residual_shows_what_is_missing():
    random = np.random.default_rng(1)
    cell = make_cell(random)
    trace = run(cell, random)
    assert Ledger(cell, trace._replace(cell=trace.cell + 0.1)).residual > 1e-3


def test_where_the_cell_is_zero_the_factor_is_the_output_gate():
    cell = CellParameters(np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4))
    trace = run_cell(cell, np.zeros((1, 1, 1)), State(np.zeros(1), np.zeros(1)), "forward")
    ledger = Ledger(cell, trace.sequence(0))
    assert ledger._shown(0).tolist() == [0.5]


def test_of_what_is_no_number_nobody_knows_the_half_life():
    found = half_life(np.array([[0.5, np.nan], [0.5, 0.5]]))
    assert found[0] == 1
    assert np.isnan(found[1])


def test_half_lives_by_hand():
    assert half_life(np.array([[0.25, 1.0, 0.0]])).tolist() == [0.5, np.inf, 0.0]
    bias = np.array([0.0, np.log(3.0), 0.0, 0.0])  # the forget gate's is sigmoid(ln 3) = 3/4
    cell = CellParameters(np.zeros((4, 1)), np.zeros((4, 1)), bias)
    np.testing.assert_allclose(expected_half_life(cell), [-1 / np.log2(0.75)])
    # 0.25 ln 3 + 0.3 instead.
    variant = Variant(gate_activation="hard-sigmoid(0.25,0.3)")
    found = expected_half_life(replace(cell, variant=variant))
    np.testing.assert_allclose(found, [-1 / np.log2(0.25 * np.log(3.0) + 0.3)])


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        (Variant(norm_cell_gain=np.ones(3)), "found layer normalisation of the cell state"),
        (Variant(cell_activation="sigmoid"), "found sigmoid: part of the hidden state"),
    ],
)
def test_what_has_no_such_account_is_refused_by_name(variant, message):
    random = np.random.default_rng(0)
    cell = replace(make_cell(random), variant=variant)
    trace = run(cell, random)

    def account():
        ledger = Ledger(cell, trace)
        return ledger.hidden_shares(ledger.entry(3))

    with pytest.raises(LSTMError, match=message):
        account()
