"""The compiled engine: against the scalar reference, and to the last bit in any company."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.engines import compiled
from lstm.engines.compiled import CompiledEngine
from lstm.lengths import starts
from lstm.lookup import Lookup
from lstm.model import Model
from lstm.quantities import GATES, NAMES
from lstm.sequence import run_cell
from lstm.state import State
from lstm.variants import Variant
from tests import reference
from tests.lstm.comparison import RECORDED, assert_close, assert_same_traces, same_bits
from tests.strategies import few, make_cell, make_model, make_parameters, make_state, randoms

PACKED = ("pre_activations", "gates", "cell", "hidden")
SIDES = ("forward", "reverse")
# Beside small sizes: one unit more or fewer than a register, a panel, a chain of sums.
sizes = st.sampled_from([1, 3, 7, 15, 16, 17, 33, 63, 64, 65, 130])
counts = st.integers(1, 14)


@pytest.fixture(scope="module")
def engine():
    return CompiledEngine()


@pytest.fixture
def eager(monkeypatch):
    """Threads for however little work."""
    monkeypatch.setattr(compiled, "_WORTH_THREADS", 0)
    monkeypatch.setattr(compiled, "_WORTH_SHARING", 1)


def inputs_for(random, cell, *leading):
    return random.normal(size=(*leading, cell.input_size)).astype(np.float32)


def state_for(random, cell, *leading):
    shape = (*leading, cell.hidden_size)
    h, c = random.uniform(-1, 1, shape), random.uniform(-3, 3, shape)
    return State(h.astype(np.float32), c.astype(np.float32))


@few
@given(st.integers(1, 70), sizes, randoms)
@pytest.mark.parametrize("direction", SIDES)
def test_every_quantity_equals_the_reference(engine, direction, width, size, random):
    cell = make_cell(random, width, size, np.float32)
    inputs, initial = inputs_for(random, cell, 5), state_for(random, cell)
    trace = run_cell(cell, inputs[np.newaxis], initial, direction, engine)
    expected = reference.sequence(
        reference.cell_of(cell), inputs.tolist(), initial.h.tolist(), initial.c.tolist(), direction
    )
    for name in RECORDED:
        assert_close(getattr(trace, name)[0], [new[name] for new in expected])


@few
@given(sizes, counts, st.data(), randoms)
@pytest.mark.parametrize("direction", SIDES)
def test_a_sequence_has_the_same_bits_alone_and_in_a_batch(
    engine, direction, size, count, data, random
):
    cell = make_cell(random, 5, size, np.float32)
    inputs, initial = inputs_for(random, cell, count, 4), state_for(random, cell, count)
    together = run_cell(cell, inputs, initial, direction, engine)
    n = data.draw(st.integers(0, count - 1))
    alone = run_cell(cell, inputs[n : n + 1], State(initial.h[n], initial.c[n]), direction, engine)
    for name in PACKED:
        assert same_bits(getattr(alone, name)[0], getattr(together, name)[n])


@few
@given(sizes, st.lists(st.integers(0, 5), min_size=1, max_size=14), st.integers(1, 3), randoms)
@pytest.mark.parametrize("direction", SIDES)
@pytest.mark.usefixtures("eager")
def test_a_sequence_has_the_same_bits_beside_others_of_other_lengths(
    engine, direction, size, lengths, threads, random
):
    cell = make_cell(random, 5, size, np.float32)
    lengths = np.array(sorted(lengths, reverse=True))
    inputs = inputs_for(random, cell, lengths.sum())
    initial = state_for(random, cell, len(lengths))
    several = replace(engine, threads=threads)
    together = run_cell(cell, inputs, initial, direction, several, lengths=lengths)
    for n, first in enumerate(starts(lengths)):
        rows = inputs[np.newaxis, first : first + lengths[n]]
        state = State(initial.h[n], initial.c[n])
        alone, found = run_cell(cell, rows, state, direction, engine), together.sequence(n)
        for name in (*PACKED, "layer_input", "previous_cell"):
            assert same_bits(getattr(alone, name)[0], getattr(found, name))
        assert same_bits(alone.final.h[0], together.final.h[n])
        assert same_bits(alone.final.c[0], together.final.c[n])


@pytest.mark.parametrize("name", NAMES)
def test_what_a_quantity_is_read_from_is_recorded_and_nothing_else(engine, name):
    model = make_model(7, np.float32, hidden_sizes=(17,), num_directions=2)
    ids = np.array([[1, 2, 1, 5], [0, 6, 3, 3]])
    whole = Lookup(replace(model, engine=engine)).run(ids).layers[0]
    some = Lookup(replace(model, engine=engine.recording([name]))).run(ids).layers[0]
    for one, other in zip(some.directions, whole.directions, strict=True):
        assert same_bits(getattr(one, name), getattr(other, name))
        is_gate = name in (*GATES, "input_candidate", "forget_cell")
        assert np.isnan(one.gates).all() == (not is_gate)
        assert np.isnan(one.pre_activations).all() == (not name.startswith("pre_"))


@few
@given(sizes, counts, st.integers(2, 3), randoms)
@pytest.mark.parametrize("direction", SIDES)
@pytest.mark.usefixtures("eager")
def test_the_number_of_threads_changes_no_bit(engine, direction, size, count, threads, random):
    cell = make_cell(random, 5, size, np.float32)
    for number in (1, count):
        inputs, initial = inputs_for(random, cell, number, 6), state_for(random, cell, number)
        one = run_cell(cell, inputs, initial, direction, engine)
        many = run_cell(cell, inputs, initial, direction, replace(engine, threads=threads))
        for name in PACKED:
            assert same_bits(getattr(many, name), getattr(one, name))


@few
@given(sizes, st.integers(1, 6), randoms)
def test_a_text_in_two_parts_has_the_same_bits_as_in_one(engine, size, cut, random):
    model = Model(make_parameters(random, 5, (size, 3), dtype=np.float32), engine=engine)
    vectors = random.normal(size=(7, 5)).astype(np.float32)
    state = make_state(random, model.parameters)
    whole = model.run(vectors=vectors, initial_state=state)
    first = model.run(vectors=vectors[:cut], initial_state=state)
    second = model.run(vectors=vectors[cut:], initial_state=first.final)
    for name in ("hidden", "cell"):
        parts = np.concatenate([getattr(first, name), getattr(second, name)])
        assert same_bits(parts, getattr(whole, name))


@pytest.mark.usefixtures("eager")
def test_many_turns_are_as_good_as_one(engine, monkeypatch):
    cell = make_cell(np.random.default_rng(3), 5, 33, np.float32)
    inputs = inputs_for(np.random.default_rng(4), cell, 1, 9)
    state = state_for(np.random.default_rng(5), cell)
    for each in (engine, replace(engine, threads=2)):
        once = run_cell(cell, inputs, state, "reverse", each)
        monkeypatch.setattr(compiled, "_TURN", 1)
        often = run_cell(cell, inputs, state, "reverse", each)
        monkeypatch.undo()
        assert same_bits(often.hidden, once.hidden)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("direction", SIDES)
def test_where_a_thread_is_held_up_fewer_go_on_for_a_while(engine, monkeypatch, direction, threads):
    """As where another program has its core: it comes late to the first turn."""
    random = np.random.default_rng(0)
    cell = make_cell(random, 3, 48, np.float32)
    inputs = inputs_for(random, cell, 1, 120)
    initial = state_for(random, cell, 1)
    expected = run_cell(cell, inputs, initial, direction, engine)
    monkeypatch.setattr(compiled, "_TURN", 20 * cell.weight_hh.size)
    taken, counted, steps = [], [], compiled._Run._steps

    def late(self, low, high, begin, end, thread, threads, barrier):
        if (thread, begin) == (1, 0):
            time.sleep(2)
        steps(self, low, high, begin, end, thread, threads, barrier)
        taken.append((begin, threads))
        if begin == 0:
            counted.append(barrier[thread * self.kernel.APART])

    monkeypatch.setattr(compiled._Run, "_steps", late)
    found = run_cell(cell, inputs, initial, direction, replace(engine, threads=threads))
    for name in PACKED:
        assert same_bits(getattr(found, name), getattr(expected, name))
    # They left after the second of twenty steps, and one came back after four turns.
    assert counted == [2] * threads
    assert dict(taken)[20] == threads - 1
    if threads == 2:  # one alone is not held up any more, as two may be here
        assert dict(taken) == {0: 2, 20: 1, 40: 1, 60: 1, 80: 1, 100: 2}


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("which", [0, 1])
def test_where_a_thread_fails_no_other_waits_for_it(engine, monkeypatch, which):
    cell = make_cell(np.random.default_rng(0), 3, 48, np.float32)
    inputs = inputs_for(np.random.default_rng(1), cell, 1, 20)
    initial = state_for(np.random.default_rng(2), cell, 1)
    steps = compiled._Run._steps

    def failing(self, low, high, begin, end, thread, *others):
        if thread == which:
            raise MemoryError
        steps(self, low, high, begin, end, thread, *others)

    monkeypatch.setattr(compiled._Run, "_steps", failing)
    with pytest.raises(MemoryError):
        run_cell(cell, inputs, initial, "forward", replace(engine, threads=2))


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("num_directions", [1, 2])
@pytest.mark.parametrize("compiled_engine", [True, False])
def test_looking_products_up_changes_no_bit(
    engine, monkeypatch, table, num_directions, compiled_engine
):
    if not table:
        monkeypatch.setattr("lstm.lookup.LARGEST_TABLE", 0)
    model = make_model(7, np.float32, hidden_sizes=(17, 3), num_directions=num_directions)
    model = replace(model, engine=engine) if compiled_engine else model
    ids = np.array([[1, 2, 1, 5], [0, 6, 3, 3], [4, 4, 2, 0]])
    lookup = Lookup(model)
    for _ in range(2):
        for one, row in zip(lookup.run(ids).sequences, ids, strict=True):
            assert_same_traces(one, model.run(ids=row))


def test_what_it_cannot_run_is_run_by_numpy(engine):
    random = np.random.default_rng(1)
    double = make_parameters(random, 5, (4,))
    vectors = random.normal(size=(6, 5))
    fast, plain = Model(double, engine=engine), Model(double)
    assert_same_traces(fast.run(vectors=vectors), plain.run(vectors=vectors))
    cell = make_cell(random, 2, 3, np.float32)
    assert engine.can_run(cell)
    assert not engine.can_run(replace(cell, variant=Variant(cell_clip=1.0)))


# ---- the two functions, over all magnitudes of float32

FIRST, LAST, STRIDE = 0, 0x7F800000, 2039


def activated(engine, values):
    """Return the sigmoid and the tanh of the values: the gates of a cell without weights."""
    size = 1024
    random = np.random.default_rng(0)
    cell = make_cell(random, 1, size, np.float32)
    cell = replace(cell, weight_hh=np.zeros_like(cell.weight_hh))
    z = np.resize(values, (-(-len(values) // size), size))
    zero = State(np.zeros((len(z), size), np.float32), np.zeros((len(z), size), np.float32))
    steps = np.ones(len(z), int)
    record = engine.run(cell, np.concatenate([z] * 4, axis=-1), zero, "forward", steps)
    flat = record.gates.reshape(-1, 4, size)
    return flat[:, 0].ravel()[: len(values)], flat[:, 2].ravel()[: len(values)]


def units_in_the_last_place(found, exact):
    spacing = np.spacing(np.maximum(np.abs(exact), np.finfo(np.float32).tiny).astype(np.float32))
    return np.abs(found.astype(np.float64) - exact) / spacing.astype(np.float64)


@pytest.mark.parametrize("sign", [1, -1])
def test_sigmoid_and_tanh_are_within_two_units_in_the_last_place(engine, sign):
    values = np.arange(FIRST, LAST, STRIDE, dtype=np.uint32).view(np.float32)
    values = np.float32(sign) * values[values <= 86]
    sigmoid, tanh = activated(engine, values)
    exact = values.astype(np.float64)
    assert units_in_the_last_place(sigmoid, 1 / (1 + np.exp(-exact))).max() < 2
    assert units_in_the_last_place(tanh, np.tanh(exact)).max() < 2


def test_what_is_not_finite_stays_so_and_what_is_huge_saturates(engine):
    values = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0], np.float32)
    sigmoid, tanh = activated(engine, values)
    assert np.isnan(sigmoid[0])
    assert np.isnan(tanh[0])
    assert tanh[1:].tolist() == [1, -1, 1, -1, 0]
    np.testing.assert_allclose(sigmoid[1:], [1, 0, 1, 0, 0.5], atol=1e-37)
