"""Every mistake is made here, in a port written with numpy, and has to be found by its name."""

from dataclasses import replace
from itertools import permutations
from typing import NamedTuple

import numpy as np
import pytest

from lstm.analysis.causes import every_hypothesis, find_causes
from lstm.analysis.recording import Place, Recording, Series
from lstm.analysis.rerun import Stored, Subject
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.state import ModelState

D, H, T = 2, 3, 5


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def hard(z):
    return np.clip(0.2 * z + 0.5, 0, 1)


def harder(z):
    return np.clip(z / 6 + 0.5, 0, 1)


class File(NamedTuple):
    """What a port reads: packed matrices in the order of `order`, and two biases."""

    weight_ih: np.ndarray
    weight_hh: np.ndarray
    bias_ih: np.ndarray
    bias_hh: np.ndarray
    order: str = "ifgo"


def make_file(seed=0, order="ifgo", input_size=D, size=H):
    random = np.random.default_rng(seed)
    shapes = ((4 * size, input_size), (4 * size, size), (4 * size,), (4 * size,))
    return File(*(random.normal(size=shape) for shape in shapes), order)


def canonical(file, forget_bias=0.0):
    """The right parameters: blocks i, f, g, o, one bias."""

    def sort(array):
        blocks = dict(zip(file.order, np.split(array, 4), strict=True))
        return np.concatenate([blocks[letter] for letter in "ifgo"])

    bias = sort(file.bias_ih + file.bias_hh)
    size = len(bias) // 4
    bias[size : 2 * size] += forget_bias
    return CellParameters(sort(file.weight_ih), sort(file.weight_hh), bias)


def port(
    file, x, order=None, gate=sigmoid, forget_bias=0.0, start=None, hand_on=lambda h, c: (h, c)
):
    """An LSTM in a dozen lines, as people write it: hidden and cell states, (T, H) each."""
    size = file.weight_hh.shape[1]
    h, c = start or (np.zeros(size), np.zeros(size))
    hidden, cell = [], []
    for row in x:
        z = file.weight_ih @ row + file.weight_hh @ h + file.bias_ih + file.bias_hh
        blocks = dict(zip(order or file.order, np.split(z, 4), strict=True))
        i, o = gate(blocks["i"]), gate(blocks["o"])
        f = gate(blocks["f"] + forget_bias)
        c = f * c + i * np.tanh(blocks["g"])
        h = o * np.tanh(c)
        hidden.append(h)
        cell.append(c)
        h, c = hand_on(h, c)
    return np.array(hidden), np.array(cell)


def recorded(hidden, cell):
    places = {Place(0, "forward", "hidden"): hidden, Place(0, "forward", "cell"): cell}
    return Recording({place: Series.whole(array) for place, array in places.items()})


X = np.random.default_rng(9).normal(size=(T, D))


def subject_of(file, xs=(X,), steps=None, forget_bias=0.0, start=None, **named):
    parameters = Parameters((LayerParameters(canonical(file, forget_bias)),))
    model = Model(parameters)
    traces = [model.run(vectors=x, initial_state=start) for x in xs]
    cell = File(*(None if a is None else a for a in file))
    biases = tuple(canonical(replace_biases(cell, keep)).bias for keep in ("ih", "hh"))
    stored = Stored(file.order, forget_bias, ("bias_ih", "bias_hh"), {(0, "forward"): biases})
    ports = [recorded(np.zeros((n, H)), np.zeros((n, H))) for n in steps or map(len, xs)]
    return replace(Subject.of(model, traces, ports, stored), **named)


def replace_biases(file, keep):
    other = {"ih": "bias_hh", "hh": "bias_ih"}[keep]
    return file._replace(**{other: np.zeros_like(getattr(file, other))})


def names(subject, *ports):
    return [one.name for one in find_causes(subject, ports).found]


def cause_of(mistaken, file=None, **run):
    """What is found where a port has read a file that was changed like this."""
    file = file or make_file()
    return names(subject_of(file), recorded(*port(mistaken, X, **run)))


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


def bidirectional(seed=3):
    forward, back = make_file(seed), make_file(seed + 1)
    parameters = Parameters((LayerParameters(canonical(forward), canonical(back)),))
    model = Model(parameters)
    subject = Subject.of(model, [model.run(vectors=X)], [recorded(X, X)], Stored())
    return forward, back, subject


def both_ways(ahead, back):
    series = recorded(*ahead).series
    hidden, cell = back
    return Recording({
        **series,
        Place(0, "reverse", "hidden"): Series.whole(hidden),
        Place(0, "reverse", "cell"): Series.whole(cell),
    })  # fmt: skip


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


def test_a_cause_must_explain_every_sequence():
    file = make_file()
    mistaken = file._replace(bias_hh=0 * file.bias_hh)
    xs = (X, X[:2] * 3)
    subject = subject_of(file, xs)
    wrong = [recorded(*port(mistaken, x)) for x in xs]
    assert names(subject, *wrong) == ["bias_hh missing"]
    assert names(subject, wrong[0], recorded(*port(file, xs[1]))) == []


def test_a_cause_must_explain_every_step():
    file = make_file()
    hidden, cell = port(file._replace(bias_hh=0 * file.bias_hh), X)
    hidden[-1, -1] += 0.01
    assert names(subject_of(file), recorded(hidden, cell)) == []


def test_two_mistakes_at_once_are_not_taken_for_one():
    file = make_file()
    assert cause_of(file._replace(bias_hh=0 * file.bias_hh), gate=hard) == []


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
        (made,) = one.run(subject)
        assert made.num_steps == T
        assert len(made.series) == 2 * 15
