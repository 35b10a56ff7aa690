"""What a terminal shows: heat maps that fit, a footer, colours."""

import re

import numpy as np
import pytest
from rich.cells import cell_len

from weights import load

CODES = re.compile("\x1b\\[[0-9;]*m")


def plain(result):
    return [line.rstrip() for line in CODES.sub("", result.stdout).splitlines()]


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    path = tmp_path_factory.mktemp("vectors") / "x.npy"
    np.save(path, np.random.default_rng(8).normal(size=(3, 2)))
    return path


def test_nothing_given_shows_the_help_of_each_command_that_reads(terminal, done):
    for command in ("run", "explain", "memory", "sweep", "tokens"):
        shown = terminal(command)
        assert (shown.code, shown.stderr) == (0, "")
        assert shown.lines == done(command, "--help").lines


@pytest.mark.parametrize("columns", [40, 80, 160])
def test_as_many_units_as_fit_are_shown_those_with_the_largest_cell_state(
    terminal, wide, vectors, columns
):
    shown = terminal("run", "--vectors", vectors, "-w", wide, columns=columns)
    assert (shown.code, shown.stderr) == (0, "")
    lines = plain(shown)
    assert max(cell_len(line) for line in lines) <= columns
    heading = next(n for n, line in enumerate(lines) if line.startswith("Cell state c"))
    header = lines[heading + 1].split()
    units = [int(unit) for unit in header[1:]]
    cell = load(wide).run(vectors=np.load(vectors)).cell
    largest = np.argsort(-np.abs(cell).max(axis=0), kind="stable")[: len(units)]
    assert units == sorted(largest)
    assert 0 < len(units) < 40
    assert lines[heading] == f"Cell state c ({len(units)} of 40)"
    assert "The units shown have the largest |c|" in " ".join(lines)
    # one more column would not have fitted
    assert max(cell_len(line) for line in lines[: lines.index("What the gates did")]) > columns - 8


def test_more_columns_show_more_units(terminal, wide, vectors):
    def units(columns):
        lines = plain(terminal("run", "--vectors", vectors, "-w", wide, columns=columns))
        heading = next(n for n, line in enumerate(lines) if line.startswith("Hidden state h"))
        return len(lines[heading + 1].split()) - 1

    assert units(60) < units(120)


@pytest.mark.parametrize("columns", [80, 160])
@pytest.mark.parametrize("case", ["tiny", "deep", "brackets", "chosen"])
def test_no_line_is_wider_than_the_terminal(terminal, request, vectors, columns, case):
    name = "wide" if case == "chosen" else case
    weights = name if name == "brackets" else request.getfixturevalue(name)
    given = {
        "tiny": ["John hates \u6f22\u5b57\u6f22\u5b57\u6f22\u5b57 an-unbelievably-long-word" * 3],
        "deep": ["the cat sat down here", "--show", "all"],
        "brackets": ["(" * 30],
        "chosen": ["--vectors", vectors, "--units", "0:30", "--digits", "9"],
    }[case]
    result = terminal("run", *given, "-w", weights, columns=columns)
    assert result.code == 0
    too_wide = [line for line in plain(result) if cell_len(line) > columns]
    if case == "chosen":  # what was asked for is shown, and the terminal wraps it
        assert all("0.000000000" not in line for line in too_wide)
    else:
        assert too_wide == []


@pytest.mark.parametrize("arguments", [["models"], ["inspect", "english", "--stats"],
                                       ["tokens", "John likes naïve coffee"]])  # fmt: skip
def test_the_other_commands_fit_too(terminal, arguments):
    result = terminal(*arguments, columns=80)
    assert (result.code, result.stderr) == (0, "")
    assert all(cell_len(line) <= 80 for line in plain(result))


def test_a_terminal_gets_colours_unless_told_otherwise(terminal, tiny):
    given = ("run", "John likes", "-w", tiny)
    shown = terminal(*given)
    assert "\x1b[" in shown.stdout
    background = re.findall("\x1b\\[[0-9;]*48;5;[0-9]+[0-9;]*m", shown.stdout)
    assert len(background) > 10
    for quiet in (terminal(*given, env={"NO_COLOR": "1"}), terminal(*given, "--color", "never")):
        assert "\x1b" not in quiet.stdout
        assert plain(quiet) == plain(shown)
    assert terminal(*given, "--color", "auto").data == shown.data
    assert terminal(*given, "--color", "always", env={"NO_COLOR": "1"}).data == shown.data
    deep = terminal(*given, env={"COLORTERM": "truecolor"}).stdout
    assert "48;2;" in deep
    assert CODES.sub("", deep) == CODES.sub("", shown.stdout)


def test_an_empty_no_color_is_none(terminal):
    # https://no-color.org: "when present and not an empty string"
    given = ("run", "((", "-w", "brackets")
    assert terminal(*given, env={"NO_COLOR": ""}).data == terminal(*given).data


def test_negative_and_positive_values_have_other_colours_and_zero_has_none(terminal):
    shown = terminal("run", "()))a", "-w", "brackets", "--show", "cell").stdout
    rows = [line for line in shown.splitlines() if re.search(r"-?\d\.\d\d", line)]
    colors = [re.findall(r"48;5;(\d+)", row) for row in rows]
    one, zero, minus, more, same = colors  # c is 1, 0, -1, -2, -2
    assert zero == []
    assert len({*one, *minus, *more}) == 3
    assert more == same


@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_a_binary_format_on_a_terminal_is_refused(terminal, format):
    result = terminal("run", "(", "-w", "brackets", "-f", format)
    assert (result.code, result.data) == (2, b"")
    assert result.stderr == (
        f"error: --format {format}: a terminal cannot show it. Name a file with --output.\n"
    )


def test_text_formats_are_the_same_on_a_terminal(terminal, done):
    for format in ("json", "ndjson", "csv"):
        given = ("run", "(a", "-w", "brackets", "-f", format)
        assert terminal(*given).data == done(*given).data


def test_a_file_gets_plain_tables_from_a_terminal(terminal, done, tmp_path):
    path = tmp_path / "x.txt"
    assert terminal("run", "(a", "-w", "brackets", "-o", path).data == b""
    assert path.read_bytes() == done("run", "(a", "-w", "brackets").data


def test_the_two_streams_are_apart(terminal, foreign):
    result = terminal("run", "--ids", "0", "-w", foreign)
    assert result.code == 0
    assert result.stderr.startswith("note: assumed: ")
    assert "note:" not in result.stdout
