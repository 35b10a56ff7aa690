"""The names of everything a trace holds, with the letter, the textbook's word and the formula.

Free of numpy, so that help pages, schemas and listings can read it at once. `h'` and `c'` are
the states before the step.
"""

from __future__ import annotations

from typing import NamedTuple

DIRECTIONS = ("forward", "reverse")

# The order of the blocks in every packed array of this package.
GATES = ("input", "forget", "candidate", "output")

LETTERS = "ifgo"  # of GATES

# The number formats in which a cell can be run.
DTYPES = ("float32", "float64")


class Quantity(NamedTuple):
    """One named array of a trace.

    `name` is its attribute and its key in JSON, `symbol` its letter in formulas and addresses,
    `textbook` the name it has in textbooks, `low` and `high` the range of its values (None: no
    bound).
    """

    name: str
    symbol: str
    title: str
    formula: str
    textbook: str = ""
    low: int | None = None
    high: int | None = None


QUANTITIES = (
    Quantity("layer_input", "x", "layer input", "what the layer is given", "INP"),
    Quantity("pre_forget", "z_f", "forget gate, pre-activation", "W_f [h', x] + b_f"),
    Quantity("pre_input", "z_i", "input gate, pre-activation", "W_i [h', x] + b_i"),
    Quantity("pre_candidate", "z_g", "candidate, pre-activation", "W_g [h', x] + b_g"),
    Quantity("pre_output", "z_o", "output gate, pre-activation", "W_o [h', x] + b_o"),
    Quantity("forget", "f", "forget gate", "sigmoid(z_f)", "FGOP", 0, 1),
    Quantity("input", "i", "input gate", "sigmoid(z_i)", "IPGOP", 0, 1),
    Quantity("candidate", "g", "candidate", "tanh(z_g)", "CNDCS", -1, 1),
    Quantity("output", "o", "output gate", "sigmoid(z_o)", "OGOP", 0, 1),
    Quantity("input_candidate", "ig", "input gate times candidate", "i * g", "", -1, 1),
    Quantity("forget_cell", "fc", "forget gate times previous cell", "f * c'"),
    Quantity("cell", "c", "cell state", "f * c' + i * g", "NEWCS"),
    Quantity("tanh_cell", "tanh_c", "tanh of the cell state", "tanh(c)", "", -1, 1),
    Quantity("hidden", "h", "hidden state", "o * tanh(c)", "NEWHS", -1, 1),
    Quantity("layer_output", "y", "layer output", "h; h + x with a residual connection"),
)

# The packed arrays of a record, and which one a quantity is read from, if from any.
PACKED = ("pre_activations", "gates")
PACKED_OF = {
    **{f"pre_{gate}": "pre_activations" for gate in GATES},
    **dict.fromkeys((*GATES, "input_candidate", "forget_cell"), "gates"),
}

# The ways to compute; `lstm.engines` holds them.
ENGINE_NAMES = ("auto", "numpy", "numba")

NAMES = tuple(quantity.name for quantity in QUANTITIES)
BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}
BY_SYMBOL = {quantity.symbol: quantity for quantity in QUANTITIES}
