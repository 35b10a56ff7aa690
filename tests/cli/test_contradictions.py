"""Options that contradict each other or have no effect: each such pair is refused by name."""

import pytest

COLORS = "it has no effect with --json: JSON has no colours. Leave one out."
ROUNDED = "it has no effect with --json: only tables are rounded and have colours. Leave one out."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tokens", "("], COLORS),
        (["tour"], COLORS),
        (["models"], COLORS),
        (["inspect", "brackets"], COLORS),
        (["contrast", "(", ")"], COLORS),
        (["compare", "brackets", "brackets", "("], COLORS),
        (["explain", "("], ROUNDED),
        (["memory", "("], ROUNDED),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
@pytest.mark.parametrize("when", ["always", "never", "auto"])
def test_json_has_no_colours_to_choose(refusal, arguments, message, when):
    assert refusal(2, *arguments, "--json", "--color", when) == f"--color: {message}"


@pytest.mark.parametrize("format", ["json", "ndjson", "csv", "npz", "safetensors", "svg", "html"])
def test_only_tables_have_colours_to_choose(refusal, done, tmp_path, format):
    said = refusal(2, "run", "(", "-w", "brackets", "-f", format, "--color", "always")
    assert said == (
        f"--color: it has no effect with the format {format}: its colours do not change. "
        "Leave one out."
    )
    path = tmp_path / "x.txt"  # but a table in a file has
    done("run", "(", "-w", "brackets", "-o", path, "--color", "always")
    assert "\x1b[" in path.read_text("utf-8")


@pytest.mark.parametrize("format", ["json", "csv"])
@pytest.mark.parametrize("option", [["--color", "always"], ["--top", "3"]])
def test_what_holds_all_effects_takes_no_choice_of_them(refusal, format, option):
    given = ("sweep", "((", "-w", "brackets", "--metric", "l0.c[0]", "-f", format, *option)
    assert refusal(2, *given) == (
        f"{option[0]}: it has no effect with the format {format}: it holds all, without colours. "
        "Leave one out."
    )


@pytest.mark.parametrize("option", [["--context", "0"], ["--digits", "0"], ["--color", "never"]])
def test_a_number_of_hits_has_nothing_around_it(refusal, tmp_path, option):
    said = refusal(2, "find", "step = 0", tmp_path, "--count", *option)
    assert said == f"expected one of --count and {option[0]}, found both. Leave one out."


def test_what_is_verified_has_no_colours(refusal):
    said = refusal(2, "inspect", "brackets", "--verify", "--color", "always")
    assert said.startswith("--color: it has no effect with --verify")


@pytest.mark.parametrize(
    "given",
    [
        ["convert", "--residual", "--no-residual", "english", "x.safetensors"],
        ["run", "-w", "brackets", "--weights", "latch", "("],
        ["run", "-wbrackets", "-w", "latch", "("],
        ["run", "-f", "json", "--format=csv", "("],
        ["generate", "--json", "--json"],
        ["tour", "--color", "never", "--color=always"],
    ],
    ids=" ".join,
)
def test_an_option_under_two_names_is_given_twice_too(refusal, given):
    assert "expected once, found twice." in refusal(2, *given)


def test_what_follows_two_dashes_is_no_option(done):
    texts = ("--json", "--json")
    read = done("run", "-w", "brackets", "--json", "--", *texts).json["sequences"]
    assert [sequence["text"] for sequence in read] == [*texts]


@pytest.mark.parametrize("option", ["--ids", "--vectors"])
def test_what_is_no_text_is_not_decoded(refusal, option):
    said = refusal(2, "run", option, "1", "-w", "parity", "--errors", "replace")
    assert said == f"expected one of {option} and --errors, found both. Leave one out."


def test_what_a_trace_has_read_is_not_decoded(refusal, done, tmp_path):
    trace = tmp_path / "x.json"
    done("run", "(", "-w", "brackets", "-o", trace)
    said = refusal(2, "compare", "brackets", trace, "--errors", "replace")
    assert said == (
        "--errors: it has no effect with what the traces have read: no text is decoded. "
        "Leave one out."
    )


def test_parquet_is_not_decoded(refusal, tmp_path):
    given = ("extract", tmp_path / "x.parquet", "--column", "t", "-o", tmp_path / "states")
    said = refusal(2, *given, "--errors", "replace")
    assert said == ("--errors: it has no effect with Parquet: its texts are UTF-8. Leave one out.")


@pytest.mark.parametrize("option", ["--embedding", "--head"])
def test_a_native_file_says_itself_what_is_what(refusal, tmp_path, option):
    said = refusal(3, "convert", "english", tmp_path / "x.safetensors", option, "other")
    assert said == (
        f"english: {option}: it has no effect on the layout native, in which it is named "
        f"{option[2:]}.weight. Leave it out."
    )


def test_an_array_of_two_axes_has_no_order_of_them(refusal, tmp_path):
    (tmp_path / "x.bin").write_bytes(bytes(8))
    given = ("compare", "brackets", tmp_path / "x.bin", "--raw", "hidden", "--shape", "2,1")
    said = refusal(2, *given, "--time-first")
    assert said == (
        "--time-first: it has no effect with --shape 2,1: two axes are always (T, H). "
        "Leave one out."
    )


@pytest.mark.parametrize("number", ["1e39", "nan", "inf", "-1e39"])
def test_a_forget_bias_that_float32_cannot_hold_is_refused(refusal, foreign, number):
    said = refusal(3, "run", "--ids", "0", "-w", foreign, f"--forget-bias={number}")
    assert "--forget-bias: expected a number that float32 holds, found" in said


def test_an_infinite_effect_has_no_warning(lstm):
    times = "9" * 400
    result = lstm("sweep", "((", "-w", "brackets", "--metric", f"l0.c[0]*{times}", "--json")
    assert (result.code, result.stderr) == (0, "")
    assert result.json["effects"][0]["effect"] is None


def test_a_dataset_whose_model_is_not_told_is_refused(refusal, tmp_path):
    (tmp_path / "states").mkdir()
    (tmp_path / "states" / "_manifest.json").write_text('{"schema": "lstm.dataset/1"}')
    (tmp_path / "x.txt").write_text("(\n")
    said = refusal(3, "extract", tmp_path / "x.txt", "-o", tmp_path / "states")
    assert said.endswith("expected model as lstm extract writes it, found nothing.")
