"""The table in long form, for spreadsheets and data frames."""

import csv
from io import StringIO

from weights import load

KEYS = ["sequence", "step", "token", "id", "layer", "direction"]


def rows(result):
    return list(csv.DictReader(StringIO(result.stdout)))


def test_each_record_is_a_row_and_each_unit_a_column(done, tiny, same_bits):
    given = ("run", "John likes, tea", "black", "-w", tiny, "-f", "csv", "--show", "cell,forget")
    result = done(*given)
    columns = [f"{name}[{unit}]" for name in ("cell", "forget") for unit in range(5)]
    assert result.lines[0].split(",") == KEYS + columns
    found = rows(result)
    assert [[row[key] for key in KEYS] for row in found] == [
        ["0", "0", "John", "3", "0", "forward"],
        ["0", "1", "likes", "4", "0", "forward"],
        ["0", "2", ",", "0", "0", "forward"],
        ["0", "3", "tea", "0", "0", "forward"],
        ["1", "0", "black", "5", "0", "forward"],
    ]
    trace = load(tiny).run("John likes, tea")
    for name in ("cell", "forget"):
        numbers = [[row[f"{name}[{unit}]"] for unit in range(5)] for row in found[:4]]
        same_bits(numbers, getattr(trace.layers[0].forward, name))


def test_a_layer_s_input_has_columns_of_its_own(done, uneven):
    # D = 4 in layer 0 and 3 in layer 1
    found = rows(done("run", "--ids", "1", "-w", uneven, "-f", "csv", "--show", "layer_input"))
    assert list(found[0])[6:] == [f"layer_input[{unit}]" for unit in range(4)]
    assert [row["layer_input[3]"] == "" for row in found] == [False, True]


def test_vectors_leave_the_columns_of_words_empty(done, uneven):
    (row, *_) = rows(done("run", "--ids", "1", "-w", uneven, "-f", "csv"))
    assert (row["token"], row["id"]) == ("1", "1")


def test_chosen_units_keep_their_numbers(done, tiny):
    header = done("run", "john", "-w", tiny, "-f", "csv", "--units", "3:,0", "--show", "hidden")
    assert header.lines[0].split(",") == [*KEYS, "hidden[0]", "hidden[3]", "hidden[4]"]


def test_a_layer_with_fewer_units_leaves_the_rest_empty(done, uneven):
    found = rows(done("run", "--ids", "1", "-w", uneven, "-f", "csv", "--show", "cell"))
    assert [row["cell[2]"] == "" for row in found] == [False, True]
    assert all(row["cell[1]"] for row in found)


def test_chosen_units_stand_in_their_own_column_in_every_layer(done, uneven):
    whole = rows(done("run", "--ids", "1", "-w", uneven, "-f", "csv", "--show", "cell"))
    cut = rows(
        done("run", "--ids", "1", "-w", uneven, "-f", "csv", "--show", "cell", "--units", "1:")
    )
    for all_of_it, part in zip(whole, cut, strict=True):
        assert part["cell[1]"] == all_of_it["cell[1]"]


def test_what_is_not_finite_is_written_by_name(done, infinite):
    found = rows(
        done(
            "run",
            "up down nil",
            "-w",
            infinite,
            "--allow-nonfinite",
            "-f",
            "csv",
            "--show",
            "pre_candidate",
        )
    )
    assert [row["pre_candidate[0]"] for row in found] == ["inf", "-inf", "nan"]


def test_quotes_and_line_ends_in_words_survive(done):
    found = rows(done("run", 'a"\n,', "-w", "brackets", "-f", "csv"))
    assert [row["token"] for row in found] == ["a", '"', "\n", ","]


def test_a_layer_of_which_no_unit_is_chosen_is_empty(done, uneven):
    # H = 3 in layer 0 and 2 in layer 1
    given = ("--ids", "1", "-w", uneven, "-f", "csv", "--show", "cell,forget", "--units", "2:")
    first, second = done("run", *given).lines[1:]
    assert (first.count(","), second.count(",")) == (7, 7)
    assert second.endswith((",reverse,,", ",forward,,"))


def test_the_word_null_is_a_word(done, tiny):
    (row,) = rows(done("run", "null", "-w", tiny, "-f", "csv"))
    assert row["token"] == "null"
    for name in ("json", "ndjson"):
        text = done("run", "null", "-w", tiny, "-f", name).stdout
        assert '"token":"null"' in text
        assert "nonfinite" not in text
