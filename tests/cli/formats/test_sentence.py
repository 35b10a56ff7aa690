"""`--color-by`: the sentence itself, coloured by a unit."""

import re

import numpy as np
import pytest
from rich.cells import cell_len

from cli.formats.sentence import BLOCKS, spark
from cli.tables import heat_style
from weights import load

SENTENCE = "the boys near the car"


def section(lines, title):
    start = lines.index(title) + 1
    return lines[start : next(n for n in range(start, len(lines)) if BLOCKS in lines[n]) + 1]


def test_each_word_has_its_number_and_its_block_below(done):
    shown = done("run", SENTENCE, "--color-by", "l0.c[83]", "--digits", "3").lines
    words, blocks, numbers, _, scale = section(shown, "Words, coloured by l0.c[83]")
    values = load().run(SENTENCE).cell[:, 83]
    assert words.split() == SENTENCE.split()
    assert numbers.split() == [f"{value:.3f}" for value in values]
    limit = np.abs(values).max()
    assert [block[0] for block in blocks.split()] == [spark(x, -limit, limit) for x in values]
    assert scale == f"-{limit:.3f} {BLOCKS} {limit:.3f}"
    assert [word.start() for word in re.finditer(r"\S+", words)] == [
        number.start() for number in re.finditer(r"\S+", numbers)
    ]
    assert "Hidden state" not in " ".join(shown)


def test_a_gate_goes_from_zero_to_one_and_a_count_by_hand(done):
    shown = done("run", "((a)", "-w", "brackets", "--color-by", "l0.c[0]", "--color-by", "l0.f[0]")
    *_, numbers, _, scale = section(shown.lines, "Words, coloured by l0.c[0]")
    assert numbers.split() == ["1.00", "2.00", "2.00", "1.00"]
    assert scale == f"-2.00 {BLOCKS} 2.00"
    *_, scale = section(shown.lines, "Words, coloured by l0.f[0]")
    assert scale == f"0.00 {BLOCKS} 1.00"


def test_on_a_terminal_the_words_have_the_colours_of_the_heat_maps_and_fit(terminal):
    env = {"COLORTERM": "truecolor"}
    shown = terminal(
        "run", "(" * 40, "-w", "brackets", "--color-by", "l0.c[0]", columns=50, env=env
    )
    lines = [re.sub("\x1b\\[[0-9;]*m", "", line).rstrip() for line in shown.lines]
    assert max(map(cell_len, lines)) <= 50
    assert sum(line.count("(") for line in lines[2:]) == 40
    _, strongest = heat_style(1.0, 1.0, True).split(" on ")
    red, green, blue = bytes.fromhex(strongest[1:])
    assert f"48;2;{red};{green};{blue}m(" in shown.stdout


def test_other_directions_and_tables_beside_it(done, deep):
    result = done("run", "the cat sat", "-w", deep, "--color-by", "l1.reverse.h[2]",
                  "--show", "forget", "--steps", "1:")  # fmt: skip
    *_, numbers, _, _ = section(result.lines, "Words, coloured by l1.reverse.h[2]")
    values = load(deep).run("the cat sat").layers[1].reverse.hidden[1:, 2]
    assert numbers.split() == [f"{value:.2f}" for value in values]
    assert "Forget gate f, layer 0 forward" in result.lines


def test_what_is_no_number_has_no_block(done, infinite):
    shown = done(
        "run", "up nil", "-w", infinite, "--allow-nonfinite", "--color-by", "l0.c[0]"
    ).lines
    words, blocks, numbers, *_ = section(shown, "Words, coloured by l0.c[0]")
    assert words.split() == ["up", "nil"]
    assert len(blocks.split()) == 1
    assert numbers.split()[1] == "nan"


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("l0.c",), 2, "--color-by: expected one unit, such as l0.c[81], found l0.c."),
        (("l0.c[1]@2",), 2, "--color-by: expected one unit, such as l0.c[81], found l0.c[1]@2."),
        (("l0.c[128]",), 3, "l0.c[128]: unit: expected 0 to 127, found 128."),
        (("l1.c[1]",), 3, "l1.c[1]: the model has no such layer and direction."),
        (("l0.c[1]", "--json"), 2, "--color-by: json has no colours. Leave it out."),
        (("l0.c[1]", "--units", "3"), 2,
         "--units: --color-by shows its own unit alone. Leave it out, or add --show."),
        (("l0.c[1]", "--top-k", "3"), 2,
         "--top-k: with --color-by, a table has no predictions. Leave one out."),
    ],
)  # fmt: skip
def test_what_cannot_be_coloured_is_refused(refusal, options, code, message):
    assert refusal(code, "run", SENTENCE, "--color-by", *options) == message


def test_named_units_have_a_spark_line_over_the_steps(done):
    """As high as the value between minus and plus the largest: eight blocks."""
    page = done("run", "((a))b", "--weights", "brackets").stdout
    assert "l0.c[0]  ▇██▇▅▅  the nesting depth" in page
    few = done("run", "((a))b", "--weights", "brackets", "--steps", "1:4").stdout
    assert "l0.c[0]  ██▇  the nesting depth" in few


def test_a_spark_line_of_many_steps_takes_the_largest_of_as_many_as_go_together(done):
    page = done("run", "(" * 16 + ")" * 16, "--weights", "brackets").stdout
    (line,) = re.findall(r"l0\.c\[0\]  (\S+)  the nesting depth", page)
    depths = [2, 4, 6, 8, 10, 12, 14, 16, 15, 13, 11, 9, 7, 5, 3, 1]
    assert line == "".join("▁▂▃▄▅▆▇█"[min(int((depth + 16) / 4), 7)] for depth in depths)
