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
    variant: dict[str, Any] | None = None


class Layer(NamedTuple):
    """A cell for each direction that the layer has."""

    forward: Cell | None
    reverse: Cell | None


def layers_of(parameters: Any) -> list[Layer]:
    """Copy the weights of a stack into lists."""
    return [
        Layer(layer.forward and cell_of(layer.forward), layer.reverse and cell_of(layer.reverse))
        for layer in parameters.layers
    ]


def cell_of(parameters: Any) -> Cell:
    """Copy the weights of a cell into lists."""
    return Cell(
        parameters.weight_ih.tolist(),
        parameters.weight_hh.tolist(),
        parameters.bias.tolist(),
        variant_of(parameters.variant),
    )


STANDARD = {
    "gate_activation": "sigmoid",
    "candidate_activation": "tanh",
    "cell_activation": "tanh",
    "norm_epsilon": 1e-12,
}


def variant_of(variant: Any) -> dict[str, Any] | None:
    """Copy what a cell adds to the standard one: names, numbers, lists; None for nothing."""
    values = dict(vars(variant))
    copied = {name: a.tolist() if hasattr(a, "tolist") else a for name, a in values.items()}
    return None if copied == STANDARD | dict.fromkeys(copied.keys() - STANDARD) else copied


def sigmoid(z: float) -> float:
    """1 / (1 + exp(-z)), written so that exp never sees a large number."""
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def dot(row: Vector, vector: Vector) -> float:
    assert len(row) == len(vector)
    return math.fsum(a * b for a, b in zip(row, vector, strict=True))


def step(cell: Cell, x: Vector, h: Vector, c: Vector) -> Step:
    """One step from the states h and c, every quantity by its name."""
    if cell.variant is not None:
        return step_of_variant(cell, cell.variant, x, h, c)
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


ACTIVATIONS = {
    "sigmoid": sigmoid,
    "tanh": math.tanh,
    "keras3-hard-sigmoid": lambda z: min(max(z / 6 + 0.5, 0.0), 1.0),
    "relu": lambda z: max(z, 0.0),
    "softsign": lambda z: z / (1 + abs(z)),
    "softplus": lambda z: max(z, 0.0) + math.log1p(math.exp(-abs(z))),
    "linear": lambda z: z,
}
# Those with parameters, as the ONNX standard writes them, and its defaults.
SCALED = {
    "hard-sigmoid": (lambda z, a, b: min(max(a * z + b, 0.0), 1.0), (0.2, 0.5)),
    "leaky-relu": (lambda z, a: z if z >= 0 else a * z, (0.01,)),
    "thresholded-relu": (lambda z, a: z if z >= a else 0.0, (1.0,)),
    "elu": (lambda z, a: z if z >= 0 else a * (math.exp(z) - 1), (1.0,)),
    "affine": (lambda z, a, b: a * z + b, ()),
    "scaled-tanh": (lambda z, a, b: a * math.tanh(b * z), ()),
}


def activation(name: str) -> Any:
    """The function of a name such as `tanh` or `elu(0.5)`."""
    if name in ACTIVATIONS:
        return ACTIVATIONS[name]
    plain, _, numbers = name.rstrip(")").partition("(")
    function, defaults = SCALED[plain]
    values = [float(number) for number in numbers.split(",")] if numbers else defaults
    return lambda z: function(z, *values)


def step_of_variant(cell: Cell, variant: dict[str, Any], x: Vector, h: Vector, c: Vector) -> Step:
    """One step of a cell that differs, unit by unit, as its papers and frameworks have it.

    Peepholes: Gers, Schraudolph and Schmidhuber (2002), equations 1 to 8: the output gate sees
    the new cell state. Projection: Sak, Senior and Beaufays (2014), equation 6. Normalisation: Ba,
    Kiros and Hinton (2016), equations 3 and 20 to 22, with TensorFlow's choice of carrying the
    normalised cell on. Coupling: Greff et al. (2017), the variant CIFG.
    """
    size = len(c)
    gate, candidate, shape = (
        activation(variant[f"{name}_activation"]) for name in ("gate", "candidate", "cell")
    )
    sums = [dot(cell.weight_ih[row], x) + dot(cell.weight_hh[row], h) for row in range(4 * size)]
    z = []
    for block in range(4):
        one = sums[block * size : (block + 1) * size]
        if variant["norm_gain"] is not None:
            gain = variant["norm_gain"][block * size : (block + 1) * size]
            one = normalised(one, gain, variant["norm_epsilon"])
        z.append([one[n] + cell.bias[block * size + n] for n in range(size)])
    limit = variant["pre_activation_clip"]
    z_i = clipped(peeped(z[0], variant["peephole_input"], c), limit)
    z_f = clipped(peeped(z[1], variant["peephole_forget"], c), limit)
    z_g = clipped(z[2], limit)
    i, f, g = [gate(v) for v in z_i], [gate(v) for v in z_f], [candidate(v) for v in z_g]
    if variant["coupled"] == "input":
        i = [1 - v for v in f]
    if variant["coupled"] == "forget":
        f = [1 - v for v in i]
    new = [f[n] * c[n] + i[n] * g[n] for n in range(size)]
    if variant["norm_cell_gain"] is not None:
        new = normalised(new, variant["norm_cell_gain"], variant["norm_epsilon"])
    if variant["norm_cell_bias"] is not None:
        new = [new[n] + variant["norm_cell_bias"][n] for n in range(size)]
    new = clipped(new, variant["cell_clip"])
    z_o = clipped(peeped(z[3], variant["peephole_output"], new), limit)
    o = [gate(v) for v in z_o]
    seen = peeped(new, variant["peephole_shown"], new)
    through = [shape(v) for v in seen]
    hidden = [o[n] * through[n] for n in range(size)]
    if variant["highway_ih"] is not None:
        hidden = with_highway(variant, hidden, x, h)
    if variant["projection"] is not None:
        hidden = [dot(row, hidden) for row in variant["projection"]]
        hidden = clipped(hidden, variant["projection_clip"])
    return {
        "layer_input": list(x), "previous_cell": list(c), "cell": new, "hidden": hidden,
        "tanh_cell": through,
        "pre_input": z_i, "pre_forget": z_f, "pre_candidate": z_g, "pre_output": z_o,
        "input": i, "forget": f, "candidate": g, "output": o,
        "forget_cell": [f[n] * c[n] for n in range(size)],
        "input_candidate": [i[n] * g[n] for n in range(size)],
    }  # fmt: skip


