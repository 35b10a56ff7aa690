"""Interventions: what is set is set, what follows follows, and what is not touched is not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.analysis.intervention import SETTABLE, Change, Intervention
from lstm.analysis.recording import Recording
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.parameters import LayerParameters, Parameters
from lstm.quantities import BY_NAME
from lstm.variants import Variant
from tests.lstm.comparison import assert_same_traces, same_bits
from tests.strategies import cases, few, make_cell, make_model, make_parameters, randoms


def changed(model, *changes):
    made = [Change.parse(each) if isinstance(each, str) else each for each in changes]
    return replace(model, intervention=Intervention(tuple(made)))


def every_place(parameters, quantity):
    for number, layer in enumerate(parameters.layers):
        for direction in layer.directions:
            yield f"l{number}.{direction}.{BY_NAME[quantity].symbol}"


@few
@given(cases())
@pytest.mark.parametrize("quantity", SETTABLE)
def test_setting_every_value_to_what_it_is_changes_no_bit(quantity, case):
    model = Model(case.parameters)
    trace = model.run(vectors=case.vectors, initial_state=case.state)
    same = [
        Change.patch(place, Recording.of(trace)) for place in every_place(case.parameters, quantity)
    ]
    again = changed(model, *same).run(vectors=case.vectors, initial_state=case.state)
    assert_same_traces(again, trace)


VARIANTS = {
    "coupled": Variant(coupled="input"),
    "coupled forget": Variant(coupled="forget"),
    "clip": Variant(cell_clip=0.3),
    "peepholes": Variant(peephole_forget=np.ones(3), peephole_output=np.full((3, 3), 0.5)),
    "normed": Variant(norm_gain=np.ones(12), norm_cell_gain=np.ones(3)),
}


@few
@given(randoms, st.sampled_from(SETTABLE))
@pytest.mark.parametrize("name", VARIANTS)
def test_nor_does_it_in_any_other_cell(name, random, quantity):
    cell = replace(make_cell(random), variant=VARIANTS[name])
    model, vectors = Model(Parameters((LayerParameters(cell),))), random.normal(size=(5, 2))
    trace = model.run(vectors=vectors)
    same = Change.patch(f"l0.{BY_NAME[quantity].symbol}", Recording.of(trace))
    assert_same_traces(changed(model, same).run(vectors=vectors), trace)


@pytest.mark.parametrize("symbol", ["i", "f", "g", "o", "c", "h"])
def test_what_is_set_is_recorded_and_nothing_before_it_changes(symbol):
    model = make_model(3)
    ids = [1, 2, 3, 4, 5]
    trace = model.run(ids=ids)
    other = changed(model, f"l0.{symbol}[1]@2:=0.25").run(ids=ids)
    one, two = trace.layers[0].forward, other.layers[0].forward
    name = next(each for each in SETTABLE if BY_NAME[each].symbol == symbol)
    assert getattr(two, name)[2, 1] == 0.25
    for quantity in SETTABLE:
        ours, theirs = getattr(one, quantity), getattr(two, quantity)
        assert same_bits(ours[:2], theirs[:2])
        untouched = [0, 2]
        assert same_bits(ours[2, untouched], theirs[2, untouched])
    assert not same_bits(one.hidden[3:], two.hidden[3:])
    # What follows from the value does so with the value that was set.
    if symbol not in "ch":
        np.testing.assert_allclose(two.cell[2], two.forget_cell[2] + two.input_candidate[2])
    if symbol != "h":
        np.testing.assert_allclose(two.hidden[2], two.output[2] * np.tanh(two.cell[2]))


def test_spans_of_steps_and_units_and_the_last_word():
    model = make_model(3)
    run = changed(model, "l0.c@1:3:=2", "l0.c[0:2]@2::=-1").run(ids=[1, 2, 3, 4])
    cell = run.layers[0].forward.cell
    assert cell[1].tolist() == [2, 2, 2]
    assert cell[2].tolist() == [-1, -1, 2]
    assert cell[3, :2].tolist() == [-1, -1]
    assert cell[0, 0] not in (2, -1)
    assert cell[3, 2] not in (2, -1)


def test_a_patch_carries_a_value_over_from_another_run():
    model = make_model(3)
    source = model.run(ids=[6, 5, 4, 3])
    run = changed(model, Change.patch("l0.c[1:]@2", Recording.of(source))).run(ids=[1, 2, 3, 4])
    assert same_bits(run.layers[0].forward.cell[2, 1:], source.layers[0].forward.cell[2, 1:])


@pytest.mark.parametrize("cut", [1, 3, 4])
def test_a_run_may_be_cut_in_two_with_what_is_changed_in_each(cut):
    model, ids = make_model(3), [1, 2, 3, 4, 5, 6]
    patched = Change.patch("l0.c[1:]@2:5", Recording.of(model.run(ids=[6, 5, 4, 3, 2, 1])))
    model = changed(model, "l0.h[0]@3::=0.5", "l0.f@1:=0", "l0.o[2]:=1", patched)
    whole = model.run(ids=ids)
    first = model.window(0, cut).run(ids=ids[:cut])
    second = model.window(cut, 6 - cut).run(ids=ids[cut:], initial_state=first.final)
    assert same_bits(np.concatenate([first.cell, second.cell]), whole.cell)
    assert same_bits(np.concatenate([first.hidden, second.hidden]), whole.hidden)


def test_an_ablated_unit_is_heard_by_nobody():
    model = make_model(3, hidden_sizes=(3, 2))
    ids = [1, 2, 3]
    run = changed(model, Change.ablation("l0[1]")).run(ids=ids)
    assert run.layers[0].forward.hidden[:, 1].tolist() == [0, 0, 0]
    # As if its column were zero in all that reads it.
    first, second = (layer.forward for layer in model.parameters.layers)
    deaf = first.weight_hh.copy(), second.weight_ih.copy()
    for weight in deaf:
        weight[:, 1] = 0
    layers = (
        LayerParameters(replace(first, weight_hh=deaf[0])),
        LayerParameters(replace(second, weight_ih=deaf[1])),
    )
    expected = replace(model, parameters=Parameters(layers)).run(ids=ids)
    np.testing.assert_allclose(run.hidden, expected.hidden, rtol=1e-12)


def test_one_of_several_sequences_can_be_changed():
    random = np.random.default_rng(0)
    model = Model(make_parameters(random, 2, (3,)))
    vectors = random.normal(size=(3, 4, 2))
    change = Change.parse("l0.c[2]@1:=1")._replace(sequence=1)
    plain, one = model.run(vectors=vectors), changed(model, change).run(vectors=vectors)
    assert same_bits(one.hidden[[0, 2]], plain.hidden[[0, 2]])
    assert one.cell[1, 1, 2] == 1
    alone = changed(model, "l0.c[2]@1:=1").run(vectors=vectors[1])
    assert same_bits(one.hidden[1], alone.hidden)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("l0.c[0]", "'l0.c[0]': expected an address, := and a number, such as l0.f[81]@2:=1."),
        ("l0.c[0]:=x", "'l0.c[0]:=x': expected an address, := and a number"),
        ("l0.z_f[0]:=1", "'l0.z_f[0]': expected one of i, f, g, o, c and h, from which all else"),
        ("l1.c:=1", "l1.c: the model has no such layer and direction."),
        ("l0.reverse.c:=1", "l0.reverse.c: the model has no such layer and direction."),
        ("l0.c[3]:=1", "l0.c[3]: unit: expected 0 to 2, found 3."),
        ("l0.c[5:]:=1", "l0.c[5:]: unit: expected 0 to 2, found 5:."),
        ("l0.c@2:=1", "l0.c@2: step: expected 0 to 1, found 2."),
    ],
)
def test_what_is_not_there_cannot_be_set(text, message):
    model = make_model(3)

    def attempt():
        return changed(model, text).run(ids=[1, 2])

    with pytest.raises(LSTMError) as caught:
        attempt()
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", ["l1.c", "l0.reverse.c", "l0.c[7]", "l0.c@9"])
def test_a_patch_needs_the_place_in_the_other_run(text):
    trace = make_model(3).run(ids=[1, 2])
    with pytest.raises(LSTMError, match="the run that it is taken from has no "):
        Change.patch(text, Recording.of(trace))
