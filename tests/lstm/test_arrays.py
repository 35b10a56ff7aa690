"""Arrays are frozen, and a product with one vector does not know its neighbours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.arrays import aligned, frozen, matvec
from tests import reference
from tests.lstm.comparison import same_bits
from tests.strategies import few, randoms


def test_a_writeable_array_is_copied():
    mine = np.arange(6.0).reshape(2, 3)
    theirs = frozen(mine)
    mine[0, 0] = 99
    assert theirs[0, 0] == 0
    assert not theirs.flags.writeable
    assert mine.flags.writeable


def test_a_frozen_array_is_not_copied_again():
    once = frozen(np.arange(3.0))
    assert frozen(once) is once


def test_a_frozen_array_is_contiguous():
    turned = frozen(np.arange(6.0).reshape(2, 3).T)
    assert turned.flags.c_contiguous
    assert turned.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_writing_into_a_frozen_array_raises():
    with pytest.raises(ValueError, match="read-only"):
        frozen(np.zeros(3))[0] = 1


def test_matvec_multiplies_each_vector():
    matrix = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    vectors = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[1.0, 1.0, 1.0], [0.0, 2.0, -1.0]]])
    assert matvec(matrix, vectors).tolist() == [[[1, 10], [2, 20]], [[6, 60], [1, 10]]]


def test_matvec_takes_a_single_vector():
    assert matvec(np.array([[1.0, 2.0]]), np.array([3.0, 4.0])).tolist() == [11]


@few
@given(randoms, st.permutations([1, 2, 3, 5]))
def test_matvec_equals_the_reference(random, sizes):
    rows, columns, number, _ = sizes
    matrix, vectors = random.normal(size=(rows, columns)), random.normal(size=(number, columns))
    expected = [[reference.dot(row, v) for row in matrix.tolist()] for v in vectors.tolist()]
    np.testing.assert_allclose(matvec(matrix, vectors), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("rows", "columns"), [(4, 1), (12, 2), (512, 128), (1024, 200), (2600, 650)]
)
def test_matvec_gives_a_vector_the_same_bits_among_any_neighbours(rows, columns, dtype):
    random = np.random.default_rng(rows)
    matrix = random.normal(size=(rows, columns)).astype(dtype)
    vectors = random.normal(size=(9, columns)).astype(dtype)
    alone = [matvec(matrix, vector) for vector in vectors]
    together = matvec(matrix, vectors)
    assert together.dtype == dtype
    assert all(same_bits(one, many) for one, many in zip(alone, together, strict=True))
    assert same_bits(matvec(matrix, vectors[2:5]), together[2:5])
    assert same_bits(matvec(matrix, vectors.reshape(3, 3, columns)).reshape(9, rows), together)


def test_matvec_of_no_vectors_is_empty():
    assert matvec(np.zeros((5, 3)), np.zeros((0, 3))).shape == (0, 5)


@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (7, 5), (64, 16)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_aligned_arrays_begin_a_cache_line(shape, dtype):
    for _ in range(5):
        array = aligned(shape, dtype)
        assert (array.shape, array.dtype) == (shape, dtype)
        assert array.flags.c_contiguous
        assert array.size == 0 or array.ctypes.data % 64 == 0
