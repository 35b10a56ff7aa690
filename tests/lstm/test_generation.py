"""A model goes on by itself: greedily by the reference, at random by its own probabilities."""

import dataclasses
from collections import Counter
from itertools import islice

import numpy as np
import pytest

from lstm.analysis.intervention import Change, Intervention
from lstm.embedding import Embedding
from lstm.errors import LSTMError, MissingPartError
from lstm.generation import generate
from lstm.head import Head
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.tokenizers.tokenizer import Vocabulary
from lstm.tokenizers.word import WordTokenizer
from tests import reference
from tests.strategies import WORDS, make_model

UNKNOWN = WORDS.index("<unk>")


def next_by_reference(model, ids):
    """The most probable next word after a whole text, in scalar loops."""
    parameters = model.parameters
    zeros = {
        (n, "forward"): ([0.0] * layer.hidden_size, [0.0] * layer.hidden_size)
        for n, layer in enumerate(parameters.layers)
    }
    inputs = [model.embedding.weight[n].tolist() for n in ids]
    steps = reference.stack(reference.layers_of(parameters), inputs, zeros)
    hidden = steps[parameters.num_layers - 1, "forward"][-1]["hidden"]
    scores = reference.logits(
        model.head.weight.tolist(), model.head.bias.tolist(), None, None, hidden
    )
    scores[UNKNOWN] = -float("inf")
    return scores.index(max(scores))


def bored(*probabilities, **special):
    """A model that expects the same tokens after every text."""
    tokens = tuple("abcdefg"[: len(probabilities)])
    cell = CellParameters(np.zeros((4, 2)), np.zeros((4, 1)), np.zeros(4))
    return Model(
        Parameters((LayerParameters(cell),)),
        Embedding(np.zeros((len(tokens), 2))),
        Head(np.zeros((len(tokens), 1)), np.log(probabilities), names=tokens),
        WordTokenizer(Vocabulary(tokens, **special)),
    )


def generated(model, start, **options):
    """What is generated; a text that does not end is cut."""
    return list(islice(generate(model, start, **options), 10))


def drawn(model, number=3000, **options):
    """How often each id is drawn, as shares."""
    counts = Counter(islice(generate(model, model.run(ids=[0]), **options), number))
    return [counts[n] / number for n in range(len(model.tokenizer.vocabulary))]


@pytest.mark.parametrize("seed", range(5))
def test_greedy_generation_repeats_the_argmax_of_the_reference(seed):
    model = make_model(seed, hidden_sizes=(3, 5))
    ids = [0, 1]
    for found in islice(generate(model, model.run(ids=ids)), 10):
        assert found == next_by_reference(model, ids)
        ids.append(found)
    assert len(ids) == 12


def test_greedy_generation_takes_the_lower_of_two_equal_ids():
    model = bored(0.2, 0.4, 0.4)
    assert list(islice(generate(model, model.run(ids=[0])), 3)) == [1, 1, 1]


def test_generation_continues_from_the_state_of_the_run():
    model = make_model(3)
    whole = model.run("the cat sat on the mat")
    first = model.run("the cat sat on")
    second = model.run("the mat", initial_state=first.final)
    one, other = (list(islice(generate(model, start), 8)) for start in (whole, second))
    assert one == other


def test_what_is_changed_is_changed_in_the_steps_to_come():
    model = make_model(3)
    changes = tuple(map(Change.parse, ("l0.c[1]@1:=3", "l0.h[0]@4:=-2", "l0.o[2]@6::=0")))
    model = dataclasses.replace(model, intervention=Intervention(changes))
    ids = [1, 2]
    for found in islice(generate(model, model.window(0, 2).run(ids=ids)), 8):
        scores = model.window(0, len(ids)).run(ids=ids).logits[-1]
        assert found == int(np.delete(scores, 6).argmax())  # the last is the unknown word
        ids.append(found)


def test_a_seed_gives_the_same_text_again():
    model = make_model(1)
    start = model.run("the cat")

    def text(seed):
        return list(islice(generate(model, start, temperature=1.5, seed=seed), 30))

    assert text(7) == text(7)
    assert text(7) != text(8)


def test_tokens_are_drawn_by_their_probabilities():
    found = drawn(bored(0.5, 0.3, 0.2), temperature=1)
    assert found == pytest.approx([0.5, 0.3, 0.2], abs=0.03)  # three standard deviations


def test_a_low_temperature_sharpens():
    # squares of 1/2, 1/4, 1/4 are in the proportion 4 : 1 : 1
    found = drawn(bored(0.5, 0.25, 0.25), temperature=0.5)
    assert found == pytest.approx([4 / 6, 1 / 6, 1 / 6], abs=0.03)


def test_a_high_temperature_flattens():
    # square roots of 16 : 4 : 1 are 4 : 2 : 1
    found = drawn(bored(16 / 21, 4 / 21, 1 / 21), temperature=2)
    assert found == pytest.approx([4 / 7, 2 / 7, 1 / 7], abs=0.03)


def test_top_k_draws_from_the_k_most_probable():
    found = drawn(bored(0.2, 0.5, 0.3), temperature=1, top_k=2)
    assert found == pytest.approx([0, 0.625, 0.375], abs=0.03)
    assert found[0] == 0


def test_a_top_k_beyond_the_vocabulary_draws_from_all():
    model = bored(0.5, 0.3, 0.2)
    assert drawn(model, 200, temperature=1, top_k=99) == drawn(model, 200, temperature=1)


