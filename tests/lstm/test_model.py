"""The whole run: against the scalar reference, its laws to the last bit, and what it refuses."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.embedding import Embedding
from lstm.errors import LSTMError, MissingPartError, ShapeError, UnknownTokenError, ValueRangeError
from lstm.head import Head
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.state import ModelState
from lstm.tokenizers.tokenizer import Token, Vocabulary
from lstm.tokenizers.word import WordTokenizer
from tests import reference
from tests.lstm.comparison import (
    RECORDED,
    arrays,
    assert_close,
    assert_same_traces,
    directions,
    lists_of,
    same_bits,
)
from tests.strategies import (
    TEXT,
    WORDS,
    cases,
    connected,
    few,
    make_cell,
    make_model,
    make_parameters,
    make_state,
    randoms,
    turned,
)

IDS = [0, 1, 2, 3, 0, 6, 5]  # the cat sat on the <unk> .
SIZES = [{"hidden_sizes": (3, 5)}, {"hidden_sizes": (3, 5), "num_directions": 2}]
BOTH = pytest.mark.parametrize("sizes", SIZES, ids=["one direction", "two directions"])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def many(model, random, *shape):
    width = model.parameters.input_size
    return random.normal(size=(*shape, width)).astype(model.parameters.dtype)


# --- the numbers


@few
@given(cases() | cases(parameters=turned()) | cases(parameters=connected()))
def test_every_quantity_of_every_layer_equals_the_reference(case):
    trace = Model(case.parameters).run(vectors=case.vectors, initial_state=case.state)
    expected = reference.stack(
        reference.layers_of(case.parameters),
        case.vectors.tolist(),
        lists_of(case.state),
        case.parameters.independent,
        case.parameters.residual,
    )
    assert [place for place, _ in directions(trace)] == list(expected)
    for place, record in directions(trace):
        for name in RECORDED:
            assert_close(getattr(record, name), [new[name] for new in expected[place]])


@few
@given(cases())
def test_without_a_state_a_run_starts_from_zeros(case):
    trace = Model(case.parameters).run(vectors=case.vectors)
    zeros = {
        place: ([0.0] * len(one.h), [0.0] * len(one.c)) for place, one in case.state.cells.items()
    }
    expected = reference.stack(reference.layers_of(case.parameters), case.vectors.tolist(), zeros)
    for place, record in directions(trace):
        assert_close(record.hidden, [new["hidden"] for new in expected[place]])
    assert trace.initial.is_zero


@DTYPES
@BOTH
def test_text_ids_and_vectors_are_one_run(sizes, dtype):
    model = make_model(dtype=dtype, **sizes)
    text = model.run("the cat sat on the dog.")
    assert_same_traces(model.run(ids=IDS), text)
    assert_same_traces(model.run(vectors=model.embedding.weight[IDS]), text)
    assert same_bits(text.layers[0].forward.layer_input, model.embedding.weight[IDS])


@DTYPES
@BOTH
def test_every_array_has_the_dtype_of_the_weights(sizes, dtype):
    model = make_model(dtype=dtype, **sizes)
    for vectors in (np.ones((4, 2), np.float32), np.ones((4, 2), np.float64), [[1, 2], [3, 4]]):
        trace = model.run(vectors=vectors)
        assert {array.dtype for array in arrays(trace).values()} == {np.dtype(dtype)}
        assert {array.dtype for array in trace.final.arrays().values()} == {np.dtype(dtype)}
        assert {array.dtype for array in trace.initial.arrays().values()} == {np.dtype(dtype)}
        assert trace.hidden.dtype == trace.cell.dtype == trace.logits.dtype == dtype


@pytest.mark.parametrize(("weights", "table"), [("float32", "float64"), ("float64", "float32")])
def test_every_array_has_the_dtype_of_the_weights_whatever_the_embedding_has(weights, table):
    model = make_model(dtype=weights)
    mixed = Model(model.parameters, Embedding(model.embedding.weight.astype(table)))
    trace = mixed.run(ids=IDS)
    assert {array.dtype for array in arrays(trace).values()} == {np.dtype(weights)}
    if weights == "float32":
        assert_same_traces(trace, model.run(ids=IDS))


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float16"])
def test_vectors_of_any_real_numbers_are_taken(dtype):
    model = make_model()
    vectors = np.array([[1, 0], [0, 3], [2, 1]])
    assert_same_traces(model.run(vectors=vectors.astype(dtype)), model.run(vectors=vectors))


@DTYPES
@pytest.mark.parametrize("input_size", [2, 17, 650])
def test_the_memory_order_of_the_vectors_changes_no_bit(input_size, dtype):
    random = np.random.default_rng(0)
    model = Model(make_parameters(random, input_size, (5,), dtype=dtype))
    vectors = many(model, random, 3, 4)
    expected = model.run(vectors=vectors)
    assert_same_traces(model.run(vectors=np.asfortranarray(vectors)), expected)
    assert_same_traces(model.run(vectors=np.repeat(vectors, 2, axis=-1)[..., ::2]), expected)
    assert_same_traces(model.run(vectors=vectors[::-1, ::-1].copy()[::-1, ::-1]), expected)


# --- the laws of sequences


@few
@given(cases() | cases(parameters=connected()), randoms, st.integers(2, 5))
def test_a_sequence_has_the_same_bits_alone_and_among_others(case, random, number):
    model = Model(case.parameters)
    vectors = many(model, random, number, case.num_steps)
    vectors[1] = case.vectors
    together = model.run(vectors=vectors, initial_state=case.state)
    assert len(together.sequences) == number
    for n, one in enumerate(together.sequences):
        assert_same_traces(model.run(vectors=vectors[n], initial_state=case.state), one)
    for place, array in arrays(together).items():
        assert array.shape[:2] == (number, case.num_steps)
        assert same_bits(array[1], arrays(together.sequences[1])[place])


@DTYPES
@pytest.mark.parametrize("hidden_size", [128, 256, 650])
def test_a_sequence_has_the_same_bits_among_any_number_of_others_at_real_sizes(hidden_size, dtype):
    random = np.random.default_rng(hidden_size)
    model = Model(make_parameters(random, 20, (hidden_size, 7), 2, dtype))
    vectors = many(model, random, 6, 3)
    alone = model.run(vectors=vectors[2])
    for some in (slice(2, 3), slice(1, 4), slice(2, 6), slice(0, 6)):
        among = model.run(vectors=vectors[some])
        assert_same_traces(among.sequences[2 - some.start], alone)


@few
@given(cases(num_directions=st.just(1)), st.integers(0, 11))
def test_a_prefix_has_the_same_bits(case, k):
    model = Model(case.parameters)
    whole = model.run(vectors=case.vectors, initial_state=case.state)
    prefix = model.run(vectors=case.vectors[:k], initial_state=case.state)
    for place, array in arrays(prefix).items():
        assert same_bits(array, arrays(whole)[place][:k])


def test_a_prefix_of_a_text_has_the_same_bits():
    model = make_model(dtype=np.float32, hidden_sizes=(3, 5))
    whole = model.run(TEXT)
    for k in range(1, whole.num_steps + 1):
        prefix = model.run(TEXT[: whole.tokens[k - 1].end])
        assert prefix.num_steps == k
        assert same_bits(prefix.hidden, whole.hidden[:k])
        assert same_bits(prefix.logits, whole.logits[:k])


@few
@given(cases(num_directions=st.just(1)), st.integers(0, 11))
def test_a_run_continues_from_its_final_state_to_the_last_bit(case, k):
    model = Model(case.parameters)
    whole = model.run(vectors=case.vectors, initial_state=case.state)
    first = model.run(vectors=case.vectors[:k], initial_state=case.state)
    for final in (first.final, first.final.arrays()):
        second = model.run(vectors=case.vectors[k:], initial_state=final)
        for place, array in arrays(whole).items():
            joined = np.concatenate([arrays(first)[place], arrays(second)[place]])
            assert same_bits(joined, array)
        assert all(map(same_bits, second.final.arrays().values(), whole.final.arrays().values()))


def test_each_sequence_continues_from_a_state_of_its_own():
    model = make_model(dtype=np.float32, **SIZES[1])
    random = np.random.default_rng(1)
    vectors, state = many(model, random, 4, 5), make_state(random, model.parameters, 4)
    together = model.run(vectors=vectors, initial_state=state)
    for n, one in enumerate(together.sequences):
        alone = model.run(vectors=vectors[n], initial_state=state.sequence(n))
        assert_same_traces(one, alone)
        assert one.initial.num_sequences is None
        assert same_bits(one.final[1, "forward"].h, together.final[1, "forward"].h[n])
    assert together.final.num_sequences == 4


def test_many_sequences_continue_from_their_final_states():
    model = make_model(hidden_sizes=(3, 5))
    random = np.random.default_rng(2)
    vectors = many(model, random, 4, 6)
    first = model.run(vectors=vectors[:, :2])
    second = model.run(vectors=vectors[:, 2:], initial_state=first.final)
    assert same_bits(second.hidden, model.run(vectors=vectors).hidden[:, 2:])


def test_a_state_for_one_sequence_serves_a_text():
    model = make_model()
    state = make_state(np.random.default_rng(3), model.parameters, 1)
    assert_same_traces(
        model.run(TEXT, initial_state=state), model.run(TEXT, initial_state=state.sequence(0))
    )


def test_the_same_run_gives_the_same_bits():
    model = make_model(dtype=np.float32)
    assert_same_traces(model.run(TEXT), model.run(TEXT))


# --- the borders


@BOTH
@pytest.mark.parametrize("given_input", [{"text": ""}, {"text": " \n"}, {"ids": []}])
def test_an_empty_text_has_no_step_and_keeps_the_state(sizes, given_input):
    model = make_model(**sizes)
    state = make_state(np.random.default_rng(4), model.parameters)
    trace = model.run(**given_input, initial_state=state)
    assert trace.num_steps == 0
    assert trace.tokens == ()
    assert trace.hidden.shape == (0, model.parameters.output_size)
    assert trace.logits.shape == (0, len(WORDS))
    assert list(trace.rows()) == []
    assert trace.forecast().predictions == trace.forecast().surprisal == ()
    assert all(map(same_bits, trace.final.arrays().values(), state.arrays().values()))


@BOTH
def test_sequences_of_no_step_and_no_sequences(sizes):
    model = make_model(**sizes)
    width = model.parameters.output_size
    no_step = model.run(vectors=np.zeros((4, 0, 2)))
    assert no_step.hidden.shape == (4, 0, width)
    assert [one.hidden.shape for one in no_step.sequences] == [(0, width)] * 4
    no_sequence = model.run(vectors=np.zeros((0, 5, 2)))
    assert no_sequence.hidden.shape == (0, 5, width)
    assert no_sequence.sequences == ()


@DTYPES
def test_huge_weights_saturate_exactly_and_warn_of_nothing(dtype):
    huge = dtype(1e30)
    first = CellParameters(np.full((12, 2), huge), np.full((12, 3), huge), np.full(12, huge))
    second = CellParameters(np.full((20, 3), -huge), np.full((20, 5), -huge), np.full(20, -huge))
    model = Model(Parameters((LayerParameters(first), LayerParameters(second))))
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        trace = model.run(vectors=np.ones((4, 2)))
    below, above = (layer.forward for layer in trace.layers)
    assert below.cell.tolist() == [[1] * 3, [2] * 3, [3] * 3, [4] * 3]
    assert np.unique([below.input, below.forget, below.candidate, below.output]).tolist() == [1]
    assert np.unique([above.input, above.forget, above.output, above.cell]).tolist() == [0]
    assert np.unique(above.candidate).tolist() == [-1]


@DTYPES
@pytest.mark.parametrize("number", [np.nan, np.inf, 1e300])
def test_a_number_that_is_not_finite_shows_from_its_step_on_and_warns_of_nothing(number, dtype):
    model = make_model(dtype=dtype, hidden_sizes=(3, 5))
    vectors = np.ones((4, 2))
    clean = model.run(vectors=vectors)
    vectors[2] = number, -number  # inf - inf: not a number
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trace = model.run(vectors=vectors)
        predictions = trace.forecast(k=3).predictions
    for place, array in arrays(clean).items():
        assert same_bits(arrays(trace)[place][:2], array[:2])
    if not np.isfinite(trace.layers[0].forward.layer_input).all():
        assert np.isnan(trace.cell[2:]).all()
    assert [len(best) for best in predictions] == [3] * 4


# --- tokens


def test_a_text_is_cut_and_looked_up():
    trace = make_model().run("The dog sat.")
    assert trace.text == "The dog sat."
    assert trace.tokens == (
        Token("The", "the", 0, 0, 3),
        Token("dog", "<unk>", 6, 4, 7, known=False),
        Token("sat", "sat", 2, 8, 11),
        Token(".", ".", 5, 11, 12),
    )
    assert trace.unknown == (1,)


def test_ids_are_named_by_the_vocabulary():
    trace = make_model().run(ids=np.array([1, 6]))
    assert trace.text is None
    assert trace.tokens == (Token("cat", "cat", 1, 0, 0), Token("<unk>", "<unk>", 6, 0, 0))


def test_ids_are_named_by_their_numbers_where_there_is_no_vocabulary():
    model = make_model()
    bare = Model(model.parameters, model.embedding)
    assert [token.text for token in bare.run(ids=[4, 1]).tokens] == ["4", "1"]


def test_ids_beyond_the_vocabulary_are_named_by_their_numbers():
    model = make_model()
    words = WordTokenizer(Vocabulary(WORDS[:3]))
    short = Model(model.parameters, model.embedding, tokenizer=words)
    assert [token.text for token in short.run(ids=[2, 5]).tokens] == ["sat", "5"]


def test_vectors_have_no_tokens():
    trace = make_model().run(vectors=np.ones((3, 2)))
    assert trace.tokens is None
    assert trace.text is None


# --- what run refuses


@pytest.mark.parametrize(
    "given_inputs",
    [{}, {"text": "a", "ids": [1]}, {"ids": [1], "vectors": np.zeros((1, 2))}],
    ids=["none", "text and ids", "ids and vectors"],
)
def test_a_run_takes_exactly_one_input(given_inputs):
    with pytest.raises(TypeError) as caught:
        make_model().run(**given_inputs)
    assert str(caught.value) == "run() takes one of text, ids and vectors"


def refusal(model, kind=LSTMError, **given_input):
    with pytest.raises(kind) as caught:
        model.run(**given_input)
    return str(caught.value)


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((5, 3), "(5, 3)"),
        ((2,), "(2,)"),
        ((4, 5, 3), "(4, 5, 3)"),
        ((1, 4, 5, 2), "(1, 4, 5, 2)"),
        ((2, 5), "(2, 5)"),
        ((), "()"),
    ],
)
def test_vectors_of_another_shape_raise(shape, found):
    assert refusal(make_model(), ShapeError, vectors=np.zeros(shape)) == (
        "vectors: expected (steps, input_size) or (sequences, steps, input_size) = (T, 2), "
        f"found {found}."
    )


@pytest.mark.parametrize("dtype", ["bool", "complex128", "<U3", "object"])
def test_vectors_that_are_no_real_numbers_raise(dtype):
    vectors = np.zeros((4, 2)).astype(dtype)
    expected = f"vectors: expected real numbers, found {vectors.dtype}."
    assert refusal(make_model(), vectors=vectors) == expected


def test_ids_outside_the_vocabulary_raise():
    expected = "token id: expected 0 to 6, found {}."
    assert refusal(make_model(), ValueRangeError, ids=[0, 7]) == expected.format(7)
    assert refusal(make_model(), ValueRangeError, ids=[3, -1]) == expected.format(-1)


def test_ids_that_are_no_whole_numbers_raise():
    expected = "ids: expected whole numbers, found float64."
    assert refusal(make_model(), ids=[1.0, 2.0]) == expected


def test_ids_with_two_axes_raise():
    assert refusal(make_model(), ids=[[1, 2, 3]]) == "ids: expected (steps,), found (1, 3)."


def test_an_unknown_word_raises_where_nothing_stands_for_it():
    model = make_model()
    words = WordTokenizer(Vocabulary(WORDS[:-1]), lowercase=True)
    strict = Model(model.parameters, model.embedding, tokenizer=words)
    assert refusal(strict, UnknownTokenError, text="The cat, the naïve cat.") == (
        'token "," at position 2 is not in the vocabulary (6 entries), and it has no unknown '
        f"token. Known: {' '.join(WORDS[:-1])}"
    )


def test_a_text_needs_a_vocabulary():
    model = make_model()
    assert refusal(Model(model.parameters, model.embedding), MissingPartError, text="a") == (
        "the model has no vocabulary, which a text needs. "
        "Name one with --tokenizer, or give --ids or --vectors."
    )


@pytest.mark.parametrize("given_input", [{"text": "a"}, {"ids": [1]}, {"ids": []}])
def test_a_text_or_ids_need_an_embedding(given_input):
    model = make_model()
    bare = Model(model.parameters, tokenizer=model.tokenizer)
    expected = "the model has no embedding, which a text or ids needs. Give --vectors."
    assert refusal(bare, MissingPartError, **given_input) == expected


@pytest.mark.parametrize(
    ("number", "given_input", "sequences"),
    [
        (4, {"vectors": np.zeros((3, 5, 2))}, 3),
        (2, {"vectors": np.zeros((5, 2))}, 1),
        (2, {"text": TEXT}, 1),
        (1, {"vectors": np.zeros((3, 5, 2))}, 3),
    ],
)
def test_a_state_for_another_number_of_sequences_raises(number, given_input, sequences):
    model = make_model()
    state = make_state(np.random.default_rng(5), model.parameters, number)
    assert refusal(model, initial_state=state, **given_input) == (
        f"state: expected one state, or one for each of {sequences} sequence(s), found {number}."
    )


def test_the_state_of_another_model_raises():
    model, other = make_model(), make_model(hidden_sizes=(3, 5))
    state = ModelState.zeros(other.parameters)
    assert refusal(model, text=TEXT, initial_state=state) == (
        "state: expected arrays for 1 cell, found also layers.1.forward.cell."
    )
    assert refusal(other, text=TEXT, initial_state=ModelState.zeros(model.parameters)) == (
        "state: expected an array named layers.1.forward.cell, found none."
    )


def test_a_state_of_another_width_raises():
    model, other = make_model(), make_model(hidden_sizes=(4,))
    state = ModelState.zeros(other.parameters)
    assert refusal(model, ShapeError, text=TEXT, initial_state=state) == (
        "state: layers.0.forward.hidden: expected (hidden_size,) or (sequences, hidden_size) "
        "= (3,), found (4,)."
    )


# --- what a model refuses to be made of


def test_an_embedding_that_is_not_as_wide_as_the_input_raises():
    with pytest.raises(ShapeError) as caught:
        Model(make_model().parameters, Embedding(np.zeros((7, 3))))
    expected = "embedding: expected (vocabulary_size, input_size) = (7, 2), found (7, 3)."
    assert str(caught.value) == expected


def test_a_head_that_is_not_as_wide_as_the_output_raises():
    with pytest.raises(ShapeError) as caught:
        Model(make_model(num_directions=2).parameters, head=Head(np.zeros((7, 3))))
    expected = "head: expected (outcomes, directions*hidden_size) = (7, 6), found (7, 3)."
    assert str(caught.value) == expected


def test_a_vocabulary_longer_than_the_embedding_raises():
    model = make_model()
    with pytest.raises(LSTMError) as caught:
        Model(model.parameters, Embedding(np.zeros((5, 2))), tokenizer=model.tokenizer)
    assert str(caught.value) == (
        "vocabulary: expected at most 5 tokens, one per row of the embedding, found 7."
    )


def test_a_model_of_parameters_alone_runs_vectors():
    trace = Model(make_model().parameters).run(vectors=np.ones((4, 2)))
    assert trace.hidden.shape == (4, 3)


# --- how a stack is connected


def residual(num_directions=1):
    """Two layers with a residual connection, and all that a model has around them."""
    random = np.random.default_rng(3)
    cells = [
        [make_cell(random, width, 3) for _ in range(num_directions)]
        for width in (2, 3 * num_directions)
    ]
    stack = Parameters(tuple(LayerParameters(*layer) for layer in cells), residual=True)
    plain = make_model(hidden_sizes=(3, 3), num_directions=num_directions)
    return Model(stack, plain.embedding, plain.head, plain.tokenizer)


def test_each_direction_is_added_its_share_of_what_the_layer_reads():
    below, top = residual(num_directions=2).run("the cat sat").layers
    assert same_bits(top.forward.layer_output, top.forward.hidden + below.forward.hidden)
    assert same_bits(top.reverse.layer_output, top.reverse.hidden + below.reverse.hidden)
    assert same_bits(top.output, top.hidden + below.hidden)
    assert same_bits(below.output, below.hidden)


@pytest.mark.parametrize("num_directions", [1, 2])
def test_the_head_reads_what_the_top_layer_hands_on(num_directions):
    model = residual(num_directions)
    trace = model.run("the cat sat")
    scores = model.head.logits(trace.layers[1].hidden + trace.layers[0].hidden)
    assert same_bits(trace.logits, scores)
    best = [step[0].name for step in trace.forecast(k=1).predictions]
    assert best == [WORDS[n] for n in scores.argmax(axis=-1)]


def test_before_the_first_word_a_residual_layer_hands_nothing_on():
    """What it would add is what it reads, and it has read nothing."""
    model = residual()
    start = model.run("on the mat").final
    assert model.run("the cat", initial_state=start).forecast().surprisal[0] is None
    plain = Model(replace(model.parameters, residual=False), model.embedding, model.head,
                  model.tokenizer)  # fmt: skip
    assert plain.run("the cat", initial_state=start).forecast().surprisal[0] is not None


def test_no_word_is_surprising_to_a_model_that_reads_from_the_end():
    """It has read the word before it could tell what comes."""
    model = make_model(hidden_sizes=(3, 3))
    below, top = model.parameters.layers
    turned = replace(model.parameters, layers=(LayerParameters(reverse=below.first), top))
    forecast = replace(model, parameters=turned).run("the cat sat").forecast()
    assert forecast.surprisal == ()
    assert model.run("the cat sat").forecast().surprisal[1] is not None
