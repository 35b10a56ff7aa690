"""The weights as they ship: float16 arrays under the project's native names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from network import HIDDEN, Network

from weights.containers.safetensors import archive_bytes

GATES = ("input_gate", "forget_gate", "candidate", "output_gate")  # in torch's order
LAYER = "layers.0.forward"

Arrays = dict[str, np.ndarray]


def arrays(network: Network) -> Arrays:
    """Return the rounded weights; a gate's weight has the columns [hidden, input]."""
    lstm = network.lstm
    weights = torch.cat([lstm.weight_hh_l0, lstm.weight_ih_l0], dim=1).chunk(4)
    biases = (lstm.bias_hh_l0 + lstm.bias_ih_l0).chunk(4)
    named = {
        "embedding.weight": network.embedding.weight,
        "head.projection.weight": network.projection.weight,
        "head.projection.bias": network.projection.bias,
        "head.bias": network.bias,
    }
    for gate, weight, bias in zip(GATES, weights, biases, strict=True):
        named |= {f"{LAYER}.{gate}.weight": weight, f"{LAYER}.{gate}.bias": bias}
    return {name: tensor.detach().numpy().astype(np.float16) for name, tensor in named.items()}


def network(stored: Arrays) -> Network:
    """Return a network with the rounded weights: the one to be measured."""
    wide = {name: torch.from_numpy(array.astype(np.float32)) for name, array in stored.items()}
    gates = torch.cat([wide[f"{LAYER}.{gate}.weight"] for gate in GATES])
    biases = torch.cat([wide[f"{LAYER}.{gate}.bias"] for gate in GATES])
    made = Network(len(wide["embedding.weight"]))
    made.load_state_dict(
        {
            "embedding.weight": wide["embedding.weight"],
            "projection.weight": wide["head.projection.weight"],
            "projection.bias": wide["head.projection.bias"],
            "bias": wide["head.bias"],
            "lstm.weight_hh_l0": gates[:, :HIDDEN],
            "lstm.weight_ih_l0": gates[:, HIDDEN:],
            "lstm.bias_hh_l0": torch.zeros_like(biases),
            "lstm.bias_ih_l0": biases,
        }
    )
    return made.eval()


def export(path: Path, stored: Arrays, metadata: dict[str, str]) -> None:
    """Write the file that the tool reads."""
    path.write_bytes(archive_bytes(stored, metadata))
