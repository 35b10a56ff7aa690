"""Files as programs in the wild write them, through the command: what is read, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cli.conftest import torch_shapes, write_arrays
from tests.cli.test_frameworks import top_layer
from tests.cli.test_layouts import given, hidden, torch_cell
from tests.cli.test_lookalikes import ran
from tests.weights.builders import golden_run, golden_weights, states, write
from tests.weights.layouts.writers import LETTERS, WRITERS, concatenated, rows, split
from weights import load

D, H = 2, 3


def torch_names(prefix=""):
    """PyTorch's own file, and what each of its tensors is called in a model."""
    one = torch_cell()
    parts = {"weight_ih": one.ih, "weight_hh": one.hh, "bias": one.bias}
    return {prefix + name: rows(part, "ifgo") for name, part in parts.items()}


@pytest.mark.parametrize(
    ("prefix", "norm"),
    [
        ("layers.0.cell.", "layernorm_h.weight"),
        ("lstm.", "ln_ih.bias"),
        ("", "layer_norm_i.weight"),
        ("rnn.", "norm_cell.weight"),
    ],
)
def test_a_norm_inside_a_cell_is_refused_and_not_left_out(refusal, tmp_path, prefix, norm):
    arrays = {**torch_names(prefix), prefix + norm: np.ones(4 * H)}
    write(tmp_path / "w.safetensors", arrays)
    told = refusal(3, "run", "--ids", "1", "-w", tmp_path / "w.safetensors")
    assert told.endswith(f"{prefix}{norm}: layer normalisation is not supported.")


def test_a_norm_inside_a_keras_cell_is_refused(refusal, tmp_path):
    """TensorFlow Addons' LayerNormLSTMCell has Keras' names, and more."""
    cell = "rnn/layer_norm_lstm_cell/"
    names = {"kernel": (D, 4 * H), "recurrent_kernel": (H, 4 * H), "kernel_norm/gamma": (4 * H,)}
    arrays = {cell + name: np.ones(shape) for name, shape in names.items()}
    write(tmp_path / "w.safetensors", arrays)
    told = refusal(3, "run", "--ids", "1", "-w", tmp_path / "w.safetensors")
    assert told.endswith("kernel_norm/gamma: layer normalisation is not supported.")


def test_a_norm_beside_a_cell_is_another_part_of_the_model(lstm, tmp_path):
    """What follows the LSTM changes no number of it."""
    document, expected = ran(
        lstm, tmp_path, {**torch_names("lstm."), "layer_norm.weight": np.ones(H)}
    )
    np.testing.assert_allclose(hidden(document), expected, rtol=0, atol=1e-12)
    assert document["model"]["assumed"][-1] == "not used: 1 tensors (layer_norm.weight)"


@pytest.mark.parametrize(
    ("name", "lost", "where"),
    [
        ("two_layers_bidirectional", "bias_hh_l1", "layer 1 forward"),
        ("two_layers_bidirectional", "bias_ih_l0_reverse", "layer 0 reverse"),
        ("three_layers", "bias_ih_l2", "layer 2 forward"),
    ],
)
def test_a_bias_that_one_layer_lacks_is_missed(refusal, tmp_path, name, lost, where):
    """nn.LSTM has all of its biases or none."""
    weights = golden_weights(name)
    (lost,) = [one for one in weights if one.endswith(lost)]
    arrays = {one: array for one, array in weights.items() if one != lost}
    write(tmp_path / "w.safetensors", arrays)
    told = refusal(3, "run", "--ids", "1", "-w", tmp_path / "w.safetensors")
    assert f"{where}: expected a bias such as " in told
    assert told.endswith("as another cell has one, found none.")


@pytest.mark.parametrize("instead", [("mask", "orig"), ("orig", "u", "v")])
def test_a_matrix_that_is_stored_as_something_else_is_said(refusal, tmp_path, instead):
    """torch.nn.utils.prune and spectral_norm keep other tensors in its place."""
    arrays = {"rnn.weight_ih_l0": np.ones((4 * H, D)), "rnn.bias_ih_l0": np.ones(4 * H)}
    arrays |= {f"rnn.weight_hh_l0_{name}": np.ones((4 * H, H)) for name in instead}
    write(tmp_path / "w.safetensors", arrays)
    told = refusal(3, "run", "--ids", "1", "-w", tmp_path / "w.safetensors")
    what = "a matrix that is pruned or spectrally normalised is not supported."
    assert told.endswith(f"rnn.weight_hh_l0_{instead[0]}: {what}")


