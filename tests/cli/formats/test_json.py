"""The JSON document: the contract with other programs."""

import json
import math

import numpy as np
import pytest

from lstm.quantities import NAMES
from weights import load


@pytest.fixture(scope="module")
def document(done, valid, tiny):
    result = done("run", "John likes tea", "black", "-w", tiny, "--json", "--show", "all")
    assert result.stdout.endswith("}\n")
    return valid("trace", result.json)


def test_keys_stand_in_the_order_of_the_contract(document):
    assert list(document) == ["schema", "model", "sequences"]
    assert document["schema"] == "lstm.trace/1"
    assert list(document["model"]) == [
        "source", "sha256", "layout", "layers", "directions", "independent", "residual",
        "input_size", "hidden_size", "dtype", "tokenizer", "assumed",
    ]  # fmt: skip
    for sequence in document["sequences"]:
        keys = ["text", "tokens", "ids", "unknown", "steps", "next", "surprisal"]
        assert list(sequence) == keys
    record = document["sequences"][0]["steps"][0]
    assert list(record) == ["step", "token", "id", "layer", "direction", *NAMES]


def test_the_words_are_as_typed_beside_their_ids(document):
    first, second = document["sequences"]
    assert (first["text"], second["text"]) == ("John likes tea", "black")
    assert first["tokens"] == ["John", "likes", "tea"]
    assert first["ids"] == [3, 4, 0]
    for number, record in enumerate(first["steps"]):
        assert record["step"] == number
        assert (record["layer"], record["direction"]) == (0, "forward")
        assert (record["token"], record["id"]) == (first["tokens"][number], first["ids"][number])


def test_every_number_is_that_of_the_trace_bit_for_bit(document, tiny, same_bits):
    model = load(tiny)
    for sequence in document["sequences"]:
        trace = model.run(sequence["text"])
        for name in NAMES:
            numbers = [record[name] for record in sequence["steps"]]
            same_bits(numbers, getattr(trace.layers[0].forward, name))


def test_every_number_is_that_of_the_trace_in_float64_too(done, valid, bare, same_bits, tmp_path):
    x = np.random.default_rng(9).normal(size=(4, 2))
    np.save(tmp_path / "x.npy", x)
    result = done("run", "--vectors", tmp_path / "x.npy", "-w", bare, "--json", "--show", "all")
    (sequence,) = valid("trace", result.json)["sequences"]
    trace = load(bare).run(vectors=x)
    for name in NAMES:
        numbers = [record[name] for record in sequence["steps"]]
        same_bits(numbers, getattr(trace.layers[0].forward, name))
    assert sequence["next"] == sequence["surprisal"] == []


def test_a_float32_is_the_shortest_text_that_gives_it_back(done):
    # tanh(1) is 0.7615942 in float32 and 0.7615941762924194 as the same number in float64
    assert '"hidden":[0.7615942]' in done("run", "(", "-w", "brackets", "--json").stdout


def test_predictions_and_surprisal_agree_with_the_trace(document, tiny):
    trace = load(tiny).run("John likes tea")
    sequence = document["sequences"][0]
    forecast = trace.forecast(5)
    assert [[best["token"] for best in step] for step in sequence["next"]] == [
        [best.name for best in step] for step in forecast.predictions
    ]
    assert sequence["surprisal"] == list(forecast.surprisal)
    logits = trace.logits.astype(np.float64)
    for step, (best, *_) in enumerate(sequence["next"]):
        exact = np.exp(logits[step].max()) / np.exp(logits[step]).sum()
        assert best["probability"] == pytest.approx(exact, rel=1e-12)
    assert sequence["surprisal"][0] is None
    for step, number in enumerate(sequence["ids"][1:]):
        probability = np.exp(logits[step][number]) / np.exp(logits[step]).sum()
        assert sequence["surprisal"][step + 1] == pytest.approx(-math.log2(probability), rel=1e-9)


