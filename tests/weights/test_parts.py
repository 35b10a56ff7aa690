from __future__ import annotations

import pytest

from tests.weights.builders import infos
from weights.errors import WeightsError
from weights.layouts.detection import detect
from weights.parts import Parts, find_parts

LSTM = {"rnn__weight_ih_l0": (12, 4), "rnn__weight_hh_l0": (12, 3)}
WIDE = {**LSTM, "rnn__weight_ih_l0_reverse": (12, 4), "rnn__weight_hh_l0_reverse": (12, 3)}
NATIVE = {
    f"layers__0__forward__{gate}__weight": (3, 7)
    for gate in ("input_gate", "forget_gate", "candidate", "output_gate")
}


def parts_of(shapes: dict[str, tuple[int, ...]]) -> Parts:
    tensors = infos(**shapes)
    return find_parts(tensors, detect(tensors))


def test_an_lstm_alone_has_no_parts() -> None:
    assert parts_of(LSTM) == Parts()


@pytest.mark.parametrize(
    "name",
    ["embedding__weight", "model__embed__weight", "embeddings/weight", "wte__weight",
     "encoder__weight", "char_level__Emb__weight", "net__lookup__table"],
)  # fmt: skip
def test_an_embedding_is_known_by_its_name_and_width(name: str) -> None:
    dotted = name.replace("__", ".")
    found = parts_of({**LSTM, name: (8, 4)})
    assert found == Parts(
        embedding=dotted, assumed=(f"embedding: {dotted}, by its name and shape",)
    )


@pytest.mark.parametrize(
    "name",
    ["fc__weight", "lm_head__weight", "model__decoder__weight", "out/kernel", "proj__weight"],
)
def test_a_head_is_known_by_its_name_and_width(name: str) -> None:
    dotted = name.replace("__", ".")
    found = parts_of({**LSTM, name: (8, 3)})
    assert found == Parts(head=dotted, assumed=(f"head: {dotted}, by its name and shape",))


def test_a_head_over_two_directions_is_twice_as_wide() -> None:
    assert parts_of({**WIDE, "fc__weight": (8, 6)}).head == "fc.weight"
    assert parts_of({**WIDE, "fc__weight": (8, 3)}).head is None


@pytest.mark.parametrize(("size", "bias"), [(8, "fc.bias"), (7, None)])
def test_a_heads_bias_is_as_long_as_the_head(size: int, bias: str | None) -> None:
    assert parts_of({**LSTM, "fc__weight": (8, 3), "fc__bias": (size,)}).head_bias == bias


KERAS = {"lstm/kernel": (4, 12), "lstm/recurrent_kernel": (3, 12), "lstm/bias": (12,)}
TENSORFLOW = {"rnn/lstm_cell/kernel": (7, 12), "rnn/lstm_cell/bias": (12,)}
NUMBERED = {f"layers/lstm/cell/vars/{n}": KERAS[k] for n, k in enumerate(KERAS)}


@pytest.mark.parametrize(
    ("lstm", "weight", "bias"),
    [
        (KERAS, "dense/kernel", "dense/bias"),
        (KERAS, "dense_1/kernel:0", "dense_1/bias:0"),
        (NUMBERED, "layers/dense/vars/0", "layers/dense/vars/1"),
        (TENSORFLOW, "rnnlm/softmax_w", "rnnlm/softmax_b"),
        (TENSORFLOW, "softmax/weights", "softmax/biases"),
        ({"lstm/linear/w": (7, 12), "lstm/linear/b": (12,)}, "linear/w", "linear/b"),
    ],
)
def test_a_head_whose_columns_are_outcomes_is_found_with_its_bias(
    lstm: dict[str, tuple[int, ...]], weight: str, bias: str
) -> None:
    found = parts_of({**lstm, weight: (3, 8), bias: (8,)})
    assert (found.head, found.head_bias, found.unused) == (weight, bias, ())
    assert found.head_is_transposed
    other = parts_of({**lstm, weight: (3, 8), bias: (3,)})
    assert (other.head, other.head_bias, other.unused) == (weight, None, (bias,))


def test_a_table_of_another_width_is_not_used_and_that_is_said() -> None:
    found = parts_of({**LSTM, "embedding__weight": (8, 5), "fc__weight": (7, 4)})
    assert found == Parts(
        unused=("embedding.weight", "fc.weight"),
        assumed=("not used: 2 tensors (embedding.weight, fc.weight)",),
    )


