from __future__ import annotations

import pytest

from lstm.errors import LSTMError, ShapeError
from tests.weights.builders import infos
from weights.errors import AmbiguousError, NotAnLSTMError, UnknownLayoutError
from weights.layouts.detection import detect, every_lstm, evidence
from weights.layouts.registry import NAMES

TORCH = {"weight_ih_l0": (12, 4), "weight_hh_l0": (12, 3), "bias_ih_l0": (12,), "bias_hh_l0": (12,)}
TEXTBOOK = {"WFG": (3, 7), "WIPG": (3, 7), "WCS": (3, 7), "WOPG": (3, 7)}
NATIVE = {
    f"layers__0__forward__{gate}__weight": (3, 7)
    for gate in ("input_gate", "forget_gate", "candidate", "output_gate")
}


def under(prefix: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {prefix + name: shape for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("shapes", "name"),
    [
        (TORCH, "pytorch"),
        ({n.removesuffix("_l0"): s for n, s in TORCH.items()}, "pytorch-cell"),
        (TEXTBOOK, "textbook"),
        (NATIVE, "native"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "module__", "a__b/", "lstm_"])
def test_names_tell_the_layout_whatever_stands_before_them(
    shapes: dict[str, tuple[int, ...]], name: str, prefix: str
) -> None:
    found = detect(infos(**under(prefix, shapes)))
    assert found.layout.name == name
    assert found.prefix == prefix.replace("__", ".")
    assert found.sizes((0, "forward")) == (4, 3, 3)
    assert (found.num_layers, found.num_directions) == (1, 1)


@pytest.mark.parametrize(
    ("biases", "number"),
    [({}, 0), ({"bias_ih_l0": (12,)}, 1), ({"bias_ih_l0": (12,), "bias_hh_l0": (12,)}, 2)],
)
def test_biases_per_gate_are_counted(biases: dict[str, tuple[int, ...]], number: int) -> None:
    weights = {"weight_ih_l0": (12, 4), "weight_hh_l0": (12, 3)}
    assert detect(infos(**weights, **biases)).num_biases((0, "forward")) == number


@pytest.mark.parametrize(("biases", "number"), [({}, 0), ({"B" + g: (3,) for g in
                         ("FG", "IPG", "CS", "OPG")}, 1)])  # fmt: skip
def test_biases_in_one_tensor_per_gate_count_as_one(
    biases: dict[str, tuple[int, ...]], number: int
) -> None:
    assert detect(infos(**TEXTBOOK, **biases)).num_biases((0, "forward")) == number


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(NotAnLSTMError) as caught:
        detect({})
    assert str(caught.value) == "the file holds no tensors."


def test_an_unknown_layout_shows_a_few_names_and_what_is_known() -> None:
    with pytest.raises(UnknownLayoutError) as caught:
        detect(infos(theta=(4, 12), phi=(12,), psi=(3, 12), omega=(3,)))
    assert str(caught.value) == (
        f"no known layout has tensors named omega, phi, psi, .... Known: {', '.join(NAMES)}. "
        "lstm inspect lists its tensors."
    )


def test_a_missing_recurrent_matrix_is_named() -> None:
    with pytest.raises(NotAnLSTMError) as caught:
        detect(infos(weight_ih_l0=(12, 4), bias_ih_l0=(12,), bias_hh_l0=(12,)))
    assert str(caught.value) == "layer 0 forward: expected a weight (hh), found none."


def test_two_layouts_in_one_file_have_to_be_chosen_from() -> None:
    tensors = infos(**under("a__", TORCH), **under("b__", TEXTBOOK))
    with pytest.raises(AmbiguousError) as caught:
        detect(tensors)
    assert str(caught.value) == (
        "expected one layout, found pytorch, textbook. Choose with --layout."
    )
    assert caught.value.choices == ("pytorch", "textbook")
    assert detect(tensors, "textbook").prefix == "b."
    assert detect(tensors, "pytorch").prefix == "a."
    assert detect(tensors, prefix="b").layout.name == "textbook"


def test_two_lstms_in_one_file_have_to_be_chosen_from() -> None:
    tensors = infos(**under("encoder__", TORCH), **under("decoder__", TORCH))
    with pytest.raises(AmbiguousError) as caught:
        detect(tensors)
    assert str(caught.value) == (
        "expected one LSTM, found decoder., encoder.. Choose with --prefix."
    )
    for prefix in ("encoder", "encoder.", "encoder/", "encoder_"):
        assert detect(tensors, prefix=prefix).prefix == "encoder."


def test_an_lstm_without_a_prefix_can_be_chosen_by_an_empty_one() -> None:
    tensors = infos(**TORCH, **under("decoder__", TORCH))
    with pytest.raises(AmbiguousError) as caught:
        detect(tensors)
    assert str(caught.value) == 'expected one LSTM, found "", decoder.. Choose with --prefix.'
    assert detect(tensors, prefix="").prefix == ""


def test_a_wrong_prefix_is_answered_with_the_right_ones() -> None:
    with pytest.raises(LSTMError) as caught:
        detect(infos(**under("encoder__", TORCH), **under("decoder__", TORCH)), prefix="rnn")
    assert str(caught.value) == "--prefix: expected one of 'decoder.', 'encoder.', found 'rnn'."


def test_a_right_prefix_in_another_layout_is_not_called_wrong() -> None:
    with pytest.raises(LSTMError) as caught:
        detect(infos(**under("encoder__", TORCH)), "textbook", "encoder.")
    assert str(caught.value) == "no tensors named as textbook has them. Found: pytorch."


def test_an_unknown_layouts_name_is_refused() -> None:
    with pytest.raises(LSTMError) as caught:
        detect(infos(**TORCH), "theano")
    assert str(caught.value) == (f"--layout: expected one of {', '.join(NAMES)}, found 'theano'.")


def test_another_layout_than_the_files_is_refused() -> None:
    with pytest.raises(UnknownLayoutError) as caught:
        detect(infos(**TORCH), "textbook")
    assert str(caught.value) == "no tensors named as textbook has them. Found: pytorch."


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"weight_hh_l0": (12, 2)},
            "weight_hh_l0: expected (4*hidden_size, hidden_size) = (12, 3), found (12, 2).",
        ),
        (
            {"weight_ih_l0": (14, 4)},
            "weight_ih_l0: expected (4*hidden_size, input_size) = (12, 4), found (14, 4).",
        ),
        ({"bias_ih_l0": (13,)}, "bias_ih_l0: expected (4*hidden_size,) = (12,), found (13,)."),
        ({"bias_hh_l0": (4, 3)}, "bias_hh_l0: expected (4*hidden_size,) = (12,), found (4, 3)."),
    ],
)
def test_both_sides_of_a_mismatch_are_shown(
    changed: dict[str, tuple[int, ...]], message: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        detect(infos(**{**TORCH, **changed}))
    assert str(caught.value) == message


@pytest.mark.parametrize("shape", [(12,), (12, 4, 1), ()])
def test_a_matrix_with_the_wrong_number_of_axes_is_the_tensor_at_fault(
    shape: tuple[int, ...],
) -> None:
    shapes = {"bias_hh_l0": (12,), "bias_ih_l0": (12,), "weight_hh_l0": (12, 3)}
    with pytest.raises(ShapeError) as caught:
        detect(infos(**shapes, weight_ih_l0=shape))
    assert caught.value.name == "weight_ih_l0"


def test_an_input_matrix_at_odds_with_all_others_is_the_tensor_at_fault() -> None:
    """Three tensors say 3 units, one says 4; the library writes biases first."""
    shapes = {"bias_hh_l0": (12,), "bias_ih_l0": (12,), "weight_hh_l0": (12, 3)}
    with pytest.raises(ShapeError) as caught:
        detect(infos(**shapes, weight_ih_l0=(16, 4)))
    assert caught.value.name == "weight_ih_l0"


def test_empty_matrices_are_refused() -> None:
    with pytest.raises(NotAnLSTMError) as caught:
        detect(infos(weight_ih_l0=(0, 4), weight_hh_l0=(0, 0)))
    assert str(caught.value) == (
        "layer 0 forward: expected input and hidden size of at least 1, found 4 and 0."
    )


def test_a_missing_middle_layer_is_refused() -> None:
    above = {"weight_ih_l2": (12, 3), "weight_hh_l2": (12, 3)}
    with pytest.raises(NotAnLSTMError) as caught:
        detect(infos(**TORCH, **above))
    assert str(caught.value) == ("expected layers 0 to 2, each forward; found no layer 1 forward.")


def test_a_layer_that_lacks_one_matrix_is_refused() -> None:
    with pytest.raises(NotAnLSTMError) as caught:
        detect(infos(**TORCH, weight_ih_l1=(12, 3)))
    assert str(caught.value) == "layer 1 forward: expected a weight (hh), found none."


def test_a_reverse_direction_in_one_layer_only_is_refused() -> None:
    above = {"weight_ih_l1": (12, 6), "weight_hh_l1": (12, 3)}
    other = {"weight_ih_l0_reverse": (12, 4), "weight_hh_l0_reverse": (12, 3)}
    with pytest.raises(NotAnLSTMError) as caught:
        detect(infos(**TORCH, **above, **other))
    assert str(caught.value) == (
        "expected layers 0 to 1, each forward and reverse; found no layer 1 reverse."
    )


@pytest.mark.parametrize("prefix", ["", "rnn__"])
@pytest.mark.parametrize("end", ["", "_l0", "_l0_reverse"])
def test_a_gru_is_known_by_three_times_as_many_rows(prefix: str, end: str) -> None:
    shapes = under(prefix, {f"weight_ih{end}": (9, 4), f"weight_hh{end}": (9, 3)})
    with pytest.raises(NotAnLSTMError) as caught:
        detect(infos(**shapes))
    assert str(caught.value) == (
        f"rows of {prefix.replace('__', '.')}weight_hh{end} are 3 times its columns: this is a "
        "GRU, not an LSTM."
    )
    assert caught.value.reason == str(caught.value)


def test_a_plain_rnn_is_known_by_a_square_recurrent_matrix() -> None:
    with pytest.raises(NotAnLSTMError) as caught:
        detect(infos(weight_ih_l0=(3, 4), weight_hh_l0=(3, 3)))
    assert str(caught.value) == (
        "rows of weight_hh_l0 equal its columns: this is a plain RNN, not an LSTM."
    )


def test_a_projection_is_found_also_under_a_prefix() -> None:
    shapes = {"weight_ih_l0": (12, 4), "weight_hh_l0": (12, 2), "weight_hr_l0": (2, 3)}
    found = detect(infos(**under("rnn__", shapes)))
    assert found.sizes((0, "forward")) == (4, 3, 2)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"weight_hr_l0": (2, 5)},
            "weight_hr_l0: expected (projection_size, hidden_size) = (2, 3), found (2, 5).",
        ),
        (
            {"weight_hh_l0": (12, 3)},
            "weight_hh_l0: expected (4*hidden_size, projection_size) = (12, 2), found (12, 3).",
        ),
    ],
)
def test_a_projection_that_does_not_fit_is_refused(
    changed: dict[str, tuple[int, ...]], message: str
) -> None:
    shapes = {"weight_ih_l0": (12, 4), "weight_hh_l0": (12, 2), "weight_hr_l0": (2, 3)}
    with pytest.raises(ShapeError) as caught:
        detect(infos(**{**shapes, **changed}))
    assert str(caught.value) == message


