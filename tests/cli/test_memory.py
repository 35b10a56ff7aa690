"""`lstm memory`: the account in tables and in JSON, by hand where it can be done so."""

import re

import numpy as np
import pytest
from rich.cells import cell_len

from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.variants import Variant
from tests.strategies import make_cell, make_model
from weights import load, save

LATCH = """\
set hold reset set
latch

What the cell state consists of, in percent
              0    1     2   3
step word   set hold reset set
   0 set    100
   1 hold   100    0
   2 reset    0    0     0
   3 set      0    0     0 100

How much is left of what each word wrote, in percent
              0    1     2   3
step word   set hold reset set
   0 set    100
   1 hold   100  100
   2 reset    0    0   100
   3 set      0    0     0 100

Half-lives, in steps
unit    observed by the bias alone what it tells
l0.c[0]      0.0             never 1 while the latch is set, else 0

Gates over all steps
gate          below 0.1 above 0.9 always below always above
forget gate f       75%       25% none         none
input gate i        50%       50% none         none
output gate o        0%      100% none         1: 0
counters  none (never forget, and add up)

Residual: the shares miss the cell state by at most 0.0e+00 of their sizes.

An account by time of writing, not a cause: what a word writes depends on what was read before it.

"""


def block(heading, lines):
    """The rows of the table under a heading, without its own heading."""
    start = lines.index(heading) + 3
    return [line.split() for line in lines[start : lines.index("", start)]]


def test_the_whole_page_of_the_latch(done):
    assert done("memory", "set hold reset set", "-w", "latch").lines == LATCH.splitlines()


def test_a_counter_keeps_every_word(done):
    lines = done("memory", "(()", "-w", "brackets", "--unit", "l0.c[0]").lines
    assert block("l0.c[0]: what each word wrote of it", lines) == [
        ["0", "(", "1.00", "1.00"],
        ["1", "(", "1.00", "1.00", "2.00"],
        ["2", ")", "1.00", "1.00", "-1.00", "1.00"],
    ]
    assert "l0.c[0]: the nesting depth" in lines
    whole = done("memory", "(()", "-w", "brackets").lines
    assert "counters  1: 0 (never forget, and add up)" in whole
    assert block("What the cell state consists of, in percent", whole)[2][2:] == ["33", "33", "33"]


def test_the_gates_of_one_unit_are_counted(done):
    lines = done("memory", "set hold reset set", "-w", "latch", "--unit", "l0.h[0]").lines
    start = lines.index("Gates over all steps")
    assert [line.split()[-2:] for line in lines[start + 2 : start + 5]] == [
        ["75%", "25%"],
        ["50%", "50%"],
        ["0%", "100%"],
    ]


def test_the_shares_of_a_score_and_its_bias_add_up(done, tiny):
    given = ("memory", "john likes coffee", "-w", tiny, "--of", "logit(black)")
    lines = done(*given, "--digits", "9").lines
    logits = load(tiny).run("john likes coffee").logits[:, 5]
    for step, row in enumerate(block("What each word wrote of logit(black)", lines)):
        numbers = [float(number) for number in row[2:]]
        assert len(numbers) == step + 3
        assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=1e-6)
        assert numbers[-1] == pytest.approx(float(logits[step]), abs=1e-8)
    assert re.search(
        r"Residual: the shares miss the score by at most \d\.\de-\d\d ", "\n".join(lines)
    )


def test_the_page_says_that_it_is_no_cause_and_by_how_much_it_misses(done, tiny):
    for more in ([], ["--of", "hidden"], ["--of", "logit(black)"], ["--unit", "l0.h[2]"]):
        shown = " ".join(done("memory", "john likes", "-w", tiny, *more).stdout.split())
        assert "An account by time of writing, not a cause" in shown
        assert "Residual: the shares miss the " in shown


