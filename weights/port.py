"""How an implementation that somebody writes stores its weights.

Free of numpy, so that help pages can read the choices at once.
"""

from __future__ import annotations

from typing import NamedTuple

from weights.layouts.layout import LETTERS

MATRICES = ("outputs-first", "inputs-first")
BIASES = ("one", "two")


class Port(NamedTuple):
    """What a port's weights look like; as it is, it is PyTorch's nn.LSTM with one bias.

    `order` are the gates in the order of their blocks, in letters; `matrices` says whether a
    matrix is (outputs, inputs), for W @ x, or (inputs, outputs), for x @ W; `biases` how many
    there are per gate: the model keeps the sum of two, so the second is zero.

    >>> Port("ifgo").has_every_gate, Port("iffo").has_every_gate
    (True, False)
    """

    order: str = "ifgo"
    matrices: str = "outputs-first"
    biases: str = "one"

    @property
    def has_every_gate(self) -> bool:
        """Whether the order names each gate once."""
        return sorted(self.order) == sorted(LETTERS)

    @property
    def gates(self) -> tuple[str, ...]:
        """The names of the gates in the order of their blocks."""
        return tuple(LETTERS[letter] for letter in self.order)
