"""One JSON record a line."""

import pytest


def test_each_line_is_a_record_with_its_sequence_in_front(done, valid, tiny):
    given = ("run", "John likes", "tea", "-w", tiny, "--show", "all")
    lines = done(*given, "-f", "ndjson").records
    assert [line["sequence"] for line in lines] == [0, 0, 1]
    assert all(next(iter(valid("record", line))) == "sequence" for line in lines)
    whole = [r for s in done(*given, "--json").json["sequences"] for r in s["steps"]]
    assert [{k: v for k, v in line.items() if k != "sequence"} for line in lines] == whole


def test_empty_lines_are_counted_and_leave_no_record(done):
    lines = done("run", "-w", "brackets", "-f", "ndjson", stdin="(\n\n)\n").records
    assert [line["sequence"] for line in lines] == [0, 2]


def test_what_is_not_finite_is_null_and_listed_with_its_address(done, valid, infinite):
    given = (
        "run",
        "up",
        "nil",
        "-w",
        infinite,
        "--allow-nonfinite",
        "-f",
        "ndjson",
        "--show",
        "pre_candidate",
    )
    first, second = (valid("record", line) for line in done(*given).records)
    assert first["pre_candidate"] == [None]
    assert first["nonfinite"] == [{"address": "l0.z_g[0]@0", "value": "inf"}]
    assert second["nonfinite"] == [{"address": "l0.z_g[0]@0", "value": "nan"}]


def test_addresses_name_the_unit_and_direction_that_were_chosen(done, doomed):
    lines = done(
        "run", "--ids", "1", "-w", doomed, "--allow-nonfinite", "-f", "ndjson", "--units", "1"
    ).records
    assert {entry["address"] for line in lines for entry in line["nonfinite"]} == {
        "l0.h[1]@0", "l0.c[1]@0", "l0.reverse.h[1]@0", "l0.reverse.c[1]@0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("lstm run '((' -w brackets --json | jq '.sequences[0].steps[-1].hidden[0]'", "0.9640276"),
        ("lstm run '((' -w brackets --json | jq -c '.sequences[0].steps[].cell'", "[1.0]\n[2.0]"),
        ("printf '(\\n()\\n' | lstm run -w brackets --format ndjson | "
         "jq -c 'select(.layer==0) | .cell[0]'", "1.0\n1.0\n0.0"),
        ("printf '(' | lstm run - -w brackets -f ndjson | jq -c .token", '"("'),
        ("lstm tokens 'é(' -w brackets --json | "
         "jq -r '.sequences[].tokens[] | select(.known | not) | .text'", "é"),
    ],
)  # fmt: skip
def test_jq_reads_what_a_shell_pipes_into_it(shell, line, expected):
    result = shell(line)
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.rstrip().replace(".0", "") == expected.replace(".0", "")
