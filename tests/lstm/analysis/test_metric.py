"""Metrics: what is written is what is measured, and what cannot be read says where."""

import numpy as np
import pytest

from lstm.analysis.metric import Metric, MetricError
from lstm.embedding import Embedding
from lstm.errors import LSTMError, MissingPartError
from lstm.head import Head
from lstm.model import Model
from tests.strategies import make_model

IDS = [3, 1, 4, 0]


@pytest.fixture(scope="module")
def model():
    return make_model(5, hidden_sizes=(3, 2), num_directions=2)


@pytest.fixture(scope="module")
def batch(model):
    return model.run_batch(np.array([IDS, IDS[::-1]]))


def measured(text, trace, step=-1):
    return Metric.parse(text).measure(trace, step)


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum()


def test_scores_are_those_of_the_head_after_the_last_step(model, batch):
    traces = [model.run(ids=ids) for ids in (IDS, IDS[::-1])]
    cat = 1  # its place among the words
    logits = np.array([trace.logits[-1] for trace in traces])
    assert measured("logit(cat)", batch).tolist() == logits[:, cat].tolist()
    chances = np.array([softmax(each)[cat] for each in logits])
    np.testing.assert_allclose(measured("p(cat)", batch), chances, rtol=1e-12)
    for text in ("log p(cat)", "logp(cat)", "log  p( 'cat' )", 'log p("cat")'):
        np.testing.assert_allclose(measured(text, batch), np.log(chances), rtol=1e-12)


def test_a_step_is_said_in_the_expression_or_beside_it(model, batch):
    second = model.run(ids=IDS).logits[1]
    assert measured("logit(sat)@1", batch)[0] == second[2]
    assert measured("logit(sat)", batch, step=1)[0] == second[2]
    assert measured("logit(sat)@1", batch, step=3)[0] == second[2]


def test_an_address_is_the_value_in_the_record(model, batch):
    trace = model.run(ids=IDS)
    assert measured("l1.reverse.c[1]@2", batch)[0] == trace.layers[1].reverse.cell[2, 1]
    assert measured("l0.z_f[2]@0", batch)[0] == trace.layers[0].forward.pre_forget[0, 2]
    assert measured("l0.h[2]", batch)[0] == trace.layers[0].forward.hidden[3, 2]
    assert measured("l1.y[1]", batch, step=0)[0] == trace.layers[1].forward.layer_output[0, 1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        ("1 - 2 - 3", -4),
        ("1 - (2 - 3)", 2),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("-2 * 3 - -1", -5),
        ("- (1 + .5)", -1.5),
        ("1e-1 * 10", 1),
    ],
)
def test_sums_and_products_bind_as_they_do_in_arithmetic(batch, text, value):
    assert measured(text, batch).tolist() == [value, value]


def test_words_of_any_form_can_be_named():
    words = (")", "a(b", "'s", "don't", "<unk>", ".", "l0.c[1]", "two words")
    head = Head(np.eye(8, 3), np.arange(8.0), names=words)
    parameters = make_model(1).parameters
    model = Model(parameters, Embedding(np.ones((8, 2))), head)
    batch = model.run_batch(np.array([[1, 2]]))
    for place, word in enumerate(words):
        quoted = f'logit("{word}")'
        assert measured(quoted, batch)[0] == model.run(ids=[1, 2]).logits[-1, place]
        if "(" not in word and ")" not in word:
            assert measured(f"logit({word})", batch) == measured(quoted, batch)


def test_log_odds_are_the_difference_of_two_scores(batch):
    made = Metric.log_odds("cat", "on")
    assert made.text == "logit(cat) - logit(on)"
    assert made.measure(batch).tolist() == measured(made.text, batch).tolist()


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "expected logit(WORD), p(WORD), log p(WORD), an address such as l0.c[81]@3, or a"),
        ("logit(cat", 0, "found 'logit(cat'."),
        ("2 + odds(cat)", 4, "found 'odds(cat)'."),
        ("2 +", 3, "found the end."),
        ("p(cat) p(on)", 7, "expected +, -, * or the end, found 'p(on)'."),
        ("(p(cat)", 7, "expected ')', found the end."),
        ("p(cat) / 2", 7, "found '/'."),
        ("1 + l0.q[3]", 4, "address 'l0.q[3]': expected layer.quantity[unit]@step"),
        ("l0.c@3", 0, "l0.c@3: expected one unit, as in l0.c[0]@3, found several."),
        ("1 * l0.c[2]@1:3", 4, "l0.c[2]@1:3: expected one step, as in l0.c[2]@3, found several."),
        ("-" * 101, 100, "expected at most 100 words and signs."),
    ],
)
def test_what_cannot_be_read_says_where(text, offset, message):
    with pytest.raises(MetricError) as caught:
        Metric.parse(text)
    assert caught.value.offset == offset
    assert str(caught.value).startswith(f"at offset {offset}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 + p(dog)", "at offset 4: expected a token among the 7 that the head scores, found"),
        ("p(cat)@4", "at offset 0: step: expected 0 to 3, found 4."),
        ("l0.c[3]", "at offset 0: l0.c[3]: unit: expected 0 to 2, found 3."),
        ("l0.c[0]@7", "at offset 0: step: expected 0 to 3, found 7."),
        ("l2.c[0]", "at offset 0: l2.c[0]: the model has no such layer and direction."),
    ],
)
def test_what_is_not_there_says_where(batch, text, message):
    with pytest.raises(LSTMError) as caught:
        measured(text, batch)
    assert str(caught.value).startswith(message)


def test_without_a_head_there_are_no_scores():
    model = Model(make_model(1).parameters)
    with pytest.raises(MissingPartError, match=r"has no head, which p\(a\) needs"):
        measured("p(a)", model.run(vectors=np.ones((1, 2, 2))))


def test_a_reverse_layer_is_not_there_in_a_model_that_reads_forward():
    trace = make_model(1).run_batch(np.array([[1, 2]]))
    with pytest.raises(MetricError, match="no such layer and direction"):
        measured("l0.reverse.c[0]", trace)