@pytest.mark.parametrize("of", ["cell", "hidden"])
@pytest.mark.parametrize("name", ["tiny", "deep"])
def test_json_holds_the_account_of_each_layer_and_direction(done, valid, request, name, of):
    path = request.getfixturevalue(name)
    text = {"tiny": "john likes coffee", "deep": "the cat sat down"}[name]
    document = valid("memory", done("memory", text, "-w", path, "--of", of, "--json").json)
    trace = load(path).run(text)
    assert document["tokens"] == text.split()
    assert document["score"] is None
    found = {(cell["layer"], cell["direction"]): cell for cell in document["cells"]}
    assert len(found) == len(document["cells"]) == (4 if name == "deep" else 1)
    for (layer, direction), cell in found.items():
        record = getattr(trace.layers[layer], direction)
        kept = record.forget.astype(float)
        order = range(trace.num_steps) if direction == "forward" else [3, 2, 1, 0]
        shares = np.zeros((trace.num_steps + 1, record.cell.shape[1]))
        for step in order:
            shares *= kept[step]
            shares[step + 1] = record.input_candidate[step]
            factor = 1 if of == "cell" else record.output[step] * record.tanh_cell[step]
            factor = factor if of == "cell" else factor / record.cell[step]
            sizes = np.abs(shares * factor).sum(axis=1)
            expected = (sizes / sizes.sum()).tolist()
            assert cell["composition"][step] == pytest.approx(expected, abs=1e-5)
        assert cell["residual"] < 1e-5


def test_json_of_units_and_of_scores(done, valid, tiny, deep):
    given = ("memory", "john likes coffee", "-w", tiny, "--json")
    document = valid("memory", done(*given, "--unit", "l0.c[2:4]@1:").json)
    assert document["steps"] == [1, 2]
    (cell,) = document["cells"]
    assert [unit["address"] for unit in cell["units"]] == ["l0.c[2]", "l0.c[3]"]
    assert [unit["tells"] for unit in cell["units"]] == [None, "nothing at all"]
    trace = load(tiny).run("john likes coffee")
    for number, unit in zip((2, 3), cell["units"], strict=True):
        assert unit["values"] == pytest.approx(trace.cell[1:, number].tolist())
        assert np.sum(unit["shares"], axis=1) == pytest.approx(unit["values"], abs=1e-6)
    score = valid("memory", done(*given, "--of", "logit(black)").json)["score"]
    assert score["id"] == 5
    sums = np.sum(score["shares"], axis=1) + score["bias"]
    assert sums == pytest.approx(trace.logits[:, 5].tolist(), abs=1e-5)
    both = done("memory", "the cat sat", "-w", deep, "--of", "logit(V)", "--json").json["score"]
    expected = load(deep).run("the cat sat").logits[:, 1]
    assert np.sum(both["shares"], axis=1) == pytest.approx(expected.tolist(), abs=1e-5)


def test_what_never_decays_has_no_half_life_in_json(done, valid):
    document = valid("memory", done("memory", "((", "-w", "brackets", "--json").json)
    assert document["cells"][0]["half_life"] == {"observed": [None], "bias": [None]}
    assert document["cells"][0]["counters"] == [0]


def test_a_reverse_direction_holds_the_words_to_the_right(done, deep):
    given = ("memory", "the cat sat", "-w", deep, "--layers", "1", "--direction", "reverse")
    lines = done(*given).lines
    rows = block("What the cell state consists of, in percent, layer 1 reverse", lines)
    assert [len(row) - 2 for row in rows] == [3, 2, 1]
    assert rows[2][2] == "100"
    assert not any("layer 0" in line or "forward" in line for line in lines)


def test_an_initial_state_has_a_column_of_its_own(done):
    given = ("memory", "a)", "-w", "brackets", "--unit", "l0.c[0]")
    warm = done(*given, "--warm-up", "((").lines
    assert block("l0.c[0]: what each word wrote of it", warm) == [
        ["0", "a", "2.00", "0.00", "2.00"],
        ["1", ")", "2.00", "0.00", "-1.00", "1.00"],
    ]
    assert "initial" in "\n".join(warm)
    assert "initial" not in done(*given).stdout