@pytest.mark.parametrize("temperature", [0.3, 1, 5])
def test_a_top_k_of_1_is_greedy(temperature):
    model = make_model(2)
    start = model.run("the cat")
    greedy = list(islice(generate(model, start), 10))
    found = list(islice(generate(model, start, temperature=temperature, top_k=1), 10))
    assert found == greedy


def test_top_k_draws_from_no_more_than_k_equally_probable_tokens():
    model = bored(0.1, 0.3, 0.3, 0.3)
    found = drawn(model, 300, temperature=1, top_k=2)
    assert (found[0], found[3]) == (0, 0)
    assert found[1] > 0 < found[2]


@pytest.mark.parametrize("options", [{}, {"temperature": 1}, {"temperature": 1, "top_k": 2}])
def test_the_unknown_and_the_start_token_are_never_generated(options):
    model = bored(0.01, 0.6, 0.02, 0.37, unknown="b", start="d")
    found = drawn(model, 300, **options)
    assert found[1] == found[3] == 0
    assert found[2] > 0


def test_top_k_counts_only_tokens_that_can_be_generated():
    found = drawn(bored(0.1, 0.6, 0.3, unknown="b"), temperature=1, top_k=2)
    assert found == pytest.approx([0.25, 0, 0.75], abs=0.03)


def test_generation_stops_at_the_end_token():
    model = bored(0.2, 0.2, 0.6, end="c")
    assert generated(model, model.run(ids=[0])) == []


def test_generation_stops_as_soon_as_the_end_token_is_the_best():
    # c counts the steps; h = tanh(c) is 0.76 after one and 0.96 after two
    cell = CellParameters(np.zeros((4, 2)), np.zeros((4, 1)), np.full(4, 99.0))
    model = Model(
        Parameters((LayerParameters(cell),)),
        Embedding(np.zeros((2, 2))),
        Head(np.array([[0.0], [100.0]]), np.array([0.0, -90.0])),
        WordTokenizer(Vocabulary(("on", "<end>"), end="<end>")),
    )
    assert generated(model, model.run("on")) == [0]
    assert generated(model, model.run("on on")) == []


def test_a_model_without_a_vocabulary_generates_any_id():
    model = dataclasses.replace(bored(0.2, 0.2, 0.6), tokenizer=None)
    assert list(islice(generate(model, model.run(ids=[0])), 4)) == [2] * 4


def test_generation_takes_a_run_of_vectors_to_continue():
    model = bored(0.2, 0.8)
    start = model.run(vectors=np.ones((3, 2)))
    assert list(islice(generate(model, start), 2)) == [1, 1]


def refusal(model, start, kind=LSTMError, **options):
    with pytest.raises(kind) as caught:
        generate(model, start, **options)  # at once, not at the first draw
    return str(caught.value)


@pytest.mark.parametrize("labels", [False, True])
def test_generation_needs_a_head_that_predicts_tokens(labels):
    model = make_model()
    head = dataclasses.replace(model.head, predicts_tokens=False) if labels else None
    model = dataclasses.replace(model, head=head)
    assert refusal(model, model.run("the"), MissingPartError) == (
        "the model has no head that predicts tokens, which generate needs. Use run instead."
    )


def test_generation_needs_a_token_to_continue_from():
    model = make_model()
    assert refusal(model, model.run("")) == (
        "generate: expected at least one token to continue from, found none."
    )


@pytest.mark.parametrize("directions", [("forward", "reverse"), ("reverse",)])
def test_generation_needs_a_model_that_reads_forward_only(directions):
    model = make_model(num_directions=len(directions))
    cells = model.parameters.layers[0].directions.values()
    layer = LayerParameters(**dict(zip(directions, cells, strict=True)))
    model = dataclasses.replace(model, parameters=Parameters((layer,)))
    assert refusal(model, model.run("the cat")) == (
        "generate: expected a model that reads forward only, found one that reads from the "
        "end of a text."
    )


def test_generation_continues_one_sequence():
    model = make_model()
    assert refusal(model, model.run(vectors=np.ones((4, 5, 2)))) == (
        "trace: expected one sequence, found 4. Take them one by one from `sequences`."
    )


@pytest.mark.parametrize("temperature", [-1.0, float("nan"), float("inf")])
def test_a_temperature_is_a_number_of_0_or_more(temperature):
    model = make_model()
    assert refusal(model, model.run("the"), temperature=temperature) == (
        f"temperature: expected a number of at least 0, found {temperature}."
    )


@pytest.mark.parametrize("top_k", [0, -3])
def test_top_k_is_at_least_1(top_k):
    model = make_model()
    assert refusal(model, model.run("the"), temperature=1, top_k=top_k) == (
        f"top_k: expected at least 1, found {top_k}."
    )


@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 1e-300, 1e-320])
def test_the_lowest_temperatures_are_greedy(temperature):
    model = make_model(2)
    start = model.run("the cat")
    assert generated(model, start, temperature=temperature) == generated(model, start)


def test_generation_needs_an_embedding():
    model = dataclasses.replace(make_model(), embedding=None)
    with pytest.raises(MissingPartError) as caught:
        list(islice(generate(model, model.run(vectors=np.ones((2, 2)))), 2))
    assert caught.value.part == "embedding"
