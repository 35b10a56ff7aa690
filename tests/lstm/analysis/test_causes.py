"""Every mistake is made here, in a port written with numpy, and has to be found by its name."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from lstm.analysis.causes import every_hypothesis
from lstm.analysis.recording import Place, Recording, Series
from lstm.analysis.rerun import Stored, Subject
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.state import ModelState
from lstm.variants import Variant
from tests.lstm.analysis.port import (
    D,
    H,
    T,
    X,
    bidirectional,
    both_ways,
    canonical,
    cause_of,
    hard,
    harder,
    make_file,
    names,
    port,
    recorded,
    sigmoid,
    subject_of,
)  # fmt: skip


@pytest.mark.parametrize("order", ["ifgo", "ofig"])
@pytest.mark.parametrize("wrong", ["".join(one) for one in permutations("ifgo")])
def test_every_wrong_gate_order_is_found(order, wrong):
    file = make_file(order=order)
    found = cause_of(file, file, order=wrong)
    assert found == ([] if wrong == order else [f"gate order {wrong}"])


def test_a_wrong_gate_order_is_found_where_a_forget_bias_is_added_at_run_time():
    file = make_file(order="igfo")
    subject = subject_of(file, forget_bias=1.0)
    wrong = recorded(*port(file, X, order="ifgo", forget_bias=1.0))
    assert names(subject, wrong) == ["gate order ifgo"]


def blockwise_transposed(matrix):
    return np.concatenate([block.T for block in np.split(matrix, 4)])


def test_transposed_recurrent_matrices_are_found():
    file = make_file()
    mistaken = file._replace(weight_hh=blockwise_transposed(file.weight_hh))
    assert cause_of(mistaken) == ["transposed recurrent"]


def test_transposed_input_matrices_are_found_where_they_are_square():
    file = make_file(input_size=H)
    x = np.random.default_rng(5).normal(size=(T, H))
    ih, hh = blockwise_transposed(file.weight_ih), blockwise_transposed(file.weight_hh)
    for changes, name in (
        ({"weight_ih": ih}, "transposed input"),
        ({"weight_ih": ih, "weight_hh": hh}, "transposed input and recurrent"),
    ):
        wrong = recorded(*port(file._replace(**changes), x))
        assert names(subject_of(file, (x,)), wrong) == [name]


@pytest.mark.parametrize("order", ["ifgo", "gofi"])
def test_a_reshape_instead_of_a_transpose_is_found(order):
    file = make_file(order=order)
    poured = np.ascontiguousarray(file.weight_hh).reshape(H, 4 * H).T
    found = cause_of(file._replace(weight_hh=poured), file)
    assert found == ["reshaped recurrent, (4H, K) as (K, 4H)"]
    poured = np.ascontiguousarray(file.weight_ih.T).reshape(4 * H, D)
    found = cause_of(file._replace(weight_ih=poured), file)
    assert found == ["reshaped input, (K, 4H) as (4H, K)"]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        (lambda f: {"bias_ih": 0 * f.bias_ih}, "bias_ih missing"),
        (lambda f: {"bias_hh": 0 * f.bias_hh}, "bias_hh missing"),
        (lambda f: {"bias_ih": 2 * f.bias_ih}, "bias_ih added twice"),
        (lambda f: {"bias_hh": 2 * f.bias_hh}, "bias_hh added twice"),
        (lambda f: {"bias_ih": 0 * f.bias_ih, "bias_hh": 0 * f.bias_hh}, "every bias missing"),
        (lambda f: {"bias_ih": 2 * f.bias_ih, "bias_hh": 2 * f.bias_hh}, "every bias added twice"),
    ],
)
@pytest.mark.parametrize("order", ["ifgo", "ofig"])
def test_a_missing_or_doubled_bias_is_found(changes, name, order):
    file = make_file(order=order)
    assert cause_of(file._replace(**changes(file)), file) == [name]


def test_the_only_bias_of_a_file_is_found_missing():
    file = make_file()
    subject = replace(subject_of(file), stored=Stored())
    zero = 0 * file.bias_ih
    wrong = recorded(*port(file._replace(bias_ih=zero, bias_hh=zero), X))
    assert names(subject, wrong) == ["the bias missing"]


@pytest.mark.parametrize("amount", [1, -1])
def test_a_forget_bias_of_one_more_or_less_is_found(amount):
    assert cause_of(make_file(), forget_bias=amount) == [f"forget bias {amount:+g}"]


def test_a_forget_bias_that_is_not_added_at_run_time_is_found():
    file = make_file()
    subject = subject_of(file, forget_bias=0.7)
    assert names(subject, recorded(*port(file, X))) == ["forget bias -0.7"]


@pytest.mark.parametrize(
    ("gate", "name"), [(hard, "hard-sigmoid"), (harder, "keras3-hard-sigmoid")]
)
def test_a_hard_sigmoid_is_found(gate, name):
    assert cause_of(make_file(), gate=gate) == [f"gate activation {name}"]


def test_a_sigmoid_in_the_place_of_a_hard_one_is_found():
    file = make_file()
    cell = canonical(file)
    cell = replace(cell, variant=replace(cell.variant, gate_activation="hard-sigmoid"))
    subject = replace(subject_of(file), parameters=Parameters((LayerParameters(cell),)))
    assert names(subject, recorded(*port(file, X))) == ["gate activation sigmoid"]


def test_the_wrong_concatenation_is_found():
    file = make_file()
    hx = np.concatenate([file.weight_hh, file.weight_ih], axis=1)
    mistaken = file._replace(weight_ih=hx[:, :D], weight_hh=hx[:, D:])
    assert cause_of(mistaken) == ["concatenation [x, h]"]
    xh = np.concatenate([file.weight_ih, file.weight_hh], axis=1)
    mistaken = file._replace(weight_hh=xh[:, :H], weight_ih=xh[:, H:])
    assert cause_of(mistaken) == ["concatenation [h, x]"]


def test_swapped_matrices_are_found_where_both_are_square():
    file = make_file(input_size=H)
    x = np.random.default_rng(5).normal(size=(T, H))
    mistaken = file._replace(weight_ih=file.weight_hh, weight_hh=file.weight_ih)
    assert names(subject_of(file, (x,)), recorded(*port(mistaken, x))) == ["concatenation [x, h]"]


def test_reversed_time_is_found():
    file = make_file()
    hidden, cell = port(file, X[::-1])
    assert names(subject_of(file), recorded(hidden, cell)) == ["reversed time"]
    found = names(subject_of(file), recorded(hidden[::-1], cell[::-1]))
    assert found == ["reversed time, recorded in place"]


def test_hidden_and_cell_in_each_others_place_are_found():
    file = make_file()
    hidden, cell = port(file, X)
    assert names(subject_of(file), recorded(cell, hidden)) == ["hidden and cell swapped"]
    found = cause_of(file, hand_on=lambda h, c: (c, h))
    assert found == ["hidden and cell swapped between steps"]


def test_swapped_initial_states_are_found():
    file = make_file()
    h, c = np.array([0.1, -0.5, 0.9]), np.array([2.0, 0.3, -1.0])
    arrays = {"layers.0.forward.hidden": h, "layers.0.forward.cell": c}
    parameters = Parameters((LayerParameters(canonical(file)),))
    subject = subject_of(file, start=ModelState.from_arrays(arrays, parameters))
    assert names(subject, recorded(*port(file, X, start=(c, h)))) == [
        "hidden and cell swapped at the start"
    ]


def test_a_state_that_is_not_handed_on_is_found():
    found = cause_of(make_file(), hand_on=lambda h, c: (0 * h, 0 * c))
    assert found == ["state not handed on"]


def test_padding_before_the_sequence_is_found_whether_recorded_or_not():
    file = make_file()
    x = np.concatenate([np.zeros((3, D)), X])
    hidden, cell = port(file, x)
    name = "padding, 3 steps before (zeros)"
    assert names(subject_of(file, steps=[T + 3]), recorded(hidden, cell)) == [name]
    assert names(subject_of(file), recorded(hidden[3:], cell[3:])) == [name]


def test_padding_after_the_sequence_is_found():
    file = make_file()
    wrong = recorded(*port(file, np.concatenate([X, np.zeros((1, D))])))
    assert names(subject_of(file, steps=[T + 1]), wrong) == ["padding, 1 step after (zeros)"]


def test_padding_with_a_token_is_found():
    file = make_file()
    token = np.array([0.3, -0.8])
    subject = subject_of(file, paddings={"zeros": np.zeros(D), "token 0": token})
    hidden, cell = port(file, np.concatenate([[token, token], X]))
    assert names(subject, recorded(hidden[2:], cell[2:])) == ["padding, 2 steps before (token 0)"]


def test_mistakes_of_the_reverse_direction_are_found():
    forward, back, subject = bidirectional()
    ahead, (hidden, cell) = port(forward, X), port(back, X[::-1])
    right = both_ways(ahead, (hidden[::-1], cell[::-1]))
    assert names(subject, right) == []  # no mistake, so none explains it
    assert names(subject, both_ways(ahead, (hidden, cell))) == [
        "reverse direction not flipped back"
    ]
    assert names(subject, both_ways(ahead, port(back, X))) == ["reverse direction not reversed"]


def test_padding_after_the_sequence_is_seen_by_the_reverse_direction():
    forward, back, subject = bidirectional()
    hidden, cell = port(back, np.concatenate([X, np.zeros((4, D))])[::-1])
    wrong = both_ways(port(forward, X), (hidden[::-1][:T], cell[::-1][:T]))
    assert names(subject, wrong) == ["padding, 4 steps after (zeros)"]


def test_a_mistake_is_found_through_layers():
    lower, upper = make_file(1), make_file(2, input_size=H)
    model = Model(Parameters(tuple(LayerParameters(canonical(f)) for f in (lower, upper))))
    first = port(lower, X, gate=hard)
    second = port(upper, first[0], gate=hard)
    series = recorded(*second).series
    wrong = Recording({Place(1, *place[1:]): one for place, one in series.items()})
    subject = Subject.of(model, [model.run(vectors=X)], [wrong], Stored())
    assert names(subject, wrong) == ["gate activation hard-sigmoid"]


def test_every_hypothesis_has_a_name_of_its_own_and_gives_a_record():
    _, _, subject = bidirectional()
    hypotheses = list(every_hypothesis(subject))
    assert len({one.name for one in hypotheses}) == len(hypotheses) > 60
    for one in hypotheses:
        (made,) = one.make(subject).run()
        assert made.num_steps == T
        assert len(made.series) == 2 * 15


def coupled_port(kernel, recurrent, bias, order, x):
    """Three blocks, and i = 1 - f, as TensorFlow's CoupledInputForgetGateLSTMCell has it."""
    h = c = np.zeros(H)
    hidden = []
    for row in x:
        z = dict(zip(order, np.split(kernel @ row + recurrent @ h + bias, 3), strict=True))
        f = sigmoid(z["f"])
        c = f * c + (1 - f) * np.tanh(z["g"])
        h = sigmoid(z["o"]) * np.tanh(c)
        hidden.append(h)
    return np.array(hidden)


