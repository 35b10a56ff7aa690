"""The oracle: an LSTM in plain Python floats, loop by loop, from the textbook's equations.

It shares nothing with the packages under test: no numpy, no code of theirs. Vectors are lists,
matrices lists of rows, everything float64. Weights hold the row blocks i, f, g, o.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

Vector = list[float]
Matrix = list[Vector]
Step = dict[str, Vector]


class Cell(NamedTuple):
    """The weights of one cell: (4H, D), (4H, H) and (4H,)."""

    weight_ih: Matrix
    weight_hh: Matrix
    bias: Vector


class Layer(NamedTuple):
    """One cell, or two."""

    forward: Cell
    reverse: Cell | None


def layers_of(parameters: Any) -> list[Layer]:
    """Copy the weights of a stack into lists."""
    return [
        Layer(cell_of(layer.forward), layer.reverse and cell_of(layer.reverse))
        for layer in parameters.layers
    ]


def cell_of(parameters: Any) -> Cell:
    """Copy the weights of a cell into lists."""
    return Cell(
        parameters.weight_ih.tolist(), parameters.weight_hh.tolist(), parameters.bias.tolist()
    )


def sigmoid(z: float) -> float:
    """1 / (1 + exp(-z)), written so that exp never sees a large number."""
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def dot(row: Vector, vector: Vector) -> float:
    assert len(row) == len(vector)
    return math.fsum(a * b for a, b in zip(row, vector, strict=True))


def step(cell: Cell, x: Vector, h: Vector, c: Vector) -> Step:
    """One step from the states h and c, every quantity by its name."""
    size = len(h)
    z = [
        dot(cell.weight_ih[row], x) + dot(cell.weight_hh[row], h) + cell.bias[row]
        for row in range(4 * size)
    ]
    z_i, z_f, z_g, z_o = z[:size], z[size : 2 * size], z[2 * size : 3 * size], z[3 * size :]
    new: Step = {
        "layer_input": list(x),
        "pre_input": z_i,
        "pre_forget": z_f,
        "pre_candidate": z_g,
        "pre_output": z_o,
        "previous_cell": list(c),
    }
    new["input"] = [sigmoid(number) for number in z_i]
    new["forget"] = [sigmoid(number) for number in z_f]
    new["candidate"] = [math.tanh(number) for number in z_g]
    new["output"] = [sigmoid(number) for number in z_o]
    new["forget_cell"] = [new["forget"][n] * c[n] for n in range(size)]
    new["input_candidate"] = [new["input"][n] * new["candidate"][n] for n in range(size)]
    new["cell"] = [new["forget_cell"][n] + new["input_candidate"][n] for n in range(size)]
    new["tanh_cell"] = [math.tanh(number) for number in new["cell"]]
    new["hidden"] = [new["output"][n] * new["tanh_cell"][n] for n in range(size)]
    return new


def sequence(cell: Cell, inputs: Matrix, h: Vector, c: Vector, direction: str) -> list[Step]:
    """All steps of one cell; a reverse one starts at the end and stands where its input does."""
    steps: list[Step | None] = [None] * len(inputs)
    places = list(range(len(inputs)))
    if direction == "reverse":
        places.reverse()
    for place in places:
        new = step(cell, inputs[place], h, c)
        h, c = new["hidden"], new["cell"]
        steps[place] = new
    return [new for new in steps if new is not None]


def stack(
    layers: list[Layer], inputs: Matrix, states: dict[tuple[int, str], tuple[Vector, Vector]]
) -> dict[tuple[int, str], list[Step]]:
    """All steps of all layers; each reads the hidden states below, forward beside reverse."""
    record: dict[tuple[int, str], list[Step]] = {}
    for number, layer in enumerate(layers):
        h, c = states[number, "forward"]
        record[number, "forward"] = sequence(layer.forward, inputs, h, c, "forward")
        outputs = [new["hidden"] for new in record[number, "forward"]]
        if layer.reverse is not None:
            h, c = states[number, "reverse"]
            record[number, "reverse"] = sequence(layer.reverse, inputs, h, c, "reverse")
            outputs = [
                left + new["hidden"]
                for left, new in zip(outputs, record[number, "reverse"], strict=True)
            ]
        inputs = outputs
    return record


def logits(
    weight: Matrix,
    bias: Vector | None,
    projection: Matrix | None,
    projection_bias: Vector | None,
    hidden: Vector,
) -> Vector:
    """weight (projection h + projection_bias) + bias, each part but the first optional."""
    if projection is not None:
        hidden = [dot(row, hidden) for row in projection]
    if projection_bias is not None:
        hidden = [a + b for a, b in zip(hidden, projection_bias, strict=True)]
    scores = [dot(row, hidden) for row in weight]
    return scores if bias is None else [a + b for a, b in zip(scores, bias, strict=True)]


def softmax(scores: Vector) -> Vector:
    """Probabilities."""
    largest = max(scores)
    powers = [math.exp(score - largest) for score in scores]
    total = math.fsum(powers)
    return [power / total for power in powers]


def surprisal(scores: Vector, outcome: int) -> float:
    """How unexpected an outcome is, in bits."""
    largest = max(scores)
    total = math.fsum(math.exp(score - largest) for score in scores)
    return (math.log(total) + largest - scores[outcome]) / math.log(2)
