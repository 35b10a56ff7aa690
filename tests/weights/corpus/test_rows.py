"""Rows are the same however the sequences are cut into batches, blocks and pieces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm.embedding import Embedding
from lstm.engines.registry import choose
from lstm.lookup import Lookup
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.quantities import NAMES
from lstm.tokenizers.tokenizer import Vocabulary
from lstm.tokenizers.word import WordTokenizer
from weights.corpus import rows as module
from weights.corpus.lines import Text
from weights.corpus.rows import Extraction, Wanted

WORDS = ("a", "b", "c", "dd", "e", "?")
# The directions of either layer.
Ways = tuple[tuple[str, ...], tuple[str, ...]]
FORWARD: Ways = (("forward",), ("forward",))
BOTH: Ways = (("forward", "reverse"), ("forward", "reverse"))
IN_TURN: Ways = (("forward",), ("reverse",))
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join), max_size=9)


def cell(random: np.random.Generator, input_size: int, size: int) -> CellParameters:
    shapes = ((4 * size, input_size), (4 * size, size), (4 * size,))
    return CellParameters(*(random.normal(size=shape).astype(np.float32) for shape in shapes))


def model(ways: Ways = FORWARD, engine: str = "numpy") -> Model:
    """Two layers that read in these ways, H = 3 and H = 2; D = 4, V = 6."""
    random = np.random.default_rng(len(ways[0]))
    layers = [
        LayerParameters(**{name: cell(random, width, size) for name in names})
        for names, width, size in zip(ways, (4, 3 * len(ways[0])), (3, 2), strict=True)
    ]
    parameters = Parameters(tuple(layers))
    return Model(
        parameters,
        Embedding(random.normal(size=(6, 4)).astype(np.float32)),
        tokenizer=WordTokenizer(Vocabulary(WORDS)),
        engine=choose(engine, parameters, None, 1).engine,
    )


def everything(
    made: Model, steps: slice = slice(None), units: slice = slice(None), dtype: str = "float32"
) -> Wanted:
    def some(size: int, chosen: slice) -> list[int]:
        return list(range(size))[chosen]

    return Wanted.of(
        made.parameters, NAMES, [0, 1], lambda size: some(size, units),
        lambda size: some(size, steps), dtype,
    )  # fmt: skip


def one_by_one(made: Model, texts: list[str], steps: slice, first: int) -> list[tuple]:
    """What each sequence gives by itself: the numbers of a step stand side by side."""
    found = []
    for number, text in enumerate(texts, start=first):
        trace = made.run(text)
        directions = [each for layer in trace.layers for each in layer.directions]
        for step in range(trace.num_steps)[steps]:
            token = trace.tokens[step]
            numbers = {
                name: np.concatenate([getattr(each, name)[step] for each in directions]).tobytes()
                for name in NAMES
            }
            found.append((number, step, token.id, token.text, numbers))
    return found


def flat(blocks: list[module.Rows]) -> list[tuple]:
    return [
        (
            rows.sequence[n], rows.step[n], rows.id[n], rows.words[rows.word[n]],
            {name: values[n].tobytes() for name, values in rows.values.items()},
        )
        for rows in blocks
        for n in range(len(rows.step))
    ]  # fmt: skip


def texts_of(words: list[str]) -> list[Text]:
    return [Text(text, "here", n) for n, text in enumerate(words)]


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("ways", [FORWARD, BOTH, IN_TURN])
@settings(max_examples=25, deadline=None)
@given(
    texts=TEXTS,
    first=st.integers(0, 99),
    steps=st.sampled_from([slice(None), slice(-1, None), slice(1, 4)]),
    batch_bytes=st.sampled_from([1, 700, 5000, 2**24]),
    block_bytes=st.sampled_from([1, 2000, 2**25]),
    block_tokens=st.sampled_from([1, 7, 2**17]),
)
def test_rows_have_the_bits_of_each_sequence_alone(
    ways, engine, texts, first, steps, batch_bytes, block_bytes, block_tokens
):
    made = model(ways, engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BATCH_BYTES", batch_bytes)
        patch.setattr(module, "_BLOCK_BYTES", block_bytes)
        patch.setattr(module, "_BLOCK_TOKENS", block_tokens)
        extraction = Extraction(Lookup(made), everything(made, steps))
        blocks = list(extraction.rows(texts_of(texts), first))
    assert flat(blocks) == one_by_one(made, texts, steps, first)
    assert sum(rows.num_tokens for rows in blocks) == sum(len(text.split()) for text in texts)


def test_a_long_sequence_is_run_piece_by_piece_and_a_reverse_one_whole(monkeypatch):
    monkeypatch.setattr(module, "_BATCH_BYTES", 3000)
    text = " ".join(WORDS[:5] * 20)
    for ways in (FORWARD, BOTH, IN_TURN):
        made = model(ways)
        extraction = Extraction(Lookup(made), everything(made))
        blocks = list(extraction.rows(texts_of(["a", text, "b"]), 4))
        # per token 4 + 9 * 3 + 3 and 3 + 9 * 2 + 2 numbers of 4 bytes: 13 tokens at once
        assert len(blocks) == (2 + -(-100 // 13) if ways == FORWARD else 1)
        assert flat(blocks) == one_by_one(made, ["a", text, "b"], slice(None), 4)


def test_no_more_than_a_batch_runs_at_once_and_like_lengths_run_together(monkeypatch):
    # per token 4 + 9 * 3 + 3 and 3 + 9 * 2 + 2 numbers of 4 bytes: 228, so 10 tokens at once
    monkeypatch.setattr(module, "_BATCH_BYTES", 2300)
    made = model()
    sizes = []

    class Watched(Lookup):
        def run(self, ids, initial_state=None, lengths=None):
            sizes.append(lengths.tolist())
            return super().run(ids, initial_state, lengths)

    extraction = Extraction(Watched(made), everything(made))
    list(extraction.rows(texts_of(["a", "a b c", "", "c c", "a b c", "b b b", "b"]), 0))
    assert sizes == [[3, 3, 3], [2, 1, 1]]


def test_a_sequence_of_which_nothing_is_kept_does_not_run():
    made = model()

    class Watched(Lookup):
        def run(self, ids, initial_state=None, lengths=None):
            assert lengths.tolist() == [3]
            return super().run(ids, initial_state, lengths)

    extraction = Extraction(Watched(made), everything(made, slice(2, None)))
    (rows,) = extraction.rows(texts_of(["a b", "a b c"]), 0)
    assert (rows.sequence.tolist(), rows.step.tolist(), rows.num_tokens) == ([1], [2], 5)


@pytest.mark.parametrize(("ways", "lengths"), [(FORWARD, [2, 2, 1]), (BOTH, [9, 3, 1])])
def test_what_comes_after_the_last_kept_step_runs_only_where_it_is_read_first(ways, lengths):
    made = model(ways)
    ran = []

    class Watched(Lookup):
        def run(self, ids, initial_state=None, lengths=None):
            ran.extend(lengths.tolist())
            return super().run(ids, initial_state, lengths)

    texts = ["b", " ".join(["a", "b", "c"] * 3), "", "a b c"]
    extraction = Extraction(Watched(made), everything(made, slice(2)))
    blocks = list(extraction.rows(texts_of(texts), 0))
    assert ran == lengths
    assert flat(blocks) == one_by_one(made, texts, slice(2), 0)
    assert sum(rows.num_tokens for rows in blocks) == 13


def test_units_are_cut_out_of_everything_but_the_layers_input():
    made = model()
    wanted = everything(made, units=slice(1, None))
    assert wanted.width("layer_input") == 4 + 3
    assert wanted.width("cell") == 2 + 1
    (rows,) = Extraction(Lookup(made), wanted).rows(texts_of(["a b"]), 0)
    trace = made.run("a b")
    both = np.concatenate([layer.forward.cell[:, 1:] for layer in trace.layers], axis=1)
    assert rows.values["cell"].tobytes() == both.tobytes()


def test_a_number_beyond_float16_is_infinite_there_without_a_warning():
    base = model()
    arrays = base.parameters.layers[0].forward.arrays
    weights = CellParameters(*(np.full_like(array, 1e6) for array in arrays))
    embedding = Embedding(np.ones((6, 4), np.float32))
    huge = Model(Parameters((LayerParameters(weights),)), embedding, tokenizer=base.tokenizer)
    wanted = Wanted.of(huge.parameters, ("pre_input",), [0], range, range, "float16")
    (rows,) = Extraction(Lookup(huge), wanted).rows(texts_of(["a"]), 0)
    assert np.isinf(rows.values["pre_input"]).all()
    assert rows.values["pre_input"].dtype == np.float16


def test_the_words_of_a_block_are_those_of_the_steps_that_are_kept():
    made = model()
    (rows,) = Extraction(Lookup(made), everything(made, slice(-1, None))).rows(
        texts_of(["a b dd", "e", "", "c dd"]), 0
    )
    assert rows.words == ("dd", "e")
    assert rows.word.tolist() == [0, 1, 0]
