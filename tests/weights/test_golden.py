"""Weights as a port stores them, and all that it should compute."""

from dataclasses import fields, make_dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.errors import LSTMError
from lstm.head import Head
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.quantities import GATES, NAMES
from lstm.variants import Variant
from weights.golden import ARRAYS, OPTIONS, golden, stored
from weights.port import BIASES, MATRICES, Port

LETTER = dict(zip(GATES, "ifgo", strict=True))


def cell(seed=0, **variant):
    """D = 2, H = 3, and with a projection P = 5."""
    random = np.random.default_rng(seed)
    width = 5 if "projection" in variant else 3
    arrays = (random.normal(size=shape) for shape in ((12, 2), (12, width), (12,)))
    return CellParameters(*arrays, **({"variant": Variant(**variant)} if variant else {}))


ports = st.builds(
    Port, st.permutations("ifgo").map("".join), st.sampled_from(MATRICES), st.sampled_from(BIASES)
)


@given(ports)
def test_each_block_stands_where_the_order_says(port):
    ours = cell()
    arrays = stored(ours, port)
    for gate in GATES:
        place = port.order.index(LETTER[gate])
        rows = slice(3 * place, 3 * place + 3)
        for name, columns in (("weight_hh", slice(0, 3)), ("weight_ih", slice(3, 5))):
            matrix = arrays[name].T if port.matrices == "inputs-first" else arrays[name]
            assert np.array_equal(matrix[rows], ours.gate_weight(gate)[:, columns])
        bias = arrays["bias"] if port.biases == "one" else arrays["bias_ih"] + arrays["bias_hh"]
        assert np.array_equal(bias[rows], ours.gate_bias(gate))


def test_arrays_are_contiguous_as_a_writer_needs_them():
    for array in stored(cell(), Port("ofgi", "inputs-first", "two")).values():
        assert array.flags.c_contiguous


def test_all_of_a_variant_is_written():
    random = np.random.default_rng(3)
    values = {
        "projection": random.normal(size=(5, 3)),
        **{f"peephole_{gate}": random.normal(size=(3, 3)) for gate in ("input", "forget")},
        "peephole_output": random.normal(size=3),
        "peephole_shown": random.normal(size=3),
        "norm_gain": random.normal(size=12),
        "norm_cell_gain": random.normal(size=3),
        "norm_cell_bias": random.normal(size=3),
        "highway_ih": random.normal(size=(6, 2)),
        "highway_hh": random.normal(size=(3, 5)),
        "highway_bias": random.normal(size=6),
    }
    assert set(values) == set(ARRAYS)
    arrays = stored(cell(**values), Port("ofgi", "inputs-first"))
    assert set(ARRAYS) < set(arrays)
    assert arrays["projection"].shape == (3, 5)
    assert np.array_equal(arrays["peephole_input"], values["peephole_input"].T)
    assert np.array_equal(arrays["peephole_shown"], values["peephole_shown"])
    assert np.array_equal(arrays["norm_gain"][:3], values["norm_gain"][9:])


def test_every_part_of_a_variant_is_known():
    assert {field.name for field in fields(Variant)} == {*ARRAYS, *OPTIONS}


def test_what_a_later_variant_adds_is_refused_by_name_until_it_is_known():
    later = make_dataclass(
        "Later", [("shortcut", object, None)], bases=(Variant,), frozen=True, eq=False
    )
    given = cell()
    object.__setattr__(given, "variant", later())
    assert "bias" in stored(given, Port())
    object.__setattr__(given, "variant", later(shortcut=np.ones(3)))
    with pytest.raises(LSTMError, match="a cell with shortcut cannot be written"):
        stored(given, Port())


@pytest.mark.parametrize("order", ["", "ifg", "iffo", "ifgox", "IFGO"])
def test_an_order_without_every_gate_is_refused(order):
    with pytest.raises(LSTMError, match="expected the letters i, f, g and o, found"):
        stored(cell(), Port(order))


def test_the_record_holds_every_cell_and_quantity():
    parameters = Parameters((LayerParameters(cell(1), cell(2)),))
    model = Model(parameters)
    trace = model.run(vectors=np.random.default_rng(0).normal(size=(4, 2)))
    found = golden(model, trace, Port())
    assert [one.name for one in found.cells] == ["layers.0.forward", "layers.0.reverse"]
    assert found.ids is None
    for one, record in zip(found.cells, trace.layers[0].directions, strict=True):
        assert tuple(one.expected) == NAMES
        assert all(np.array_equal(one.expected[name], getattr(record, name)) for name in NAMES)
        assert one.is_standard
        assert one.options == {}
    assert set(found.tolerances) == set(NAMES)
    assert len(found.arrays) == 1 + 2 * (3 + 2 + len(NAMES))


def test_the_head_is_given_what_a_residual_connection_adds():
    random = np.random.default_rng(4)
    shapes = ((12, 3), (12, 3), (12,))
    above = CellParameters(*(random.normal(size=shape) for shape in shapes))
    stack = Parameters((LayerParameters(cell()), LayerParameters(above)), residual=True)
    model = Model(stack, head=Head(np.eye(2, 3)))
    trace = model.run(vectors=random.normal(size=(4, 2)))
    found = golden(model, trace, Port(), with_head=True)
    expected = trace.layers[1].hidden + trace.layers[0].hidden
    np.testing.assert_allclose(found.head.expected["logits"], expected[:, :2])


def test_options_tell_the_epsilon_of_a_normalisation():
    model = Model(Parameters((LayerParameters(cell(norm_gain=np.ones(12), coupled="input")),)))
    found = golden(model, model.run(vectors=np.ones((1, 2))), Port(), ["cell"])
    assert found.cells[0].options == {"coupled": "input", "norm_epsilon": 1e-12}


def test_nothing_read_and_several_sequences_are_refused():
    model = Model(Parameters((LayerParameters(cell()),)))
    with pytest.raises(LSTMError, match="expected at least one step, found none"):
        golden(model, model.run(vectors=np.ones((0, 2))), Port())
    with pytest.raises(LSTMError, match="expected one sequence, found 3"):
        golden(model, model.run(vectors=np.ones((3, 4, 2))), Port())
