"""Files of every layout, written from what is known of the frameworks.

Each writer was made from the table in the notes on frameworks, which were found by running them,
and shares nothing with the layouts under test: it says names, order and orientation once more.
A cell is given by its gates' own matrices, so that no order is built into what is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

Array = np.ndarray
Arrays = dict[str, Array]

INPUT, HIDDEN, PROJECTED = 4, 3, 2  # all differ, so that no axis can be taken for another


class Cell(NamedTuple):
    """The gates i, f, g, o by their letters: (H, D), (H, P), (H,); and what a cell may add."""

    ih: Mapping[str, Array]
    hh: Mapping[str, Array]
    bias: Mapping[str, Array]
    peephole: Mapping[str, Array]
    projection: Array
    norm: Mapping[str, Array]
    shown: Array
    cell_norm: tuple[Array, Array]


def cell(seed: int, input_size: int = INPUT, size: int = HIDDEN, output: int = HIDDEN) -> Cell:
    """A cell whose every number is another one; `output` is the width of its hidden state."""
    random = np.random.default_rng(seed)

    def gates(*shape: int, of: str = "ifgo") -> Arrays:
        return {letter: random.standard_normal(shape) for letter in of}

    return Cell(
        gates(size, input_size), gates(size, output), gates(size), gates(size, of="ifo"),
        random.standard_normal((output, size)), gates(size), random.standard_normal(size),
        (random.standard_normal(size), random.standard_normal(size)),
    )  # fmt: skip


def rows(gates: Mapping[str, Array], order: str) -> Array:
    """One gate below the other."""
    return np.concatenate([gates[letter] for letter in order])


def columns(gates: Mapping[str, Array], order: str) -> Array:
    """One gate beside the other, each turned: x @ W."""
    return np.concatenate([gates[letter].T for letter in order], axis=1)


def x_over_h(one: Cell, order: str) -> Array:
    """x @ W for the concatenation [x, h]."""
    return np.concatenate([columns(one.ih, order), columns(one.hh, order)])


def halves(one: Cell, order: str) -> tuple[Array, Array]:
    """Two biases whose sum is exactly the cell's."""
    whole = rows(one.bias, order)
    return whole / 2, whole / 2


def native(one: Cell) -> Arrays:
    names = {"i": "input_gate", "f": "forget_gate", "g": "candidate", "o": "output_gate"}
    arrays = {}
    for letter, name in names.items():
        both = np.concatenate([one.hh[letter], one.ih[letter]], axis=1)
        arrays[f"layers.0.forward.{name}.weight"] = both
        arrays[f"layers.0.forward.{name}.bias"] = one.bias[letter]
    return arrays


def pytorch(one: Cell, end: str = "_l0", order: str = "ifgo") -> Arrays:
    ih, hh = halves(one, order)
    return {
        f"weight_ih{end}": rows(one.ih, order),
        f"weight_hh{end}": rows(one.hh, order),
        f"bias_ih{end}": ih,
        f"bias_hh{end}": hh,
    }


def fastai(one: Cell) -> Arrays:
    plain = pytorch(one)
    recurrent = plain.pop("weight_hh_l0")
    # The dropped-out copy that old versions store differs from the raw one, which counts.
    arrays = {f"module.{name}": array for name, array in plain.items()}
    return {**arrays, "weight_hh_l0_raw": recurrent, "module.weight_hh_l0": recurrent * 0.5}


def paddle(one: Cell) -> Arrays:
    plain = pytorch(one)
    aliases = {f"0.cell.{name.removesuffix('_l0')}": array for name, array in plain.items()}
    return {**plain, **aliases}


def four(one: Cell, ih: str, hh: str, bias_ih: str, bias_hh: str, order: str = "ifgo") -> Arrays:
    """W @ x with two biases under any names."""
    first, second = halves(one, order)
    return {ih: rows(one.ih, order), hh: rows(one.hh, order), bias_ih: first, bias_hh: second}


def three(one: Cell, ih: str, hh: str, bias: str, order: str = "ifgo") -> Arrays:
    """W @ x with one bias under any names."""
    return {ih: rows(one.ih, order), hh: rows(one.hh, order), bias: rows(one.bias, order)}


def turned(one: Cell, ih: str, hh: str, bias: str, order: str = "ifgo") -> Arrays:
    """x @ W with one bias under any names."""
    return {ih: columns(one.ih, order), hh: columns(one.hh, order), bias: rows(one.bias, order)}


