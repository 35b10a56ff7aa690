"""The sweep: every value by itself, side by side or alone, and nothing where nothing changes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.address import Address
from lstm.analysis import sweep as module
from lstm.analysis.intervention import SETTABLE, Change, Intervention
from lstm.analysis.metric import Metric
from lstm.analysis.recording import Recording
from lstm.analysis.sweep import one_by_one, sweep
from lstm.engines.plain import PLAIN
from lstm.errors import LSTMError
from lstm.head import Head
from lstm.model import Model
from lstm.quantities import BY_NAME
from tests.strategies import cases, few, make_model

IDS = [3, 1, 4, 0, 2]
METRIC = Metric.parse("logit(cat) - 2 * p(on)@2")


@pytest.fixture(scope="module", params=["one", "two ways", "float32"])
def model(request):
    if request.param == "float32":
        return make_model(6, dtype=np.float32)
    sizes = {"hidden_sizes": (3, 2), "num_directions": 2} if request.param == "two ways" else {}
    return make_model(6, **sizes)


@few
@given(cases(), st.sampled_from(SETTABLE))
def test_to_set_what_is_there_already_has_no_effect_at_all(case, quantity):
    head = Head(np.random.default_rng(0).normal(size=(7, case.parameters.output_size)))
    model = Model(case.parameters, head=head)
    trace = model.run(vectors=case.vectors, initial_state=case.state)
    for number, layer in enumerate(case.parameters.layers):
        for direction in layer.directions:
            over = Address(number, direction, BY_NAME[quantity].symbol)
            if trace.num_steps:
                found = sweep(model, trace, over, Metric.parse("logit(3)"), Recording.of(trace))
                assert not found.effects.any()
                assert found.before == trace.logits[-1, 3]


@pytest.mark.parametrize("over", ["l0.c", "l0.f[1:3]@2:", "l0.h[2]@1:4", "l0.o[0]@4"])
@pytest.mark.parametrize("to", [0.0, -0.7, "mean"])
def test_each_run_of_the_batch_has_the_bits_that_it_has_alone(model, over, to):
    trace, over = model.run(ids=IDS), Address.parse(over)
    found = sweep(model, trace, over, METRIC, to)
    assert len(found.ranking) == found.effects.size == len(found.steps) * len(found.units)
    for row, column in found.ranking:
        change = Change(found.address(row, column), float(found.put[row, column]))
        alone = replace(model, intervention=Intervention((change,)))
        run = alone.run_batch(np.array([IDS]))
        assert found.after[row, column] == METRIC.measure(run)[0]
        assert found.effects[row, column] == found.after[row, column] - found.before
    sizes = np.abs([found.effects[place] for place in found.ranking])
    assert (np.diff(sizes) <= 0).all()


def test_in_the_other_direction_and_in_layers_above():
    model = make_model(6, hidden_sizes=(3, 2), num_directions=2)
    trace = model.run(ids=IDS)
    found = sweep(model, trace, Address.parse("l1.reverse.h[1]@1:3"), METRIC, 0.5)
    assert (found.steps, found.units) == ((1, 2), (1,))
    assert found.values.tolist() == trace.layers[1].reverse.hidden[1:3, 1:].tolist()
    # The metric reads steps 2 and 4; in the reverse direction step 1 comes after both.
    assert found.effects[0, 0] == 0
    assert found.effects[1, 0] != 0


def test_what_is_put_is_zero_the_mean_or_what_another_run_has_there():
    model = make_model(6)
    trace, other = model.run(ids=IDS), model.run(ids=IDS[::-1])
    over = Address.parse("l0.c[1:]@2:4")
    cell = trace.layers[0].forward.cell
    assert not sweep(model, trace, over, METRIC, 0.0).put.any()
    mean = sweep(model, trace, over, METRIC, "mean").put
    np.testing.assert_allclose(mean, [cell[:, 1:].mean(axis=0)] * 2, rtol=1e-12)
    patched = sweep(model, trace, over, METRIC, Recording.of(other))
    assert patched.put.tolist() == other.layers[0].forward.cell[2:4, 1:].tolist()
    assert patched.values.tolist() == cell[2:4, 1:].tolist()


def test_no_result_depends_on_how_many_runs_stand_side_by_side(monkeypatch):
    model = make_model(6)
    trace = model.run(ids=IDS)
    whole = sweep(model, trace, Address.parse("l0.c"), METRIC, 0.0)
    monkeypatch.setattr(module, "LARGEST_BATCH", 1)
    single = sweep(model, trace, Address.parse("l0.c"), METRIC, 0.0)
    assert whole.after.tobytes() == single.after.tobytes()


def test_a_batch_takes_no_more_memory_than_it_may(monkeypatch):
    model = make_model(6)
    trace, sizes = model.run(ids=IDS), []
    run = Model.run

    def counting(self, **given):
        sizes.append(len(given["vectors"]))
        return run(self, **given)

    monkeypatch.setattr(Model, "run", counting)
    monkeypatch.setattr(module, "LARGEST_BATCH", 4 * module._bytes_per_run(model, trace))
    sweep(model, trace, Address.parse("l0.c[0:2]"), METRIC, 0.0)
    assert sizes == [5, 5, 3]  # ten changes, and in each batch a run as it is


class Counting:
    """An engine that counts the cells it runs."""

    name = "counting"

    def __init__(self):
        self.count = 0

    def can_run(self, cell):
        return True

    def multiply(self, cell, inputs):
        return PLAIN.multiply(cell, inputs)

    def run(self, cell, products, first, direction, lengths):
        self.count += 1
        return PLAIN.run(cell, products, first, direction, lengths)


def test_the_engine_runs_the_cells_in_which_nothing_is_set():
    engine = Counting()
    model = replace(make_model(6, hidden_sizes=(3, 2)), engine=engine)
    trace = model.run(ids=IDS)
    engine.count = 0
    found = sweep(model, trace, Address.parse("l0.c[0]"), METRIC, 0.0)
    assert engine.count == 1  # of the two layers, in the one batch
    plain = sweep(replace(model, engine=PLAIN), trace, Address.parse("l0.c[0]"), METRIC, 0.0)
    assert found.after.tobytes() == plain.after.tobytes()


def test_a_sweep_starts_where_the_run_did_and_keeps_what_the_model_changes():
    model = make_model(6)
    begun = model.run(ids=[5, 6])
    ablated = replace(model, intervention=Intervention((Change.ablation("l0[1]"),)))
    trace = ablated.run(ids=IDS, initial_state=begun.final)
    found = sweep(ablated, trace, Address.parse("l0.h[1]"), METRIC, 0.0)
    assert found.before == METRIC.measure(ablated.run_batch(np.array([IDS]), begun.final))
    assert not found.effects.any()


def test_without_a_change_there_is_a_metric_all_the_same():
    model = make_model(6)
    before, after = one_by_one(model, model.run(ids=IDS), (), METRIC)
    assert (before, len(after)) == (METRIC.measure(model.run_batch(np.array([IDS])))[0], 0)


@pytest.mark.parametrize(
    ("over", "to", "message"),
    [
        ("l0.c[3]", 0.0, "l0.c[3]: unit: expected 0 to 2, found 3."),
        ("l0.c@5", 0.0, "l0.c@5: step: expected 0 to 4, found 5."),
        ("l1.c", 0.0, "l1.c: the model has no such layer and direction."),
        ("l0.c", [1, 2], "l0.c[0:3]@0:5: expected 5 steps of 3 units from the other run, found 2"),
        ("l0.c@4", [1, 2], "l0.c[0:3]@4:5: the run that it is taken from has no such place."),
    ],
)
def test_what_is_not_there_is_refused(over, to, message):
    model = make_model(6)
    to = Recording.of(model.run(ids=to)) if isinstance(to, list) else to
    with pytest.raises(LSTMError) as caught:
        sweep(model, model.run(ids=IDS), Address.parse(over), METRIC, to)
    assert str(caught.value).startswith(message)


def test_what_is_no_number_comes_last():
    model = make_model(6)
    found = sweep(model, model.run(ids=IDS), Address.parse("l0.c@4"), METRIC, 0.0)
    found = found._replace(after=np.array([[np.nan, 1.0, found.before]]))
    assert [column for _, column in found.ranking] == [1, 2, 0]
