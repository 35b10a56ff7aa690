"""The plain tables on a pipe: whole, without colours, every word and number as it is."""

import re

import numpy as np

from tests.weights.builders import GOLDEN
from weights import load

BRACKETS = """\
(a)
brackets: 1 layer of 1 unit

Hidden state h
step word     0
   0 (     0.76
   1 a     0.76
   2 )     0.00

Cell state c
step word     0
   0 (     1.00
   1 a     1.00
   2 )     0.00

What the gates did
step word  forgot kept remembered wrote revealed showed
   0 (         0%    1       100%     1     100%      1
   1 a         0%    1       100%     1     100%      1
   2 )         0%    1       100%     1     100%      1

Labels
step word label
   0 (    inside 100%  outside <1%  unbalanced <1%
   1 a    inside 100%  outside <1%  unbalanced <1%
   2 )    outside 99%  inside 1%  unbalanced 1%

Named units
step word  l0.c[0]
   0 (        1.00
   1 a        1.00
   2 )        0.00

l0.c[0]  ██▅  the nesting depth
"""


def numbers_under(heading, lines):
    """The cells of the table under a heading, row by row, without its own heading."""
    start = lines.index(heading) + 2
    end = lines.index("", start)
    return [line.split() for line in lines[start:end]]


def test_the_whole_table_of_brackets(done):
    lines = done("run", "(a)", "-w", "brackets").lines
    expected = BRACKETS.splitlines()
    assert lines[: len(expected)] == expected
    explained = " ".join(lines[len(expected) :])
    assert "forgot: 1 - forget gate" in explained
    assert "remembered: input gate" in explained
    assert "revealed: output gate" in explained


def test_every_unit_is_there_however_many(done, wide, tmp_path):
    import numpy as np

    x = np.random.default_rng(8).normal(size=(3, 2))
    np.save(tmp_path / "x.npy", x)
    given = ("run", "--vectors", tmp_path / "x.npy", "-w", wide, "--digits", "6")
    lines = done(*given, env={"COLUMNS": "30"}).lines
    trace = load(wide).run(vectors=x)
    for heading, array in (("Hidden state h", trace.hidden), ("Cell state c", trace.cell)):
        rows = numbers_under(heading, lines)
        assert [row[0] for row in rows] == ["0", "1", "2"]
        assert [[float(number) for number in row[1:]] for row in rows] == [
            [round(number, 6) + 0.0 for number in row] for row in array.astype(float).tolist()
        ]
    assert lines == done(*given, env={"COLUMNS": "300"}).lines


def test_chosen_units_stand_under_their_numbers(done, tiny):
    lines = done("run", "john", "-w", tiny, "--units", "4,0:2", "--show", "cell").lines
    heading = lines.index("Cell state c (3 of 5)")
    assert lines[heading + 1].split() == ["step", "word", "0", "1", "4"]
    assert "largest |c|" not in " ".join(lines)


def test_chosen_quantities_layers_and_steps_leave_the_summary_out(done, deep):
    given = ("--show", "forget", "--layers", "1", "--steps", "1:")
    lines = done("run", "the cat sat", "-w", deep, *given).lines
    assert "Forget gate f, layer 1 forward" in lines
    assert "Forget gate f, layer 1 reverse" in lines
    assert not any("layer 0" in line for line in lines)
    assert "What the gates did" not in "\n".join(lines)
    rows = numbers_under("Forget gate f, layer 1 forward", lines)
    assert [row[:2] for row in rows] == [["1", "cat"], ["2", "sat"]]


def test_gates_are_told_in_plain_words(done, tiny):
    lines = done("run", "John likes", "-w", tiny).lines
    trace = load(tiny).run("John likes").layers[0].forward
    for step, row in enumerate(numbers_under("What the gates did", lines)):
        gates = (1 - trace.forget[step], trace.input[step], trace.output[step])
        opened = (trace.forget[step], trace.input[step], trace.output[step])
        expected = [
            text
            for share, gate in zip(gates, opened, strict=True)
            for text in (f"{share.mean():.0%}", str(int((gate > 0.5).sum())))
        ]
        assert row[-6:] == expected


def test_next_words_and_surprisal_stand_beside_each_word(done, tiny):
    lines = done("run", "John likes", "-w", tiny, "--top-k", "2").lines
    forecast = load(tiny).run("John likes").forecast(2)
    first, second = numbers_under("What comes next", lines)
    for row, best in zip((first, second), forecast.predictions, strict=True):
        shown = " ".join(row)
        assert shown.endswith(" ".join(f"{b.name} {b.probability:.0%}" for b in best))
    assert first[3] == "-"
    assert second[2:4] == [f"{forecast.surprisal[1]:.1f}", "bits"]


def test_named_units_stand_with_what_they_tell(done, tiny):
    lines = done("run", "john", "-w", tiny).lines
    (line,) = (line for line in lines if line.endswith("nothing at all"))
    assert re.fullmatch(r"l0\.c\[3\]  [▁█]  AUC 0\.51  nothing at all", line)
    value = load(tiny).run("john").cell[0, 3]
    assert numbers_under("Named units", [*lines, ""])[0][2] == f"{value:.2f}"


def test_named_units_of_layers_and_steps_that_are_left_out_are_left_out(done, tiny):
    lines = done("run", "john likes", "-w", tiny, "--steps", "1").lines
    for heading in ("What the gates did", "What comes next", "Named units"):
        assert numbers_under(heading, [*lines, ""])[0][:2] == ["1", "likes"]