def test_mistakes_with_three_blocks_are_found_where_two_gates_are_coupled():
    random = np.random.default_rng(8)
    kernel, recurrent, bias = (random.normal(size=s) for s in ((3 * H, D), (3 * H, H), (3 * H,)))
    arrays = []
    for packed in (kernel, recurrent, bias):  # g, f, o in the file; ours has an i, which is zero
        g, f, o = np.split(packed, 3)
        arrays.append(np.concatenate([np.zeros_like(f), f, g, o]))
    cell = CellParameters(*arrays, Variant(coupled="input"))
    model = Model(Parameters((LayerParameters(cell),)))
    trace = model.run(vectors=X)
    place = Place(0, "forward", "hidden")

    def found(hidden):
        wrong = Recording({place: Series.whole(hidden)})
        return names(Subject.of(model, [trace], [wrong], Stored("gfo")), wrong)

    assert np.allclose(coupled_port(kernel, recurrent, bias, "gfo", X), trace.hidden)
    for wrong in ("gof", "fgo", "fog", "ogf", "ofg"):
        assert found(coupled_port(kernel, recurrent, bias, wrong, X)) == [f"gate order {wrong}"]
    poured = np.ascontiguousarray(recurrent).reshape(H, 3 * H).T
    assert found(coupled_port(kernel, poured, bias, "gfo", X)) == [
        "reshaped recurrent, (3H, K) as (K, 3H)"
    ]