def joined(one: Cell, kernel: str, bias: str) -> Arrays:
    """[x, h] @ W, as TensorFlow 1 and its descendants have it: i, g, f, o."""
    return {kernel: x_over_h(one, "igfo"), bias: rows(one.bias, "igfo")}


def elmo(one: Cell, place: str = "RNN_0/RNN/MultiRNNCell/Cell0/LSTMCell/") -> Arrays:
    """bilm-tf: a projected cell per direction and layer."""
    names = joined(one, f"{place}W_0", f"{place}B")
    return {**names, f"{place}W_P_0": one.projection.T}


def allennlp_elmo(one: Cell, place: str = "forward_layer_0.") -> Arrays:
    """ElmoLstm: one bias, with the hidden state's matrix."""
    ih, hh = f"{place}input_linearity.weight", f"{place}state_linearity.weight"
    arrays = three(one, ih, hh, f"{place}state_linearity.bias")
    return {**arrays, f"{place}state_projection.weight": one.projection}


def allennlp_highway(one: Cell, place: str = "cell.") -> Arrays:
    """AugmentedLstm: a fifth block for the highway gate, and the input projected, a sixth."""
    gate, passed = one.ih["o"] * 2, one.ih["g"] * 3
    return {
        f"{place}input_linearity.weight": np.concatenate([rows(one.ih, "ifgo"), gate, passed]),
        f"{place}state_linearity.weight": np.concatenate([rows(one.hh, "ifgo"), one.hh["f"] * 2]),
        f"{place}state_linearity.bias": np.concatenate([rows(one.bias, "ifgo"), one.shown]),
    }


def chainer(one: Cell) -> Arrays:
    """Unit by unit: its g, i, f, o, then the next unit's."""

    def mixed(gates: Mapping[str, Array]) -> Array:
        return np.stack([gates[k][unit] for unit in range(HIDDEN) for k in "gifo"])

    return {
        "upward/W": mixed(one.ih),
        "lateral/W": mixed(one.hh),
        "upward/b": np.array([one.bias[k][unit] for unit in range(HIDDEN) for k in "gifo"]),
    }


def chainer_nstep(one: Cell) -> Arrays:
    arrays = {}
    for number, letter in enumerate("ifgo"):
        arrays[f"0/w{number}"] = one.ih[letter]
        arrays[f"0/w{number + 4}"] = one.hh[letter]
        arrays[f"0/b{number}"] = arrays[f"0/b{number + 4}"] = one.bias[letter] / 2
    return arrays


def keras_cudnn(one: Cell) -> Arrays:
    """A block of (D, H) numbers whose bytes are those of an (H, D) matrix."""

    def blocks(gates: Mapping[str, Array]) -> Array:
        return np.concatenate([gates[k].reshape(gates[k].shape[::-1]) for k in "ifgo"], axis=1)

    both = np.concatenate(halves(one, "ifgo"))
    return {
        "model_weights/c/c/kernel:0": blocks(one.ih),
        "model_weights/c/c/recurrent_kernel:0": blocks(one.hh),
        "model_weights/c/c/bias:0": both,
    }


def keras_1(one: Cell) -> Arrays:
    arrays = {}
    for letter, ours in zip("icfo", "igfo", strict=True):
        arrays[f"lstm_1_W_{letter}"] = one.ih[ours].T
        arrays[f"lstm_1_U_{letter}"] = one.hh[ours].T
        arrays[f"lstm_1_b_{letter}"] = one.bias[ours]
    return arrays


def keras2c(one: Cell) -> Arrays:
    """Blocks stacked along the inputs, each for x @ W."""
    ih = np.concatenate([one.ih[k].T for k in "ifgo"])
    hh = np.concatenate([one.hh[k].T for k in "ifgo"])
    return {"lstm_kernel": ih, "lstm_recurrent_kernel": hh, "lstm_bias": rows(one.bias, "ifgo")}


def icu(one: Cell) -> Arrays:
    """Two directions; the reverse one's numbers are the forward one's, halved."""
    random = np.random.default_rng(1)
    arrays = {"mat1": random.standard_normal((7, INPUT)), "mat9": random.standard_normal(5)}
    arrays["mat8"] = random.standard_normal((2 * HIDDEN, 5))
    for first, scale in ((2, 1), (5, 0.5)):
        names = [f"mat{first + n}" for n in range(3)]
        arrays |= {name: a * scale for name, a in turned(one, *names).items()}
    return arrays


