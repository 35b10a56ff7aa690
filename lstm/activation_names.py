"""The names of the squashing functions and of their parameters. Free of numpy.

A name is `tanh`, or `elu(0.5)` where a function has parameters that are not at their defaults.
`lstm.activations` computes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from types import MappingProxyType
from typing import NamedTuple

from lstm.errors import LSTMError

# What stands in parentheses, with its default; None: it has none and must be given.
PARAMETERS: Mapping[str, Mapping[str, float | None]] = MappingProxyType(
    {
        "sigmoid": {},
        "hard-sigmoid": {"alpha": 0.2, "beta": 0.5},
        "keras3-hard-sigmoid": {},
        "tanh": {},
        "relu": {},
        "softsign": {},
        "softplus": {},
        "linear": {},
        "leaky-relu": {"alpha": 0.01},
        "thresholded-relu": {"alpha": 1.0},
        "elu": {"alpha": 1.0},
        "affine": {"alpha": None, "beta": None},
        "scaled-tanh": {"alpha": None, "beta": None},
    }
)
ACTIVATION_NAMES = tuple(PARAMETERS)


class Activation(NamedTuple):
    """A squashing function: its name, and the values of all its parameters."""

    name: str
    values: tuple[float, ...] = ()

    def __str__(self) -> str:
        """Write it as short as it can be read back.

        >>> str(Activation("elu", (0.5,))), str(Activation("elu", (1.0,)))
        ('elu(0.5)', 'elu')
        """
        if self.values == tuple(PARAMETERS[self.name].values()):
            return self.name
        return f"{self.name}({','.join(repr(value) for value in self.values)})"


def read_activation(text: object) -> Activation:
    """Read a name with its parameters.

    Raises:
        LSTMError: there is no such function, or not so many parameters.

    >>> read_activation("hard-sigmoid")
    Activation(name='hard-sigmoid', values=(0.2, 0.5))
    """
    match = re.fullmatch(r"([a-z0-9-]+)(?:\(([^()]*)\))?", text) if isinstance(text, str) else None
    if match is None or match[1] not in PARAMETERS:
        raise LSTMError(f"expected one of {', '.join(ACTIVATION_NAMES)}; found {text!r}.")
    expected = PARAMETERS[match[1]]
    values = _numbers(match[2]) if match[2] is not None else tuple(expected.values())
    if len(values) != len(expected) or not all(_is_number(value) for value in values):
        shape = f"{match[1]}({','.join(expected)})" if expected else match[1]
        raise LSTMError(f"expected {shape}, in numbers; found {text!r}.")
    return Activation(match[1], tuple(value for value in values if value is not None))


def _numbers(text: str) -> Sequence[float | None]:
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        return (None,)


def _is_number(value: float | None) -> bool:
    return value is not None and isfinite(value)
