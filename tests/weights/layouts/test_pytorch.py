from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from lstm.errors import LSTMError
from tests.weights.builders import (
    FIXTURES,
    assert_same,
    close,
    golden,
    golden_run,
    golden_weights,
    needs_fixtures,
    run_as,
    write,
    zeros,
)
from weights import load
from weights.errors import NotAnLSTMError

VARIANTS = (
    "lstm",
    "three_layers",
    "bidirectional",
    "two_layers_bidirectional",
    "no_bias",
    "float16",
    "bfloat16",
    "float64",
    "cell",
    "cell_no_bias",
    "projection",
    "weight_norm",
    "weight_norm_old",
    "weight_norm_all",
)


@pytest.mark.parametrize("name", VARIANTS)
def test_torch_is_reproduced_in_float64_within_1e_6(name: str) -> None:
    run = golden_run(name)
    assert_same(run_as(load(golden(name), dtype="float64"), run), run, 1e-6)


@pytest.mark.parametrize("name", VARIANTS)
def test_torch_is_reproduced_in_float64_to_rounding(name: str) -> None:
    run = golden_run(name)
    assert_same(run_as(load(golden(name), dtype="float64"), run), run, 1e-13)


@pytest.mark.parametrize("name", VARIANTS)
def test_torch_is_reproduced_in_float32_within_1e_5(name: str) -> None:
    run = golden_run(name)
    trace = run_as(load(golden(name), dtype="float32"), run)
    assert trace.hidden.dtype == np.float32
    assert_same(trace, run, 1e-5)


@pytest.mark.parametrize("name", ["cell", "cell_no_bias"])
def test_every_gate_of_torchs_cell_is_reproduced(name: str) -> None:
    run = golden_run(name)
    trace = run_as(load(golden(name), dtype="float64"), run).layers[0].forward
    for letter, quantity in (("i", "input"), ("f", "forget"), ("g", "candidate"), ("o", "output")):
        close(getattr(trace, quantity).swapaxes(0, 1), run[letter], 1e-13)
        close(getattr(trace, f"pre_{quantity}").swapaxes(0, 1), run[f"z_{letter}"], 1e-13)


def test_every_layers_states_are_reproduced_at_every_step() -> None:
    run = golden_run("three_layers")
    trace = run_as(load(golden("three_layers"), dtype="float64"), run)
    assert len(trace.layers) == 3
    for number, layer in enumerate(trace.layers):
        close(layer.hidden.swapaxes(0, 1), run["layer_h"][:, number], 1e-13)
        close(layer.cell.swapaxes(0, 1), run["layer_c"][:, number], 1e-13)


def test_embedding_and_head_around_a_nested_lstm_are_reproduced() -> None:
    run = golden_run("tagger")
    model = load(golden("tagger"), dtype="float64")
    for n, ids in enumerate(run["ids"].T):
        start = {
            "layers.0.forward.hidden": run["h0"][0, n],
            "layers.0.forward.cell": run["c0"][0, n],
        }
        trace = model.run(ids=ids.tolist(), initial_state=start)
        close(trace.hidden, run["hs"][:, n], 1e-13)
        close(trace.logits, run["logits"][:, n], 1e-13)
        close(trace.final[0, "forward"].c, run["c_n"][0, n], 1e-13)


@pytest.mark.parametrize("prefix", ["encoder", "encoder.", "decoder"])
def test_each_of_two_lstms_in_a_file_is_reproduced(prefix: str) -> None:
    every = golden_run("encoder_decoder")
    part = prefix.rstrip(".") + "."
    run = {name.removeprefix(part): a for name, a in every.items() if name.startswith(part)}
    model = load(golden("encoder_decoder"), prefix=prefix, dtype="float64")
    assert_same(run_as(model, run), run, 1e-13)


@pytest.mark.parametrize("name", ["lstm", "cell"])
def test_the_two_biases_are_summed(name: str) -> None:
    arrays = golden_weights(name)
    end = "_l0" if name == "lstm" else ""
    expected = arrays[f"bias_ih{end}"].astype(float) + arrays[f"bias_hh{end}"].astype(float)
    cell = load(golden(name), dtype="float64").parameters.layers[0].forward
    np.testing.assert_array_equal(cell.bias, expected)


@pytest.mark.parametrize("dropped", ["bias_ih_l0", "bias_hh_l0"])
def test_a_lone_bias_counts_by_itself(tmp_path: Path, dropped: str) -> None:
    arrays = golden_weights("lstm")
    del arrays[dropped]
    (kept,) = [name for name in arrays if name.startswith("bias")]
    model = load(write(tmp_path / "model.safetensors", arrays))
    np.testing.assert_array_equal(model.parameters.layers[0].forward.bias, arrays[kept])


def test_weights_without_bias_have_a_bias_of_zero() -> None:
    assert not load(golden("no_bias")).parameters.layers[0].forward.bias.any()


