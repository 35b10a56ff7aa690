"""Somebody's own LSTM, written with numpy from the equations, in which mistakes can be made."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstm.analysis.diagnosis import Search
from lstm.analysis.recording import Place, Recording, Series
from lstm.analysis.rerun import Stored, Subject
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters

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
    return [one.name for one in Search(subject, ports).find().found]


def cause_of(mistaken, file=None, **run):
    """What is found where a port has read a file that was changed like this."""
    file = file or make_file()
    return names(subject_of(file), recorded(*port(mistaken, X, **run)))


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
