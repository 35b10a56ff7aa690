"""How closely another implementation can repeat a run."""

import numpy as np
import pytest

from lstm.analysis.precision import ROUNDINGS, tolerances
from lstm.head import Head, softmax
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.quantities import NAMES
from lstm.variants import Variant


def stack(seed=0, scale=1.0, dtype=np.float32, **variant):
    """D = 2, H = 7."""
    random = np.random.default_rng(seed)
    arrays = ((random.normal(size=shape) * scale).astype(dtype) for shape in ((28, 2), (28, 7)))
    bias = random.normal(size=28).astype(dtype)
    given = {"variant": Variant(**variant)} if variant else {}
    return Parameters((LayerParameters(CellParameters(*arrays, bias, **given)),))


def tolerances_of(parameters, num_steps=9, show=NAMES):
    inputs = np.random.default_rng(1).normal(size=(num_steps, 2))
    return tolerances(parameters, Model(parameters).run(vectors=inputs), show)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_calm_run_is_repeated_within_some_roundings(dtype):
    found = tolerances_of(stack(scale=0.1, dtype=dtype))
    eps = float(np.finfo(dtype).eps)
    assert tuple(found) == NAMES
    for tolerance in found.values():
        assert tolerance.rtol == pytest.approx(ROUNDINGS * eps, rel=0.05)
        assert 0.95 * ROUNDINGS * eps < tolerance.atol < 4 * ROUNDINGS * eps


def test_what_is_given_is_not_computed_and_has_the_least_tolerance():
    found = tolerances_of(stack(), show=("layer_input", "cell"))
    assert list(found) == ["layer_input", "cell"]
    assert found["layer_input"].atol == found["layer_input"].rtol


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_where_rounding_grows_the_tolerance_does(dtype):
    """Weights this large make the states chaotic: after enough steps nothing can be repeated."""
    wild = stack(scale=4.0, dtype=dtype)
    few, many = (tolerances_of(wild, steps)["cell"].atol for steps in (2, 150))
    assert few < 1e4 * np.finfo(dtype).eps
    assert many > 1e3 * few


def test_another_order_of_summation_is_within_the_tolerance():
    """Permuting the hidden units permutes the trace, and sums in another order."""
    for seed in range(20):
        parameters = stack(seed, scale=2.0)
        cell = parameters.layers[0].forward
        order = np.random.default_rng(seed).permutation(7)
        rows = np.concatenate([order + 7 * block for block in range(4)])
        other = CellParameters(
            cell.weight_ih[rows], cell.weight_hh[np.ix_(rows, order)], cell.bias[rows]
        )
        inputs = np.random.default_rng(seed).normal(size=(8, 2))
        trace = Model(parameters).run(vectors=inputs)
        again = Model(Parameters((LayerParameters(other),))).run(vectors=inputs)
        limit = tolerances(parameters, trace, ("hidden",))["hidden"]
        expected = trace.hidden[:, order]
        assert (np.abs(again.hidden - expected) <= limit.atol + limit.rtol * np.abs(expected)).all()


def test_a_variant_stays_one():
    found = tolerances_of(stack(cell_clip=0.5, projection=np.ones((7, 7), np.float32)))
    assert found["cell"].atol < 1e-3


def test_what_is_not_finite_is_left_out():
    cell = CellParameters(*(np.full(s, np.inf, np.float32) for s in ((4, 1), (4, 1), (4,))))
    parameters = Parameters((LayerParameters(cell),))
    trace = Model(parameters).run(vectors=np.array([[1.0], [-1.0]]))
    found = tolerances(parameters, trace, NAMES)
    assert {tolerance.atol for tolerance in found.values()} == {found["hidden"].rtol}


def test_a_head_of_another_order_of_summation_is_within_its_tolerances():
    random = np.random.default_rng(6)
    parameters = stack(2)
    model = Model(parameters)
    weight, projection = random.normal(size=(11, 5)), random.normal(size=(5, 7))
    single = np.float32
    head = Head(weight.astype(single), None, projection.astype(single), predicts_tokens=False)
    trace = model.run(vectors=random.normal(size=(9, 2)))
    found = tolerances(parameters, trace, ["hidden"], head)
    assert list(found) == ["hidden", "logits", "probabilities"]
    units, rows = random.permutation(7), random.permutation(5)
    turned = Head(head.weight[:, rows], None, head.projection[rows][:, units])
    logits, other = head.logits(trace.hidden), turned.logits(trace.hidden[:, units])
    assert (logits != other).any()
    assert np.abs(logits - other).max() <= found["logits"].atol < 1e-3
    assert np.abs(softmax(logits) - softmax(other)).max() <= found["probabilities"].atol < 1e-4
