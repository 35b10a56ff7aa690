from __future__ import annotations

import inspect

import pytest

from lstm.errors import LSTMError
from weights import errors

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if
         kind.__module__ == errors.__name__]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_of_a_weight_file_is_an_error_of_the_project(kind: type) -> None:
    assert issubclass(kind, LSTMError)


def test_an_ambiguity_carries_its_choices_and_the_option() -> None:
    error = errors.AmbiguousError("layout", ["a", "b"], "--layout")
    assert str(error) == "expected one layout, found a, b. Choose with --layout."
    assert (error.choices, error.option) == (("a", "b"), "--layout")


def test_a_refused_dtype_carries_tensor_and_dtype() -> None:
    error = errors.UnsupportedDtypeError("w", "I8", ["F32"])
    assert str(error) == ("w: expected F32, found I8. Convert the weights to one of these first.")
    assert (error.tensor, error.dtype) == ("w", "I8")


def test_what_is_no_lstm_carries_the_reason() -> None:
    assert errors.NotAnLSTMError("this is a GRU.").reason == "this is a GRU."
    assert issubclass(errors.UnknownLayoutError, errors.NotAnLSTMError)


def test_the_place_nearest_to_the_fault_is_kept() -> None:
    error = errors.WeightsError("broken.").at("vocab.txt").at("model.safetensors")
    assert str(error) == "vocab.txt: broken."
    assert error.message == "broken."
