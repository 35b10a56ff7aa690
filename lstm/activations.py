"""The squashing functions of the gates, by the names that options and files use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from types import MappingProxyType

import numpy as np

from lstm.activation_names import PARAMETERS, read_activation
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


def hard_sigmoid(z: Floats, alpha: float = 0.2, beta: float = 0.5) -> Floats:
    """Approximate the sigmoid by straight lines: clip(alpha z + beta, 0, 1).

    Source: Keras before version 3, TensorFlow.js; ONNX's HardSigmoid.

    >>> hard_sigmoid(np.array([-2.5, 0.0, 1.0, 2.5])).tolist()
    [0.0, 0.5, 0.7, 1.0]
    """
    return np.clip(affine(z, alpha, beta), 0, 1)


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


def leaky_relu(z: Floats, alpha: float) -> Floats:
    """Make what is negative smaller: z, or alpha z where z < 0."""
    return np.where(z < 0, z.dtype.type(alpha) * z, z)


def thresholded_relu(z: Floats, alpha: float) -> Floats:
    """Keep what reaches a threshold: z, or 0 where z < alpha."""
    return np.where(z < z.dtype.type(alpha), z.dtype.type(0), z)


def elu(z: Floats, alpha: float) -> Floats:
    """Bend what is negative towards -alpha: z, or alpha (exp(z) - 1) where z < 0."""
    return np.where(z < 0, z.dtype.type(alpha) * np.expm1(np.minimum(z, 0)), z)


def affine(z: Floats, alpha: float, beta: float) -> Floats:
    """Stretch and shift: alpha z + beta."""
    return np.asarray(z.dtype.type(alpha) * z + z.dtype.type(beta))


def scaled_tanh(z: Floats, alpha: float, beta: float) -> Floats:
    """Stretch the tanh: alpha tanh(beta z)."""
    return np.asarray(z.dtype.type(alpha) * np.tanh(z.dtype.type(beta) * z))


_FUNCTIONS: Mapping[str, Callable[..., Floats]] = MappingProxyType(
    {
        "sigmoid": sigmoid,
        "hard-sigmoid": hard_sigmoid,
        "keras3-hard-sigmoid": keras3_hard_sigmoid,
        "tanh": np.tanh,
        "relu": relu,
        "softsign": softsign,
        "softplus": softplus,
        "linear": linear,
        "leaky-relu": leaky_relu,
        "thresholded-relu": thresholded_relu,
        "elu": elu,
        "affine": affine,
        "scaled-tanh": scaled_tanh,
    }
)


@lru_cache
def activation(name: str) -> Callable[[Floats], Floats]:
    """Return the function that a name tells, such as `tanh` or `elu(0.5)`.

    Source: for those with parameters ONNX, the operator LSTM.

    >>> activation("elu(0.5)")(np.array([-np.inf, 0.0, 3.0])).tolist()
    [-0.5, 0.0, 3.0]
    """
    function, values = read_activation(name)
    named = dict(zip(PARAMETERS[function], values, strict=True))
    return partial(_FUNCTIONS[function], **named) if named else _FUNCTIONS[function]