def test_weight_normalised_tensors_are_not_taken_for_plain_ones() -> None:
    shapes = {
        "weight_ih_l0": (12, 4),
        "parametrizations__weight_hh_l0__original0": (12, 1),
        "parametrizations__weight_hh_l0__original1": (12, 3),
    }
    with pytest.raises(NotAnLSTMError):
        detect(infos(**shapes))


def test_every_lstm_of_a_file_is_listed() -> None:
    tensors = infos(**under("a__", TORCH), **under("b__", TEXTBOOK), head__weight=(7, 3))
    assert [(x.layout.name, x.prefix) for x in every_lstm(tensors)] == [
        ("pytorch", "a."),
        ("textbook", "b."),
    ]


def test_the_evidence_is_said_in_sentences() -> None:
    assert evidence(detect(infos(**TORCH))) == [
        "4 tensors have its names, such as weight_ih_l0",
        "12 outputs are 4 times the hidden size 3",
    ]
    peepholes = {"rnn/lstm_cell/w_f_diag": (3,), "rnn/lstm_cell/kernel": (7, 12)}
    assert evidence(detect(infos(**peepholes, **{"rnn/lstm_cell/bias": (12,)}))) == [
        "3 tensors have its names, such as rnn/lstm_cell/w_f_diag",
        "12 outputs are 4 times the hidden size 3",
    ]
    assert evidence(detect(infos(**TEXTBOOK))) == [
        "4 tensors have its names, such as WFG",
        "tensors for each gate, with 3 outputs, one per unit",
    ]
