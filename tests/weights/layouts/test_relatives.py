"""What looks like an LSTM and is none: refused with a sentence that is true."""

from __future__ import annotations

import pytest

from tests.weights.builders import infos
from weights.archive import TensorInfo
from weights.errors import NotAnLSTMError
from weights.layouts.detection import detect, every_lstm

Shapes = dict[str, tuple[int, ...]]
TORCH = {"weight_ih_l0": (12, 4), "weight_hh_l0": (12, 3), "bias_ih_l0": (12,), "bias_hh_l0": (12,)}


def header(shapes: Shapes) -> dict[str, TensorInfo]:
    return {name: TensorInfo(name, "F32", shape) for name, shape in shapes.items()}


def refusal(shapes: Shapes) -> str:
    with pytest.raises(NotAnLSTMError) as caught:
        detect(header(shapes))
    return str(caught.value)


GRUS: list[tuple[Shapes, str]] = [
    ({"rnn.weight_ih_l0": (9, 4), "rnn.weight_hh_l0": (9, 3)}, "rows of rnn.weight_hh_l0 are"),
    (
        {"gru/gru_cell/kernel": (4, 9), "gru/gru_cell/recurrent_kernel": (3, 9),
         "gru/gru_cell/bias": (2, 9)},
        "columns of gru/gru_cell/recurrent_kernel are",
    ),
    ({"layers/gru/cell/vars/0": (4, 9), "layers/gru/cell/vars/1": (3, 9),
      "layers/gru/cell/vars/2": (2, 9)}, "columns of layers/gru/cell/vars/1 are"),
    ({"Wx": (9, 4), "Wh": (9, 3), "b": (9,), "bhn": (3,)}, "rows of Wh are"),
    ({"W": (1, 9, 4), "R": (1, 9, 3), "B": (1, 18)}, "rows of R are"),
    ({"gru/w_i": (4, 9), "gru/w_h": (3, 9), "gru/b": (9,)}, "columns of gru/w_h are"),
    ({"_unfused.0.i2h_weight": (9, 4), "_unfused.0.h2h_weight": (9, 3)},
     "rows of _unfused.0.h2h_weight are"),
]  # fmt: skip


@pytest.mark.parametrize(("shapes", "start"), GRUS, ids=[start for _, start in GRUS])
def test_a_gru_is_known_by_its_recurrent_matrix_in_every_layout(shapes: Shapes, start: str) -> None:
    other = "columns" if start.startswith("rows") else "rows"
    assert refusal(shapes) == f"{start} 3 times its {other}: this is a GRU, not an LSTM."


RNNS: list[tuple[Shapes, str]] = [
    ({"weight_ih": (3, 4), "weight_hh": (3, 3)}, "weight_hh"),
    ({"rnn/kernel": (4, 3), "rnn/recurrent_kernel": (3, 3), "rnn/bias": (3,)},
     "rnn/recurrent_kernel"),
    ({"W": (1, 3, 4), "R": (1, 3, 3), "B": (1, 6)}, "R"),
]  # fmt: skip


@pytest.mark.parametrize(("shapes", "name"), RNNS, ids=[name for _, name in RNNS])
def test_a_plain_rnn_is_known_by_its_square_matrix_in_every_layout(
    shapes: Shapes, name: str
) -> None:
    expected = f"rows of {name} equal its columns: this is a plain RNN, not an LSTM."
    assert refusal(shapes) == expected


