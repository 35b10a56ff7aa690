"""A place in a trace, written and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.address import Address
from lstm.errors import LSTMError

SYMBOLS = {
    "x": "layer_input",
    "z_f": "pre_forget",
    "z_i": "pre_input",
    "z_g": "pre_candidate",
    "z_o": "pre_output",
    "f": "forget",
    "i": "input",
    "g": "candidate",
    "o": "output",
    "ig": "input_candidate",
    "fc": "forget_cell",
    "c": "cell",
    "tanh_c": "tanh_cell",
    "h": "hidden",
}
ends = st.none() | st.integers(0, 999)
spans = st.none() | st.integers(0, 999) | st.builds(slice, ends, ends)
addresses = st.builds(
    Address,
    st.integers(0, 99),
    st.sampled_from(["forward", "reverse"]),
    st.sampled_from(list(SYMBOLS)),
    spans,
    spans,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("l0.f[42]@3", Address(0, "forward", "f", 42, 3)),
        ("l0.reverse.c[3:7]@2:", Address(0, "reverse", "c", slice(3, 7), slice(2, None))),
        ("l1.h", Address(1, "forward", "h")),
        ("l12.z_g[:5]@:", Address(12, "forward", "z_g", slice(None, 5), slice(None, None))),
        ("l0.c@7", Address(0, "forward", "c", None, 7)),
        ("l0.tanh_c[0]", Address(0, "forward", "tanh_c", 0)),
    ],
)
def test_an_address_is_read_and_written(text, address):
    assert Address.parse(text) == address
    assert repr(address) == text


def test_the_forward_direction_may_be_spelled_out():
    assert Address.parse("l2.forward.o[1]") == Address.parse("l2.o[1]")


@given(addresses)
def test_what_is_written_is_read_back(address):
    assert Address.parse(repr(address)) == address


@pytest.mark.parametrize(("symbol", "quantity"), SYMBOLS.items())
def test_every_letter_names_a_quantity(symbol, quantity):
    assert Address.parse(f"l0.{symbol}").quantity == quantity


@pytest.mark.parametrize(
    "text",
    [
        "",
        "l0",
        "0.c",
        "l0.cell",
        "l0.k",
        "l.c",
        "l0.c[]",
        "l0.c[1:2:3]",
        "l0.c[-1]",
        "l0.c@",
        "l0.c[1]@1 ",
        " l0.c",
        "l0.c\n",
        "L0.c",
        "l0.sideways.c",
        "l0.c@1[2]",
    ],
)
def test_anything_else_raises(text):
    with pytest.raises(LSTMError) as caught:
        Address.parse(text)
    assert str(caught.value) == (
        f"address {text!r}: expected layer.quantity[unit]@step, such as l0.c[81]@3, "
        "l0.reverse.f[3:7] or l1.h@2:; quantities are "
        "x, z_f, z_i, z_g, z_o, f, i, g, o, ig, fc, c, tanh_c, h, y."
    )
