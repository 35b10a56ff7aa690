"""What the models made by hand have in common: one unit, whose gates are open or closed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lstm.address import Address
from lstm.card import Card, NamedUnit
from lstm.embedding import Embedding
from lstm.head import Head
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.quantities import GATES
from lstm.tokenizers.tokenizer import Tokenizer
from weights.saving import save

# A pre-activation so large that sigmoid and tanh of it are 1 to the last bit, also in float64.
OPEN = 100.0
CLOSED = -OPEN

# A gate as (recurrent weight, input weights, bias).
Gate = tuple[float, list[float], float]


def one_unit(**gates: Gate) -> Parameters:
    """Make a cell with one unit from its four gates: input, forget, candidate, output."""
    rows = [gates[gate] for gate in GATES]
    cell = CellParameters(
        weight_ih=np.array([row[1] for row in rows], np.float32),
        weight_hh=np.array([[row[0]] for row in rows], np.float32),
        bias=np.array([row[2] for row in rows], np.float32),
    )
    return Parameters((LayerParameters(cell),))


def labels(**scores: tuple[float, float]) -> Head:
    """Make a head with labels, each scored by (weight, bias) from the one hidden state."""
    weight = np.array([[score[0]] for score in scores.values()], np.float32)
    bias = np.array([score[1] for score in scores.values()], np.float32)
    return Head(weight, bias, names=tuple(scores), predicts_tokens=False)


def write(
    script: str,
    parameters: Parameters,
    vectors: list[list[float]],
    tokenizer: Tokenizer,
    head: Head,
    description: str,
    tells: str,
) -> None:
    """Write the model beside the script that makes it."""
    card = Card(
        description=description,
        licence="Apache-2.0",
        origin="made by hand",
        units=(NamedUnit(Address(0, "forward", "c", 0), tells),),
    )
    embedding = Embedding(np.array(vectors, np.float32))
    model = Model(parameters, embedding, head, tokenizer, card)
    save(Path(script).with_name("model.safetensors"), model, dtype="float16")