def test_no_escape_code_is_written_unless_asked_for(done, tiny):
    given = ("run", "John likes tea", "-w", tiny)
    plain = done(*given)
    assert "\x1b" not in plain.stdout
    forced = {"FORCE_COLOR": "1", "GITHUB_ACTIONS": "true", "TERM": "xterm", "CLICOLOR_FORCE": "1"}
    assert done(*given, env=forced).data == plain.data
    colored = done(*given, "--color", "always")
    assert "\x1b[" in colored.stdout
    shown = re.sub("\x1b\\[[0-9;]*m", "", colored.stdout)
    assert [line.rstrip() for line in shown.splitlines()] == plain.lines
    assert done(*given, "--color", "always", env={"NO_COLOR": "1"}).data == colored.data
    assert done(*given, "--color", "never").data == plain.data


def test_words_cannot_steer_the_terminal_or_break_the_table(done, valid):
    text = "\x1b[31m\u202e[red](\t\n[/]"
    result = done("run", text, "-w", "brackets")
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "\\x1b" in result.stdout
    assert "\\u202e" in result.stdout
    rows = numbers_under("Hidden state h", result.lines)
    assert [row[0] for row in rows] == [str(n) for n in range(len(text))]


def test_a_text_without_words_says_so(done):
    assert "No steps to show." in done("run", "", "-w", "brackets").stdout


def test_ids_and_vectors_have_tables_too(done, uneven, bare, tmp_path):
    import numpy as np

    assert "4 " in done("run", "--ids", "4", "-w", uneven).stdout
    np.save(tmp_path / "x.npy", np.eye(2))
    lines = done("run", "--vectors", tmp_path / "x.npy", "-w", bare).lines
    assert lines[0] == "2 steps"
    assert lines[lines.index("Cell state c") + 1].split() == ["step", "0", "1", "2"]


def test_what_is_not_finite_is_shown_by_name_without_warnings(done, infinite, doomed):
    rows = numbers_under(
        "Candidate, pre-activation z_g",
        done(
            "run", "up down nil", "-w", infinite, "--allow-nonfinite", "--show", "pre_candidate"
        ).lines,
    )
    assert [row[2] for row in rows] == ["inf", "-inf", "nan"]
    assert "nan" in done("run", "--ids", "0", "-w", doomed, "--allow-nonfinite").stdout


def test_what_is_not_finite_has_no_share_and_no_count_and_is_told_with_its_place(
    done, tmp_path, bare, doomed
):
    path = tmp_path / "x.npy"
    np.save(path, np.array([[1, 2], [np.nan, 1], [1, 0]]))
    shown = done("run", "--vectors", path, "-w", bare)
    gates = shown.lines.index("What the gates did") + 2
    assert [line.split() for line in shown.lines[gates + 1 : gates + 3]] == [
        ["1", *"------"], ["2", *"------"],
    ]  # fmt: skip
    assert "-" not in shown.lines[gates]
    # A step has 2 inputs and 14 quantities of 3 units; the input at step 2 is finite.
    assert shown.lines[-2] == (
        "85 of the 132 numbers of this run are not finite; the first is l0.x[0]@1: nan."
    )
    doomed_shown = done("run", "--ids", "0,1", "-w", doomed, "--allow-nonfinite").lines
    next_words = doomed_shown.index("What comes next") + 2
    assert [line.split() for line in doomed_shown[next_words : next_words + 2]] == [
        ["0", "0", "-"], ["1", "1", "-"],
    ]  # fmt: skip
    assert "not finite" not in done("run", "(a)", "-w", "brackets").stdout


def test_what_a_layer_hands_on_is_not_shown_twice(done, deep):
    page = done("run", "the cat", "-w", deep, "--show", "hidden,layer_output").stdout
    assert page.count("The hidden state, as no residual connection adds to it.") == 4
    alone = done("run", "the cat", "-w", deep, "--show", "layer_output").stdout
    assert "no residual" not in alone
    added = done("run", "((", "-w", "brackets", "--show", "all", "--json").json
    first = added["sequences"][0]["steps"][0]
    assert first["layer_output"] == first["hidden"]


def test_a_projected_hidden_state_has_columns_of_its_own(done, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((2, 4), "f"))
    given = ("--vectors", tmp_path / "x.npy", "-w", GOLDEN / "pytorch_projection.safetensors")
    shown = done("run", *given, "--layers", "0", "--show", "hidden,cell").lines
    headings = [n for n, line in enumerate(shown) if line.endswith("layer 0 forward")]
    assert [shown[n + 1].split() for n in headings] == [["step", "0", "1"], ["step", "0", "1", "2"]]
    numbers = done("run", *given, "--json").json["sequences"][0]["steps"][0]["hidden"]
    assert shown[headings[0] + 2].split()[1:] == [f"{x:.2f}" for x in numbers]


def test_a_long_word_takes_more_lines_and_no_number_is_cut(terminal):
    text = "the internationalizationalist boys"
    lines = terminal("run", text, columns=80, env={"NO_COLOR": "1"}).lines
    start = lines.index("What the gates did") + 1
    table = lines[start : lines.index("", start)]
    assert table[0].split()[-1] == "showed"
    assert [line.split()[0] for line in table if line.split()[0].isdigit()] == ["0", "1", "2"]
    numbered = [line for line in table[1:] if line.split()[0].isdigit()]
    assert all(line.split()[-1].isdigit() for line in numbered)
