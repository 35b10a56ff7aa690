"""The squashing functions of the gates."""

from __future__ import annotations

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
