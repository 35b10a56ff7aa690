"""Ids become the rows of a table; no id outside it does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.embedding import Embedding
from lstm.errors import LSTMError, ShapeError, ValueRangeError

TABLE = np.arange(14.0).reshape(7, 2)
IDS = [3, 0, 6, 3, 1]
ROWS = [[6, 7], [0, 1], [12, 13], [6, 7], [2, 3]]


def message_of(ids):
    with pytest.raises(LSTMError) as caught:
        Embedding(TABLE)(ids)
    return str(caught.value)


@pytest.mark.parametrize(
    "ids",
    [IDS, tuple(IDS), np.array(IDS), np.array(IDS, np.uint8), np.array(IDS, np.int16)],
    ids=["list", "tuple", "int64", "uint8", "int16"],
)
def test_ids_become_rows_of_the_table(ids):
    assert Embedding(TABLE)(ids).tolist() == ROWS


@given(st.lists(st.integers(0, 6)))
def test_every_id_becomes_its_row(ids):
    found = Embedding(TABLE)(ids)
    assert found.shape == (len(ids), 2)
    assert found.tolist() == [[2 * n, 2 * n + 1] for n in ids]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_that_of_the_table(dtype):
    embedding = Embedding(TABLE.astype(dtype))
    assert embedding(IDS).dtype == embedding([]).dtype == dtype


def test_no_ids_give_no_vectors():
    assert Embedding(TABLE)([]).shape == (0, 2)
    assert Embedding(TABLE)(np.array([], np.int64)).shape == (0, 2)


def test_the_table_cannot_be_changed():
    mine = TABLE.copy()
    embedding = Embedding(mine)
    mine[0, 0] = 99
    assert embedding([0]).tolist() == [[0, 1]]
    with pytest.raises(ValueError, match="read-only"):
        embedding.weight[0, 0] = 1


def test_the_vectors_handed_out_are_not_the_table():
    embedding = Embedding(TABLE)
    embedding([0])[0, 0] = 99
    assert embedding([0]).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("ids", "found"), [([0, 7], 7), ([7, -1], -1), ([-1], -1), ([2, -9, 3], -9), ([10**12], 10**12)]
)
def test_an_id_outside_the_table_raises(ids, found):
    assert message_of(ids) == f"token id: expected 0 to 6, found {found}."


def test_a_range_error_carries_the_facts():
    with pytest.raises(ValueRangeError) as caught:
        Embedding(TABLE)([8])
    error = caught.value
    assert (error.name, error.found, error.low, error.high) == ("token id", 8, 0, 6)


@pytest.mark.parametrize(
    ("ids", "dtype"), [([1.0], "float64"), ([True], "bool"), (["1"], "<U1"), ([1, 2.5], "float64")]
)
def test_ids_that_are_no_whole_numbers_raise(ids, dtype):
    assert message_of(ids) == f"ids: expected whole numbers, found {dtype}."


@pytest.mark.parametrize("shape", [(), (1, 3), (2, 3), (1, 2, 1)])
def test_ids_without_exactly_one_axis_raise(shape):
    expected = f"ids: expected (steps,), found {shape}."
    assert message_of(np.zeros(shape, np.int64)) == expected


@pytest.mark.parametrize("shape", [(7,), (7, 2, 1)])
def test_a_table_without_two_axes_raises(shape):
    with pytest.raises(ShapeError) as caught:
        Embedding(np.zeros(shape))
    expected = f"embedding: expected (vocabulary_size, input_size), found {shape}."
    assert str(caught.value) == expected
