"""What the memory consists of: against products written out, and against the head itself."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from lstm.analysis.ledger import Ledger, missed
from lstm.analysis.memory import LogitAccount, Memory
from lstm.analysis.outcome import Outcome
from lstm.errors import LSTMError
from lstm.head import Head
from lstm.model import Model
from lstm.variants import Variant
from tests import reference
from tests.strategies import cases, few, make_model, make_state, randoms

RESIDUAL = {"float32": 1e-5, "float64": 1e-12}


def written_out(record, unit, step, order):
    """The shares of one unit after a step: for each k the product of the gates since."""
    read = order[: order.index(step) + 1]
    shares = [math.prod(record.forget[t, unit] for t in read) * record.initial.c[unit]]
    for k in range(record.num_steps):
        since = read[read.index(k) + 1 :] if k in read else None
        kept = 0.0 if since is None else math.prod(record.forget[t, unit] for t in since)
        shares.append(kept * record.input[k, unit] * record.candidate[k, unit])
    return shares


@few
@given(cases())
def test_the_shares_are_the_products_written_out(case):
    model = Model(case.parameters)
    trace = model.run(vectors=case.vectors, initial_state=case.state)
    steps = [case.num_steps - 1, 2]
    for layer, record in zip(case.parameters.layers, trace.layers, strict=True):
        for cell, direction in zip(layer.directions.values(), record.directions, strict=True):
            every = range(cell.hidden_size)
            memory = Memory.read(Ledger(cell, direction), steps, units=every)
            order = list(range(case.num_steps))
            order = order if direction.direction == "forward" else order[::-1]
            for row, step in enumerate(steps):
                shares = np.array([written_out(direction, u, step, order) for u in every]).T
                np.testing.assert_allclose(memory.shares[row], shares, rtol=1e-4, atol=1e-12)
                sizes = np.abs(shares).sum(axis=1)
                np.testing.assert_allclose(
                    memory.composition[row], sizes / sizes.sum(), rtol=1e-4, atol=1e-12
                )
            assert memory.values.tolist() == direction.cell[steps].tolist()
            assert memory.residual <= RESIDUAL[str(cell.dtype)]


@few
@given(randoms)
@pytest.mark.parametrize("num_directions", [1, 2])
@pytest.mark.parametrize("projected", [False, True])
def test_a_score_is_its_constant_and_all_shares(num_directions, projected, random):
    model = make_model(random.integers(99), hidden_sizes=(3, 5), num_directions=num_directions)
    width = model.parameters.output_size
    if projected:
        head = Head(
            model.embedding.weight, random.normal(size=7),
            random.normal(size=(2, width)), random.normal(size=2), model.head.names,
        )  # fmt: skip
        model = replace(model, head=head)
    state = make_state(random, model.parameters)
    trace = model.run("the cat sat on the mat", initial_state=state)
    account = LogitAccount.read(model, trace, Outcome.of(model.head, "mat"), [0, 3, 5])
    parts = [model.head.weight, model.head.bias, model.head.projection, model.head.projection_bias]
    parts = [None if part is None else part.tolist() for part in parts]
    expected = [reference.logits(*parts, trace.hidden[step].tolist())[4] for step in (0, 3, 5)]
    sums = account.outcome.constant + account.shares.sum(axis=1)
    np.testing.assert_allclose(sums, expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(account.logits, expected, rtol=1e-10, atol=1e-10)
    assert account.residual <= 1e-12


@few
@given(randoms)
@pytest.mark.parametrize("num_directions", [1, 2])
def test_of_a_residual_connection_the_score_is_that_and_all_shares(num_directions, random):
    sizes = {"hidden_sizes": (3, 3), "num_directions": num_directions}
    model = make_model(random.integers(99), **sizes)
    model = replace(model, parameters=replace(model.parameters, residual=True))
    trace = model.run("the cat sat on the mat")
    account = LogitAccount.read(model, trace, Outcome.of(model.head, "mat"), [0, 5])
    below = np.concatenate([r.hidden for r in trace.layers[0].directions], axis=1)[[0, 5]]
    np.testing.assert_allclose(account.passed, below @ model.head.weight[4])
    sums = account.outcome.constant + account.passed + account.shares.sum(axis=1)
    np.testing.assert_allclose(sums, trace.logits[[0, 5], 4])
    assert account.residual <= 1e-12


@pytest.mark.parametrize("width", [2, 3])  # narrower than the cells, and as wide
def test_hidden_shares_of_a_projection_have_the_survival_of_all_units(width):
    model = make_model()
    cell = model.parameters.layers[0].forward
    variant = Variant(projection=np.random.default_rng(0).normal(size=(width, 3)))
    projected = replace(cell, weight_hh=cell.weight_hh[:, :width], variant=variant)
    parameters = replace(
        model.parameters, layers=(replace(model.parameters.layers[0], forward=projected),)
    )
    trace = Model(parameters).run(vectors=np.ones((4, 2)))
    record = trace.layers[0].forward
    memory = Memory.read(Ledger(projected, record), [3], "hidden", [1])
    assert memory.shares.sum() == pytest.approx(record.hidden[3, 1])
    assert memory.unit_survival[0, :, 0].tolist() == memory.survival[0].tolist()


def test_what_holds_nothing_consists_of_nothing():
    model = make_model()
    trace = model.run(vectors=np.zeros((2, 2)))
    record = trace.layers[0].forward
    empty = record._replace(gates=np.zeros_like(record.gates), cell=np.zeros_like(record.cell))
    memory = Memory.read(Ledger(model.parameters.layers[0].forward, empty), [1])
    assert memory.composition.tolist() == [[0, 0, 0]]
    assert memory.residual == 0


def test_what_is_no_number_is_missed():
    assert math.isnan(missed(np.array([[math.nan, 1.0]]), np.array([0.0, 1.0])))
    assert missed(np.array([[0.0]]), np.array([1.0])) == math.inf
    model = make_model()
    trace = model.run(vectors=np.full((2, 2), math.nan))
    ledger = Ledger(model.parameters.layers[0].forward, trace.layers[0].forward)
    assert math.isnan(ledger.residual)
    assert math.isnan(Memory.read(ledger, [1]).residual)


def test_a_score_without_an_account_is_refused_by_name():
    model = make_model()
    layer = model.parameters.layers[0]
    cell = replace(layer.forward, variant=Variant(norm_cell_gain=np.ones(3)))
    parameters = replace(model.parameters, layers=(replace(layer, forward=cell),))
    changed = replace(model, parameters=parameters)
    trace = changed.run("the cat")
    with pytest.raises(LSTMError, match="layer normalisation of the cell state"):
        LogitAccount.read(changed, trace, Outcome.of(model.head, "cat"), [1])
