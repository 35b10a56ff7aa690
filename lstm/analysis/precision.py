"""How closely another implementation can repeat a run: a tolerance for each quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstm.arrays import Floats
from lstm.head import Head, softmax
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.trace import Trace

# How many roundings of a single number are allowed, and how many times the measured growth.
ROUNDINGS, MARGIN = 64, 8


class Tolerance(NamedTuple):
    """Two numbers agree where |found - expected| <= atol + rtol * |expected|."""

    atol: float
    rtol: float


@np.errstate(over="ignore", invalid="ignore")
def tolerances(
    parameters: Parameters, trace: Trace, show: Sequence[str], head: Head | None = None
) -> dict[str, Tolerance]:
    """Say for each quantity how far off a correct implementation of the same dtype may be.

    It sums in another order and has another exp and tanh. How such roundings grow depends on
    the weights and on the input: so the run is repeated with every weight off by one rounding,
    up or down as a fixed seed says, and

        atol = max(64 eps, 8 |difference|)        rtol = 64 eps

    with the largest difference at any step, layer, direction and unit.

    Args:
        parameters: the weights that ran.
        trace: what they did, of one sequence.
        show: names from `lstm.quantities`.
        head: where given, its `logits` and `probabilities` get tolerances too.
    """
    inputs = trace.layers[0].first.layer_input
    random = np.random.default_rng(0)
    nudged = Model(_nudged(parameters, random))
    again = nudged.run(vectors=inputs, initial_state=trace.initial)
    floor = ROUNDINGS * float(np.finfo(parameters.dtype).eps)
    largest = {name: _largest_difference(name, trace, again) for name in show}
    if head is not None:
        ours, theirs = head.logits(trace.output), _nudged_head(head, random).logits(again.output)
        largest["logits"] = _largest(ours - theirs)
        largest["probabilities"] = _largest(softmax(ours) - softmax(theirs))
    return {
        name: Tolerance(_rounded(max(floor, MARGIN * difference)), _rounded(floor))
        for name, difference in largest.items()
    }


def _largest_difference(name: str, one: Trace, other: Trace) -> float:
    """The largest |difference| of a quantity between two runs, where both are finite."""
    largest = 0.0
    for ours, theirs in zip(one.layers, other.layers, strict=True):
        for a, b in zip(ours.directions, theirs.directions, strict=True):
            largest = max(largest, _largest(getattr(a, name) - getattr(b, name)))
    return largest


def _largest(difference: Floats) -> float:
    return float(np.abs(difference[np.isfinite(difference)]).max(initial=0))


def _rounded(number: float) -> float:
    """Two digits are enough of a tolerance."""
    return float(f"{number:.1e}")


def _nudged(parameters: Parameters, random: np.random.Generator) -> Parameters:
    layers = (
        LayerParameters(
            **{name: _nudged_cell(cell, random) for name, cell in layer.directions.items()}
        )
        for layer in parameters.layers
    )
    return replace(parameters, layers=tuple(layers))


def _nudged_cell(cell: CellParameters, random: np.random.Generator) -> CellParameters:
    weight_ih, weight_hh, bias = (_nudged_array(array, random) for array in cell.arrays)
    return replace(cell, weight_ih=weight_ih, weight_hh=weight_hh, bias=bias)


def _nudged_head(head: Head, random: np.random.Generator) -> Head:
    arrays = {name: _nudged_array(array, random) for name, array in head.arrays.items()}
    return replace(
        head,
        weight=arrays["weight"],
        bias=arrays.get("bias"),
        projection=arrays.get("projection"),
        projection_bias=arrays.get("projection_bias"),
    )


def _nudged_array(array: Floats, random: np.random.Generator) -> Floats:
    signs = random.choice(np.array([-1, 1], array.dtype), size=array.shape)
    return np.asarray(array * (1 + signs * np.finfo(array.dtype).eps))
