"""`lstm sweep` through the real command."""

import csv
import re

import numpy as np
import pytest
from rich.cells import cell_len

TEXT, OTHER = "the boys near the car", "the boy near the cars"
METRIC = "logit(are) - logit(is)"
CODES = re.compile("\x1b\\[[0-9;]*m")


def rows(lines, heading):
    """The lines under a heading, up to an empty one."""
    start = next(n for n, line in enumerate(lines) if line.startswith(heading)) + 1
    return lines[start : lines.index("", start)]


def test_the_unit_of_the_subjects_number_counts_most(done):
    lines = done("sweep", TEXT, "--metric", METRIC).lines
    assert lines[0] == TEXT
    assert "set     each value of l0.c by itself to zero" in lines
    assert "runs    640" in lines
    numbers, words, first, *others = rows(lines, "Effect on the metric (10 of 128 units)")
    assert numbers.split() == ["step", "0", "1", "2", "3", "4"]
    assert words.split() == ["unit", *TEXT.split()]
    assert first.split()[0] == "l0.c[83]"
    assert len(others) == 9
    largest = rows(lines, "Largest effects (10 of 640)")
    assert largest[0].split() == ["address", "word", "value", "set", "to", "metric", "effect"]
    assert largest[1].startswith("l0.c[83]@2  near")
    assert any(
        line.startswith("l0.c[83]") and "plural (+)" in line
        for line in rows(lines, "Named units among them")
    )


def test_a_document_tells_every_effect_the_largest_first(done, valid):
    given = ("--metric", METRIC, "--over", "l0.c[80:90]@1:3", "--to", "-0.5")
    document = valid("sweep", done("sweep", TEXT, *given, "--json").json)
    assert (document["to"], document["from"]) == ("-0.5", None)
    effects = document["effects"]
    assert len(effects) == 20
    assert {(one["unit"], one["step"]) for one in effects} == {
        (unit, step) for unit in range(80, 90) for step in (1, 2)
    }
    for one in effects:
        assert one["address"] == f"l0.c[{one['unit']}]@{one['step']}"
        assert one["set_to"] == -0.5
        assert one["effect"] == one["after"] - document["before"]
    sizes = [abs(one["effect"]) for one in effects]
    assert sizes == sorted(sizes, reverse=True)
    (table,) = (line for line in done("sweep", TEXT, *given).lines if line.startswith("set"))
    assert table == "set     each value of l0.c[80:90]@1:3 by itself to -0.5"


def test_every_effect_is_what_run_says_where_this_one_value_is_set(done):
    """To the last bit: a hidden state, and the probability of the next word."""
    over = ("--over", "l0.f[82:84]@1:3", "--to", "0.25", "--json")
    states = done("sweep", TEXT, "--metric", "l0.h[5]", *over).json["effects"]
    chances = done("sweep", TEXT, "--metric", "p(want)", *over).json["effects"]
    assert len(states) == 4
    after = {one["address"]: one["after"] for one in chances}
    for one in states:
        run = done("run", TEXT, "--set", f"{one['address']}:=0.25", "--json", "--top-k", "99").json
        (sequence,) = run["sequences"]
        assert np.float32(one["after"]) == np.float32(sequence["steps"][-1]["hidden"][5])
        said = {each["token"]: each["probability"] for each in sequence["next"][-1]}
        assert after[one["address"]] == said["want"]


def test_to_patch_what_is_there_has_no_effect(done):
    for over in ("l0.c", "l0.f[3:70]@1:", "l0.h@4"):
        given = ("--metric", METRIC, "--over", over, "--from", TEXT, "--json")
        effects = done("sweep", TEXT, *given).json["effects"]
        assert {one["effect"] for one in effects} == {0}
        assert [one["value"] for one in effects] == [one["set_to"] for one in effects]


def test_a_patch_is_what_the_other_run_has_there(done, valid, tmp_path):
    given = ("--metric", METRIC, "--over", "l0.c@1", "--json")
    document = valid("sweep", done("sweep", TEXT, *given, "--from", OTHER).json)
    assert (document["to"], document["from"]) == (None, OTHER)
    assert document["effects"][0]["address"] == "l0.c[83]@1"
    cells = done("run", OTHER, "--json").json["sequences"][0]["steps"][1]["cell"]
    assert all(one["set_to"] == cells[one["unit"]] for one in document["effects"])
    trace = tmp_path / "other.npz"
    done("run", OTHER, "-o", trace)
    saved = done("sweep", TEXT, *given, "--from", trace).json
    assert saved["effects"] == document["effects"]


def test_the_mean_is_that_of_the_unit_over_the_text(done):
    given = ("--metric", METRIC, "--over", "l0.c[5:8]@2", "--to", "mean", "--json")
    effects = done("sweep", TEXT, *given).json["effects"]
    steps = done("run", TEXT, "--json").json["sequences"][0]["steps"]
    for one in effects:
        mean = np.mean([step["cell"][one["unit"]] for step in steps])
        assert one["set_to"] == pytest.approx(mean, abs=1e-6)


def test_the_same_as_csv(done):
    given = ("--metric", METRIC, "--over", "l0.c[80:90]@3:")
    effects = done("sweep", TEXT, *given, "--json").json["effects"]
    table = list(csv.DictReader(done("sweep", TEXT, *given, "-f", "csv").lines))
    assert len(table) == 20
    for row, one in zip(table, effects, strict=True):
        assert (row["address"], row["layer"], row["direction"]) == (one["address"], "0", "forward")
        assert (row["quantity"], row["token"]) == ("cell", TEXT.split()[one["step"]])
        for key in ("value", "set_to", "after", "effect"):
            assert float(row[key]) == one[key]


