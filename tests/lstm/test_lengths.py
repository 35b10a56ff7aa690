"""Sequences of several lengths: where they lie, and how they are put together."""

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.errors import LSTMError
from lstm.lengths import batches, rectangles, starts
from lstm.sequence import run_cell
from lstm.state import State
from tests.lstm.comparison import assert_same_traces, same_bits
from tests.strategies import few, make_cell, make_model, randoms

LENGTHS = st.lists(st.integers(0, 5), max_size=12)


@given(LENGTHS)
def test_rectangles_hold_every_row_once(lengths):
    parts = list(rectangles(np.array(lengths, int)))
    assert [n for part in parts for n in range(len(lengths))[part.sequences]] == list(
        range(len(lengths))
    )
    rows = [row for part in parts for row in range(sum(lengths))[part.rows]]
    assert rows == list(range(sum(lengths)))
    for part in parts:
        assert set(lengths[part.sequences]) == {part.shape[1]}


@given(LENGTHS, st.integers(1, 9))
def test_batches_hold_every_sequence_that_has_rows_once(lengths, most):
    found = list(batches(np.array(lengths, int), most))
    numbers = [n for batch in found for n in batch]
    assert sorted(numbers) == [n for n, length in enumerate(lengths) if length]
    ordered = [lengths[n] for n in numbers]
    assert ordered == sorted(ordered, reverse=True)
    for batch in found:
        assert len(batch) == 1 or sum(lengths[n] for n in batch) <= most
    for one, other in pairwise(found):
        assert sum(lengths[n] for n in one) + lengths[other[0]] > most


@few
@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), randoms)
@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("edited", [False, True])
def test_numpy_gives_a_sequence_the_bits_that_it_has_alone(direction, edited, lengths, random):
    lengths = np.array(sorted(lengths, reverse=True))
    cell = make_cell(random, 2, 3)
    inputs = random.normal(size=(lengths.sum(), 2))
    initial = State(*random.normal(size=(2, len(lengths), 3)))

    def edit(step):
        return lambda name, values: values + step if name == "forget" else values

    given = {"edit": edit} if edited else {}
    together = run_cell(cell, inputs, initial, direction, lengths=lengths, **given)
    assert together.num_sequences == len(lengths)
    for n, first in enumerate(starts(lengths)):
        rows = inputs[np.newaxis, first : first + lengths[n]]
        alone = run_cell(cell, rows, State(initial.h[n], initial.c[n]), direction, **given)
        found = together.sequence(n)
        for name in ("pre_activations", "gates", "cell", "hidden", "previous_cell"):
            assert same_bits(getattr(alone, name)[0], getattr(found, name))
            whole = getattr(together, name)[first : first + lengths[n]]
            assert same_bits(whole, getattr(found, name))
        assert same_bits(alone.final.c[0], together.final.c[n])


def test_a_model_runs_sequences_of_several_lengths_through_all_layers():
    model = make_model(5, hidden_sizes=(3, 2), num_directions=2)
    texts = [[1, 2, 3], [4, 1], [2, 2], []]
    ids, lengths = np.array([*chain(*texts)]), np.array([3, 2, 2, 0])
    trace = model.run_batch(ids, lengths=lengths)
    assert len(trace.sequences) == 4
    for one, text in zip(trace.sequences, texts, strict=True):
        assert_same_traces(one, model.run(ids=text))
    with pytest.raises(LSTMError, match="expected one sequence, found 4"):
        trace.need_one_sequence()


@pytest.mark.parametrize("lengths", [[2, 3], [3, 3], []])
def test_lengths_that_do_not_fit_are_refused(lengths):
    with pytest.raises(LSTMError) as caught:
        make_model(5).run_batch(np.array([1, 2, 3, 4, 0]), lengths=np.array(lengths, int))
    assert str(caught.value) == ("lengths: expected those of 5 ids in all, the longest first.")
