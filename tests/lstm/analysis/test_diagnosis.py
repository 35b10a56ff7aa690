"""What explains a port: one mistake before two, all steps of all sequences, or nothing."""

import numpy as np
import pytest

from lstm.analysis.diagnosis import Search
from lstm.analysis.divergence import Tolerance, Tolerances
from lstm.analysis.recording import Place, Recording, Series
from tests.lstm.analysis.port import (
    D,
    H,
    T,
    X,
    bidirectional,
    both_ways,
    cause_of,
    hard,
    harder,
    make_file,
    names,
    port,
    recorded,
    subject_of,
)  # fmt: skip


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


def transposed(matrix):
    return np.concatenate([block.T for block in np.split(matrix, 4)])


@pytest.mark.parametrize("order", ["ifgo", "ogif"])
@pytest.mark.parametrize(
    ("changes", "run", "name"),
    [
        ({"bias_hh": 0}, {}, "bias_hh missing"),
        ({"bias_ih": 2}, {}, "bias_ih added twice"),
        ({}, {"forget_bias": 1}, "forget bias +1"),
        ({}, {"forget_bias": -1}, "forget bias -1"),
        ({}, {"gate": hard}, "gate activation hard-sigmoid"),
        ({}, {"gate": harder}, "gate activation keras3-hard-sigmoid"),
        ({}, {"hand_on": lambda h, c: (0 * h, 0 * c)}, "state not handed on"),
        ({}, {"hand_on": lambda h, c: (c, h)}, "hidden and cell swapped between steps"),
    ],
)
def test_a_wrong_gate_order_is_found_together_with_any_other_mistake(order, changes, run, name):
    file = make_file(order=order)
    scaled = {key: times * getattr(file, key) for key, times in changes.items()}
    found = cause_of(file._replace(**scaled), file, order="fiog", **run)
    assert [set(one.split(" + ")) for one in found] == [{"gate order fiog", name}]


def test_a_wrong_gate_order_is_found_together_with_wrong_matrices():
    file = make_file(order="figo")
    hx = np.concatenate([file.weight_hh, file.weight_ih], axis=1)
    poured = np.ascontiguousarray(file.weight_hh).reshape(H, 4 * H).T
    for changes, name in (
        ({"weight_hh": transposed(file.weight_hh)}, "transposed recurrent"),
        ({"weight_ih": hx[:, :D], "weight_hh": hx[:, D:]}, "concatenation [x, h]"),
        ({"weight_hh": poured}, "reshaped recurrent, (4H, K) as (K, 4H)"),
    ):
        found = cause_of(file._replace(**changes), file, order="ogif")
        assert found == [f"{name} + gate order ogif"]


def test_a_wrong_gate_order_is_found_together_with_a_wrong_input_or_record():
    file = make_file()
    hidden, cell = port(file, X[::-1], order="gofi")
    name = "gate order gofi + reversed time"
    assert names(subject_of(file), recorded(hidden, cell)) == [name]
    found = names(subject_of(file), recorded(hidden[::-1], cell[::-1]))
    assert found == [f"{name}, recorded in place"]
    hidden, cell = port(file, X, order="gofi")
    found = names(subject_of(file), recorded(cell, hidden))
    assert found == ["gate order gofi + hidden and cell swapped"]
    hidden, cell = port(file, np.concatenate([np.zeros((2, D)), X]), order="gofi")
    name = "gate order gofi + padding, 2 steps before (zeros)"
    assert names(subject_of(file), recorded(hidden[2:], cell[2:])) == [name]
    assert names(subject_of(file, steps=[T + 2]), recorded(hidden, cell)) == [name]


def test_two_mistakes_of_which_none_is_the_gate_order_are_found():
    file = make_file()
    halved = file._replace(bias_hh=0 * file.bias_hh)
    assert cause_of(halved, gate=hard) == ["bias_hh missing + gate activation hard-sigmoid"]
    assert cause_of(halved, forget_bias=1) == ["bias_hh missing + forget bias +1"]
    # One of the two taken for the other.
    assert cause_of(file._replace(bias_hh=file.bias_ih)) == [
        "bias_ih added twice + bias_hh missing"
    ]
    hidden, cell = port(file, X[::-1], forget_bias=-1)
    found = names(subject_of(file), recorded(hidden, cell))
    assert found == ["forget bias -1 + reversed time"]


def test_two_mistakes_are_found_in_both_directions():
    forward, back, subject = bidirectional()
    hidden, cell = port(back, X[::-1], gate=hard)
    wrong = both_ways(port(forward, X, gate=hard), (hidden, cell))
    name = "gate activation hard-sigmoid + reverse direction not flipped back"
    assert names(subject, wrong) == [name]
    above = {place: one for place, one in wrong.series.items() if place.direction == "reverse"}
    assert names(subject, Recording(above)) == [name]


def test_one_mistake_is_preferred_to_two():
    file = make_file()
    wrong = recorded(*port(file._replace(bias_hh=0 * file.bias_hh), X))
    finding = Search(subject_of(file), [wrong]).find()
    assert [len(one.mistakes) for one in finding.found] == [1]
    assert finding.pairs == 0


def test_three_mistakes_are_not_taken_for_two():
    file = make_file()
    wrong = recorded(*port(file._replace(bias_hh=0 * file.bias_hh), X[::-1], gate=hard))
    finding = Search(subject_of(file), [wrong]).find()
    assert finding.found == ()
    assert finding.tried > 70
    assert finding.pairs > 900


def test_later_steps_alone_are_enough_to_find_a_mistake():
    file = make_file()
    hidden, _ = port(file, X, order="gofi", gate=hard)
    late = Series(hidden[3:], np.arange(3, T), np.arange(H))
    wrong = Recording({Place(0, "forward", "hidden"): late})
    # As where --steps 3: was given: of what is run, the same steps are compared.
    search = Search(
        subject_of(file), [wrong], choose=lambda made: made.choose(None, None, range(3, T))
    )
    assert [one.name for one in search.find().found] == [
        "gate order gofi + gate activation hard-sigmoid"
    ]


def test_the_tolerance_decides_at_the_first_steps_too():
    file = make_file()
    hidden, cell = port(file, X, gate=hard)
    off = recorded(hidden + 1e-3, cell)
    assert names(subject_of(file), off) == []
    loose = Tolerances(Tolerance(1e-2))
    found = Search(subject_of(file), [off], loose).find().found
    assert [one.name for one in found] == ["gate activation hard-sigmoid"]