def test_ids_vectors_and_other_directions(done, valid, uneven, bare, deep, tmp_path):
    given = ("-w", uneven, "--metric", "l1.h[0]", "--over", "l1.i", "--json")
    document = valid("sweep", done("sweep", "--ids", "1,2,3", *given).json)
    assert (document["text"], document["ids"]) == (None, [1, 2, 3])
    assert len(document["effects"]) == 6
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(2, 2)))
    given = ("--vectors", tmp_path / "x.npy", "-w", bare, "--metric", "l0.c[1]")
    lines = done("sweep", *given).lines
    assert lines[0] == "2 steps"
    assert rows(lines, "Effect on the metric")[0].split() == ["unit", "0", "1"]
    document = done(
        "sweep", "the cat sat", "-w", deep, "--metric", "p(N)", "--over", "l1.reverse.h", "--json"
    ).json
    # The head reads the last step, at which the reverse direction has only begun.
    assert {one["step"] for one in document["effects"] if one["effect"]} == {2}


def test_a_sweep_may_begin_in_another_state(done, tmp_path):
    given = ("--metric", "l0.c[0]", "-w", "brackets", "--json")
    assert done("sweep", ")", *given).json["before"] == pytest.approx(-1)
    assert done("sweep", ")", *given, "--warm-up", "(((").json["before"] == pytest.approx(2)
    state = tmp_path / "state.safetensors"
    done("run", "((", "-w", "brackets", "--final-state", state)
    assert done("sweep", ")", *given, "--initial-state", state).json["before"] == pytest.approx(1)


def test_small_effects_are_not_rounded_to_nothing(done, tiny):
    lines = done("sweep", "john likes", "-w", tiny, "--metric", "0.00001 * p(black)").lines
    first = rows(lines, "Largest effects")[1].split()[-1]
    assert len(first.lstrip("-0.")) == 3


def test_what_is_no_number_is_shown_as_it_is(done, valid, doomed):
    given = ("--ids", "1,2,0", "-w", doomed, "--allow-nonfinite", "--metric", "logit(0)")
    assert "metric  logit(0) = nan" in done("sweep", *given).lines
    document = valid("sweep", done("sweep", *given, "--json").json)
    assert document["before"] is None


@pytest.mark.parametrize("columns", [40, 80, 160])
def test_as_many_steps_as_fit_are_shown_those_with_the_largest_effects(terminal, columns):
    text = "yesterday the boys who live near the old car in the big city"
    shown = terminal("sweep", text, "--metric", METRIC, "--top", "3", columns=columns)
    assert (shown.code, shown.stderr) == (0, "")
    assert CODES.search(shown.stdout)
    lines = [line.rstrip() for line in CODES.sub("", shown.stdout).splitlines()]
    assert max(cell_len(line) for line in lines) <= columns
    numbers, words, *units = rows(lines, "Effect on the metric (3 of 128 units)")
    steps = [int(step) for step in numbers.split()[1:]]
    assert steps == sorted(steps)
    assert 2 in steps  # boys
    assert words.split()[1:] == [text.split()[step] for step in steps]
    note = "steps, those with the largest effects."
    if columns == 160:
        assert steps == list(range(13))
        assert note not in "\n".join(lines)
    else:
        assert " ".join(units[3:]) == f"{len(steps)} of 13 {note}"
        assert 3 <= len(steps) < 13
    assert all(unit.startswith("l0.c[") for unit in units[:3])


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ((), 2, "--metric: expected what to measure, as 'logit(are) - logit(is)'."),
        (("--metric", "p("), 2, "--metric: at offset 0: expected logit(WORD), p(WORD), log p"),
        (("--metric", "1 + p(qq)"), 3, "--metric: at offset 4: expected a token among the 5000"),
        (("--metric", "p(are)@5"), 3, "--metric: at offset 0: step: expected 0 to 4, found 5."),
        (("--metric", "1", "--over", "l0.tanh_c"), 2, "--over: 'l0.tanh_c': expected one of i, f"),
        (("--metric", "1", "--over", "c"), 2, "--over: address 'c': expected layer.quantity"),
        (("--metric", "1", "--over", "l0.c[128]"), 3, "l0.c[128]: unit: expected 0 to 127, found"),
        (("--metric", "1", "--over", "l0.c@5"), 3, "l0.c@5: step: expected 0 to 4, found 5."),
        (("--metric", "1", "--over", "l1.c"), 3, "l1.c: the model has no such layer and direction"),
        (
            ("--metric", "1", "--to", "much"),
            2,
            "--to: expected zero, mean or a number, found 'much'",
        ),
        (
            ("--metric", "1", "--to", "1", "--from", "a"),
            2,
            "expected one of --to and --from, found",
        ),
        (
            ("--metric", "1", "--from", "the boys"),
            3,
            "expected 5 steps of 128 units from the other",
        ),
        (("--metric", "1", "--from", "a", "--over", "l0.c@4"), 3, "taken from has no such place."),
        (("--metric", "1", "--json", "-f", "csv"), 2, "expected one of --format and --json, found"),
        (("--metric", "1", "-f", "svg"), 2, "expected table, json or csv, found 'svg'."),
        (("--metric", "1", "more"), 3, "input: expected one sequence, found 2."),
    ],
)
def test_what_cannot_be_swept_is_refused(refusal, options, code, message):
    assert message in refusal(code, "sweep", TEXT, *options)


def test_without_a_head_or_a_word_there_is_no_score(refusal, uneven):
    said = refusal(3, "sweep", "--ids", "1", "-w", uneven, "--metric", "p(a)")
    assert said == "the model has no head, which p(a) needs. Measure an address."
    assert "at least one word or vector" in refusal(3, "sweep", "", "--metric", "1")