def flax(one: Cell) -> Arrays:
    place = "params/LSTMCell_0"
    arrays = {}
    for k in "ifgo":
        arrays[f"{place}/i{k}/kernel"] = one.ih[k].T
        arrays[f"{place}/h{k}/kernel"] = one.hh[k].T
        arrays[f"{place}/h{k}/bias"] = one.bias[k]
    return arrays


def burn(one: Cell) -> Arrays:
    arrays = {}
    for k, name in {"i": "input", "f": "forget", "g": "cell", "o": "output"}.items():
        arrays[f"{name}_gate.input_transform.weight"] = one.ih[k].T
        arrays[f"{name}_gate.hidden_transform.weight"] = one.hh[k].T
        for where in ("input", "hidden"):
            arrays[f"{name}_gate.{where}_transform.bias"] = one.bias[k] / 2
    return arrays


def dl4j(one: Cell) -> Arrays:
    arrays = turned(one, "W", "RW", "b", "gfoi")
    return {**arrays, "b": arrays["b"][np.newaxis]}


def gist(one: Cell) -> Arrays:
    """One matrix: the bias, then [x, h] @ W."""
    return {"WLSTM": np.concatenate([rows(one.bias, "ifog")[np.newaxis], x_over_h(one, "ifog")])}


def coupled(one: Cell) -> Arrays:
    """No input gate: i = 1 - f."""
    return {
        "rnn/coupled_lstm_cell/W_0": x_over_h(one, "gfo"),
        "rnn/coupled_lstm_cell/B": rows(one.bias, "gfo"),
    }


def layer_norm(one: Cell) -> Arrays:
    place = "rnn/layer_norm_basic_lstm_cell"
    arrays = {f"{place}/kernel": x_over_h(one, "igfo")}
    for k, name in {"i": "input", "g": "transform", "f": "forget", "o": "output"}.items():
        arrays[f"{place}/{name}/gamma"] = one.norm[k]
        arrays[f"{place}/{name}/beta"] = one.bias[k]
    arrays[f"{place}/state/gamma"], arrays[f"{place}/state/beta"] = one.cell_norm
    return arrays


def onnx(one: Cell) -> Arrays:
    return {
        "W": rows(one.ih, "iofg")[np.newaxis],
        "R": rows(one.hh, "iofg")[np.newaxis],
        "B": np.concatenate(halves(one, "iofg"))[np.newaxis],
    }


def openvino(one: Cell) -> Arrays:
    return {name: array[np.newaxis] for name, array in three(one, "W", "R", "B", "figo").items()}


def tflite(one: Cell) -> Arrays:
    arrays = {}
    for k, name in {"i": "input", "f": "forget", "g": "cell", "o": "output"}.items():
        arrays[f"input_to_{name}_weights"] = one.ih[k]
        arrays[f"recurrent_to_{name}_weights"] = one.hh[k]
        arrays[f"{name}_gate_bias"] = one.bias[k]
    return arrays


def tflite_coupled(one: Cell) -> Arrays:
    """No input gate."""
    own = ("input_to_input_weights", "recurrent_to_input_weights", "input_gate_bias")
    return {name: array for name, array in tflite(one).items() if name not in own}


def quantizable_split(one: Cell) -> Arrays:
    names = {"i": "input", "f": "forget", "g": "cell", "o": "output"}
    arrays: Arrays = {}
    for letter, name in names.items():
        place = "layers.0.layer_fw.cell."
        arrays[f"{place}igates.{name}.weight"] = one.ih[letter]
        arrays[f"{place}hgates.{name}.weight"] = one.hh[letter]
        arrays[f"{place}igates.{name}.bias"] = one.bias[letter] / 2
        arrays[f"{place}hgates.{name}.bias"] = one.bias[letter] / 2
    return arrays


def coreml_neural(one: Cell) -> Arrays:
    arrays = {}
    names = {"i": "inputGate", "f": "forgetGate", "g": "blockInput", "o": "outputGate"}
    for k, name in names.items():
        arrays[f"{name}WeightMatrix"] = one.ih[k]
        arrays[f"{name}RecursionMatrix"] = one.hh[k]
        arrays[f"{name}BiasVector"] = one.bias[k]
    return arrays


