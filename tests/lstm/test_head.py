"""Predictions and surprisal: by hand, and against the scalar reference."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.embedding import Embedding
from lstm.errors import LSTMError, ShapeError
from lstm.head import BLOCK, Head, forecast, log_softmax
from lstm.model import Model
from tests import reference
from tests.lstm.comparison import TOLERANCES, same_bits
from tests.strategies import dtypes, few, make_parameters, randoms

# Four outcomes with the probabilities 1/2, 1/4, 1/8, 1/8, whatever the hidden state.
HALVES = np.log([0.5, 0.25, 0.125, 0.125])
CONSTANT = Head(np.zeros((4, 2)), HALVES)


@st.composite
def heads(draw):
    """A head with or without bias, projection and its bias; O, P and H all differ."""
    random, dtype = draw(randoms), draw(dtypes)
    outcomes, projected, hidden = draw(st.permutations([2, 3, 5, 7]))[:3]

    def numbers(*shape):
        return random.normal(size=shape).astype(dtype)

    bias = numbers(outcomes) if draw(st.booleans()) else None
    if not draw(st.booleans()):
        return Head(numbers(outcomes, hidden), bias)
    projection_bias = numbers(projected) if draw(st.booleans()) else None
    return Head(numbers(outcomes, projected), bias, numbers(projected, hidden), projection_bias)


def hidden_for(head, random, steps=9):
    return random.uniform(-1, 1, (steps, head.input_size)).astype(head.weight.dtype)


def reference_scores(head, hidden):
    parts = (head.weight, head.bias, head.projection, head.projection_bias)
    lists = [None if part is None else part.tolist() for part in parts]
    return [reference.logits(*lists, one) for one in hidden.tolist()]


# --- scores


def test_scores_worked_out_by_hand():
    head = Head(
        np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.0]]),
        np.array([0.5, 0.0, -1.0]),
        projection=np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]),
        projection_bias=np.array([10.0, 20.0]),
    )
    # projected: [1 + 4 + 10, 2 + 20] ... of the hidden state [1, 2, 2]
    assert head.logits(np.array([1.0, 2.0, 2.0])).tolist() == [15 + 44 + 0.5, -22, 45 - 1]
    assert (head.num_outcomes, head.input_size) == (3, 3)


@few
@given(heads(), randoms)
def test_scores_equal_the_reference(head, random):
    hidden = hidden_for(head, random)
    found = head.logits(hidden)
    assert found.dtype == head.weight.dtype
    tolerance = TOLERANCES[str(found.dtype)]
    np.testing.assert_allclose(
        found, reference_scores(head, hidden), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("projected", [None, 128])
def test_a_step_is_scored_with_the_same_bits_alone_and_among_others(projected, dtype):
    random = np.random.default_rng(0)

    def numbers(*shape):
        return random.normal(size=shape).astype(dtype)

    projection = None if projected is None else numbers(projected, 65)
    head = Head(numbers(1003, projected or 65), numbers(1003), projection)
    hidden = numbers(2, 5, 65)
    scores = head.logits(hidden)
    assert scores.shape == (2, 5, 1003)
    assert all(same_bits(head.logits(hidden[at]), scores[at]) for at in np.ndindex(2, 5))
    assert same_bits(log_softmax(scores)[1, 2], log_softmax(scores[1, 2]))


def test_a_tied_head_scores_with_the_embedding():
    table = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 2.0], [0.5, 0.0]])
    embedding = Embedding(table)
    parameters = make_parameters(np.random.default_rng(1), 2, (2,))
    head = Head(embedding.weight)
    assert head.weight is embedding.weight
    trace = Model(parameters, embedding, head).run(ids=[1, 4, 0])
    np.testing.assert_allclose(trace.logits, trace.hidden @ table.T, atol=1e-15)
    assert [one.name for one in trace.forecast(k=5).predictions[0]] != ["0", "1", "2", "3", "4"]


@given(st.lists(st.floats(-500, 500), min_size=1, max_size=9), st.floats(-1e3, 1e3))
def test_log_softmax_equals_the_reference(scores, shift):
    found = log_softmax(np.array(scores) + shift)
    assert found.dtype == np.float64
    np.testing.assert_allclose(np.exp(found), reference.softmax(scores), rtol=1e-9, atol=1e-12)
    assert np.exp(found).sum() == pytest.approx(1)


def test_log_softmax_of_huge_scores_overflows_nowhere():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = log_softmax(np.array([3e38, 0, -3e38], np.float32))
    assert found[0] == 0
    assert found[1] < -1e38


def test_log_softmax_works_along_the_last_axis():
    found = log_softmax(np.array([[0.0, math.log(3)], [math.log(9), 0.0]]))
    np.testing.assert_allclose(np.exp(found), [[0.25, 0.75], [0.9, 0.1]], rtol=1e-15)


# --- the best outcomes


def ids(predictions):
    return [one.id for one in predictions]


def test_the_best_outcomes_come_first_with_their_probabilities():
    head = Head(np.zeros((4, 2)), HALVES[[3, 1, 0, 2]], names=("d", "b", "a", "c"))
    (found,) = forecast(head, np.zeros((1, 2)), k=3).predictions
    assert [(one.name, one.id) for one in found] == [("a", 2), ("b", 1), ("d", 0)]
    assert [one.probability for one in found] == pytest.approx([0.5, 0.25, 0.125], abs=1e-15)


def test_outcomes_without_names_are_named_by_number():
    (found,) = forecast(CONSTANT, np.zeros((1, 2)), k=2).predictions
    assert [one.name for one in found] == ["0", "1"]


@few
@given(heads(), randoms, st.integers(1, 9))
def test_the_best_outcomes_equal_the_reference(head, random, k):
    hidden = hidden_for(head, random)
    found = forecast(head, hidden, k).predictions
    assert len(found) == len(hidden)
    tolerance = TOLERANCES[str(head.weight.dtype)]
    for one, scores in zip(found, reference_scores(head, hidden), strict=True):
        expected = reference.softmax(scores)
        best = sorted(expected, reverse=True)[:k]
        assert [p.probability for p in one] == pytest.approx(best, rel=10 * tolerance)
        for p in one:
            assert p.probability == pytest.approx(expected[p.id], rel=10 * tolerance)


def test_more_outcomes_than_there_are_gives_all():
    (found,) = forecast(CONSTANT, np.zeros((1, 2)), k=99).predictions
    assert ids(found) == [0, 1, 2, 3]
    assert sum(one.probability for one in found) == pytest.approx(1)


def test_no_outcomes_may_be_asked_for():
    assert forecast(CONSTANT, np.zeros((2, 2)), k=0).predictions == ((), ())


@pytest.mark.parametrize("outcomes", [4, 20, 1003])
@pytest.mark.parametrize("k", [1, 3, 17])
def test_equal_outcomes_come_in_the_order_of_their_ids(outcomes, k):
    (found,) = forecast(Head(np.zeros((outcomes, 2))), np.ones((1, 2)), k).predictions
    assert ids(found) == list(range(min(k, outcomes)))


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=2, max_size=60), st.integers(1, 8))
def test_the_last_place_goes_to_the_lowest_of_equal_ids(bias, k):
    head = Head(np.zeros((len(bias), 1)), np.array(bias))
    (found,) = forecast(head, np.zeros((1, 1)), k).predictions
    assert ids(found) == sorted(range(len(bias)), key=lambda n: (-bias[n], n))[:k]


# --- surprisal


def test_surprisal_worked_out_by_hand():
    found = forecast(CONSTANT, np.zeros((4, 2)), k=1, ids=[3, 0, 1, 2]).surprisal
    assert found[0] is None
    assert found[1:] == pytest.approx((1, 2, 3))


def test_a_token_is_foreseen_by_the_step_before_it():
    # after step 0 the next token is 0, 1 or 2 with 1/2, 1/4, 1/4; after step 1 with 1/4, 1/4, 1/2
    head = Head(np.log([[1 / 2, 1 / 4], [1 / 4, 1 / 4], [1 / 4, 1 / 2]]))
    hidden = np.array([[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]])
    assert forecast(head, hidden, 1, ids=[2, 0, 0]).surprisal == (
        None,
        pytest.approx(1),
        pytest.approx(2),
    )
    assert forecast(head, hidden, 1, ids=[0, 1, 2]).surprisal[1:] == pytest.approx((2, 1))


def test_the_first_token_is_foreseen_by_the_state_before_it():
    head = Head(np.log([[1 / 8, 1 / 2], [7 / 8, 1 / 2]]))
    found = forecast(head, np.eye(2), 1, ids=[0, 1], before=np.array([1.0, 0.0])).surprisal
    assert found == (pytest.approx(3), pytest.approx(math.log2(8 / 7)))


def test_without_ids_there_is_no_surprisal():
    for nothing in (None, []):
        found = forecast(CONSTANT, np.zeros((3, 2)), 1, nothing, before=np.zeros(2))
        assert found.surprisal == ()
        assert len(found.predictions) == 3


@few
@given(heads(), randoms)
def test_surprisal_equals_the_reference(head, random):
    hidden = hidden_for(head, random)
    read = random.integers(0, head.num_outcomes, len(hidden)).tolist()
    before = hidden_for(head, random, 1)[0]
    found = forecast(head, hidden, 1, read, before).surprisal
    scores = reference_scores(head, np.concatenate([[before], hidden[:-1]]))
    expected = [reference.surprisal(one, n) for one, n in zip(scores, read, strict=True)]
    tolerance = 10 * TOLERANCES[str(head.weight.dtype)]
    assert found == pytest.approx(expected, rel=tolerance, abs=tolerance)
    assert min(found) >= 0


def test_a_certain_token_has_no_surprisal_and_an_impossible_one_much():
    head = Head(np.zeros((2, 1)), np.array([0.0, -1e4]))
    found = forecast(head, np.zeros((3, 1)), 1, ids=[0, 0, 1]).surprisal
    assert found[1] == 0
    assert found[2] == pytest.approx(1e4 / math.log(2))


def test_a_long_text_is_scored_like_its_steps():
    random = np.random.default_rng(2)
    head = Head(random.normal(size=(7, 3)).astype(np.float32))
    hidden = random.normal(size=(2 * BLOCK + 5, 3)).astype(np.float32)
    read = random.integers(0, 7, len(hidden)).tolist()
    whole = forecast(head, hidden, 2, read)
    for step in (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, len(hidden) - 1):
        one = forecast(head, hidden[step : step + 1], 2)
        assert whole.predictions[step] == one.predictions[0]
        if step:
            before = forecast(head, hidden[step:], 2, read[step:], hidden[step - 1])
            assert whole.surprisal[step:] == before.surprisal


# --- what a head refuses


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"bias": np.zeros(5)},
            "head bias: expected (7,), found (5,).",
        ),
        (
            {"projection": np.zeros((4, 2))},
            "head projection: expected (3, 2), found (4, 2).",
        ),
        (
            {"projection": np.zeros((3, 2)), "projection_bias": np.zeros(2)},
            "head projection bias: expected (3,), found (2,).",
        ),
    ],
)
def test_parts_that_do_not_fit_together_raise(parts, message):
    with pytest.raises(ShapeError) as caught:
        Head(np.zeros((7, 3)), **parts)
    assert str(caught.value) == message


@pytest.mark.parametrize("shape", [(7,), (7, 3, 1)])
def test_a_weight_without_two_axes_raises(shape):
    with pytest.raises(ShapeError) as caught:
        Head(np.zeros(shape))
    assert str(caught.value) == f"head: expected (outcomes, hidden_size), found {shape}."


def test_another_number_of_names_raises():
    with pytest.raises(LSTMError) as caught:
        Head(np.zeros((7, 3)), names=("a", "b"))
    assert str(caught.value) == "head: expected 7 names, one per row of its weight, found 2."


def test_a_head_cannot_be_changed():
    mine = np.zeros((4, 2))
    head = Head(mine, HALVES.copy())
    mine[0, 0] = 5
    assert not head.weight.any()
    for array in (head.weight, head.bias):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        head.bias = None


def test_an_outcome_is_found_by_its_name_or_else_by_its_number():
    assert Head(np.zeros((3, 2)), names=("a", "1", "c")).outcome("1") == 1
    assert Head(np.zeros((3, 2))).outcome("2") == 2


@pytest.mark.parametrize(
    ("parts", "name", "message"),
    [
        ({"names": ("a", "b", "c")}, "d", "expected a token among the 3 that the head scores"),
        ({"names": ("a", "b", "c")}, "1", "expected a token among the 3 that the head scores"),
        ({"names": ("a", "b", "c"), "predicts_tokens": False}, "d", "expected a label among the 3"),
        ({}, "3", "expected a number from 0 to 2, found '3'."),
        ({}, "-1", "expected a number from 0 to 2, found '-1'."),
    ],
)
def test_an_outcome_that_is_not_there_is_refused(parts, name, message):
    with pytest.raises(LSTMError) as caught:
        Head(np.zeros((3, 2)), **parts).outcome(name)
    assert str(caught.value).startswith(message)
