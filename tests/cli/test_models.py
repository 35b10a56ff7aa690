"""What is inside."""

import json

import pytest

from weights.pretrained.registry import NAMES, path_of


@pytest.fixture(scope="module")
def listed(done, valid):
    return {
        model["name"]: model for model in valid("models", done("models", "--json").json)["models"]
    }


def test_every_model_is_listed_with_what_a_user_wants_to_know(listed):
    assert tuple(listed) == NAMES
    for name, model in listed.items():
        assert model["bytes"] == path_of(name).stat().st_size
        assert model["description"]
        assert model["licence"]
        assert model["trained_on"]
    hand_made = [listed[name] for name in ("brackets", "latch", "parity")]
    assert {model["hidden_size"] for model in hand_made} == {1}
    assert {model["trained_on"] for model in hand_made} == {"made by hand"}


def test_the_default_is_small_and_says_how_good_it_is(listed):
    english = listed["english"]
    assert english["bytes"] < 1_000_000
    assert english["vocabulary_size"] == 5000
    assert (english["input_size"], english["hidden_size"], english["layers"]) == (64, 128, 1)
    assert "Tatoeba" in english["trained_on"]
    assert "CC BY 2.0 FR" in english["licence"]
    quality = english["quality"]
    assert quality["test_perplexity"] < quality["kneser_ney_trigram_perplexity"]
    assert quality["kneser_ney_trigram_perplexity"] < quality["unigram_perplexity"]


def test_the_table_says_the_same(done, listed):
    shown = " ".join(done("models").stdout.split())
    assert "english (the default)" in shown
    for model in listed.values():
        assert model["name"] in shown
        assert model["licence"] in shown
        assert model["description"] in shown
        assert model["trained_on"] in shown
        for value in model["quality"].values():
            assert f"{value:.3g}" in shown
    assert "\x1b[" in done("models", "--color", "always").stdout
    assert "\x1b" not in done("models", "--color", "never").stdout


def test_each_runs_by_its_name(done):
    words = {"english": "the", "brackets": "(", "latch": "set", "parity": "1"}
    assert set(words) == set(NAMES)
    for name, word in words.items():
        document = json.loads(done("run", word, "-w", name, "--json").data)
        assert document["model"]["source"] == name
        assert len(document["sequences"][0]["steps"]) == 1


@pytest.mark.parametrize(
    ("name", "text", "cells", "labels"),
    [
        ("brackets", "a(()", [0, 1, 2, 1], ["outside", "inside", "inside", "inside"]),
        ("brackets", "))", [-1, -2], ["unbalanced", "unbalanced"]),
        ("latch", "hold SET other reset hold", [0, 1, 1, 0, 0], ["off", "on", "on", "off", "off"]),
        ("parity", "1101", [1, -1, -1, 1], ["odd", "even", "even", "odd"]),
    ],
)
def test_models_made_by_hand_do_what_they_say(done, name, text, cells, labels):
    (sequence,) = done("run", text, "-w", name, "--json", "--top-k", "1").json["sequences"]
    assert [record["cell"] for record in sequence["steps"]] == [[cell] for cell in cells]
    assert [best["label"] for (best,) in sequence["labels"]] == labels
