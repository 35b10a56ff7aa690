"""The attributes of an ONNX node; that the functions are right is tested through the command."""

from __future__ import annotations

import pytest

from lstm.errors import LSTMError
from weights.containers.onnx_activations import read_activations

STANDARD = ("gate_activation", "candidate_activation", "cell_activation")


def read(*names, **numbers):
    given = {
        f"activation_{name}": values for name, values in numbers.items() if name != "direction"
    }
    given |= {"activations": [name.encode() for name in names]}
    given |= {"direction": numbers["direction"]} if "direction" in numbers else {}
    return tuple(read_activations(given).get(field) for field in STANDARD)


def test_a_node_without_activations_has_the_standard_ones():
    assert read_activations({}) == {}


def test_the_defaults_are_those_of_the_operators_of_the_same_name():
    assert read("HardSigmoid", "LeakyRelu", "Elu") == ("hard-sigmoid", "leaky-relu", "elu")
    assert read("ThresholdedRelu", "Softsign", "Softplus")[0] == "thresholded-relu"
    assert read("ThresholdedRelu", "Relu", "Tanh", alpha=[1.0])[0] == "thresholded-relu"


def test_numbers_are_used_up_in_the_order_of_the_functions():
    found = read("Elu", "HardSigmoid", "ScaledTanh", alpha=[0.7, 0.4, 1.7], beta=[0.1, 0.6])
    assert found == ("elu(0.7)", "hard-sigmoid(0.4,0.1)", "scaled-tanh(1.7,0.6)")
    assert read("Elu", "HardSigmoid", "Tanh", alpha=[0.7]) == ("elu(0.7)", "hard-sigmoid", "tanh")


def test_six_are_three_for_each_direction():
    names = ("Sigmoid", "Tanh", "Tanh", "Sigmoid", "Elu", "Tanh")
    given = {"activations": [name.encode() for name in names], "direction": b"bidirectional"}
    found = read_activations({**given, "activation_alpha": [0.5]})
    assert found == {
        "gate_activation": "sigmoid", "candidate_activation": "tanh", "cell_activation": "tanh",
        "reverse.candidate_activation": "elu(0.5)",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("names", "numbers", "message"),
    [
        (("Gelu", "Tanh", "Tanh"), {}, "the activation Gelu is not supported."),
        (("Sigmoid", "Tanh"), {}, "activations: expected 3, found 2."),
        (
            ("Sigmoid", "Tanh", "Tanh"), {"direction": b"bidirectional"},
            "activations: expected 6, found 3.",
        ),
        (
            ("Sigmoid", "Affine", "Tanh"), {"alpha": [2.0]},
            "activation_beta: expected a number for Affine, which has no default, found none.",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_or_unknown_is_named(names, numbers, message):
    with pytest.raises(LSTMError) as caught:
        read(*names, **numbers)
    assert caught.value.message == message
