"""`lstm contrast` through the real command."""

import re

import pytest
from rich.cells import cell_len

PLURAL, SINGULAR = "the boys near the car", "the boy near the cars"
UNIT = "l0.c[83]"  # of english: the subject's number
CODES = re.compile("\x1b\\[[0-9;]*m")


def rows(lines, heading):
    """The lines under a heading, up to an empty one."""
    start = next(n for n, line in enumerate(lines) if line.startswith(heading)) + 1
    return lines[start : lines.index("", start)]


def test_the_subjects_number_parts_two_texts_and_is_carried_to_the_end(done):
    lines = done("contrast", PLURAL, SINGULAR).lines
    assert rows(lines, "Two texts")[:2] == [f"A      {PLURAL}", f"B      {SINGULAR}"]
    heading, *steps = rows(lines, "Step by step")
    assert heading.split() == ["step", "A", "B", "|Δc|", "|Δh|", "most", "in"]
    assert steps[0].split() == ["0", "the", "the", "0.00", "0.00"]
    assert [step.split()[-1] for step in steps[1:5]] == [UNIT] * 4
    assert steps[5] == "They part at step 1: boys / boy."
    heading, first, *others, note = rows(lines, "What carries the difference (8 of 128 units,")
    assert heading.split()[-2:] == ["metric", "effect"]
    assert first.split()[0] == UNIT
    assert len(others) == 7
    effects = [abs(float(row.split()[-1])) for row in (first, *others)]
    assert max(effects[1:]) < effects[0] / 5
    assert note.startswith("metric: logit(want) - logit(is), ")
    assert rows(lines, "Named units among them")[0].startswith(UNIT)
    words = [row.split()[0] for row in rows(lines, "What comes next, after step 4")[1:]]
    assert {"is", "was", "want", "like"} < set(words)


def test_a_document_tells_the_same(done, valid):
    document = valid("contrast", done("contrast", PLURAL, SINGULAR, "--json").json)
    assert document["parting"] == [1, 1]
    assert [step["same_token"] for step in document["steps"]] == [True, False, True, True, False]
    first = document["units"][0]
    assert (first["address"], "plural (+)" in first["tells"]) == (UNIT, True)
    named = [unit["tells"] is not None for unit in document["units"]]
    assert named == sorted(named, reverse=True)
    for text, side in ((PLURAL, 0), (SINGULAR, 1)):
        (sequence,) = done("run", text, "--json", "--top-k", "5000").json["sequences"]
        last = sequence["steps"][-1]
        for unit in document["units"]:
            number = int(unit["address"].split("[")[1][:-1])
            assert unit["cell"][side] == last["cell"][number]
            assert unit["hidden"][side] == last["hidden"][number]
        said = {each["token"]: each["probability"] for each in sequence["next"][-1]}
        for word in document["words"]:
            assert word["probabilities"][side] == said[word["word"]]


def test_an_effect_is_that_of_setting_the_one_cell_state(done):
    """The same number as a sweep finds that takes its values from the other text."""
    metric = ("--metric", "log p(are) - log p(is)")
    document = done("contrast", PLURAL, SINGULAR, *metric, "--json").json
    patched = done("sweep", PLURAL, *metric, "--over", "l0.c@4", "--from", SINGULAR, "--json").json
    after = {one["address"]: one["after"] for one in patched["effects"]}
    assert document["metric"]["expression"] == metric[1]
    assert document["metric"]["values"][0] == patched["before"]
    for unit in document["units"]:
        assert unit["metric"] == after[f"{unit['address']}@4"]


def test_a_text_differs_nowhere_from_itself(done, valid):
    lines = done("contrast", PLURAL, PLURAL).lines
    assert rows(lines, "Step by step")[6] == "Side by side they read the same."
    assert "Inside they differ nowhere." in lines
    assert not any(line.startswith("What c") for line in lines)
    document = valid("contrast", done("contrast", PLURAL, PLURAL, "--json").json)
    assert (document["parting"], document["units"], document["words"]) == (None, [], [])
    assert document["metric"] is None
    assert {(one["cell"], one["hidden"], one["largest"]) for one in document["steps"]} == {
        (0, 0, None)
    }