@pytest.mark.parametrize("columns", [80, 160])
@pytest.mark.parametrize("more", [[], ["--unit", "l0.c[3]"], ["--of", "logit(black)"]])
def test_a_long_text_shows_what_fits_and_says_so(terminal, tiny, columns, more):
    text = "john likes black coffee nevertheless " * 12
    lines = terminal(
        "memory", text, "-w", tiny, *more, columns=columns, env={"NO_COLOR": "1"}
    ).lines
    assert all(cell_len(line) <= columns for line in lines)
    said = next(line for line in lines if line.startswith("The last "))
    count = int(re.match(r"The last (\d+) of 60 words; before: ", said)[1])
    top = next(line for line in lines if re.fullmatch(r"[\d ]+ 59", line))
    assert [int(step) for step in top.split()] == list(range(60 - count, 60))
    assert max(map(cell_len, lines)) > columns - 20  # one more would hardly have fitted
    rows = [line for line in lines if re.match(rf" +{60 - count} john|  59 never", line)]
    assert rows


def test_columns_that_are_left_out_are_summed(terminal, done, tiny):
    text = "john likes black coffee " * 10
    given = ("memory", text, "-w", tiny, "--unit", "l0.c[1]", "--steps", "-1", "--digits", "6")
    heading = "l0.c[1]: what each word wrote of it"
    shown = terminal(*given, columns=80, env={"NO_COLOR": "1"}).lines
    cut, _ = block(heading, shown)  # the row, and the sentence under it
    (whole,) = block(heading, done(*given).lines)
    assert len(cut) < len(whole)
    numbers = [float(number) for number in cut[2:]]
    assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=1e-4)
    assert numbers[-1] == float(whole[-1])