def test_a_reverse_direction_is_read_from_the_names_that_say_so() -> None:
    arrays = golden_weights("two_layers_bidirectional")
    layers = load(golden("two_layers_bidirectional")).parameters.layers
    for number, layer in enumerate(layers):
        for cell, end in ((layer.forward, ""), (layer.reverse, "_reverse")):
            assert cell is not None
            np.testing.assert_array_equal(cell.weight_hh, arrays[f"weight_hh_l{number}{end}"])


def test_more_than_ten_layers_are_stacked_by_number_not_by_name(tmp_path: Path) -> None:
    arrays = {}
    for number in range(11):
        width = 3 if number == 0 else 1
        arrays[f"weight_ih_l{number}"] = np.full((4, width), number, np.float32)
        arrays[f"weight_hh_l{number}"] = np.full((4, 1), number, np.float32)
    layers = load(write(tmp_path / "model.safetensors", arrays)).parameters.layers
    assert [int(layer.forward.weight_hh[0, 0]) for layer in layers] == list(range(11))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gru", "rows of weight_hh_l0 are 3 times its columns: this is a GRU, not an LSTM."),
        ("gru_cell", "rows of weight_hh are 3 times its columns: this is a GRU, not an LSTM."),
        ("rnn", "rows of weight_hh_l0 equal its columns: this is a plain RNN, not an LSTM."),
        (
            "linear",
            "no tensor is a recurrent matrix: weight belongs to a dense (linear) layer, not to an "
            "LSTM.",
        ),
        (
            "attention",
            "in_proj_weight is a tensor of attention: this is not an LSTM.",
        ),
    ],
)
def test_relatives_of_an_lstm_are_refused_by_name(name: str, reason: str) -> None:
    path = golden(f"reject_{name}")
    with pytest.raises(NotAnLSTMError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {reason}"


def test_a_file_without_its_first_layer_is_refused(tmp_path: Path) -> None:
    arrays = zeros(weight_ih_l1=(12, 4), weight_hh_l1=(12, 3))
    with pytest.raises(LSTMError, match=r"layer 0|layers 0"):
        load(write(tmp_path / "model.safetensors", arrays))


@needs_fixtures
@pytest.mark.parametrize(
    "name",
    [
        "torch_lstm",
        "torch_lstm_bf16",
        "torch_lstm_nobias",
        "torch_lstm_square",
        "torch_lstmcell",
        "tinygrad_lstmcell",
    ],
)
def test_other_peoples_files_are_reproduced(name: str) -> None:
    with np.load(FIXTURES / "layouts" / f"{name}.npz") as run:
        model = load(FIXTURES / "layouts" / f"{name}.safetensors")
        assert_same(run_as(model, run), run, 1e-5)


@needs_fixtures
@pytest.mark.parametrize(
    "path",
    sorted((FIXTURES / "layouts" / "reject").glob("*.safetensors")) or [Path("none")],
    ids=lambda path: path.stem,
)
def test_other_peoples_files_without_an_lstm_are_refused_with_a_reason(path: Path) -> None:
    with pytest.raises(NotAnLSTMError) as caught:
        load(path)
    assert re.search(
        r"this is a (GRU|plain RNN), not|no tensor is a recurrent matrix", str(caught.value)
    )


@needs_fixtures
def test_a_published_voice_detector_is_reproduced() -> None:
    folder = FIXTURES / "models" / "silero_vad"
    model = load(folder / "weights_from_jit.safetensors")
    with np.load(folder / "expected_torch.npz") as run:
        trace = model.run(vectors=run["jit_feat"])
        close(trace.hidden, run["jit_h"], 1e-5)
        close(trace.cell, run["jit_c"], 1e-5)


@needs_fixtures
def test_a_published_voice_detector_carries_its_state_from_frame_to_frame() -> None:
    folder = FIXTURES / "models" / "silero_vad"
    model = load(folder / "weights_from_jit.safetensors")
    state = None
    with np.load(folder / "expected_torch.npz") as run:
        for frame, hidden in zip(run["jit_feat"], run["jit_h"], strict=True):
            trace = model.run(vectors=frame[np.newaxis], initial_state=state)
            close(trace.hidden[0], hidden, 1e-5)
            state = trace.final


@needs_fixtures
def test_a_published_bidirectional_chinese_model_is_reproduced() -> None:
    folder = FIXTURES / "models" / "g2pm"
    model = load(folder / "weights.safetensors")
    with np.load(folder / "expected_torch.npz") as run:
        trace = model.run(ids=run["ids"])
        close(trace.hidden, run["lstm_out"], 1e-5)
        final = trace.final.cells.values()
        close(np.stack([state.h for state in final]), run["h_n"], 1e-5)
        close(np.stack([state.c for state in final]), run["c_n"], 1e-5)
