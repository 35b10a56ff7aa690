"""ICU's word-break models, through the real command, on the strings that ICU is tested with.

A model reads clusters or single letters and says of each whether it begins a word, is inside, ends
one, or is a word by itself. As in ICU (lstmbe.cpp), the likeliest of the four counts, there is a
break before what begins a word or is one, and what the dictionary lacks has the id after its last.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from tests.weights.builders import FIXTURES, needs_fixtures

pytestmark = needs_fixtures
MODELS = FIXTURES / "models" / "icu_lstm"
BIES = "bies"

# What has the category of a vowel sign but does not join a cluster, and the other way round
# (UAX #29, Grapheme_Cluster_Break=SpacingMark), as far as Thai and Burmese go.
APART = {*"\u102b\u102c\u1038\u1083\u108f", *map(chr, range(0x1062, 0x1065)),
         *map(chr, range(0x1067, 0x106E)), *map(chr, range(0x1087, 0x108D)),
         *map(chr, range(0x109A, 0x109D))}  # fmt: skip
JOINED = {"\u0e33"}


def clusters(text: str) -> list[str]:
    """Cut as Unicode 15.0 does, which ICU 72 has: a Burmese stacker does not join what follows."""
    found: list[str] = []
    for letter in text:
        mark = unicodedata.category(letter)
        joins = mark in ("Mn", "Me") or (mark == "Mc" and letter not in APART) or letter in JOINED
        if joins and found:
            found[-1] += letter
        else:
            found.append(letter)
    return found


def cut(model: str, text: str) -> list[str]:
    return clusters(text) if "graphclust" in model else list(text)


def classes(lstm, model: str, texts: list[str], folder: Path) -> list[str]:
    """Return what the command says of each text, a letter for each piece."""
    dictionary = json.loads((MODELS / model / "weights.json").read_text("utf-8"))["dic"]
    tokenizer = {
        "version": "1.0",
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {
            "type": "WordLevel",
            "vocab": {**dictionary, "<unk>": len(dictionary)},
            "unk_token": "<unk>",
        },
        "added_tokens": [],
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    lines = "".join(" ".join(cut(model, text)) + "\n" for text in texts)
    (folder / "lines.txt").write_text(lines, "utf-8")
    done = lstm(
        "run", "-w", MODELS / model / "weights.safetensors", "--file", folder / "lines.txt",
        "--tokenizer", folder / "tokenizer.json", "--top-k=1", "--json",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    return [
        "".join(BIES[int(best["label"])] for (best,) in sequence["labels"])
        for sequence in done.json["sequences"]
    ]


@pytest.mark.parametrize(
    ("model", "count"),
    [
        ("Burmese_graphclust_model5_heavy", 2),
        ("Thai_graphclust_model4_heavy", 46),
        ("Thai_codepoints_exclusive_model5_heavy", 46),
    ],
)
def test_every_string_breaks_where_icu_breaks_it(lstm, tmp_path, model, count):
    pytest.importorskip("tokenizers")
    cases = json.loads((MODELS / model / "icu_cases.json").read_text("utf-8"))
    assert len(cases) == count
    found = classes(lstm, model, [case["text"] for case in cases], tmp_path)
    for case, letters in zip(cases, found, strict=True):
        pieces = zip(letters, cut(model, case["text"]), strict=True)
        broken = "".join("|" * (letter in "bs") + piece for letter, piece in pieces) + "|"
        assert broken == case["expected"]


def test_every_string_is_classified_as_icu4x_does(lstm, tmp_path):
    pytest.importorskip("tokenizers")
    model = "Thai_codepoints_exclusive_model4_heavy"
    cases = json.loads((MODELS / model / "icu4x_cases.json").read_text("utf-8"))
    assert len(cases) == 30
    found = classes(lstm, model, [case["text"] for case in cases], tmp_path)
    assert found == [case["expected_bies"] for case in cases]