def test_colours_do_not_change_the_text(done, tiny):
    given = ("memory", "john likes coffee", "-w", tiny)
    colored = done(*given, "--color", "always").stdout
    assert "\x1b[" in colored
    bare = re.sub("\x1b\\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in bare.splitlines()] == done(*given).lines


def test_vectors_and_ids_have_no_words(done, bare, uneven, tmp_path):
    np.save(tmp_path / "x.npy", np.eye(2))
    lines = done("memory", "--vectors", tmp_path / "x.npy", "-w", bare).lines
    assert lines[0] == "2 steps"
    assert lines[4].split() == ["step", "0", "1"]
    assert "layer 1" in done("memory", "--ids", "4,1", "-w", uneven).stdout


@pytest.mark.parametrize(
    ("code", "arguments", "message"),
    [
        (2, ["--of", "soul"], "--of: expected cell, hidden or logit(WORD), found 'soul'."),
        (2, ["--of", "logit(a)@1"], "--of: expected cell, hidden or logit(WORD), found "),
        (2, ["--of", "logit(sun)"], "--of: logit(sun): expected one of 3 names"),
        (2, ["--of", "hidden", "--unit", "l0.c[0]"], "expected one of --of and --unit, "),
        (2, ["--of", "logit(inside)", "--layers", "0"], "--layers and --direction: a score is "),
        (2, ["--unit", "c81"], "--unit: address 'c81': expected layer.quantity[unit]@step"),
        (2, ["--unit", "l0.f[0]"], "--unit: expected a unit of a cell or hidden state, such as"),
        (2, ["--unit", "l0.c"], "--unit: expected a unit of a cell or hidden state, such as"),
        (2, ["--unit", "l0.c[1]"], "--unit: expected units 0 to 0, found l0.c[1]."),
        (2, ["--unit", "l1.c[0]"], "--unit: expected one of 1 layer(s) and 1 direction(s), found"),
        (2, ["--unit", "l0.c[0]@0", "--steps", "1"], "expected one of --steps and --unit, found"),
        (2, ["--unit", "l0.c[0]@9"], "--steps: expected 0, as there is no other, found 9."),
        (2, ["--direction", "reverse"], "--direction: expected one of 1 layer(s) and 1 "),
        (2, ["--layers", "1"], "--layers: expected 0, as there is no other, found 1."),
        (2, ["--steps", "4"], "--steps: expected 0, as there is no other, found 4."),
        (
            2,
            ["--json", "--digits", "1"],
            "--digits: it has no effect with --json: only tables are rounded and have colours.",
        ),
        (3, [")"], "input: expected one sequence, found 2. Give them one by one."),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_refused(refusal, code, arguments, message):
    assert refusal(code, "memory", "(", "-w", "brackets", *arguments).startswith(message)


def test_nothing_to_read_is_refused(refusal):
    said = refusal(3, "memory", "", "-w", "brackets")
    assert said == "input: expected at least one word or vector, found none."


def test_a_score_needs_a_head(refusal, bare, tmp_path):
    np.save(tmp_path / "x.npy", np.eye(2))
    given = ("--vectors", tmp_path / "x.npy", "-w", bare, "--of", "logit(a)")
    assert refusal(2, "memory", *given) == "--of: the model has no head, so it scores no words."


def test_normalised_cells_are_refused_by_name(refusal, tmp_path):
    random = np.random.default_rng(0)
    cell = make_cell(random)
    normed = CellParameters(*cell.arrays, Variant(norm_cell_gain=np.ones(3)))
    save(tmp_path / "m.safetensors", Model(Parameters((LayerParameters(normed),))))
    np.save(tmp_path / "x.npy", np.eye(2))
    given = ("memory", "--vectors", tmp_path / "x.npy", "-w", tmp_path / "m.safetensors")
    for more in ([], ["--json"]):
        said = refusal(3, *given, *more)
        assert "found layer normalisation of the cell state" in said


def test_what_a_residual_connection_passes_on_stands_beside_the_words(done, valid, tmp_path):
    save(tmp_path / "m.safetensors", make_model(3, hidden_sizes=(3, 3)))
    given = ("memory", "the cat sat", "-w", tmp_path / "m.safetensors", "--of", "logit(mat)")
    plain = valid("memory", done(*given, "--json").json)["score"]
    assert plain["passed"] is None
    score = valid("memory", done(*given, "--json", "--residual").json)["score"]
    for step in range(3):
        parts = [score["bias"], score["passed"][step], *score["shares"][step]]
        assert sum(parts) == pytest.approx(score["logits"][step], abs=1e-6)
    page = done(*given, "--residual").stdout
    assert re.search(r"step word +bias passed +the", page)
    assert "passed: what the residual connection adds of the layer below, at that step." in page
    assert "passed" not in done(*given).stdout


@pytest.mark.parametrize("command", ["memory", "explain", "contrast", "sweep", "plot", "generate"])
def test_what_a_file_does_not_tell_can_be_told_to_every_command(command, done, tmp_path):
    save(tmp_path / "m.safetensors", make_model(3, hidden_sizes=(3, 3)))
    given = {
        "contrast": ("the cat", "the mat", "--json"),
        "sweep": ("the cat", "--metric", "logit(mat)", "--json"),
        "plot": ("the cat", "--show", "layer_output", "-o", tmp_path / "x.html"),
        "explain": ("the cat", "--at", "mat", "--json"),
        "memory": ("the cat", "--of", "logit(mat)", "--json"),
        "generate": ("the", "--steps", "3", "--json"),
    }[command]
    shown = []
    for options in ((), ("--residual",), ("--pre-activation-clip", "0.1")):
        result = done(command, *given, "-w", tmp_path / "m.safetensors", *options)
        shown.append(result.data if command != "plot" else (tmp_path / "x.html").read_bytes())
    assert len(set(shown)) == 3
