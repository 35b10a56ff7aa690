"""`lstm find`: the real command on small datasets."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

from tests.datasets import write_dataset
from weights import load

TEXTS = ("John likes black coffee", "coffee likes john", "black black coffee john likes coffee")
CODES = re.compile("\x1b\\[[0-9;]*m")


@pytest.fixture(scope="module")
def traces(tiny):
    model = load(tiny)
    return [model.run(text) for text in TEXTS]


@pytest.fixture(scope="module")
def states(traces, tmp_path_factory):
    """One layer of five units, in two parts."""
    return write_dataset(tmp_path_factory.mktemp("find") / "states", traces)


@pytest.fixture(scope="module")
def both_ways(deep, tmp_path_factory):
    """Two layers of three units, in two directions."""
    model = load(deep)
    traces = [model.run("the cat sat down here"), model.run("here sat the cat")]
    return write_dataset(tmp_path_factory.mktemp("find") / "deep", traces, ("cell", "hidden"))


def cells(traces, unit):
    """Yield where each step is, its word and its cell state."""
    for sequence, trace in enumerate(traces):
        for step, token in enumerate(trace.tokens):
            yield (sequence, step), token.text, float(trace.cell[step, unit])


def test_hits_are_lines_that_hold_the_words_around_and_the_numbers(done, valid, states, traces):
    middle = float(np.median([value for _, _, value in cells(traces, 3)]))
    records = done("find", f"l0.c[3] > {middle!r}", states, "-f", "ndjson").records
    expected = [(place, word, c) for place, word, c in cells(traces, 3) if c > middle]
    assert [((r["sequence"], r["step"]), r["token"], r["values"]) for r in records] == [
        (place, word, {"l0.c[3]": json.loads(str(np.float32(c)))}) for place, word, c in expected
    ]
    for record in records:
        valid("hit", record)
        words, step = TEXTS[record["sequence"]].split(), record["step"]
        assert record["context"] == {
            "before": words[max(0, step - 4) : step],
            "after": words[step + 1 : step + 5],
        }


def test_the_document_holds_the_same_hits(done, valid, states):
    given = ("find", "token = 'coffee' or l0.f[2] < 0.5", states, "--context", "1")
    document = valid("find", done(*given, "--json").json)
    assert document["hits"] == done(*given, "-f", "ndjson").records
    assert {key: value for key, value in document.items() if key != "hits"} == {
        "schema": "lstm.find/1",
        "dataset": str(states),
        "expression": "token = 'coffee' or l0.f[2] < 0.5",
        "top": None,
        "bottom": None,
    }
    assert done(*given, "--format", "json").json == document
    assert len(done(*given, "--json", "--limit", "2").json["hits"]) == 2


def test_layers_and_directions_of_one_step_are_asked_together(done, both_ways, deep):
    trace = load(deep).run("here sat the cat")
    first, second = (layer.directions for layer in trace.layers)
    records = done("find", "sequence = 1 and l1.reverse.h[2] != l0.c[0] + l1.c[1]", both_ways,
                   "--format", "ndjson").records  # fmt: skip
    assert [record["step"] for record in records] == [0, 1, 2, 3]
    for record in records:
        values = np.array(list(record["values"].values()), np.float32)
        step = record["step"]
        assert list(record["values"]) == ["l1.reverse.h[2]", "l0.c[0]", "l1.c[1]"]
        assert (
            values == [second[1].hidden[step, 2], first[0].cell[step, 0], second[0].cell[step, 1]]
        ).all()


@pytest.mark.parametrize(("option", "sign"), [("--top", -1), ("--bottom", 1)])
def test_a_ranking_names_the_largest_or_the_smallest(done, valid, states, traces, option, sign):
    ranked = sorted(cells(traces, 1), key=lambda one: (sign * one[2], one[0]))
    document = valid("find", done("find", option, "l0.c[1]", "-k", 3, states, "--json").json)
    assert document[option[2:]] == "l0.c[1]"
    assert [(hit["sequence"], hit["step"]) for hit in document["hits"]] == [
        place for place, _, _ in ranked[:3]
    ]
    assert len(done("find", option, "l0.c[1]", states, "-f", "ndjson").records) == 13
    absolute = done("find", f"{option}=abs(l0.c[1])", states, "-f", "ndjson").records
    values = [record["values"]["abs(l0.c[1])"] for record in absolute]
    assert values == sorted(values, reverse=option == "--top")
    assert [abs(record["values"]["l0.c[1]"]) for record in absolute] == values


def test_a_ranking_may_be_among_the_steps_that_fit(done, states):
    given = ("token = 'coffee'", "--top", "l0.h[4]", states, "-f", "ndjson")
    records = done("find", *given).records
    assert [record["token"] for record in records] == ["coffee"] * 4
    values = [record["values"]["l0.h[4]"] for record in records]
    assert values == sorted(values, reverse=True)


def test_how_many_there_are_is_one_number(done, states):
    assert done("find", "token = 'coffee' and step > 0", states, "--count").stdout == "3\n"


def test_nothing_found_is_exit_code_1_as_with_grep(lstm, valid, states):
    for given, expected in (
        ((), "Nothing found.\n"),
        (("--count",), "0\n"),
        (("-f", "ndjson"), ""),
    ):
        result = lstm("find", "token = 'tea'", states, *given)
        assert (result.code, result.stdout, result.stderr) == (1, expected, "")
    result = lstm("find", "token = 'tea'", states, "--json")
    assert result.code == 1
    assert valid("find", result.json)["hits"] == []


def test_what_is_no_number_is_named_in_json(done, infinite, tmp_path):
    trace = load(infinite, allow_nonfinite=True).run("up down nil")
    write_dataset(tmp_path, [trace], ("pre_candidate",), parts=1)
    records = done("find", "not l0.z_g[0] = 0", tmp_path, "-f", "ndjson").records
    assert [record["values"]["l0.z_g[0]"] for record in records] == ["inf", "-inf", "nan"]
    assert "nan" in done("find", "not l0.z_g[0] = 0", tmp_path).stdout


def test_a_table_holds_each_word_between_its_neighbours(done, states, traces):
    lines = done("find", "token = 'likes'", states, "--context", "2").lines
    assert lines == [
        "sequence step      before         after",
        "       0    1        John ‹likes› black coffee",
        "       1    1      coffee ‹likes› john",
        "       2    4 coffee john ‹likes› coffee",
    ]
    value = traces[1].cell[1, 2]
    lines = done("find", "sequence = 1 and step = 1 and l0.c[2] != 9", states, "--context", "0",
                 "--digits", "3").lines  # fmt: skip
    assert lines == ["sequence step         l0.c[2]", f"       1    1 ‹likes› {value:7.3f}"]


def test_a_table_shows_the_first_and_says_so(done, states):
    lines = done("find", "step >= 0", states, "--limit", "2").lines
    assert lines[3:] == ["", "The first 2; --limit N shows more, --format ndjson all."]
    lines = done("find", "--top", "l0.c[0]", states, "--limit", "2").lines
    assert lines[3:] == ["", "The first 2; --limit N shows more."]
    assert len(done("find", "step >= 0", states).lines) == 14


@pytest.mark.parametrize("columns", [80, 160])
def test_a_table_fits_the_terminal(terminal, deep, tmp_path, columns):
    words = " ".join(["the cat sat down here"] * 6)
    write_dataset(tmp_path, [load(deep).run(words)], ("cell", "hidden"))
    cells = [f"l{layer}.{way}" for layer in (0, 1) for way in ("forward", "reverse")]
    asked = [f"{cell}.{symbol}[{unit}]" for cell in cells for symbol in "ch" for unit in range(3)]
    for number in (1, 3, 24):
        condition = " and ".join(f"{one} > -9" for one in asked[:number])
        result = terminal("find", condition, tmp_path, "--context", "30", columns=columns)
        assert (result.code, result.stderr) == (0, "")
        lines = [line.rstrip() for line in CODES.sub("", result.stdout).splitlines()]
        assert max(map(cell_len, lines)) <= columns
        assert "…" in lines[10]
        shown = len(re.findall(r"l\d\.", lines[0]))
        assert 0 < shown <= number
        left_out = f"{number - shown} of {number} values do not fit; --json has all."
        assert (left_out in lines) == (shown < number)
        if number == 1:  # the room that is left goes to the words
            assert max(map(cell_len, lines)) > columns - 10


def test_a_terminal_gets_colours_and_the_same_text(terminal, done, states):
    given = ("find", "l0.c[0] > -9 and l0.c[1] > -9", states)
    shown = terminal(*given, columns=160)
    assert "\x1b[1m‹John›" in shown.stdout
    assert "48;5;" in shown.stdout
    quiet = terminal(*given, columns=160, env={"NO_COLOR": "1"})
    assert "\x1b" not in quiet.stdout
    assert [line.rstrip() for line in CODES.sub("", shown.stdout).splitlines()] == quiet.lines
    assert quiet.lines == done(*given).lines


def test_a_word_cannot_steer_the_terminal_or_the_table(done, tiny, tmp_path):
    text = "john \x1b[31m likes [bold] \u202e coffee"
    write_dataset(tmp_path, [load(tiny).run(text)], ("cell",))
    shown = done("find", "step >= 0", tmp_path).stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b" in shown
    assert "[ bold ]" in shown or "[bold]" in shown


def test_steps_without_words_have_none(done, bare, tmp_path):
    trace = load(bare).run(vectors=np.eye(2))
    write_dataset(tmp_path, [trace], ("cell",), parts=1)
    assert done("find", "step = 0", tmp_path).lines[1] == "       0    0        ‹›"
    hit = done("find", "step = 0", tmp_path, "-f", "ndjson").records[0]
    assert (hit["token"], hit["context"]) == (None, {"before": [], "after": []})


INJECTIONS = (
    "token = 'x') OR (1=1",
    "token = '''; DROP TABLE t; --'",
    "1=1; SELECT * FROM read_text('/etc/passwd')",
    "l0.c[(SELECT 1)] > 0",
    "l0.c[0] > (SELECT 1)",
    "l0.cell FROM read_csv('/etc/passwd') -- [0] > 1",
    "getenv('HOME') = token",
    "step = 0 /* */",
    "$files = token",
    "rank > 0",
    "v0 > 0",
    'l0.c"[0] > 0',
)


@pytest.mark.parametrize("expression", INJECTIONS)
def test_no_text_becomes_a_query(refusal, states, expression):
    assert refusal(2, "find", expression, states).startswith("EXPRESSION: at offset ")
    assert refusal(2, "find", f"--top={expression}", states).startswith("--top: at offset ")


@pytest.mark.parametrize(
    "word", ["' OR 1=1 --", '" OR 1=1 --', "'; DROP TABLE t; --", "$files", "?", "%", "\\' OR 1"]
)
def test_a_word_is_only_a_word(lstm, states, word):
    quote = '"' if "'" in word else "'"
    if quote not in word:
        result = lstm("find", f"token = {quote}{word}{quote}", states, "--count")
        assert (result.code, result.stdout, result.stderr) == (1, "0\n", "")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([""], "EXPRESSION: at offset 0: expected an address such as l0.c[81], a number, step, "
               "sequence, token or abs(...), found the end."),
        (["l0.c[9] > 1"], "EXPRESSION: at offset 0: l0.c[9]: expected unit 0 to 4, found 9. "
                          "{} holds no other."),
        (["step = 1 and l1.c[0] > 1"], "EXPRESSION: at offset 13: l1.c[0]: expected layer 0, "
                                       "found 1. {} holds no other."),
        (["--top", "l0.reverse.c[0]"], "--top: at offset 0: l0.reverse.c[0]: expected direction "
                                       "forward, found reverse. {} holds no other."),
        (["--bottom", "step = 1"], "--bottom: at offset 0: expected a number such as l0.c[81], "
                                   "found a condition."),
        ([], "expected EXPRESSION and DATASET, or --top and DATASET; found {}. "
             "Put quotes around the expression."),
        (["step", "=", "1"], "expected EXPRESSION and DATASET, or --top and DATASET; found step "
                             "and = and 1 and {}. Put quotes around the expression."),
        (["--top", "step", "--bottom", "step"],
         "expected one of --top and --bottom, found both. Leave one out."),
        (["step = 1", "--json", "--format", "ndjson"],
         "expected one of --json and --format, found both. Leave one out."),
        (["step = 1", "--count", "--limit", "3"],
         "expected one of --count and --limit, found both. Leave one out."),
        (["step = 1", "--count", "--json"],
         "expected one of --count and --json, found both. Leave one out."),
        (["step = 1", "--json", "--digits", "3"],
         "--digits: it has no effect with the format json: "
         "only tables are rounded and have colours. Leave one out."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_command_line_is_said(refusal, states, given, expected):
    assert refusal(2, "find", *given, states) == expected.format(states)


def test_a_folder_that_is_no_dataset_is_refused(refusal, tmp_path):
    assert refusal(3, "find", "step = 1", tmp_path) == (
        f"{tmp_path}: expected a folder that lstm extract wrote, found no _manifest.json in it."
    )


def test_a_dataset_that_is_not_finished_is_searched_and_said_to_be(lstm, traces, tmp_path):
    write_dataset(tmp_path, traces, ("cell",), finished=False)
    result = lstm("find", "token = 'john'", tmp_path, "--count")
    assert (result.code, result.stdout) == (0, "2\n")
    assert result.stderr == (
        f"note: {tmp_path}: lstm extract has not finished it; what is there is searched.\n"
    )


def test_the_first_hits_come_before_the_last_are_found(start, tiny, tmp_path):
    model = load(tiny)
    traces = [model.run("john likes coffee")] * 3000
    write_dataset(tmp_path, traces, ("cell",), parts=1)
    with start("find", "step >= 0", tmp_path, "-f", "ndjson") as process:
        line = process.stdout.readline()
        process.stdout.close()  # as head -1 does
        assert json.loads(line)["token"] == "john"
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == b""


def reads(process, file):
    """Whether a process has opened a file."""
    opened = Path(f"/proc/{process}/fd").iterdir()
    return file.resolve() in [one.resolve() for one in opened]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no list of open files")
@pytest.mark.parametrize("given", [["--top", "l0.c[3] * 2"], ["l0.c[0] > 9", "--count"]])
def test_an_interruption_is_130(start, wide, tmp_path, given):
    model = load(wide)
    vectors = np.random.default_rng(5).normal(size=(50_000, 2))
    write_dataset(tmp_path, [model.run(vectors=vectors)], ("cell",), parts=1)
    part = tmp_path / "part-00000.parquet"
    for number in range(1, 400):
        (tmp_path / f"part-{number:05}.parquet").symlink_to(part)
    with start("find", *given, tmp_path) as process:
        while process.poll() is None and not reads(process.pid, part):
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in said


def test_without_duckdb_the_extra_is_named(refusal, states, tmp_path):
    (tmp_path / "duckdb.py").write_text("raise ImportError")
    assert refusal(3, "find", "step = 1", states, env={"PYTHONPATH": str(tmp_path)}) == (
        "lstm find needs the package duckdb, which is not installed. "
        "Install the extra: pip install 'lstm-cli[find]'."
    )


def test_other_commands_start_without_duckdb(elsewhere):
    code = "import sys, cli.find, weights.search.hits; print('duckdb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