def test_labels_of_a_head_stand_in_place_of_next_tokens(done, valid):
    result = done("run", "(a)", "-w", "brackets", "--json", "--top-k", "1")
    (sequence,) = valid("trace", result.json)["sequences"]
    assert sequence["next"] == sequence["surprisal"] == []
    labels = [best["label"] for (best,) in sequence["labels"]]
    assert labels == ["inside", "inside", "outside"]
    # outside scores 0, the two others -5 each where h is 0
    probability = sequence["labels"][2][0]["probability"]
    assert probability == pytest.approx(1 / (1 + 2 * math.exp(-5)), rel=1e-9)


def test_two_directions_stand_at_their_token_s_step(done, valid, deep):
    (sequence,) = valid("trace", done("run", "the cat", "-w", deep, "--json").json)["sequences"]
    assert [(r["step"], r["layer"], r["direction"], r["token"]) for r in sequence["steps"]] == [
        (step, layer, direction, word)
        for step, word in enumerate(("the", "cat"))
        for layer in (0, 1)
        for direction in ("forward", "reverse")
    ]


def test_the_counted_depth_of_brackets_is_the_cell_state(done):
    (sequence,) = done("run", "a(b(c))(", "-w", "brackets", "--json").json["sequences"]
    assert [record["cell"] for record in sequence["steps"]] == [
        [n] for n in (0, 1, 1, 2, 2, 1, 0, 1)
    ]
    assert [record["hidden"][0] for record in sequence["steps"]] == pytest.approx(
        [math.tanh(n) for n in (0, 1, 1, 2, 2, 1, 0, 1)], abs=1e-7
    )


def test_what_is_not_finite_is_null_and_listed_with_its_address(done, valid, infinite):
    # z_g is x times infinity: inf for up, -inf for down, not a number for nil
    result = done(
        "run",
        "up down nil",
        "-w",
        infinite,
        "--allow-nonfinite",
        "--json",
        "--show",
        "pre_candidate,cell",
    )
    (sequence,) = valid("trace", result.json)["sequences"]
    assert [record["pre_candidate"] for record in sequence["steps"]] == [[None]] * 3
    assert [record["cell"] for record in sequence["steps"]] == [[1.0], [0.0], [None]]
    assert sequence["nonfinite"] == [
        {"address": "l0.z_g[0]@0", "value": "inf"},
        {"address": "l0.z_g[0]@1", "value": "-inf"},
        {"address": "l0.z_g[0]@2", "value": "nan"},
        {"address": "l0.c[0]@2", "value": "nan"},
    ]


def test_an_input_that_is_not_finite_is_listed_too(done, valid, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[0, -np.inf]]))
    given = ("--vectors", tmp_path / "x.npy", "-w", "brackets", "--show", "layer_input")
    (sequence,) = valid("trace", done("run", *given, "--json").json)["sequences"]
    assert sequence["steps"][0]["layer_input"] == [0.0, None]
    assert sequence["nonfinite"] == [{"address": "l0.x[1]@0", "value": "-inf"}]


def test_where_all_is_finite_nothing_is_listed(document):
    assert all("nonfinite" not in sequence for sequence in document["sequences"])


def test_predictions_that_are_no_numbers_are_valid_too(done, valid, doomed):
    result = done("run", "--ids", "0,1", "-w", doomed, "--allow-nonfinite", "--json")
    (sequence,) = valid("trace", result.json)["sequences"]
    assert {entry["value"] for entry in sequence["nonfinite"]} == {"nan"}


def test_the_document_is_read_by_a_strict_parser(done, infinite):
    result = done("run", "nil", "-w", infinite, "--allow-nonfinite", "--json")

    def refuse(constant):
        raise AssertionError(constant)

    json.loads(result.data, parse_constant=refuse)


def test_unusual_characters_survive(done, valid):
    text = 'é\U0001f600"\\\u202e\x00'.replace("\x00", "\t")
    (sequence,) = valid("trace", done("run", text, "-w", "brackets", "--json").json)["sequences"]
    assert sequence["text"] == text
    assert sequence["tokens"] == list(text)
