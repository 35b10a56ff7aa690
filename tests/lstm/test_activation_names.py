"""Names of squashing functions with their parameters, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.activation_names import ACTIVATION_NAMES, PARAMETERS, Activation, read_activation
from lstm.errors import LSTMError

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.data(), st.sampled_from(ACTIVATION_NAMES))
def test_a_name_is_read_back_with_every_bit_of_its_numbers(data, name):
    values = tuple(data.draw(NUMBERS) for _ in PARAMETERS[name])
    found = read_activation(str(Activation(name, values)))
    assert repr(found) == repr(Activation(name, values))


def test_defaults_are_not_written():
    assert str(read_activation("hard-sigmoid(0.2,0.5)")) == "hard-sigmoid"
    assert str(read_activation("elu( 0.5 )")) == "elu(0.5)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("elu(1,2)", "expected elu(alpha), in numbers; found 'elu(1,2)'."),
        ("elu(x)", "expected elu(alpha), in numbers; found 'elu(x)'."),
        ("elu(nan)", "expected elu(alpha), in numbers; found 'elu(nan)'."),
        ("affine", "expected affine(alpha,beta), in numbers; found 'affine'."),
        ("tanh()", "expected tanh, in numbers; found 'tanh()'."),
        (None, f"expected one of {', '.join(ACTIVATION_NAMES)}; found None."),
        ("gelu", f"expected one of {', '.join(ACTIVATION_NAMES)}; found 'gelu'."),
    ],
)
def test_what_is_no_activation_is_said(text, message):
    with pytest.raises(LSTMError) as caught:
        read_activation(text)
    assert caught.value.message == message
