"""Names that several frameworks share, and networks that are none: through the command."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cli.test_layouts import given, hidden, torch_cell
from tests.weights.builders import write
from tests.weights.layouts.writers import rows

GATES = {"i": "input", "f": "forget", "g": "cell", "o": "output"}


def ran(lstm, folder, arrays, *options):
    """Run the command on what PyTorch was given; return the document and the right states."""
    path = folder / "w.safetensors"
    write(path, arrays)
    inputs, expected = given(folder)
    result = lstm("run", *inputs, "-w", path, *options, "--json")
    assert result.code == 0, result.stderr
    return result.json, expected


def packed(order):
    """PyTorch's LSTM under the names that Equinox and CoreML share."""
    one = torch_cell()
    parts = {"weight_ih": one.ih, "weight_hh": one.hh, "bias": one.bias}
    return {name: rows(part, order) for name, part in parts.items()}


def test_names_of_two_frameworks_are_a_stated_assumption_and_an_option(lstm, tmp_path):
    document, expected = ran(lstm, tmp_path, packed("ifgo"))
    assert document["model"]["layout"] == "equinox"
    told = "gate order: i f g o; CoreML has these names too, and i f o g (--gate-order)"
    assert document["model"]["assumed"] == [told]
    np.testing.assert_allclose(hidden(document), expected, rtol=0, atol=1e-12)
    document, expected = ran(lstm, tmp_path, packed("ifog"), "--layout", "coreml")
    assert document["model"]["assumed"] == []
    np.testing.assert_allclose(hidden(document), expected, rtol=0, atol=1e-12)


def test_a_peephole_gives_coreml_away(lstm, tmp_path):
    zero = np.zeros(3 * rows(torch_cell().bias, "ifgo").size // 4)
    document, expected = ran(lstm, tmp_path, {**packed("ifog"), "peephole": zero})
    assert document["model"]["layout"] == "coreml"
    np.testing.assert_allclose(hidden(document), expected, rtol=0, atol=1e-12)


def test_split_gates_of_a_quantizable_lstm_are_read(lstm, tmp_path):
    one, place = torch_cell(), "layers.0.layer_fw.cell."
    arrays = {}
    for letter, gate in GATES.items():
        arrays[f"{place}igates.{gate}.weight"] = one.ih[letter]
        arrays[f"{place}hgates.{gate}.weight"] = one.hh[letter]
        arrays[f"{place}igates.{gate}.bias"] = one.bias[letter]
    document, expected = ran(lstm, tmp_path, arrays)
    assert document["model"]["layout"] == "pytorch-quantizable-split"
    np.testing.assert_allclose(hidden(document), expected, rtol=0, atol=1e-12)


def test_both_directions_of_matlab_stand_in_one_tensor(lstm, tmp_path):
    """The reverse one, from its last state on flipped input, gives what the forward one gives."""
    one = torch_cell()
    parts = {"InputWeights": one.ih, "RecurrentWeights": one.hh, "Bias": one.bias}
    twice = {f"b.{name}": np.concatenate([rows(part, "ifgo")] * 2) for name, part in parts.items()}
    write(tmp_path / "w.safetensors", twice)
    given(tmp_path)
    x = np.load(tmp_path / "x.npy")[0]
    np.save(tmp_path / "x.npy", np.stack([x, x[::-1]]))
    found = lstm("run", "-w", tmp_path / "w.safetensors", "--vectors", tmp_path / "x.npy", "--json")
    assert found.code == 0, found.stderr
    assert found.json["model"]["layout"] == "matlab"
    states = [
        [[s["hidden"] for s in one["steps"] if s["direction"] == d] for d in ("forward", "reverse")]
        for one in found.json["sequences"]
    ]
    assert states[0][0] != states[0][1]
    np.testing.assert_allclose(states[0][1], states[1][0][::-1], rtol=0, atol=1e-15)


D, H = 2, 3
GRU, RNN, CONV = "a GRU", "a plain RNN", "a convolutional LSTM"


def by_gate(pattern, letters, *shapes):
    """Names of a pattern with the letter and x, h, ... in it, and their shapes."""
    return {pattern.format(k, *names): shape for k in letters for *names, shape in shapes}


@pytest.mark.parametrize(
    ("shapes", "what"),
    [
        ({"rnn/basic_rnn_cell/kernel": (11, 8), "rnn/basic_rnn_cell/bias": (8,)}, RNN),
        (by_gate("W_{1}{0}", "zrh", ("x", (D, H)), ("h", (H, H))), GRU),
        (by_gate("{1}_{0}", "zrh", ("W", (H, D)), ("U", (H, H)), ("b", (H,))), GRU),
        (by_gate("{1}_{0}", "zrh", ("W", (H, H + D)), ("b", (H,))), GRU),
        (by_gate("{1}_{0}/W", "zr", ("W", (H, D)), ("U", (H, H))), GRU),
        ({"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}, RNN),
        ({"update_gate.input_transform.weight": (D, H)}, GRU),
        ({"updateGateWeightMatrix": (H, D), "outputGateWeightMatrix": (H, D)}, GRU),
        ({"/gru-builder/_0": (H, D), "/gru-builder/_1": (H, H)}, GRU),
        ({"/simple-rnn-builder/_0": (H, D), "/simple-rnn-builder/_1": (H, H)}, RNN),
        ({"rnn/input_to_hidden/w": (D, H), "rnn/hidden_to_hidden/w": (H, H)}, RNN),
        ({"SimpleCell_0/i/kernel": (D, H), "SimpleCell_0/h/kernel": (H, H)}, RNN),
        ({"tree.ioux.weight": (3 * H, D), "tree.iouh.weight": (3 * H, H)}, "a Tree-LSTM"),
        ({"W_iou.weight": (3 * H, D), "U_iou.weight": (3 * H, H)}, "a Tree-LSTM"),
        ({"conv_lstm1d/kernel": (3, 1, 8), "conv_lstm1d/recurrent_kernel": (3, 2, 8)}, CONV),
        (by_gate("{1}_{0}", "qkvo", ("W", (H, H))), "attention"),
        ({"a.slstm_cell._recurrent_kernel_": (4, 2, 4, 2)}, "an xLSTM"),
    ],
)  # fmt: skip
def test_a_relative_is_refused_for_what_it_is(refusal, tmp_path, shapes, what):
    path = tmp_path / "w.safetensors"
    write(path, {name: np.ones(shape) for name, shape in shapes.items()})
    told = refusal(3, "run", "--ids", "1", "-w", path)
    assert told.endswith(f"is a tensor of {what}: this is not an LSTM.")


def test_layer_normalisation_of_tensorflow_lite_is_refused_by_name(refusal, tmp_path):
    arrays = {}
    for gate in GATES.values():
        arrays[f"input_to_{gate}_weights"] = np.ones((H, D))
        arrays[f"recurrent_to_{gate}_weights"] = np.ones((H, H))
        arrays[f"{gate}_gate_bias"] = arrays[f"{gate}_layer_norm_coefficients"] = np.ones(H)
    write(tmp_path / "w.safetensors", arrays)
    told = refusal(3, "run", "--ids", "1", "-w", tmp_path / "w.safetensors")
    assert told.endswith("_layer_norm_coefficients: layer normalisation is not supported.")


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_forget_bias_that_is_no_number_is_refused(refusal, tmp_path, number):
    write(tmp_path / "w.safetensors", packed("ifgo"))
    options = ("run", "--ids", "1", "-w", tmp_path / "w.safetensors", "--forget-bias", number)
    assert f"--forget-bias: expected a number that float32 holds, found {number}." in refusal(
        3, *options
    )
