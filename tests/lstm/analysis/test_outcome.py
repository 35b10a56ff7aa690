"""A score by its name, and as a sum over units."""

import numpy as np
import pytest

from lstm.analysis.outcome import Outcome, Score
from lstm.errors import LSTMError
from lstm.head import Head


@pytest.mark.parametrize(
    ("text", "name", "step"),
    [("logit(are)", "are", None), ("logit(are)@12", "are", 12), ("logit())@0", ")", 0)],
)
def test_a_score_is_read_and_written(text, name, step):
    assert Score.parse(text) == (name, step)
    assert repr(Score.parse(text)) == text


@pytest.mark.parametrize("text", ["are", "logit()", "logit(are)@", "logit(are)@-1", "logit are"])
def test_another_text_is_refused(text):
    with pytest.raises(LSTMError, match=r"expected logit\(WORD\)"):
        Score.parse(text)


def test_a_projection_is_multiplied_out_by_hand():
    head = Head(
        weight=np.array([[1.0, 2.0], [3.0, 4.0]]),
        bias=np.array([10.0, 20.0]),
        projection=np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]]),
        projection_bias=np.array([0.5, -0.5]),
        names=("no", "yes"),
    )
    outcome = Outcome.of(head, "yes")
    assert (outcome.id, outcome.name) == (1, "yes")
    assert outcome.weights.tolist() == [3, 4, 2]
    assert outcome.constant == 20 + 1.5 - 2
    hidden = np.array([0.1, -0.2, 0.3])
    assert head.logits(hidden)[1] == pytest.approx(outcome.weights @ hidden + outcome.constant)


def test_outcomes_without_names_have_numbers():
    head = Head(np.array([[1.0], [2.0]]))
    assert Outcome.of(head, "1").weights.tolist() == [2.0]
    assert Outcome.of(head, "1").constant == 0
    with pytest.raises(LSTMError, match="expected a number from 0 to 1 that the head scores"):
        Outcome.of(head, "2")


def test_a_word_that_the_head_does_not_score_is_refused():
    head = Head(np.ones((2, 1)), names=("no", "yes"))
    for name in ("maybe", "1"):
        with pytest.raises(LSTMError, match=rf"logit\({name}\): expected one of 2 names"):
            Outcome.of(head, name)