def dynet_coupled(one: Cell) -> Arrays:
    """x2i, h2i, c2i, bi; x2o, h2o, c2o, bo; x2c, h2c, bc: no forget gate, full peepholes."""
    parts = []
    for k in "io":
        parts += [one.ih[k], one.hh[k], np.outer(one.peephole[k], one.shown), one.bias[k]]
    parts += [one.ih["g"], one.hh["g"], one.bias["g"]]
    return {f"/lstm-builder/_{n}": array for n, array in enumerate(parts)}


def concatenated(one: Cell, weight: str, bias: str, names: Mapping[str, str]) -> Arrays:
    """One matrix per gate over [h, x]."""
    arrays = {}
    for k, name in names.items():
        arrays[weight.format(name)] = np.concatenate([one.hh[k], one.ih[k]], axis=1)
        arrays[bias.format(name)] = one.bias[k]
    return arrays


def split(one: Cell, ih: str, hh: str, is_turned: bool, bias: str = "b_{}") -> Arrays:
    """One matrix per gate for the input, one for the hidden state."""
    arrays = {}
    for k, name in {"i": "i", "f": "f", "g": "c", "o": "o"}.items():
        arrays[ih.format(name)] = one.ih[k].T if is_turned else one.ih[k]
        arrays[hh.format(name)] = one.hh[k].T if is_turned else one.hh[k]
        arrays[bias.format(name)] = one.bias[k]
    return arrays


def columns_of(arrays: Arrays) -> Arrays:
    """The same the other way round, a bias as a row."""
    return {
        name: array[np.newaxis] if array.ndim == 1 else array.T for name, array in arrays.items()
    }


def i_h(one: Cell, is_turned: bool) -> Arrays:
    """PyTorch's formulas, with a bias of the input and one of the hidden state."""
    second = {f"b_h{name}": np.full_like(one.bias[k], 0.5) for k, name in LETTERS.items()}
    rest = one._replace(bias={k: bias - 0.5 for k, bias in one.bias.items()})
    return {**split(rest, "W_i{}", "W_h{}", is_turned, "b_i{}"), **second}


FGOP = {"i": "IPG", "f": "FG", "g": "CS", "o": "OPG"}
LETTERS = {"i": "i", "f": "f", "g": "c", "o": "o"}