# Most of these have shapes that would pass: four blocks of some size.
OTHERS: list[tuple[Shapes, str]] = [
    (
        {"rnn/ugrnn_cell/kernel": (8, 8), "rnn/ugrnn_cell/bias": (8,)},
        "rnn/ugrnn_cell/bias is a tensor of a UGRNN, which has two gates",
    ),
    (
        {"rnn/nas_rnn/kernel": (4, 24), "rnn/nas_rnn/recurrent_kernel": (3, 24)},
        "rnn/nas_rnn/kernel is a tensor of a NASCell, which has eight matrices",
    ),
    (
        {"rnn/phased_lstm_cell/mask_gates/kernel": (9, 8),
         "rnn/phased_lstm_cell/mask_gates/bias": (8,)},
        "rnn/phased_lstm_cell/mask_gates/bias is a tensor of a Phased LSTM, whose gates open by a "
        "clock",
    ),
    (
        {"rnn/g_lstm_cell/group0/kernel": (6, 8), "rnn/g_lstm_cell/bias_i": (4,)},
        "rnn/g_lstm_cell/bias_i is a tensor of a group LSTM (GLSTMCell)",
    ),
    (
        {"rnn/gru_cell/gates/kernel": (8, 8), "rnn/gru_cell/gates/bias": (8,),
         "rnn/gru_cell/candidate/kernel": (8, 4), "rnn/gru_cell/candidate/bias": (4,)},
        "rnn/gru_cell/candidate/bias is a tensor of a GRU",
    ),
    (
        {f"params/GRUCell_0/{name}/kernel": (4, 3) for name in
         ("ir", "iz", "in", "hr", "hz", "hn")},
        "params/GRUCell_0/hn/kernel is a tensor of a GRU",
    ),
    (
        {"conv_lstm2d/kernel": (3, 3, 2, 16), "conv_lstm2d/recurrent_kernel": (3, 3, 4, 16),
         "conv_lstm2d/bias": (16,)},
        "conv_lstm2d/recurrent_kernel is a tensor of a convolutional LSTM",
    ),
    (
        {"a/kernel": (3, 3, 2, 16), "a/recurrent_kernel": (3, 3, 4, 16), "a/bias": (16,)},
        "a/recurrent_kernel is a tensor of a convolutional LSTM",
    ),
    (
        {"in_proj_weight": (12, 4), "in_proj_bias": (12,), "out_proj.weight": (4, 4)},
        "in_proj_weight is a tensor of attention",
    ),
    (
        {"h.0.attention.self.query.weight": (4, 4), "h.0.attention.self.key.weight": (4, 4)},
        "h.0.attention.self.key.weight is a tensor of attention",
    ),
    (
        {f"layers.0.self_attn.{k}_proj.weight": (4, 4) for k in "qkv"},
        "layers.0.self_attn.k_proj.weight is a tensor of attention",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("shapes", "start"), OTHERS, ids=[min(shapes) for shapes, _ in OTHERS])
def test_another_network_is_called_by_its_name(shapes: Shapes, start: str) -> None:
    assert refusal(shapes) == f"{start}: this is not an LSTM."


WITHOUT_MEMORY: list[tuple[Shapes, str]] = [
    ({"weight": (20, 3), "bias": (20,)}, "weight belongs to a dense (linear) layer"),
    (
        {
            "dense/kernel": (7, 8),
            "dense/bias": (8,),
            "dense_1/kernel": (8, 4),
            "dense_1/bias": (4,),
        },
        "dense/kernel, dense_1/kernel belong to a dense (linear) layer",
    ),
    ({"wte.embedding.weight": (20, 3)}, "wte.embedding.weight belongs to an embedding"),
    ({"conv1.weight": (8, 4, 3), "conv1.bias": (8,)}, "conv1.weight belongs to a convolution"),
    (
        {"conv1.weight": (8, 4, 3), "fc.weight": (8, 4), "fc.bias": (8,)},
        "conv1.weight, fc.weight belong to layers of other kinds",
    ),
]


@pytest.mark.parametrize(("shapes", "start"), WITHOUT_MEMORY)
def test_layers_without_memory_are_called_by_their_kind(shapes: Shapes, start: str) -> None:
    assert refusal(shapes) == f"no tensor is a recurrent matrix: {start}, not to an LSTM."


@pytest.mark.parametrize(
    "shapes",
    [
        {"lstm_tagger/dense/kernel": (9, 8), "lstm_tagger/dense/bias": (8,)},
        {"rnn/logits/kernel": (9, 8), "rnn/logits/bias": (8,)},
        {"lstm_lm/linear/w": (9, 8), "lstm_lm/linear/b": (8,)},
        {"lstm/output_projection/kernel": (9, 8), "lstm/output_projection/bias": (8,)},
    ],
)
def test_a_dense_layer_inside_something_called_lstm_is_no_lstm(shapes: Shapes) -> None:
    """By its shape it could be one: n inputs, 4 m outputs, n > m."""
    assert "not to an LSTM" in refusal(shapes) or "no known layout" in refusal(shapes)


def test_an_lstm_is_found_beside_dense_layers_that_are_named_by_number() -> None:
    found = detect(
        header(
            {
                "layers/embedding/vars/0": (20, 4),
                "layers/lstm/cell/vars/0": (4, 12),
                "layers/lstm/cell/vars/1": (3, 12),
                "layers/lstm/cell/vars/2": (12,),
                "layers/dense/vars/0": (3, 8),
                "layers/dense/vars/1": (8,),
            }
        )
    )
    assert (found.layout.name, found.prefix) == ("keras-numbered", "layers/lstm/cell/")


def test_an_lstm_is_found_beside_a_gru() -> None:
    gru = {"encoder.weight_ih_l0": (9, 4), "encoder.weight_hh_l0": (9, 3)}
    tensors = header({**gru, **{f"decoder.{name}": shape for name, shape in TORCH.items()}})
    assert detect(tensors).prefix == "decoder."
    assert [lstm.prefix for lstm in every_lstm(tensors)] == ["decoder."]


def test_an_lstm_is_found_beside_attention() -> None:
    attention = {"attention.in_proj_weight": (12, 4), "attention.out_proj.weight": (4, 4)}
    assert detect(header({**attention, **TORCH})).layout.name == "pytorch"


def test_an_lstm_in_a_place_called_after_a_relative_is_one() -> None:
    for place in ("gru_like.", "attention.", "nas.", "group_1.", "conv_lstm_free."):
        tensors = infos(**{place.replace(".", "__") + name: s for name, s in TORCH.items()})
        assert detect(tensors).prefix == place


@pytest.mark.parametrize("cell", ["output_lstm_cell", "conv_lstm_cell", "linear_lstm", "lstm_fc_1"])
def test_a_cell_called_after_a_dense_layer_is_one_all_the_same(cell: str) -> None:
    tensors = header({f"rnn/{cell}/kernel": (7, 12), f"rnn/{cell}/bias": (12,)})
    if cell == "lstm_fc_1":  # a dense layer in an LSTM's name: by its last word
        with pytest.raises(NotAnLSTMError):
            detect(tensors)
    else:
        assert detect(tensors).layout.name == "tensorflow"