def test_of_two_candidates_none_is_taken() -> None:
    found = parts_of({**LSTM, "embedding__weight": (8, 4), "other__embed__weight": (9, 4)})
    assert found.embedding is None
    assert found.unused == ("embedding.weight", "other.embed.weight")


def test_only_a_few_unused_tensors_are_listed() -> None:
    found = parts_of({**LSTM, **{f"conv{n}__weight": (2, 2, 2) for n in range(5)}})
    assert found.assumed == ("not used: 5 tensors (conv0.weight, conv1.weight, conv2.weight, ...)",)
    assert len(found.unused) == 5


def test_a_word_in_a_name_is_a_whole_word() -> None:
    found = parts_of({**LSTM, "reembedded__weight": (8, 4), "headless__weight": (8, 3)})
    assert (found.embedding, found.head) == (None, None)


def test_a_module_named_encoder_around_everything_hides_nothing() -> None:
    """With equal widths both tables have the word encoder in their names."""
    found = parts_of(
        {
            "encoder__rnn__weight_ih_l0": (12, 3),
            "encoder__rnn__weight_hh_l0": (12, 3),
            "encoder__embedding__weight": (8, 3),
            "encoder__fc__weight": (7, 3),
        }
    )
    assert (found.embedding, found.head) == ("encoder.embedding.weight", "encoder.fc.weight")


def test_a_head_in_a_module_named_encoder_is_no_embedding() -> None:
    found = parts_of(
        {
            "encoder__rnn__weight_ih_l0": (12, 3),
            "encoder__rnn__weight_hh_l0": (12, 3),
            "encoder__fc__weight": (7, 3),
        }
    )
    assert (found.embedding, found.head) == (None, "encoder.fc.weight")


def test_parts_of_another_lstm_are_not_taken() -> None:
    shapes = {**LSTM, "decoder__weight_ih_l0": (20, 3), "decoder__weight_hh_l0": (20, 5)}
    tensors = infos(**shapes)
    found = find_parts(tensors, detect(tensors, prefix="rnn"))
    assert (found.embedding, found.head) == (None, None)
    assert found.unused == ("decoder.weight_hh_l0", "decoder.weight_ih_l0")


def test_another_lstms_matrix_is_no_head_whatever_its_module_is_called() -> None:
    """A decoder that reads the encoder's states has matrices just as wide as a head."""
    shapes = {
        "encoder__weight_ih_l0": (12, 4),
        "encoder__weight_hh_l0": (12, 3),
        "decoder__weight_ih_l0": (20, 3),
        "decoder__weight_hh_l0": (20, 5),
    }
    tensors = infos(**shapes)
    found = find_parts(tensors, detect(tensors, prefix="encoder"))
    assert (found.embedding, found.head) == (None, None)


@pytest.mark.parametrize("stranger", ["bias", "weight_hh_l0_raw", "weight_hh_l0_g", "peephole"])
def test_a_tensor_beside_the_lstms_own_is_refused(stranger: str) -> None:
    """As the single bias of an equinox cell: leaving it out would change the numbers."""
    with pytest.raises(WeightsError) as caught:
        parts_of({**LSTM, f"rnn__{stranger}": (12,)})
    assert str(caught.value) == (
        f"rnn.{stranger}: expected only tensors of the layout pytorch beside rnn.weight_hh_l0, "
        "found this one, which it does not know."
    )


def test_a_native_file_says_its_parts_by_name() -> None:
    found = parts_of(
        {
            **NATIVE,
            "embedding__weight": (8, 4),
            "head__weight": (8, 2),
            "head__bias": (8,),
            "head__projection__weight": (2, 3),
            "head__projection__bias": (2,),
        }
    )
    assert found == Parts(
        embedding="embedding.weight",
        head="head.weight",
        head_bias="head.bias",
        projection="head.projection.weight",
        projection_bias="head.projection.bias",
    )


@pytest.mark.parametrize("name", ["head__scale", "fc__weight", "layers__0__forward__peephole"])
def test_a_native_file_holds_nothing_else(name: str) -> None:
    with pytest.raises(WeightsError) as caught:
        parts_of({**NATIVE, name: (3,)})
    assert str(caught.value) == (
        f"{name.replace('__', '.')}: expected only tensors of the native layout, found this one."
    )
