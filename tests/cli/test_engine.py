"""`--engine`, `--threads` and `--verbose` through the real command."""

from pathlib import Path

import numpy as np
import pytest

ENGINES = Path(__file__).parents[2] / "lstm" / "engines"
TEXT = "John likes black coffee"


def hidden(done, *options):
    steps = done("run", TEXT, "--json", *options).json["sequences"][0]["steps"]
    return np.array([step["hidden"] for step in steps])


def test_both_engines_give_the_same_numbers_to_the_last_bits(done):
    plain, fast = hidden(done, "--engine", "numpy"), hidden(done, "--engine", "numba")
    np.testing.assert_allclose(fast, plain, atol=2e-6)
    assert np.abs(plain).max() > 0.1


def test_the_number_of_threads_changes_nothing(done):
    one = done("run", TEXT, "--json", "--show", "all", "--engine", "numba", "--threads", "1")
    two = done("run", TEXT, "--json", "--show", "all", "--engine", "numba", "--threads", "2")
    assert one.stdout == two.stdout


def test_where_nothing_can_be_kept_the_kernel_is_compiled_all_the_same(done, tmp_path):
    (tmp_path / "file").write_text("in the way")
    before = sorted(ENGINES.rglob("*.nb?"))
    env = {"XDG_CACHE_HOME": str(tmp_path / "file"), "NUMBA_CACHE_DIR": ""}
    assert done("run", TEXT, "--json", "--engine", "numba", env=env).json["sequences"]
    assert sorted(ENGINES.rglob("*.nb?")) == before  # nor is it left beside the sources
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_text_without_words_has_no_steps_in_either(done):
    plain, fast = (done("run", "", "--json", "--engine", name).json for name in ("numpy", "numba"))
    assert fast["sequences"] == plain["sequences"]
    assert fast["sequences"][0]["steps"] == []


def test_verbose_says_which_engine_was_taken_and_why(lstm):
    said = lstm("run", TEXT, "--verbose", "--engine", "numba").stderr
    assert said == "note: engine numba: asked for.\n"
    said = lstm("run", TEXT, "--verbose").stderr
    assert said.startswith("note: engine numpy: about ")
    assert lstm("run", TEXT).stderr == ""


def test_a_long_file_is_run_by_numba_and_a_pipe_by_numpy(lstm, tmp_path):
    long = tmp_path / "long.txt"
    long.write_text("black coffee " * 20_000)
    chosen = ("run", "--verbose", "--format", "ndjson", "--show", "hidden", "--units", "0")
    lstm("run", TEXT, "--engine", "numba")  # so that the kernel is compiled
    result = lstm(*chosen, "--file", long, "--steps", "-1")
    assert result.stderr.startswith("note: engine numba: about ")
    assert len(result.lines) == 1
    result = lstm(*chosen, "-", stdin="black coffee\n")
    assert result.stderr == (
        "note: engine numpy: the length of the input is not known beforehand.\n"
    )


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--engine", "torch"), 2, "'--engine': expected auto, numpy or numba, found 'torch'."),
        (("--engine", "numpy", "--threads", "2"), 2, "--threads: numpy runs on one."),
        (("--threads", "0"), 2, "--threads"),
        (
            ("--engine", "numba", "--dtype", "float64"),
            3,
            "engine numba: expected a standard cell in float32, found float64.",
        ),
    ],
)
def test_what_cannot_be_is_refused(refusal, options, code, message):
    assert message in refusal(code, "run", TEXT, *options)