def with_highway(variant: dict[str, Any], hidden: Vector, x: Vector, h: Vector) -> Vector:
    """A gate r that mixes what the cell gives with the input, projected to its width.

    He, Lee, Lewis and Zettlemoyer (2017), Deep Semantic Role Labeling, equations 4 and 5:
    r = sigmoid(W_r [h', x] + b_r), h = r * o * tanh(c) + (1 - r) * W_h x.
    """
    size = len(hidden)
    bias = variant["highway_bias"] or [0.0] * (2 * size)
    mixed = []
    for n in range(size):
        z = dot(variant["highway_ih"][n], x) + dot(variant["highway_hh"][n], h) + bias[n]
        r = activation(variant["gate_activation"])(z)
        straight = dot(variant["highway_ih"][size + n], x) + bias[size + n]
        mixed.append(r * hidden[n] + (1 - r) * straight)
    return mixed


def normalised(values: Vector, gain: Vector, epsilon: float) -> Vector:
    """(v - mean) / sqrt(variance + epsilon) * gain, over the units."""
    mean = math.fsum(values) / len(values)
    variance = math.fsum((v - mean) ** 2 for v in values) / len(values)
    return [
        (v - mean) / math.sqrt(variance + epsilon) * g for v, g in zip(values, gain, strict=True)
    ]


def peeped(values: Vector, weight: Any, cell: Vector) -> Vector:
    """Add what a gate sees of the cell: its own unit times a weight, or all units by a matrix."""
    if weight is None:
        return values
    if isinstance(weight[0], list):
        return [v + dot(row, cell) for v, row in zip(values, weight, strict=True)]
    return [v + w * c for v, w, c in zip(values, weight, cell, strict=True)]


def clipped(values: Vector, limit: float | None) -> Vector:
    """Cut to plus or minus the limit."""
    return values if limit is None else [min(max(v, -limit), limit) for v in values]


def sequence(cell: Cell, inputs: Matrix, h: Vector, c: Vector, direction: str) -> list[Step]:
    """All steps of one cell; a reverse one starts at the end and stands where its input does."""
    steps: list[Step | None] = [None] * len(inputs)
    places = list(range(len(inputs)))
    if direction == "reverse":
        places.reverse()
    for place in places:
        new = step(cell, inputs[place], h, c)
        h, c = new["hidden"], new["cell"]
        new["layer_output"] = h
        steps[place] = new
    return [new for new in steps if new is not None]


def stack(
    layers: list[Layer],
    inputs: Matrix,
    states: dict[tuple[int, str], tuple[Vector, Vector]],
    independent: bool = False,
    residual: bool = False,
) -> dict[tuple[int, str], list[Step]]:
    """All steps of all layers; each reads what those below hand on, forward beside reverse.

    Independent directions never meet. A residual connection adds what a layer reads to what it
    hands on, from the second layer on: He et al. (2016); for language models Peters et al. (2018).
    """
    if independent:
        record = {}
        for side in ("forward", "reverse"):
            own = [layer._replace(**{_other(side): None}) for layer in layers]
            record |= stack(own, inputs, states, residual=residual)
        return dict(sorted(record.items()))
    record = {}
    for number, layer in enumerate(layers):
        outputs: Matrix = [[] for _ in inputs]
        for direction, cell in (("forward", layer.forward), ("reverse", layer.reverse)):
            if cell is None:
                continue
            h, c = states[number, direction]
            record[number, direction] = sequence(cell, inputs, h, c, direction)
            for place, new in enumerate(record[number, direction]):
                if residual and number > 0:
                    start = len(outputs[place])
                    new["layer_output"] = [
                        value + inputs[place][start + n] for n, value in enumerate(new["hidden"])
                    ]
                outputs[place] = outputs[place] + new["layer_output"]
        inputs = outputs
    return record


def _other(direction: str) -> str:
    return "reverse" if direction == "forward" else "forward"


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
