"""The three models made by hand: their cell states are known without any arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import weights
from tests.lstm.comparison import same_bits
from tests.strategies import few

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
MODELS = {
    (name, dtype): weights.load(name, dtype=dtype)
    for name in ("brackets", "latch", "parity")
    for dtype in ("float32", "float64")
}


def check(name, dtype, text, cells, labels):
    """Assert the cell state of every step to the last bit, what shows of it, and the labels."""
    trace = MODELS[name, dtype].run(text)
    assert same_bits(trace.cell, np.array(cells, dtype).reshape(-1, 1))
    shown = np.array([[math.tanh(c)] for c in cells]).reshape(-1, 1)
    np.testing.assert_allclose(trace.hidden, shown, rtol=3 * np.finfo(dtype).eps)
    assert trace.hidden.dtype == trace.logits.dtype == dtype
    found = [best.name for (best, *_) in trace.forecast(k=1).predictions]
    assert found == labels
    assert trace.forecast().surprisal == ()
    return trace


def depths(text):
    depth = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        yield depth


@DTYPES
@few
@given(text=st.text("()", max_size=60) | st.text("()ab Z?é", max_size=40))
def test_brackets_counts_the_nesting_depth(dtype, text):
    cells = list(depths(text))
    labels = ["inside" if c > 0 else "unbalanced" if c < 0 else "outside" for c in cells]
    trace = check("brackets", dtype, text, cells, labels)
    (record,) = trace.layers[0].directions
    for gate in (record.input, record.forget, record.output):
        assert same_bits(gate, np.ones((len(text), 1), dtype))
    signs = [[{"(": 1, ")": -1}.get(character, 0)] for character in text]
    assert same_bits(record.candidate, np.array(signs, dtype).reshape(-1, 1))


@DTYPES
def test_brackets_counts_deep(dtype):
    text = "(" * 300 + ")" * 301
    trace = MODELS["brackets", dtype].run(text)
    assert trace.cell[:, 0].tolist() == [*range(1, 301), *range(299, -2, -1)]


def latched(words):
    memory = 0
    for word in words:
        memory = {"set": 1, "reset": 0}.get(word.lower(), memory)
        yield memory


@DTYPES
@few
@given(words=st.lists(st.sampled_from(["set", "reset", "hold", "SET", "Reset", "other", "3.14"])))
def test_latch_is_set_holds_and_is_reset(dtype, words):
    cells = list(latched(words))
    labels = ["on" if c else "off" for c in cells]
    trace = check("latch", dtype, " ".join(words), cells, labels)
    others = [n for n, word in enumerate(words) if word in ("other", "3.14")]
    assert list(trace.unknown) == others


def parities(bits):
    ones = 0
    for bit in bits:
        ones += bit == "1"
        yield 0 if ones == 0 else 1 if ones % 2 else -1


@DTYPES
@few
@given(bits=st.text("01", max_size=60))
def test_parity_flips_at_every_one(dtype, bits):
    cells = list(parities(bits))
    labels = ["odd" if c == 1 else "even" for c in cells]
    trace = check("parity", dtype, bits, cells, labels)
    (record,) = trace.layers[0].directions
    ones = [[bit == "1"] for bit in bits]
    assert same_bits(record.input, np.array(ones, dtype).reshape(-1, 1))
    assert same_bits(record.forget, 1 - record.input)


@DTYPES
@pytest.mark.parametrize(
    ("name", "text"), [("brackets", "(a(b)"), ("latch", "set a"), ("parity", "0110")]
)
def test_a_text_goes_on_where_the_last_one_stopped(name, text, dtype):
    model = MODELS[name, dtype]
    for k in range(len(text) + 1):
        left, right = text[:k].strip(), text[k:].strip()
        first = model.run(left)
        second = model.run(right, initial_state=first.final)
        joined = np.concatenate([first.cell, second.cell])
        assert same_bits(
            joined, model.run(f"{left} {right}" if name == "latch" else left + right).cell
        )
