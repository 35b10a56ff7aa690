"""Explanations: by hand, against scalar loops, and the law that the terms add up."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from lstm.address import Address
from lstm.analysis.explanation import explain, explain_score
from lstm.analysis.intervention import Change, Intervention
from lstm.analysis.ledger import Ledger
from lstm.analysis.outcome import Outcome
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.quantities import QUANTITIES
from lstm.variants import Variant
from tests import reference
from tests.strategies import cases, cells, few, make_cell, make_model, randoms
from weights import load

GATES = ("z_i", "z_f", "z_g", "z_o", "i", "f", "g", "o")
COMPUTED = tuple(quantity.symbol for quantity in QUANTITIES if quantity.symbol != "x")
NEAR = {"float32": 2e-5, "float64": 1e-12}


def variants(random, size, dtype):
    """Everything whose numbers are sums of products, by name."""
    vector = random.normal(size=size).astype(dtype)
    matrix = random.normal(size=(size, size)).astype(dtype)
    wide = random.normal(size=(2, size)).astype(dtype)
    return {
        "standard": Variant(),
        "peepholes": Variant(
            peephole_input=vector, peephole_forget=-vector, peephole_output=2 * vector
        ),
        "full peepholes": Variant(
            peephole_input=matrix, peephole_forget=-matrix, peephole_output=matrix.T.copy()
        ),
        "shown": Variant(peephole_shown=vector, cell_activation="softsign"),
        "clips": Variant(cell_clip=0.3, pre_activation_clip=0.4),
        "coupled input": Variant(coupled="input"),
        "coupled forget": Variant(coupled="forget"),
        "hard": Variant(gate_activation="hard-sigmoid", candidate_activation="relu"),
        "projection": Variant(projection=wide, projection_clip=0.2),
    }


NAMES = tuple(variants(np.random.default_rng(0), 3, np.float32))


def varied(cell, random, name):
    variant = variants(random, cell.hidden_size, cell.dtype)[name]
    width = cell.hidden_size if variant.projection is None else 2
    hidden = random.normal(size=(4 * cell.hidden_size, width)).astype(cell.dtype)
    return CellParameters(cell.weight_ih, hidden, cell.bias, variant)


def run(cell, random, other=None):
    """Run a cell, forward or in both directions, from a state that is not zero."""
    model = Model(Parameters((LayerParameters(cell, other),)))
    inputs = random.normal(size=(5, cell.input_size))
    states = {
        f"layers.0.{direction}.{name}": random.uniform(-1, 1, width)
        for direction in model.parameters.layers[0].directions
        for name, width in (("hidden", cell.output_size), ("cell", cell.hidden_size))
    }
    return model, model.run(vectors=inputs, initial_state=states)


@few
@given(cells(), randoms)
@pytest.mark.parametrize("name", NAMES)
def test_terms_add_up_to_what_was_recorded(name, cell, random):
    cell = varied(cell, random, name)
    model, trace = run(cell, random, varied(cell, random, name))
    near = NEAR[str(cell.dtype)]
    for record in trace.layers[0].directions:
        for symbol in COMPUTED:
            unit, step = (int(random.integers(size)) for size in (cell.hidden_size, 5))
            array = getattr(record, {q.symbol: q.name for q in QUANTITIES}[symbol])
            unit %= array.shape[-1]
            found = explain(model, trace, Address(0, record.direction, symbol, unit, step))
            terms = [term.amount for group in found.groups for term in group.terms]
            size = max(1.0, sum(map(abs, terms)))
            if symbol != "tanh_c":  # which is no sum
                assert sum(terms) == pytest.approx(found.total, abs=near * size)
            assert found.value == array[step, unit]


@few
@given(cases())
def test_each_term_is_a_weight_times_a_number_of_the_trace(case):
    model = Model(case.parameters)
    trace = model.run(vectors=case.vectors, initial_state=case.state)
    top = len(trace.layers) - 1
    for record in trace.layers[top].directions:
        cell = case.parameters.layers[top].directions[record.direction]
        for step in (0, 3, case.num_steps - 1):
            at = Address(top, record.direction, "z_g", 0, step)
            for group in explain(model, trace, at).groups[:2]:
                for term in group.terms:
                    assert term.value == value_at(trace, term.address, record)
            inputs, hidden = explain(model, trace, at).groups[:2]
            row = 2 * cell.hidden_size  # the candidate's first row
            assert [term.weight for term in inputs.terms] == cell.weight_ih[row].tolist()
            assert [term.weight for term in hidden.terms] == cell.weight_hh[row].tolist()


def value_at(trace, address, record):
    """What the trace has at an address; without a step, the state at the start."""
    if address.symbol == "x":
        return trace.layers[0].forward.layer_input[address.steps, address.units]
    own = getattr(trace.layers[address.layer], address.direction)
    if address.steps is None:
        assert own is record
        return record.initial.h[address.units]
    return own.hidden[address.steps, address.units]


def test_the_brackets_by_hand():
    model = load("brackets")
    trace = model.run("(()")
    kept, written = explain(model, trace, Address.parse("l0.c[0]@2")).groups
    assert [(t.weight, t.value) for t in kept.terms] == [(1.0, 2.0)]
    assert [(t.weight, t.value) for t in written.terms] == [(1.0, -1.0)]
    found = explain(model, trace, Address.parse("l0.z_g[0]@2"))
    inputs, hidden, bias = found.groups
    assert [(t.weight, t.value) for t in inputs.terms] == [(100.0, 0.0), (-100.0, 1.0)]
    assert [(repr(t.address), t.weight) for t in hidden.terms] == [("l0.h[0]@1", 0.0)]
    assert (bias.amount, found.total) == (0.0, -100.0)
    first = explain(model, trace, Address.parse("l0.c[0]@0"))
    assert repr(first.groups[0].terms[0].address) == "l0.c[0]"
    assert first.groups[0].terms[0].value == 0


def test_the_latch_by_hand():
    model = load("latch")
    trace = model.run("set reset")
    forget = explain(model, trace, Address.parse("l0.f[0]@1"))
    assert [group.amount for group in forget.groups] == [-200.0, 0.0, 100.0]
    assert forget.total == -100.0
    assert [(one.function, one.value) for one in forget.applied] == [("sigmoid", 0.0)]
    shown = explain(model, trace, Address.parse("l0.h[0]@0"))
    assert [one.function for one in shown.prepared] == ["cell", "tanh"]
    assert shown.value == pytest.approx(np.tanh(1.0), abs=1e-7)
    on = explain_score(model, trace, Outcome.of(model.head, "on"), 0)
    speaks_for, against, bias = on.groups
    assert speaks_for.amount == pytest.approx(20 * np.tanh(1.0), abs=1e-5)
    assert against.terms == ()
    assert bias.amount == -5


def test_sums_are_those_of_scalar_loops():
    random = np.random.default_rng(5)
    cell = varied(make_cell(random, 2, 3), random, "full peepholes")
    model, trace = run(cell, random)
    record = trace.layers[0].forward
    oracle = reference.sequence(
        reference.cell_of(cell), record.layer_input.tolist(), record.initial.h.tolist(),
        record.initial.c.tolist(), "forward",
    )  # fmt: skip
    names = {"z_i": "pre_input", "z_f": "pre_forget", "z_g": "pre_candidate", "z_o": "pre_output"}
    for symbol, name in names.items():
        for step in range(5):
            found = explain(model, trace, Address(0, "forward", symbol, 1, step))
            total = sum(group.amount for group in found.groups)
            assert total == pytest.approx(oracle[step][name][1], abs=1e-12)
            seen = [g for g in found.groups if g.origin == "peephole"]
            assert len(seen) == (symbol != "z_g")


def test_a_score_is_told_apart_by_sign_and_adds_up():
    model = make_model(hidden_sizes=(3, 5), num_directions=2)
    trace = model.run("the cat sat")
    found = explain_score(model, trace, Outcome.of(model.head, "cat"), 1)
    speaks_for, against, bias = found.groups
    assert all(term.amount >= 0 for term in speaks_for.terms)
    assert all(term.amount < 0 for term in against.terms)
    assert len(speaks_for.terms) + len(against.terms) == 10
    total = speaks_for.amount + against.amount + bias.amount
    assert total == pytest.approx(float(trace.logits[1, 1]), abs=1e-12)
    places = {term.address.direction for g in (speaks_for, against) for term in g.terms}
    assert places == {"forward", "reverse"}


def test_a_clip_is_said_where_it_cuts():
    cell = replace(make_cell(np.random.default_rng(2)), variant=Variant(cell_clip=0.01))
    model, trace = run(cell, np.random.default_rng(3))
    found = explain(model, trace, Address.parse("l0.c[1]@2"))
    (clip,) = found.applied
    assert (clip.function, clip.limit) == ("clip", 0.01)
    assert abs(clip.value) == pytest.approx(0.01)
    assert abs(found.total) > 0.01


@pytest.mark.parametrize(
    ("variant", "address", "message"),
    [
        (Variant(norm_gain=np.ones(12)), "l0.f[1]@2", "found layer normalisation of the gates"),
        (Variant(norm_gain=np.ones(12)), "l0.z_o[1]@2", "found layer normalisation of the gates"),
        (Variant(norm_cell_gain=np.ones(3)), "l0.c[1]@2", "normalisation of the cell state"),
        (Variant(norm_cell_bias=np.ones(3)), "l0.c[1]@2", "normalisation of the cell state"),
        (Variant(), "l0.x[1]@2", "found a layer's input, which it is given"),
    ],
)
def test_what_is_no_sum_is_refused_by_name(variant, address, message):
    random = np.random.default_rng(0)
    model, trace = run(replace(make_cell(random), variant=variant), random)
    with pytest.raises(LSTMError, match=message):
        explain(model, trace, Address.parse(address))


def test_what_is_not_finite_adds_up_to_no_number():
    model = make_model()
    trace = model.run(vectors=np.array([[np.inf, -np.inf]]))
    found = explain(model, trace, Address.parse("l0.f[0]@0"))
    assert not np.isfinite(found.groups[0].amount)


def test_with_a_residual_connection_the_output_is_h_and_what_was_read():
    random = np.random.default_rng(2)
    layers = tuple(LayerParameters(make_cell(random, 3, 3)) for _ in range(2))
    model = Model(Parameters(layers, residual=True))
    trace = model.run(vectors=random.normal(size=(4, 3)))
    found = explain(model, trace, Address.parse("l1.y[2]@3"))
    assert [group.origin for group in found.groups] == ["hidden_state", "residual"]
    assert found.value == trace.layers[1].output[3, 2]
    assert sum(group.amount for group in found.groups) == pytest.approx(found.value)
    below = explain(model, trace, Address.parse("l1.z_i[0]@1")).groups[0].terms[1].address
    assert repr(below) == "l0.h[1]@1"


def test_what_is_set_is_not_explained_and_what_follows_is():
    model = make_model(3)
    changes = tuple(map(Change.parse, ("l0.c[1]@1:=0.5", "l0.f[2]@2:=1")))
    model = replace(model, intervention=Intervention(changes))
    trace = model.run("the cat sat")
    for at in ("l0.c[1]@1", "l0.f[2]@2"):
        with pytest.raises(LSTMError, match="found a value that was put there"):
            explain(model, trace, Address.parse(at))
    found = explain(model, trace, Address.parse("l0.c[1]@2"))
    assert found.groups[0].terms[0].value == 0.5
    record = trace.layers[0].forward
    np.testing.assert_allclose(
        found.value, record.forget[2, 1] * 0.5 + record.input_candidate[2, 1]
    )
    assert explain(model, trace, Address.parse("l0.f[1]@2")).value == record.forget[2, 1]


def test_a_highway_is_refused_by_name():
    random = np.random.default_rng(2)
    highway = Variant(highway_ih=np.ones((6, 2)), highway_hh=np.ones((3, 3)))
    model = Model(Parameters((LayerParameters(replace(make_cell(random), variant=highway)),)))
    trace = model.run(vectors=random.normal(size=(4, 2)))
    with pytest.raises(LSTMError, match="found a highway"):
        explain(model, trace, Address.parse("l0.h[0]@1"))
    ledger = Ledger(model.parameters.layers[0].forward, trace.layers[0].forward)
    with pytest.raises(LSTMError, match="found a highway, which adds"):
        ledger.hidden_shares(ledger.entry(1))