def test_texts_of_different_lengths_are_aligned_as_is_said(done, valid):
    longer = f"I think {SINGULAR}"
    from_start = done("contrast", PLURAL, longer).lines
    assert (
        "They part at step 0: the / I. "
        "B has 2 words more than A: its last 2 have none beside them." in from_start
    )
    lines = done("contrast", longer, PLURAL, "--align", "end").lines
    heading, first, *_ = rows(lines, "Step by step")
    assert heading.split()[:4] == ["step", "A", "step", "B"]
    assert first.split()[:4] == ["2", "0", "the", "the"]
    assert (
        "They part at step 3 of A and 1 of B: boy / boys. "
        "A has 2 words more than B: its first 2 have none beside them." in lines
    )
    assert any(line.endswith("after step 6 of A and 4 of B)") for line in lines)
    document = valid("contrast", done("contrast", longer, PLURAL, "--align", "end", "--json").json)
    assert (document["align"], document["parting"]) == ("end", [3, 1])
    assert [step["steps"] for step in document["steps"]] == [[n + 2, n] for n in range(5)]


def test_labels_layers_and_directions(done, valid, deep):
    given = ("contrast", "the cat sat", "the sat down", "-w", deep, "--top", "3")
    document = valid("contrast", done(*given, "--json").json)
    assert len(document["units"]) == 3
    assert len({unit["address"].split("c[")[0] for unit in document["units"]}) > 1
    assert {word["word"] for word in document["words"]} == {"N", "V"}
    assert rows(done(*given).lines, "Labels, after step 2")[0].split()[0] == "label"


def test_without_a_head_there_is_an_effect_only_on_a_metric(done, infinite):
    given = ("contrast", "up down", "down down", "-w", infinite, "--allow-nonfinite")
    heading = rows(done(*given).lines, "What carries the difference (1 of 1 units,")[0]
    assert "metric" not in heading
    lines = rows(done(*given, "--metric", "2 * l0.c[0]").lines, "What carries the difference")
    assert lines[1].split()[-2:] == ["-4.00", "-4.00"]
    assert (
        "nan" in done("contrast", "up nil", "down up", "-w", infinite, "--allow-nonfinite").stdout
    )


@pytest.mark.parametrize("columns", [80, 160])
def test_it_fits_a_terminal(terminal, columns):
    shown = terminal("contrast", PLURAL, f"{SINGULAR} and more", columns=columns)
    assert (shown.code, shown.stderr) == (0, "")
    assert CODES.search(shown.stdout)
    lines = [line.rstrip() for line in CODES.sub("", shown.stdout).splitlines()]
    assert max(cell_len(line) for line in lines) <= columns
    assert len(rows(lines, "What carries the difference")[0].split()) == 17


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ((PLURAL,), 2, "Missing argument 'TEXT2'."),
        ((PLURAL, ""), 3, "expected two texts of at least one word, found an empty one."),
        ((PLURAL, "-"), 2, "expected texts, or - for standard input, found both."),
        ((PLURAL, SINGULAR, "--align", "middle"), 2, "expected start or end, found 'middle'."),
        ((PLURAL, SINGULAR, "--metric", "p(are"), 2, "--metric: at offset 0: expected logit("),
        ((PLURAL, SINGULAR, "--metric", "p(qq)"), 3, "--metric: at offset 0: expected a token"),
        ((PLURAL, SINGULAR, "--metric", "p(is)@7"), 3, "step: expected 0 to 4, found 7."),
    ],
)
def test_what_cannot_be_contrasted_is_refused(refusal, given, code, message):
    assert message in refusal(code, "contrast", *given)