def test_a_parametrised_matrix_is_said(refusal, tmp_path):
    arrays = {
        "rnn.parametrizations.weight_hh_l0.original": np.ones((4 * H, H)),
        "rnn.weight_ih_l0": np.ones((4 * H, D)), "rnn.bias_ih_l0": np.ones(4 * H),
    }  # fmt: skip
    write(tmp_path / "w.safetensors", arrays)
    said = refusal(3, "run", "--ids", "1", "-w", tmp_path / "w.safetensors")
    assert said.endswith(
        "rnn.parametrizations.weight_hh_l0.original: a parametrised matrix is not supported."
    )


def test_layers_that_are_modules_of_their_own_may_differ_in_biases(done, tmp_path):
    arrays = {
        "lstm1.weight_ih_l0": (4 * H, D), "lstm1.weight_hh_l0": (4 * H, H),
        "lstm1.bias_ih_l0": (4 * H,), "lstm1.bias_hh_l0": (4 * H,),
        "lstm2.weight_ih_l0": (4 * H, H), "lstm2.weight_hh_l0": (4 * H, H),
    }  # fmt: skip
    write(tmp_path / "w.safetensors", {name: np.ones(shape) for name, shape in arrays.items()})
    (described,) = done("inspect", tmp_path / "w.safetensors", "--json").json["lstms"]
    assert [cell["biases"] for cell in described["cells"]] == [2, 0]


def test_a_file_written_for_haste_is_not_taken_for_one_of_keras(lstm, done, tmp_path):
    """The two have the same names and shapes, and other gate orders."""
    write(tmp_path / "w.safetensors", torch_names())
    inputs, expected = given(tmp_path)
    file = tmp_path / "haste.safetensors"
    assert lstm("convert", tmp_path / "w.safetensors", file, "--to", "haste").code == 0
    document = done("run", *inputs, "-w", file, "--json").json
    assert document["model"]["layout"] == "haste"
    np.testing.assert_allclose(hidden(document), expected, rtol=0, atol=1e-12)
    (described,) = done("inspect", file, "--json").json["lstms"]
    assert (described["layout"], described["gate_order"]) == ("haste", "i g f o")
    other = lstm("run", *inputs, "-w", file, "--layout", "keras", "--json").json
    assert np.abs(hidden(other) - expected).max() > 1e-3


def test_tensorflows_oldest_names_are_read(lstm, tmp_path):
    """Before its release 1.0: BasicLSTMCell/Linear/Matrix and Bias, the input above the state."""
    one, order = torch_cell(), "igfo"
    matrix = np.hstack([rows(one.ih, order), rows(one.hh, order)]).T
    bias = rows({**one.bias, "f": one.bias["f"] - 1}, order)
    cell = "RNN/BasicLSTMCell/Linear/"
    document, expected = ran(lstm, tmp_path, {f"{cell}Matrix": matrix, f"{cell}Bias": bias})
    assert document["model"]["layout"] == "tensorflow"
    np.testing.assert_allclose(hidden(document), expected, rtol=0, atol=1e-12)


def test_the_outcomes_of_a_head_that_keras_stored_are_counted(done, tmp_path):
    arrays = {
        "lstm/kernel": (D, 4 * H),
        "lstm/recurrent_kernel": (H, 4 * H),
        "dense/kernel": (H, 7),
    }
    write(tmp_path / "w.safetensors", {name: np.ones(shape) for name, shape in arrays.items()})
    (described,) = done("inspect", tmp_path / "w.safetensors", "--json").json["lstms"]
    assert described["head"]["outcomes"] == 7


