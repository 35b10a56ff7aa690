"""The network step by step: its gates, and what becomes of a sentence when a cell is held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from network import HIDDEN, Ids, Network
from torch import Tensor
from torch.nn import functional


class Hold(NamedTuple):
    """One cell, set after every step from `first` on.

    `values` has the shape (steps, sentences), or (1, sentences) for the same at every step.
    """

    unit: int
    values: Tensor
    first: int


class Step(NamedTuple):
    """What one step makes, each of the shape (sentences, HIDDEN)."""

    input_gate: Tensor
    forget_gate: Tensor
    hidden: Tensor
    cell: Tensor


def walk(network: Network, ids: Tensor, hold: Hold | None = None) -> Iterator[Step]:
    """Yield the steps of sentences of one length, from zero states."""
    lstm = network.lstm
    hidden = cell = torch.zeros(len(ids), HIDDEN)
    for at, inputs in enumerate(network.embedding(ids).unbind(1)):
        summed = functional.linear(inputs, lstm.weight_ih_l0, lstm.bias_ih_l0)
        summed = summed + functional.linear(hidden, lstm.weight_hh_l0, lstm.bias_hh_l0)
        i, f, g, o = summed.chunk(4, dim=1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        if hold is not None and at >= hold.first:
            cell[:, hold.unit] = hold.values[min(at, len(hold.values) - 1)]
        hidden = o.sigmoid() * cell.tanh()
        yield Step(i.sigmoid(), f.sigmoid(), hidden, cell)


@torch.no_grad()
def cells(network: Network, sentences: Ids) -> list[np.ndarray]:
    """Return the cell states of every sentence, (steps, HIDDEN) each, in the order given."""
    found: list[np.ndarray] = [np.empty(0)] * len(sentences)
    for places in by_length(sentences).values():
        ids = torch.tensor([list(sentences[place]) for place in places])
        states = torch.stack([step.cell for step in walk(network, ids)], dim=1).numpy()
        for place, state in zip(places, states, strict=True):
            found[place] = state
    return found


def by_length(sentences: Sequence[Sequence[object]]) -> dict[int, list[int]]:
    """Return the places of the sentences of each length: together they need no padding."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place, sentence in enumerate(sentences):
        places[len(sentence)].append(place)
    return dict(places)
