"""The record of a run: derived quantities, rows, states to continue from, what the head says."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given

from lstm.cell_trace import DirectionTrace
from lstm.errors import LSTMError, MissingPartError
from lstm.model import Model
from lstm.state import State
from tests import reference
from tests.lstm.comparison import QUANTITIES, RECORDED, arrays, directions, same_bits
from tests.strategies import TEXT, WORDS, cases, few, make_model, make_state


def by_hand(direction):
    """One unit, three steps: every gate and cell state a number of its own."""
    return DirectionTrace(
        direction,
        layer_input=np.array([[7.0, 8.0], [9.0, 10.0], [11.0, 12.0]]),
        pre_activations=np.array([[1.0, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]),
        gates=np.array([[0.5, 0.25, -1, 0.125], [0.75, 0.5, 0.5, 1], [1, 0.125, 0.25, 0.5]]),
        cell=np.array([[4.0], [-2.0], [8.0]]),
        hidden=np.array([[0.1], [0.2], [0.3]]),
        initial=State(h=np.array([0.4]), c=np.array([16.0])),
    )


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_the_packed_arrays_hold_input_forget_candidate_output(direction):
    trace = by_hand(direction)
    assert trace.pre_input.tolist() == [[1], [5], [9]]
    assert trace.pre_forget.tolist() == [[2], [6], [10]]
    assert trace.pre_candidate.tolist() == [[3], [7], [11]]
    assert trace.pre_output.tolist() == [[4], [8], [12]]
    assert trace.input.tolist() == [[0.5], [0.75], [1]]
    assert trace.forget.tolist() == [[0.25], [0.5], [0.125]]
    assert trace.candidate.tolist() == [[-1], [0.5], [0.25]]
    assert trace.output.tolist() == [[0.125], [1], [0.5]]
    assert trace.input_candidate.tolist() == [[-0.5], [0.375], [0.25]]


def test_the_previous_cell_state_of_a_forward_step_is_to_its_left():
    trace = by_hand("forward")
    assert trace.previous_cell.tolist() == [[16], [4], [-2]]
    assert trace.forget_cell.tolist() == [[4], [2], [-0.25]]
    assert (trace.final.h.item(), trace.final.c.item()) == (0.3, 8)


def test_the_previous_cell_state_of_a_reverse_step_is_to_its_right():
    trace = by_hand("reverse")
    assert trace.previous_cell.tolist() == [[-2], [8], [16]]
    assert trace.forget_cell.tolist() == [[-0.5], [4], [2]]
    assert (trace.final.h.item(), trace.final.c.item()) == (0.1, 4)


@few
@given(cases())
def test_derived_quantities_equal_their_formulas(case):
    trace = Model(case.parameters).run(vectors=case.vectors, initial_state=case.state)
    for place, record in directions(trace):
        start = case.state[place].c
        order = 1 if place[1] == "forward" else -1
        in_order = [start, *record.cell[::order][:-1]]
        previous = np.array(in_order)[::order]
        assert same_bits(record.previous_cell, previous)
        assert same_bits(record.input_candidate, record.input * record.candidate)
        assert same_bits(record.forget_cell, record.forget * previous)
        assert same_bits(record.tanh_cell, np.tanh(record.cell))
        assert same_bits(record.cell, record.forget_cell + record.input_candidate)
        assert same_bits(record.hidden, record.output * record.tanh_cell)


@few
@given(cases())
def test_layers_hand_on_their_hidden_states_forward_to_the_left(case):
    trace = Model(case.parameters).run(vectors=case.vectors, initial_state=case.state)
    for number, layer in enumerate(trace.layers):
        sides = [record for place, record in directions(trace) if place[0] == number]
        assert list(layer.directions) == sides
        assert same_bits(layer.hidden, np.concatenate([one.hidden for one in sides], axis=-1))
        assert same_bits(layer.cell, np.concatenate([one.cell for one in sides], axis=-1))
        if number + 1 < len(trace.layers):
            above = trace.layers[number + 1]
            assert all(same_bits(one.layer_input, layer.hidden) for one in above.directions)
    assert same_bits(trace.hidden, trace.layers[-1].hidden)
    assert same_bits(trace.cell, trace.layers[-1].cell)
    assert trace.num_steps == case.num_steps


@few
@given(cases())
def test_initial_and_final_hold_the_state_of_every_cell(case):
    trace = Model(case.parameters).run(vectors=case.vectors, initial_state=case.state)
    assert list(trace.final.cells) == list(trace.initial.cells) == list(case.state.cells)
    for place, record in directions(trace):
        last = -1 if place[1] == "forward" else 0
        assert same_bits(trace.final[place].h, record.hidden[last])
        assert same_bits(trace.final[place].c, record.cell[last])
        assert same_bits(trace.initial[place].h, case.state[place].h)
        assert same_bits(trace.initial[place].c, case.state[place].c)


# --- rows


def test_rows_come_step_by_step_then_layer_by_layer_then_forward_and_reverse():
    trace = make_model(hidden_sizes=(3, 5), num_directions=2).run("the cat")
    places = [(row["step"], row["layer"], row["direction"]) for row in trace.rows()]
    assert places == [
        (0, 0, "forward"),
        (0, 0, "reverse"),
        (0, 1, "forward"),
        (0, 1, "reverse"),
        (1, 0, "forward"),
        (1, 0, "reverse"),
        (1, 1, "forward"),
        (1, 1, "reverse"),
    ]


def test_a_row_has_its_keys_in_order():
    row = next(make_model().run("Dog").rows())
    assert list(row) == ["step", "token", "id", "layer", "direction", "hidden", "cell"]
    assert (row["token"], row["id"]) == ("Dog", 6)


def test_a_row_has_the_quantities_that_were_asked_for_in_their_order():
    trace = make_model().run(TEXT)
    shown = ("forget", "previous_cell", "pre_output")
    assert list(next(trace.rows(shown)))[5:] == list(shown)
    assert list(next(trace.rows(())))[5:] == []


@few
@given(cases())
def test_rows_hold_every_number_of_the_trace(case):
    trace = Model(case.parameters).run(vectors=case.vectors, initial_state=case.state)
    expected, count = arrays(trace), 0
    for row in trace.rows(RECORDED):
        assert (row["token"], row["id"]) == (None, None)
        for name in RECORDED:
            place = (row["layer"], row["direction"], name)
            assert same_bits(row[name], expected[place][row["step"]])
        count += 1
    assert count == case.num_steps * len(list(directions(trace)))


def test_rows_name_the_words_as_typed():
    rows = list(make_model().run("THE dog.").rows())
    assert [(row["token"], row["id"]) for row in rows] == [("THE", 0), ("dog", 6), (".", 5)]


SEVERAL = "trace: expected one sequence, found 4. Take them one by one from `sequences`."


@pytest.mark.parametrize("ask", [lambda trace: list(trace.rows()), lambda trace: trace.forecast()])
def test_rows_and_forecasts_of_several_sequences_raise(ask):
    trace = make_model().run(vectors=np.ones((4, 5, 2)))
    with pytest.raises(LSTMError) as caught:
        ask(trace)
    assert str(caught.value) == SEVERAL


# --- sequences


def test_one_sequence_is_its_own_only_sequence():
    trace = make_model().run(TEXT)
    assert trace.sequences == (trace,)


def test_each_of_several_sequences_is_a_trace():
    model = make_model(hidden_sizes=(3, 5), num_directions=2)
    random = np.random.default_rng(0)
    state = make_state(random, model.parameters, 4)
    trace = model.run(vectors=random.normal(size=(4, 6, 2)), initial_state=state)
    assert trace.num_steps == 6
    assert len(trace.sequences) == 4
    for n, one in enumerate(trace.sequences):
        assert one.num_steps == 6
        assert one.head is model.head
        assert all(same_bits(array, arrays(trace)[at][n]) for at, array in arrays(one).items())
        assert same_bits(one.logits, trace.logits[n])


# --- frozen


def test_a_trace_cannot_be_changed():
    trace = make_model(num_directions=2).run(TEXT)
    with pytest.raises(dataclasses.FrozenInstanceError):
        trace.text = "another"
    for _, record in directions(trace):
        for name in QUANTITIES:
            if name in ("input_candidate", "forget_cell", "tanh_cell"):
                continue  # made anew at each call
            with pytest.raises(ValueError, match="read-only"):
                getattr(record, name)[0] = 0


def test_changing_the_vectors_given_does_not_change_the_trace():
    vectors = np.ones((4, 2))
    trace = make_model().run(vectors=vectors)
    vectors[:] = 5
    assert trace.layers[0].forward.layer_input.tolist() == [[1, 1]] * 4


# --- what the head says


def test_logits_are_the_heads_scores_of_the_top_layer():
    model = make_model(hidden_sizes=(3, 5), num_directions=2)
    trace = model.run(TEXT)
    expected = [
        reference.logits(model.head.weight.tolist(), model.head.bias.tolist(), None, None, hidden)
        for hidden in trace.hidden.tolist()
    ]
    np.testing.assert_allclose(trace.logits, expected, rtol=1e-13, atol=1e-13)


def test_the_first_word_of_a_text_has_no_surprisal():
    trace = make_model().run(TEXT)
    first, *others = trace.forecast().surprisal
    assert first is None
    scores = trace.logits.tolist()
    for n, found in enumerate(others):
        expected = reference.surprisal(scores[n], trace.tokens[n + 1].id)
        assert found == pytest.approx(expected, rel=1e-12)


def test_the_first_word_after_a_state_has_a_surprisal():
    model = make_model(hidden_sizes=(3, 5))
    state = make_state(np.random.default_rng(1), model.parameters)
    found = model.run("cat sat", initial_state=state).forecast().surprisal
    scores = reference.logits(
        model.head.weight.tolist(),
        model.head.bias.tolist(),
        None,
        None,
        state[1, "forward"].h.tolist(),
    )
    assert found[0] == pytest.approx(reference.surprisal(scores, WORDS.index("cat")), rel=1e-12)


def test_the_surprisal_of_a_text_read_in_two_parts_is_that_of_the_whole():
    model = make_model(dtype=np.float32, hidden_sizes=(3, 5))
    whole = model.run("the cat sat on the mat")
    first = model.run("the cat")
    second = model.run("sat on the mat", initial_state=first.final)
    joined = first.forecast().surprisal + second.forecast().surprisal
    assert joined == whole.forecast().surprisal
    predictions = first.forecast().predictions + second.forecast().predictions
    assert predictions == whole.forecast().predictions


def test_a_model_that_reads_both_ways_foresees_nothing():
    trace = make_model(num_directions=2).run(TEXT)
    assert trace.forecast().surprisal == ()
    assert len(trace.forecast().predictions) == trace.num_steps


def test_labels_have_no_surprisal():
    model = make_model()
    labelled = dataclasses.replace(model.head, predicts_tokens=False)
    trace = dataclasses.replace(model, head=labelled).run(TEXT)
    assert trace.forecast().surprisal == ()


def test_vectors_have_no_surprisal():
    trace = make_model().run(vectors=np.ones((3, 2)))
    assert trace.forecast().surprisal == ()
    assert len(trace.forecast(k=2).predictions[0]) == 2


@pytest.mark.parametrize("ask", [lambda trace: trace.logits, lambda trace: trace.forecast()])
def test_a_prediction_needs_a_head(ask):
    trace = Model(make_model().parameters).run(vectors=np.ones((3, 2)))
    with pytest.raises(MissingPartError) as caught:
        ask(trace)
    assert str(caught.value) == (
        "the model has no head, which a prediction needs. "
        "Ask for its hidden and cell states instead."
    )


def test_known_words_are_not_listed_as_unknown():
    model = make_model()
    assert model.run(TEXT).unknown == ()
    assert model.run("dog cat dog").unknown == (0, 2)
    assert model.run(vectors=np.ones((3, 2))).unknown == ()
