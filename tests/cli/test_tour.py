"""`lstm tour`: every number is the one that the other commands give."""

import pytest

PLURAL = "the boys near the car"


@pytest.fixture(scope="module")
def chapters(done, valid):
    document = valid("tour", done("tour", "--json").json)
    assert [one["chapter"] for one in document["chapters"]] == [1, 2, 3, 4, 5, 6]
    return document["chapters"]


def cells(done, text, unit, *options):
    document = done("run", text, "--json", "--units", unit, "--show", "cell", *options).json
    return [step["cell"][0] for step in document["sequences"][0]["steps"]]


def test_the_gates_are_those_of_run(done, chapters):
    run = done("run", "John likes black coffee", "--json", "--show", "forget,input,output").json
    for row, step in zip(chapters[0]["rows"], run["sequences"][0]["steps"], strict=True):
        means = [sum(step[gate]) / 128 for gate in ("forget", "input", "output")]
        assert row[0] == step["token"]
        assert row[1:4] == pytest.approx([1 - means[0], *means[1:]], abs=1e-6)


def test_the_cells_are_those_of_run(done, chapters):
    for address, _, one, value, other, there in chapters[1]["rows"]:
        unit = address.removeprefix("l0.c[").removesuffix("]")
        assert value == pytest.approx(cells(done, one, unit)[-1], abs=1e-6)
        assert there == pytest.approx(cells(done, other, unit)[-1], abs=1e-6)
        assert abs(value - there) > 0.5
    assert [row[1] for row in chapters[2]["rows"]] == pytest.approx(cells(done, PLURAL, 83))


def test_the_number_survives_the_distractor(chapters):
    assert all(row[1] > 0 > row[3] for row in chapters[2]["rows"][1:])


def test_a_clamped_cell_or_gate_flips_the_verb_and_a_memory_lost_once_is_written_again(
    done, chapters
):
    rows = chapters[3]["rows"]
    verbs = [row[2].split()[0] for row in rows]
    assert (verbs[:3], verbs[3] in ("likes", "wants")) == (["want", "wants", "want"], True)
    for what, value, _ in rows[2:]:
        change = what.split(",")[0]
        assert value == pytest.approx(cells(done, PLURAL, 83, "--set", change)[-1], abs=1e-6)
    forgotten = cells(done, PLURAL, 83, "--set", "l0.f[83]@2:=0")
    assert 0 < forgotten[2] < forgotten[3]


def test_the_shares_add_up_to_the_cell(done, chapters):
    total = sum(row[3] for row in chapters[4]["rows"])
    assert total == pytest.approx(cells(done, PLURAL, 83)[-1], abs=1e-6)


def test_the_brackets_are_counted(chapters):
    assert [(row[0], round(row[-1])) for row in chapters[5]["rows"]] == [
        ("(", 1), ("(", 2), ("a", 2), (")", 1), (")", 0), ("b", 0)
    ]  # fmt: skip


def test_one_chapter_can_be_chosen(done, refusal):
    assert done("tour", 6).stdout.startswith("6  Done in the head\n")
    assert done("tour").stdout.endswith(done("tour", 6).stdout)
    assert "expected 1 to 6, found 7." in refusal(2, "tour", 7)


@pytest.mark.parametrize("columns", [80, 160])
def test_it_fits_a_terminal(terminal, columns):
    lines = terminal("tour", "--color", "never", columns=columns).stdout.splitlines()
    assert max(map(len, lines)) <= min(columns, 100)