WRITERS: Mapping[str, Callable[[Cell], Arrays]] = {
    "native": native,
    "pytorch": pytorch,
    "pytorch-cell": lambda c: pytorch(c, ""),
    "fastai": fastai,
    "paddle": paddle,
    "mxnet": lambda c: four(
        c, *(f"_unfused.0.{n}" for n in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"))
    ),
    "mxnet-module": lambda c: four(
        c, *(f"lstm_l0_{n}" for n in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"))
    ),
    "allennlp": lambda c: four(
        c, "cell.input_linearity.weight", "cell.state_linearity.weight",
        "cell.input_linearity.bias", "cell.state_linearity.bias",
    ),
    "allennlp-highway": allennlp_highway,
    "allennlp-elmo": allennlp_elmo,
    "mlx": lambda c: three(c, "Wx", "Wh", "bias"),
    "char-rnn": lambda c: four(
        c, "i2h_1.weight", "h2h_1.weight", "i2h_1.bias", "h2h_1.bias", "ifog"
    ),
    "matlab": lambda c: {
        name: array if array.ndim == 2 else array[:, np.newaxis]
        for name, array in three(c, "InputWeights", "RecurrentWeights", "Bias").items()
    },
    "caffe2": lambda c: four(
        c, "rnn/i2h_w", "rnn/gates_t_w", "rnn/i2h_b", "rnn/gates_t_b", "ifog"
    ),
    "chainer": chainer,
    "chainer-nstep": chainer_nstep,
    "dynet": lambda c: three(c, *(f"/vanilla-lstm-builder/_{n}" for n in range(3)), "ifog"),
    "keras": lambda c: turned(c, *(f"lstm/lstm_cell/{n}" for n in KERAS)),
    "keras-numbered": lambda c: turned(c, *(f"layers/lstm/cell/vars/{n}" for n in range(3))),
    "frugally-deep": lambda c: turned(
        c, *(f"trainable_params.lstm.{n}" for n in ("weights", "recurrent_weights", "bias"))
    ),
    "keras-cudnn": keras_cudnn,
    "keras-1": keras_1,
    "keras2c": keras2c,
    "icu": icu,
    "haste": lambda c: turned(c, *KERAS, "igfo"),
    "sonnet-2": lambda c: turned(c, "lstm/w_i", "lstm/w_h", "lstm/b"),
    "flax": flax,
    "flax-packed": lambda c: turned(c, "dense_i.kernel", "dense_h.kernel", "dense_h.bias"),
    "cntk": lambda c: turned(c, "W", "H", "b", "igfo"),
    "burn": burn,
    "dl4j": dl4j,
    "dl4j-bidirectional": lambda c: {
        f"0_{side}{name}": array for side in "fb" for name, array in dl4j(c).items()
    },
    "flax-bidirectional": flax,
    "mlx-inputs": lambda c: turned(c, "Wx", "Wh", "bias"),
    "karpathy-gist": gist,
    "tensorflow": lambda c: joined(c, "rnn/basic_lstm_cell/kernel", "rnn/basic_lstm_cell/bias"),
    "elmo": elmo,
    "tensorflow-cudnn": lambda c: joined(
        c, "rnn/cudnn_compatible_lstm_cell/kernel", "rnn/cudnn_compatible_lstm_cell/bias"
    ),
    "tensorflow-coupled": coupled,
    "tensorflow-layer-norm": layer_norm,
    "sonnet-1": lambda c: joined(c, "lstm/w_gates", "lstm/b_gates"),
    "haiku": lambda c: joined(c, "lstm/linear/w", "lstm/linear/b"),
    "onnx": onnx,
    "openvino": openvino,
    "tflite": tflite,
    "tflite-coupled": tflite_coupled,
    "coreml-neural": coreml_neural,
    "dynet-coupled": dynet_coupled,
    "pytorch-quantizable": lambda c: four(
        c, *(f"layers.0.layer_fw.cell.{n}" for n in
             ("igates.weight", "hgates.weight", "igates.bias", "hgates.bias"))
    ),
    "coreml": lambda c: three(c, "weight_ih", "weight_hh", "bias", "ifog"),
    "equinox": lambda c: three(c, "weight_ih", "weight_hh", "bias", "ifgo"),
    "pytorch-quantizable-split": quantizable_split,
    "textbook": lambda c: concatenated(c, "W{}", "B{}", FGOP),
    "textbook-concatenated": lambda c: concatenated(c, "W_{}", "b_{}", LETTERS),
    "textbook-concatenated-inputs": lambda c: {
        name: array.T for name, array in concatenated(c, "W{}", "b{}", LETTERS).items()
    },
    "textbook-inputs": lambda c: columns_of(concatenated(c, "W{}", "B{}", FGOP)),
    "textbook-update": lambda c: concatenated(c, "W{}", "b{}", {**LETTERS, "i": "u"}),
    "textbook-gates": lambda c: concatenated(
        c, "{}_gate.weight", "{}_gate.bias",
        {"i": "input", "f": "forget", "g": "cell", "o": "output"},
    ),
    "textbook-f-x": lambda c: split(c, "W_{}x", "W_{}h", False),
    "textbook-f-x-inputs": lambda c: split(c, "W{}x", "W{}h", True, "b{}"),
    "textbook-i-h": lambda c: i_h(c, False),
    "textbook-i-h-inputs": lambda c: i_h(c, True),
    "textbook-packed": lambda c: turned(c, "lstm.W", "lstm.U", "lstm.bias"),
    "textbook-packed-outputs": lambda c: three(c, "W", "U", "b"),
    "textbook-linears": lambda c: four(
        c, "cell.x2h.weight", "cell.h2h.weight", "cell.x2h.bias", "cell.h2h.bias"
    ),
    "textbook-w-u-inputs": lambda c: split(c, "W_{}", "U_{}", True),
    "textbook-u-v-outputs": lambda c: split(c, "U_{}", "V_{}", False),
    "cs231n": lambda c: turned(c, "Wx", "Wh", "b", "ifog"),
    "deep-learning-from-scratch": lambda c: turned(c, "Wx", "Wh", "b", "fgio"),
    "textbook-x-h": lambda c: split(c, "W_x{}", "W_h{}", True),
    "textbook-x-h-outputs": lambda c: split(c, "W_x{}", "W_h{}", False),
    "textbook-w-u": lambda c: split(c, "W_{}", "U_{}", False),
    "textbook-u-v": lambda c: split(c, "U_{}", "V_{}", True),
}  # fmt: skip
KERAS = ("kernel", "recurrent_kernel", "bias")