WORDS = {"i": "input", "f": "forget", "g": "cell", "o": "output"}
TEXTBOOKS = {
    "colah's candidate": (concatenated, "W_{}", "b_{}", {**LETTERS, "g": "C"}),
    "words": (concatenated, "W_{}", "b_{}", WORDS),
    "words of gates": (concatenated, "W_{}_gate", "b_{}_gate", {**WORDS, "g": "candidate"}),
    "a linear for each gate": (concatenated, "W_{}.weight", "W_{}.bias", LETTERS),
    "two linears for each gate": (split, "W_{}.weight", "U_{}.weight", False, "W_{}.bias"),
}  # fmt: skip


@pytest.mark.parametrize("book", TEXTBOOKS)
def test_a_gate_goes_by_many_names(lstm, tmp_path, book):
    write_as, *names = TEXTBOOKS[book]
    document, expected = ran(lstm, tmp_path, write_as(torch_cell(), *names))
    assert document["model"]["layout"].startswith("textbook-")
    np.testing.assert_allclose(hidden(document), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("layout", "head", "bias", "embedding"),
    [
        ("textbook", {"Wy": (7, H)}, {"by": (7, 1)}, {}),
        ("textbook-concatenated", {"Wy": (7, H)}, {"by": (7, 1)}, {}),
        ("textbook-x-h", {"W_hq": (H, 7)}, {"b_q": (7,)}, {}),
        ("textbook-packed", {"Wy": (H, 7)}, {"by": (1, 7)}, {}),
        (
            "cs231n", {"W_vocab": (H, 7)}, {"b_vocab": (7,)},
            {"W_embed": (9, 4), "W_proj": (5, H), "b_proj": (H,)},
        ),
    ],
)  # fmt: skip
def test_the_head_of_a_textbook_is_found_beside_its_cell(
    lstm, tmp_path, layout, head, bias, embedding
):
    arrays = {name.removeprefix("lstm."): a for name, a in WRITERS[layout](torch_cell()).items()}
    random = np.random.default_rng(3)
    beside = {name: random.normal(size=s) for name, s in {**head, **bias, **embedding}.items()}
    document, expected = ran(lstm, tmp_path, {**arrays, **beside}, "--layout", layout, "--top-k=7")
    states = np.array(hidden(document))
    np.testing.assert_allclose(states, expected, rtol=0, atol=1e-12)
    (weight,), (shift,) = ([beside[name] for name in part] for part in (head, bias))
    logits = states @ (weight if weight.shape[0] == H else weight.T) + shift.reshape(-1)
    found = [[step[0]["label"] for step in one["labels"]] for one in document["sequences"]]
    assert found == [[str(n) for n in steps] for steps in logits.argmax(axis=-1)]


@pytest.mark.parametrize(
    ("letters", "names", "shapes"),
    [
        ("zrn", ("W_i{}", "W_h{}"), ((H, D), (H, H))),
        ("zrn", ("W{}x", "W{}h"), ((H, D), (H, H))),
        ("zrh", ("W_{}",), ((H, H + D),)),
        ("zrn", ("W_{}.weight",), ((H, H + D),)),
    ],
)
def test_a_gru_of_a_textbook_is_refused(refusal, tmp_path, letters, names, shapes):
    arrays = {
        name.format(letter): np.ones(shape)
        for name, shape in zip(names, shapes, strict=True)
        for letter in letters
    }
    write(tmp_path / "w.safetensors", arrays)
    told = refusal(3, "run", "--ids", "1", "-w", tmp_path / "w.safetensors")
    assert told.endswith("is a tensor of a GRU: this is not an LSTM.")


def test_a_gru_in_words_is_refused(refusal, tmp_path):
    gates = ("update_gate", "reset_gate", "candidate")
    arrays = {f"rnn.{gate}.weight": np.ones((H, H + D)) for gate in gates}
    write(tmp_path / "w.safetensors", arrays)
    told = refusal(3, "run", "--ids", "1", "-w", tmp_path / "w.safetensors")
    assert told.endswith("rnn.candidate.weight is a tensor of a GRU: this is not an LSTM.")


