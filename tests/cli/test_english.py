"""The default model: real text in, real answers out; and torch agrees."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from weights import load


def test_no_option_is_needed(done, valid):
    document = valid("trace", done("run", "John likes black coffee", "--json").json)
    assert document["model"]["source"] == "english"
    assert document["model"]["tokenizer"] == "word"
    (sequence,) = document["sequences"]
    assert sequence["tokens"] == ["John", "likes", "black", "coffee"]
    assert sequence["unknown"] == []
    assert [len(record["hidden"]) for record in sequence["steps"]] == [128] * 4
    assert [best[0]["token"] for best in sequence["next"]][-1] == "."
    assert sequence["surprisal"][0] is None
    assert all(0 < bits < math.log2(5000) + 8 for bits in sequence["surprisal"][1:])


def test_every_number_is_that_of_the_trace(done, same_bits):
    trace = load().run("John likes black coffee")
    steps = done("run", "John likes black coffee", "--json").json["sequences"][0]["steps"]
    same_bits([record["hidden"] for record in steps], trace.hidden)
    same_bits([record["cell"] for record in steps], trace.cell)


@pytest.mark.parametrize(
    ("line", "check"),
    [
        ("lstm run \"John likes black coffee\" --json | jq '.sequences[0].steps[-1].hidden'",
         lambda out: out.count(",") == 127),
        ("printf 'John likes tea\\nWhy?\\n' > lines.txt; cat lines.txt | "
         "lstm run --format ndjson | jq -c 'select(.layer==0) | .cell[81]'",
         lambda out: len([float(number) for number in out.split()]) == 5),
        ("cat lines.txt | lstm run --format ndjson | jq -c .hidden",
         lambda out: out.count("\n") == 5),
        ("cat lines.txt | lstm run --format ndjson | jq -c '.cell[81]'",
         lambda out: out.count("\n") == 5),
        ("lstm generate \"John likes\" --json | jq '.sequences[0].tokens'",
         lambda out: '"John"' in out),
        ("lstm inspect english --json | jq '.lstms[0].units'",
         lambda out: out.count('"address"') > 3),
        ("lstm tokens --file lines.txt --json | jq '.sequences[].tokens[] | select(.known | not)'",
         lambda out: out == ""),
    ],
)  # fmt: skip
def test_the_lines_of_the_help_work_as_typed(shell, line, check, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "typed"
    folder.mkdir(exist_ok=True)
    (folder / "lines.txt").write_text("John likes tea\nWhy?\n")
    result = shell(line, cwd=folder)
    assert (result.code, result.stderr) == (0, "")
    assert check(result.stdout)


def test_the_verb_agrees_with_the_subject_across_a_distractor(done):
    texts = ("The boys near the car", "The boy near the cars")
    plural, singular = done("run", *texts, "--json", "--top-k", "5000").json["sequences"]

    def probability(sequence, word):
        return next(b["probability"] for b in sequence["next"][-1] if b["token"] == word)

    assert probability(plural, "like") > probability(plural, "likes")
    assert probability(singular, "likes") > probability(singular, "like")


def test_named_units_are_shown_with_what_they_tell(done):
    shown = done("run", "The boys near the car like tea").stdout
    assert "Named units" in shown
    assert "plural" in shown
    assert "AUC" in shown


def test_a_terminal_shows_part_of_the_units_and_says_so(terminal):
    shown = terminal("run", "John likes black coffee", columns=80, env={"NO_COLOR": "1"}).stdout
    assert re.search(r"Cell state c \(\d+ of 128\)", shown)
    assert "The units shown have the largest |c|" in shown
    assert re.search(r"\d+ of 14 named units; lstm inspect english lists all", shown)
    assert max(map(len, shown.splitlines())) <= 80


def test_it_goes_on_with_known_words(done):
    text = done("generate", "The boys", "--steps", "8").stdout
    assert text.startswith("The boys ")
    assert "<unk>" not in text
    tokens = done("tokens", text.strip(), "--json").json["sequences"][0]["tokens"]
    assert all(token["known"] for token in tokens)
    seven = ("--temperature", "0.8", "--top-k", "40", "--seed", "7")
    assert done("generate", "I", *seven).stdout == done("generate", "I", *seven).stdout


def test_the_numbers_are_those_of_torch(done):
    golden = json.loads((Path(__file__).parents[1] / "golden" / "english.json").read_text())
    for text in golden["runs"]:
        result = done("run", text["text"], "--json", "--dtype", "float64").json
        (sequence,) = result["sequences"]
        assert sequence["ids"] == text["ids"]
        for step, hidden, cell in zip(sequence["steps"], text["hidden"], text["cell"], strict=True):
            assert np.allclose(step["hidden"], hidden, rtol=0, atol=1e-9)
            assert np.allclose(step["cell"], cell, rtol=0, atol=1e-9)
