"""What the configuration of a Keras model tells of its LSTM layers, and their weights do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from weights.errors import NotAnLSTMError

LAYERS = ("LSTM", "LSTMCell", "PeepholeLSTMCell")
# Keras' names to ours; its leaky_relu is steeper than ONNX', which ours follows.
ACTIVATIONS = {
    "sigmoid": "sigmoid", "tanh": "tanh", "relu": "relu", "linear": "linear",
    "softsign": "softsign", "softplus": "softplus",
    "elu": "elu", "celu": "elu", "leaky_relu": "leaky-relu(0.2)",
}  # fmt: skip


def told_variant(config: Any, version: str) -> dict[str, str]:
    """Return the activations of a model's LSTM layers as fields of a Variant; {} for none.

    Args:
        config: the model as `to_json` writes it, or any part of it.
        version: of Keras; its hard sigmoid is another one from 3 on. Empty for TensorFlow.js,
            which has the old one.

    Raises:
        NotAnLSTMError: an activation is not supported, two layers have different ones, or a
            layer goes backwards and leaves its outputs so.
    """
    found: list[dict[str, str]] = []
    for layer, is_reverse in _layers(config):
        if bool(layer.get("go_backwards")) != is_reverse:
            raise NotAnLSTMError(
                f"{layer.get('name')}: go_backwards, which leaves the outputs in reverse, is not "
                "supported."
            )
        variant = _activations(layer, version)
        if variant not in found:
            found.append(variant)
    if len(found) > 1:
        raise NotAnLSTMError("LSTM layers with different activations are not supported.")
    return found[0] if found else {}


def _layers(config: Any, is_reverse: bool = False) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Yield what each layer was made with, and whether it is the second of two directions."""
    if isinstance(config, list):
        for item in config:
            yield from _layers(item)
    elif isinstance(config, dict):
        inner = config.get("config")
        if config.get("class_name") in LAYERS and isinstance(inner, dict):
            yield inner, is_reverse
            return
        for key, item in config.items():
            yield from _layers(item, key == "backward_layer")


def _activations(layer: Mapping[str, Any], version: str) -> dict[str, str]:
    names = {
        "gate_activation": layer.get("recurrent_activation"),
        "candidate_activation": layer.get("activation"),
        "cell_activation": layer.get("activation"),
    }
    return {field: _named(name, version) for field, name in names.items() if name is not None}


def _named(name: Any, version: str) -> str:
    if name == "hard_sigmoid":
        major = version.partition(".")[0]
        return "keras3-hard-sigmoid" if major.isdigit() and int(major) >= 3 else "hard-sigmoid"
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise NotAnLSTMError(f"the activation {name} is not supported.")
    return ACTIVATIONS[name]