def dynet(name, builders):
    """PyTorch's weights in DyNet's order; where each layer's cells stand, and from which number."""
    arrays = {}
    torch = {key.rpartition(".")[2]: a for key, a in golden_weights(name).items()}
    for cell, (builder, first) in builders.items():
        parts = [torch[f"weight_ih_{cell}"], torch[f"weight_hh_{cell}"]]
        bias = torch[f"bias_ih_{cell}"].astype(np.float64) + torch[f"bias_hh_{cell}"]
        for number, array in enumerate([*parts, bias]):
            i, f, g, o = np.split(array.astype(np.float64), 4)
            f = f - 1 if number == 2 else f  # which DyNet adds
            arrays[f"/vanilla-lstm-builder{builder}/_{first + number}"] = np.concatenate(
                [i, f, o, g]
            )
    return arrays


@pytest.mark.parametrize(
    ("name", "builders"),
    [
        ("three_layers", {"l0": ("", 0), "l1": ("", 3), "l2": ("", 6)}),
        (
            "two_layers_bidirectional",
            {"l0": ("", 0), "l0_reverse": ("_1", 0), "l1": ("_2", 0), "l1_reverse": ("_3", 0)},
        ),
    ],
)
def test_dynet_counts_through_the_layers_of_a_builder(lstm, tmp_path, name, builders):
    """A BiRNNBuilder has a builder for each layer and direction."""
    run = golden_run(name)
    write(tmp_path / "w.safetensors", dynet(name, builders))
    np.save(tmp_path / "x.npy", run["x"].swapaxes(0, 1))
    start = states(run, 2 if "l0_reverse" in builders else 1)
    write(tmp_path / "s.safetensors", {k: np.ascontiguousarray(a) for k, a in start.items()})
    done = lstm(
        "run", "-w", tmp_path / "w.safetensors", "--vectors", tmp_path / "x.npy",
        "--initial-state", tmp_path / "s.safetensors", "--layers=-1", "-o", tmp_path / "t.npz",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    with np.load(tmp_path / "t.npz") as trace:
        np.testing.assert_allclose(top_layer(trace, "hidden"), run["hs"], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "beside",
    [
        {"attn.W": (5, 11), "attn.U": (5, 11)},
        {"attn.W": (5, 20), "attn.U": (5, 20)},
        {"attention_cell.i2h.weight": (11, 3), "attention_cell.h2h.weight": (11, 5)},
        {"m.input_gate.weight": (7, 2), "m.forget_gate.weight": (7, 2),
         "m.output_gate.weight": (7, 2), "m.candidate.weight": (7, 2)},
        {"output_norm.weight": (5,), "output_norm.bias": (5,)},
        {"parametrizations.fc.original": (5, 5)},
    ],
)  # fmt: skip
def test_common_names_beside_an_lstm_are_another_part_of_the_model(lstm, tmp_path, beside):
    random = np.random.default_rng(1)
    shapes = {**torch_shapes(4, 5), **beside}
    arrays = {
        f"{name}_l0" if name in torch_shapes(4, 5) else name: random.normal(size=shape)
        for name, shape in shapes.items()
    }
    path = write_arrays(tmp_path / "a.safetensors", arrays)
    found = lstm("inspect", path, "--json").json["lstms"]
    assert [(one["layout"], one["hidden_size"]) for one in found] == [("pytorch", 5)]


def test_each_head_has_its_own_bias(tmp_path):
    random = np.random.default_rng(1)
    arrays = {f"W_{gate}": random.normal(size=(5, 9)) for gate in "ifco"}
    for name, outcomes in (("y", 7), ("out", 7)):
        arrays[f"W_{name}"] = random.normal(size=(outcomes, 5))
        arrays[f"b_{name}"] = random.normal(size=outcomes)
    path = write_arrays(tmp_path / "a.safetensors", arrays)
    assert load(path).head is None  # nobody says which one
    for name in ("y", "out"):
        head = load(path, head=f"W_{name}").head
        assert (head.weight == arrays[f"W_{name}"]).all()
        assert (head.bias == arrays[f"b_{name}"]).all()


def test_a_value_of_attention_is_no_head(tmp_path):
    random = np.random.default_rng(1)
    arrays = {f"lstm.W_{gate}": random.normal(size=(5, 9)) for gate in "ifco"}
    arrays |= {f"W_{name}": random.normal(size=(5, 5)) for name in "qkv"}
    assert load(write_arrays(tmp_path / "a.safetensors", arrays)).head is None
