"""Run the weights of `english` through torch in float64 and write what comes out.

Run from a checkout, with torch and safetensors: python tests/golden/make_english.py

Nothing of this project is imported: the record is what its own code is tested against.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

MODEL = Path(__file__).parents[2] / "weights" / "pretrained" / "english" / "model.safetensors"
RECORD = Path(__file__).with_name("english.json")
TEXTS = ("John likes black coffee", "Do you like coffee?", "the boys near the car")
GATES = ("input_gate", "forget_gate", "candidate", "output_gate")  # in torch's order
BEST = 5
DIGITS = 10


def main() -> None:
    """Write the record."""
    with safe_open(MODEL, framework="pt") as file:
        weights = {name: file.get_tensor(name).double() for name in file.keys()}  # noqa: SIM118
        vocabulary = json.loads(file.metadata()["tokenizer"])["vocabulary"]
    runs = [trace(text, weights, vocabulary) for text in TEXTS]
    record = {"torch": torch.__version__, "dtype": "float64", "runs": runs}
    RECORD.write_text(json.dumps(record, separators=(",", ":")) + "\n", encoding="utf-8")


@torch.no_grad()
def trace(text: str, weights: dict[str, Tensor], vocabulary: list[str]) -> dict[str, Any]:
    """Return the states after every token, and the likeliest next tokens."""
    ids = [vocabulary.index(word) for word in re.findall(r"\w+|\S", text.lower())]
    lstm = layer(weights)
    state, hidden, cell = None, [], []
    # One step at a time: over a whole sequence, torch keeps only the last cell.
    for embedded in weights["embedding.weight"][ids]:
        _, state = lstm(embedded[None], state)
        hidden.append(state[0][0])
        cell.append(state[1][0])
    likely = next_tokens(torch.stack(hidden), weights)
    return {
        "text": text,
        "ids": ids,
        "hidden": rounded(torch.stack(hidden)),
        "cell": rounded(torch.stack(cell)),
        "next": [
            [
                {"token": vocabulary[i], "id": i, "probability": p}
                for i, p in zip(*step, strict=True)
            ]
            for step in zip(likely.indices.tolist(), rounded(likely.values), strict=True)
        ],
    }


def layer(weights: dict[str, Tensor]) -> nn.LSTM:
    """Return torch's layer with the weights; a gate's columns are [hidden, input] in the file."""
    gates = [weights[f"layers.0.forward.{gate}.weight"] for gate in GATES]
    bias = torch.cat([weights[f"layers.0.forward.{gate}.bias"] for gate in GATES])
    size, columns = gates[0].shape
    lstm = nn.LSTM(columns - size, size).double()
    lstm.weight_hh_l0.copy_(torch.cat([gate[:, :size] for gate in gates]))
    lstm.weight_ih_l0.copy_(torch.cat([gate[:, size:] for gate in gates]))
    lstm.bias_ih_l0.copy_(bias)
    lstm.bias_hh_l0.zero_()
    return lstm


def next_tokens(hidden: Tensor, weights: dict[str, Tensor]) -> torch.return_types.topk:
    """Return the likeliest tokens after every step, through the tied head."""
    projection, bias = weights["head.projection.weight"], weights["head.projection.bias"]
    projected = nn.functional.linear(hidden, projection, bias)
    logits = nn.functional.linear(projected, weights["embedding.weight"], weights["head.bias"])
    return logits.softmax(dim=-1).topk(BEST)


def rounded(values: Tensor) -> list[list[float]]:
    """Return plain numbers, as long as a test needs them."""
    return [[round(value, DIGITS) for value in row] for row in values.tolist()]


if __name__ == "__main__":
    main()
