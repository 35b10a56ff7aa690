"""The sigmoid: exact where a hand can compute it, safe where an exponential is not."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.activations import sigmoid
from tests import reference


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_of_a_logarithm_of_odds_is_the_probability(dtype):
    odds = np.array([1 / 4, 1 / 3, 1.0, 3.0, 4.0, 99.0])
    found = sigmoid(np.log(odds).astype(dtype))
    assert found.dtype == dtype
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(found, [0.2, 0.25, 0.5, 0.75, 0.8, 0.99], rtol=tolerance)


@given(st.floats(-800, 800))
def test_sigmoid_equals_the_reference(z):
    assert sigmoid(np.array([z])).item() == pytest.approx(reference.sigmoid(z), abs=2e-16)


@given(st.floats(width=32, allow_nan=False))
def test_sigmoid_stays_between_0_and_1_for_every_float32(z):
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        found = sigmoid(np.array([z], np.float32))
    assert 0 <= found.item() <= 1
    assert found.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_saturates_to_exactly_0_and_1(dtype):
    huge = np.array([-np.inf, -1e30, -120, 120, 1e30, np.inf], dtype)
    assert sigmoid(huge).tolist() == [0, 0, 0, 1, 1, 1]


@given(st.floats(-40, 40))
def test_sigmoid_of_the_opposite_is_the_complement(z):
    one, other = sigmoid(np.array([z, -z]))
    assert math.isclose(one + other, 1, abs_tol=3e-16)


def test_sigmoid_keeps_the_shape():
    assert sigmoid(np.zeros((2, 3, 5))).shape == (2, 3, 5)
