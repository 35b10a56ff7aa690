"""What is said of weights is what a hand would count."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.analysis.statistics import BINS, Distribution, gate_statistics
from lstm.parameters import CellParameters
from tests.strategies import cells, few


def test_a_distribution_worked_out_by_hand():
    found = Distribution.of(np.array([[0.0, 12.0], [1.0, 12.0], [0.5, 4.5]]))
    assert (found.minimum, found.maximum, found.mean) == (0, 12, 5)
    squares = [25, 49, 16, 49, 20.25, 0.25]
    assert found.deviation == pytest.approx(math.sqrt(sum(squares) / 6))
    # bins of width 1: 0 and 0.5 in the first, 1 in the second, 4.5 in the fifth, 12 in the last
    assert found.histogram == (2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_a_distribution_counts_every_number(numbers):
    found = Distribution.of(np.array(numbers))
    assert sum(found.histogram) == len(numbers)
    assert len(found.histogram) == BINS
    assert (found.minimum, found.maximum) == (min(numbers), max(numbers))
    assert found.mean == pytest.approx(math.fsum(numbers) / len(numbers), abs=1e-6)


def test_numbers_that_are_not_finite_do_not_count():
    found = Distribution.of(np.array([np.nan, 1.0, np.inf, 3.0, -np.inf], np.float32))
    assert (found.minimum, found.maximum, found.mean, found.deviation) == (1, 3, 2, 1)
    assert sum(found.histogram) == 2


@pytest.mark.parametrize("numbers", [[], [np.nan, np.inf]])
def test_no_finite_number_gives_no_distribution(numbers):
    assert Distribution.of(np.array(numbers)) is None


def test_equal_numbers_have_no_deviation():
    found = Distribution.of(np.full((3, 2), 0.25, np.float32))
    assert (found.minimum, found.maximum, found.mean, found.deviation) == (0.25, 0.25, 0.25, 0)
    assert sum(found.histogram) == 6


def test_a_mean_of_float32_numbers_is_taken_in_float64():
    numbers = np.full(10**6, 0.1, np.float32)
    assert Distribution.of(numbers).mean == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_each_gate_is_described_by_its_own_block():
    blocks = np.repeat([[1.0], [2.0], [3.0], [4.0]], 3, axis=0)
    cell = CellParameters(np.tile(10 * blocks, (1, 2)), np.tile(blocks, (1, 3)), 100 * blocks[:, 0])
    found = gate_statistics(cell)
    assert [one.gate for one in found] == ["input", "forget", "candidate", "output"]
    assert [one.weight_ih.mean for one in found] == [10, 20, 30, 40]
    assert [one.weight_hh.mean for one in found] == [1, 2, 3, 4]
    assert [one.bias.mean for one in found] == [100, 200, 300, 400]
    # a (3, 3) block of equal numbers a has the eigenvalues 3 a, 0, 0
    assert [one.spectral_radius for one in found] == pytest.approx([3, 6, 9, 12])


def test_the_spectral_radius_of_a_rotation_is_its_scale():
    turn = np.array([[0.0, -0.5], [0.5, 0.0]])  # eigenvalues 0.5 i and -0.5 i
    cell = CellParameters(
        np.zeros((8, 3)), np.concatenate([turn, 2 * turn, 0 * turn, turn.T]), np.zeros(8)
    )
    found = [one.spectral_radius for one in gate_statistics(cell)]
    assert found == pytest.approx([0.5, 1, 0, 0.5])


def test_the_spectral_radius_of_a_triangle_is_its_largest_diagonal_entry():
    triangle = np.array([[1.0, 9.0], [0.0, -2.0]])
    cell = CellParameters(np.zeros((8, 3)), np.tile(triangle, (4, 1)), np.zeros(8))
    assert gate_statistics(cell)[0].spectral_radius == pytest.approx(2)


def test_a_block_that_is_not_finite_has_no_spectral_radius():
    recurrent = np.zeros((12, 3))
    recurrent[3, 0] = np.nan
    found = gate_statistics(CellParameters(np.zeros((12, 2)), recurrent, np.zeros(12)))
    assert [one.spectral_radius for one in found] == [0, None, 0, 0]


@few
@given(cells())
def test_the_four_gates_hold_all_the_numbers(cell):
    found = gate_statistics(cell)
    for name in ("weight_ih", "weight_hh", "bias"):
        counted = sum(sum(getattr(one, name).histogram) for one in found)
        assert counted == getattr(cell, name).size
