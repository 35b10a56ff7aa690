"""Two runs side by side: where they part, what carries the difference, what a patch does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from lstm.address import Address
from lstm.analysis.contrast import NUM_WORDS, contrast, patch
from lstm.analysis.intervention import Change, Intervention
from lstm.analysis.metric import Metric
from lstm.card import Card, NamedUnit
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.variants import Variant
from tests.strategies import cases, few, make_model

ONE, TWO = [3, 1, 4, 0, 2], [3, 1, 5, 0, 6]
METRIC = Metric.parse("logit(cat) - 2 * p(on)@0")


@pytest.fixture(scope="module", params=["one", "two ways"])
def model(request):
    sizes = {"hidden_sizes": (3, 2), "num_directions": 2} if request.param == "two ways" else {}
    return make_model(7, **sizes)


@few
@given(cases())
def test_a_run_differs_nowhere_from_itself(case):
    model = Model(case.parameters)
    trace = model.run(vectors=case.vectors, initial_state=case.state)
    if not trace.num_steps:
        return
    found = contrast(trace, trace)
    assert found.parting is None
    assert all(pair[2:] == (True, 0, 0, None) for pair in found.pairs)
    assert {unit.size for unit in found.units} == {0}
    assert (found.words, found.log_odds) == ((), None)
    assert found.carriers(Card(), 10) == []


def test_with_a_head_no_word_differs_either():
    trace = make_model(7).run(ids=ONE)
    found = contrast(trace, trace)
    assert (found.words, found.log_odds) == ((), None)


def test_distances_are_taken_over_all_cells_step_by_step(model):
    one, two = model.run(ids=ONE), model.run(ids=TWO)
    found = contrast(one, two)
    assert [pair[:3] for pair in found.pairs] == [
        (0, 0, True), (1, 1, True), (2, 2, False), (3, 3, True), (4, 4, False)
    ]  # fmt: skip
    assert found.parting == found.pairs[2]
    for name in ("cell", "hidden"):
        layers = [
            (getattr(left, name), getattr(right, name))
            for left, right in zip(one.layers, two.layers, strict=True)
        ]
        for step, pair in enumerate(found.pairs):
            parts = np.concatenate([right[step] - left[step] for left, right in layers])
            np.testing.assert_allclose(getattr(pair, name), np.linalg.norm(parts), rtol=1e-12)
    if not model.parameters.reads_back:
        assert found.pairs[1][3:] == (0, 0, None)


def test_the_units_differ_by_their_cell_or_by_their_hidden_state():
    """By hand: unit 1 by its cell state, 0 by its hidden state, 2 by less than both."""
    one = make_model(7).run(ids=ONE)
    record = one.layers[0].forward
    cell, hidden = record.cell.copy(), record.hidden.copy()
    cell[4] += [0.25, -0.75, 0.125]
    hidden[4] += [0.5, 0.0, -0.25]
    other = record._replace(cell=cell, hidden=hidden)
    found = contrast(one, replace(one, layers=(one.layers[0]._replace(forward=other),)))
    assert [unit.unit for unit in found.units] == [1, 0, 2]
    assert [unit.size for unit in found.units] == pytest.approx([0.75, 0.5, 0.25])
    assert found.units[0].differences == pytest.approx((-0.75, 0.0))
    assert found.pairs[-1].largest == Address(0, "forward", "c", 1)
    card = Card(units=(NamedUnit(Address(0, "forward", "c", 2), "something"),))
    assert [unit.unit for unit in found.carriers(card, 3)] == [2, 1, 0]
    assert [unit.unit for unit in found.carriers(card, 2)] == [1, 0]


def test_what_a_projection_mixes_has_no_hidden_state_of_its_own():
    model = make_model(7)
    cell = model.parameters.layers[0].forward
    weights = np.array([[0.5, -1.0, 0.25], [1.0, 0.5, -0.5]])
    mixed = replace(cell, weight_hh=cell.weight_hh[:, :2], variant=Variant(projection=weights))
    layer = replace(model.parameters.layers[0], forward=mixed)
    model = Model(replace(model.parameters, layers=(layer,)), model.embedding)
    found = contrast(model.run(ids=ONE), model.run(ids=TWO))
    assert [unit.hidden for unit in found.units] == [None] * 3
    assert all(unit.differences[1] is None for unit in found.units)
    assert found.units[0].size == abs(found.units[0].differences[0])


def test_the_words_are_those_that_lose_most_and_gain_most(model):
    one, two = model.run(ids=ONE), model.run(ids=TWO)
    found = contrast(one, two)
    chances = [np.exp(trace.logits[-1]) / np.exp(trace.logits[-1]).sum() for trace in (one, two)]
    changes = chances[1] - chances[0]
    assert len(found.words) <= 2 * NUM_WORDS
    for word in found.words:
        np.testing.assert_allclose(word.change, changes[word.id], rtol=1e-9)
    sizes = [abs(word.change) for word in found.words]
    assert sizes == sorted(sizes, reverse=True)
    names = model.head.names
    losing, gaining = names[changes.argmin()], names[changes.argmax()]
    assert found.log_odds.text == f"logit({losing}) - logit({gaining})"


def test_texts_of_different_lengths_are_aligned_at_either_end(model):
    short, long = model.run(ids=TWO[2:]), model.run(ids=ONE)
    from_start, from_end = contrast(long, short), contrast(long, short, "end")
    assert [pair[:2] for pair in from_start.pairs] == [(0, 0), (1, 1), (2, 2)]
    assert [pair[:2] for pair in from_end.pairs] == [(2, 0), (3, 1), (4, 2)]
    last = {unit[:3]: unit for unit in from_end.units}[(0, "forward", 1)]
    assert last.cell == (long.layers[0].forward.cell[4, 1], short.layers[0].forward.cell[2, 1])


@pytest.mark.parametrize("align", ["start", "end"])
def test_a_patch_is_what_setting_the_other_cell_state_does(model, align):
    one, two = model.run(ids=ONE), model.run(ids=TWO[1:])
    found = contrast(one, two, align)
    step, other = found.pairs[-1][:2]
    result = patch(model, (one, two), found.pairs[-1], found.units, METRIC)
    assert result.first == METRIC.measure(model.run_batch(np.array([ONE])), step)[0]
    assert result.second == METRIC.measure(model.run_batch(np.array([TWO[1:]])), other)[0]
    for unit, after in zip(found.units, result.after, strict=True):
        change = Change(unit.address._replace(steps=step), float(unit.cell[1]))
        alone = replace(model, intervention=Intervention((change,)))
        assert after == METRIC.measure(alone.run_batch(np.array([ONE])), step)[0]
    assert (result.after != result.first).any()


def test_a_text_without_a_step_is_refused(model):
    with pytest.raises(LSTMError, match="expected two texts of at least one word, found an empty"):
        contrast(model.run(ids=[]), model.run(ids=ONE))
