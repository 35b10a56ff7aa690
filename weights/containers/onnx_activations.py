"""The squashing functions of an ONNX LSTM node, from its attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lstm.activation_names import PARAMETERS, Activation
from weights.errors import NotAnLSTMError, UnreadableFileError
from weights.layouts.layout import REVERSE

# The standard's names, in small letters, to ours.
NAMES = {
    "sigmoid": "sigmoid", "tanh": "tanh", "relu": "relu", "affine": "affine", "elu": "elu",
    "leakyrelu": "leaky-relu", "thresholdedrelu": "thresholded-relu", "softsign": "softsign",
    "scaledtanh": "scaled-tanh", "hardsigmoid": "hard-sigmoid", "softplus": "softplus",
}  # fmt: skip
FIELDS = ("gate_activation", "candidate_activation", "cell_activation")


def read_activations(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the activations as fields of a Variant, `reverse.` before those of a second direction.

    Each function takes from activation_alpha and activation_beta, in turn, the numbers that it
    needs; where they are used up it has the default of the ONNX operator of its name.

    Args:
        given: the attributes of the node.

    Raises:
        NotAnLSTMError: a function is not the standard's.
        UnreadableFileError: there are too few or too many, or a number without a default is
            missing.

    Source: https://onnx.ai/onnx/operators/onnx__LSTM.html; how the numbers are used up:
    onnxruntime 1.31.
    """
    names = [name.decode() for name in given.get("activations", [])]
    if not names:
        return {}
    directions = 2 if given.get("direction") == b"bidirectional" else 1
    if len(names) != len(FIELDS) * directions:
        raise UnreadableFileError(
            f"activations: expected {len(FIELDS) * directions}, found {len(names)}."
        )
    numbers = {
        "alpha": iter(given.get("activation_alpha", [])),
        "beta": iter(given.get("activation_beta", [])),
    }
    every = [str(_activation(name, numbers)) for name in names]
    forward = dict(zip(FIELDS, every, strict=False))
    reverse = dict(zip(FIELDS, every[len(FIELDS) :], strict=False))
    differing = {f"{REVERSE}{f}": name for f, name in reverse.items() if name != forward[f]}
    return {**forward, **differing}


def _activation(name: str, numbers: Mapping[str, Iterator[float]]) -> Activation:
    ours = NAMES.get(name.lower())
    if ours is None:
        raise NotAnLSTMError(f"the activation {name} is not supported.")
    values = []
    for parameter, default in PARAMETERS[ours].items():
        value = next(numbers[parameter], default)
        if value is None:
            raise UnreadableFileError(
                f"activation_{parameter}: expected a number for {name}, which has no default, "
                "found none."
            )
        values.append(shortest(value))
    return Activation(ours, tuple(values))


def shortest(value: float) -> float:
    """Return the number with the fewest digits that is this one in float32, as it is stored.

    >>> shortest(0.20000000298023224)
    0.2
    """
    return float(str(np.float32(value)))
