"""Every error says where, what was expected, what was found and what to do next."""

import pytest

from lstm.errors import (
    LSTMError,
    MissingExtraError,
    MissingPartError,
    ShapeError,
    UnknownTokenError,
    ValueRangeError,
)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (LSTMError("something is wrong."), "something is wrong."),
        (
            ShapeError("bias", "(4*hidden_size,)", (12,), (9,)),
            "bias: expected (4*hidden_size,) = (12,), found (9,).",
        ),
        (
            ShapeError("bias", "(4*hidden_size,)", [12], [9], "Is this a GRU?"),
            "bias: expected (4*hidden_size,) = (12,), found (9,). Is this a GRU?",
        ),
        (
            ShapeError("head bias", "(7,)", (7,), (5,)),
            "head bias: expected (7,), found (5,).",
        ),
        (
            ShapeError("vectors", "(steps, input_size)", ("T", 2), (5, 3)),
            "vectors: expected (steps, input_size) = (T, 2), found (5, 3).",
        ),
        (ValueRangeError("token id", 9, 0, 6), "token id: expected 0 to 6, found 9."),
        (
            ValueRangeError("layer", 2, 0, 1, "The model has 2 layers."),
            "layer: expected 0 to 1, found 2. The model has 2 layers.",
        ),
        (
            UnknownTokenError("naïve", 3, ("a",) * 10000),
            'token "naïve" at position 3 is not in the vocabulary (10000 entries), '
            "and it has no unknown token.",
        ),
        (
            MissingPartError("head", "a prediction", "Ask for the states."),
            "the model has no head, which a prediction needs. Ask for the states.",
        ),
        (
            MissingExtraError("pyarrow", "parquet", "--format parquet"),
            "--format parquet needs the package pyarrow, which is not installed. "
            "Install the extra: pip install 'lstm-cli[parquet]'.",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_the_message_of_each_error(error, message):
    assert str(error) == error.message == message
    assert isinstance(error, LSTMError)


def test_the_attributes_of_each_error():
    shape = ShapeError("bias", "(H,)", [3], [2])
    assert (shape.name, shape.symbols, shape.expected, shape.found) == ("bias", "(H,)", (3,), (2,))
    outside = ValueRangeError("step", 9, 0, 4)
    assert (outside.name, outside.found, outside.low, outside.high) == ("step", 9, 0, 4)
    unknown = UnknownTokenError("a", 1, ("b", "c"))
    assert (unknown.token, unknown.position, unknown.vocabulary_size) == ("a", 1, 2)
    part = MissingPartError("head", "it", "Stop.")
    assert (part.part, part.needed_for, part.hint) == ("head", "it", "Stop.")
    extra = MissingExtraError("torch", "train", "it")
    assert (extra.package, extra.extra, extra.needed_for) == ("torch", "train", "it")


def test_at_names_the_place_and_returns_the_error():
    error = LSTMError("bias: expected 3, found 2.")
    assert error.at("model.safetensors") is error
    assert str(error) == "model.safetensors: bias: expected 3, found 2."
    assert error.message == "bias: expected 3, found 2."


def test_the_nearest_place_stays():
    assert str(LSTMError("wrong.").at("vocab.txt").at("model.safetensors")) == "vocab.txt: wrong."
