"""The squashing functions of the gates, by the names that options and files use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from lstm.arrays import Floats


def sigmoid(z: Floats) -> Floats:
    """Squash pre-activations into gates: sigmoid(z) = 1 / (1 + exp(-z)).

    It is computed as (1 + tanh(z / 2)) / 2, which is the same function and cannot overflow.

    Args:
        z: any shape, float32 or float64.

    Returns:
        The same shape and dtype, values in [0, 1].

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    half = z.dtype.type(0.5)
    return np.asarray(half * (1 + np.tanh(half * z)))


def hard_sigmoid(z: Floats) -> Floats:
    """Approximate the sigmoid by straight lines: clip(0.2 z + 0.5, 0, 1).

    Source: Keras before version 3, TensorFlow.js; the default of ONNX's HardSigmoid.

    >>> hard_sigmoid(np.array([-2.5, 0.0, 1.0, 2.5])).tolist()
    [0.0, 0.5, 0.7, 1.0]
    """
    scale, shift = z.dtype.type(0.2), z.dtype.type(0.5)
    return np.clip(scale * z + shift, 0, 1)


def keras3_hard_sigmoid(z: Floats) -> Floats:
    """Approximate the sigmoid less steeply: clip(z / 6 + 0.5, 0, 1).

    Source: Keras 3, PyTorch's nn.Hardsigmoid.

    >>> keras3_hard_sigmoid(np.array([-3.0, 0.0, 1.5, 3.0])).tolist()
    [0.0, 0.5, 0.75, 1.0]
    """
    return np.clip(z / z.dtype.type(6) + z.dtype.type(0.5), 0, 1)


def relu(z: Floats) -> Floats:
    """Cut off what is negative: max(z, 0)."""
    return np.maximum(z, 0)


def softsign(z: Floats) -> Floats:
    """Squash into (-1, 1): z / (1 + |z|)."""
    return np.asarray(z / (1 + np.abs(z)))


def softplus(z: Floats) -> Floats:
    """Smooth the positive part: log(1 + exp(z))."""
    return np.logaddexp(z, z.dtype.type(0))


def linear(z: Floats) -> Floats:
    """Leave everything as it is."""
    return z


ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "sigmoid": sigmoid,
        "hard-sigmoid": hard_sigmoid,
        "keras3-hard-sigmoid": keras3_hard_sigmoid,
        "tanh": np.tanh,
        "relu": relu,
        "softsign": softsign,
        "softplus": softplus,
        "linear": linear,
    }
)
