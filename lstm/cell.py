"""One cell, one step, as the textbook writes it. All else is measured against this."""

from __future__ import annotations

import numpy as np

from lstm.activations import sigmoid
from lstm.arrays import Floats
from lstm.parameters import CellParameters
from lstm.quantities import GATES
from lstm.state import Gates, State
from lstm.variants import STANDARD, step_variant


def step(parameters: CellParameters, x: Floats, previous: State) -> tuple[State, Gates]:
    """Take one step from the previous state with one input.

    In the textbook's words, each matrix applied to the concatenation [CURRHS, INP]:

        FGOP  = sigmoid(WFG  [CURRHS, INP] + BFG)      what stays of the cell state
        IPGOP = sigmoid(WIPG [CURRHS, INP] + BIPG)     how much is written
        CNDCS = tanh   (WCS  [CURRHS, INP] + BCS)      what would be written
        NEWCS = FGOP * CURRCS + IPGOP * CNDCS
        OGOP  = sigmoid(WOPG [CURRHS, INP] + BOPG)     how much shows
        NEWHS = OGOP * tanh(NEWCS)

    Args:
        parameters: the weights of the cell.
        x: (D,), the input, in the dtype of the parameters.
        previous: the state before, h and c each (H,).

    Returns:
        The new state, |h| <= 1, and the gates, i, f, o in [0, 1] and g in [-1, 1]; all (H,), in
        the dtype of the parameters.

    Raises:
        ValueError: the input or the state has another width than the weights (from numpy).

    Source: Hochreiter and Schmidhuber (1997), with the forget gate of Gers, Schmidhuber and
    Cummins (2000).

    >>> ones = CellParameters(np.zeros((4, 1)), np.zeros((4, 1)), np.array([99., 99., 99., 99.]))
    >>> new, gates = step(ones, np.zeros(1), State(h=np.zeros(1), c=np.array([2.0])))
    >>> gates.f.item(), gates.i.item(), gates.g.item(), new.c.item()
    (1.0, 1.0, 1.0, 3.0)
    """
    if parameters.variant is not STANDARD:
        return _step_variant(parameters, x, previous)
    weight, bias = parameters.gate_weight, parameters.gate_bias
    hx = np.concatenate([previous.h, x])
    f = sigmoid(weight("forget") @ hx + bias("forget"))
    i = sigmoid(weight("input") @ hx + bias("input"))
    g = np.tanh(weight("candidate") @ hx + bias("candidate"))
    c = f * previous.c + i * g
    o = sigmoid(weight("output") @ hx + bias("output"))
    h = o * np.tanh(c)
    return State(h=h, c=c), Gates(i=i, f=f, g=g, o=o)


def _step_variant(parameters: CellParameters, x: Floats, previous: State) -> tuple[State, Gates]:
    """The step of a cell that differs from the textbook's; `lstm.variants` says how."""
    products = parameters.weight_ih @ x + parameters.weight_hh @ previous.h
    variant, bias = parameters.variant, parameters.bias
    new = step_variant(variant, products, bias, x, previous.h, previous.c)
    return State(h=new.hidden, c=new.cell), Gates(*np.split(new.gates, len(GATES)))
