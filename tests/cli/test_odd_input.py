"""Odd texts and arrays, each by its name: what comes of them in every command that reads."""

import gzip
import re
import resource

import numpy as np
import pytest

from cli.formats.registry import FORMATS
from weights.containers.safetensors import archive_bytes
from weights.vectors import read_vectors

LINE = 10_000_000  # bytes of the longest line
READS = (
    ("run",),
    ("tokens",),
    ("explain", "--steps", "0"),
    ("memory",),
    ("sweep", "--metric", "l0.c[0]"),
    ("golden", "--format", "json"),
)
ONE_TEXT = READS[2:]


def command(name, *arguments):
    """A command of READS, on the model of brackets."""
    return [name[0], *arguments, *name[1:], "-w", "brackets"]


@pytest.mark.parametrize("name", ONE_TEXT[:-1], ids=lambda name: name[0])
def test_an_empty_text_has_nothing_to_look_at(refusal, name):
    said = "input: expected at least one word or vector, found none."
    assert refusal(3, *command(name, "")) == said


def test_an_empty_text_is_a_sequence_without_steps(done):
    assert done("run", "", "-w", "brackets", "-f", "csv").lines == [
        "sequence,step,token,id,layer,direction,hidden[0],cell[0]"
    ]
    assert done("tokens", "", "-w", "brackets", "--json").json["sequences"] == [
        {"text": "", "tokens": []}
    ]
    assert "No steps to show." in done("run", "", "-w", "brackets").stdout


@pytest.mark.parametrize("ending", [each.suffixes[0] for each in FORMATS])
@pytest.mark.parametrize("weights", ["brackets", "english"])
def test_an_empty_text_is_written_in_every_format(done, tmp_path, weights, ending):
    path = tmp_path / f"empty{ending}"
    done("run", "", "-w", weights, "-o", path)
    assert path.exists()


def test_two_empty_texts_are_not_contrasted(lstm):
    result = lstm("contrast", "", "", "-w", "brackets")
    assert (result.code, result.data) == (3, b"")


@pytest.mark.parametrize("name", READS, ids=lambda name: name[0])
def test_a_text_of_one_word_is_read(done, name):
    assert "(" in done(*command(name, "(")).stdout


@pytest.mark.parametrize("content", [b"(", b"(\n", b"(\r\n", b"\xef\xbb\xbf(\r\n"])
@pytest.mark.parametrize("name", READS[:2], ids=lambda name: name[0])
def test_line_ends_are_no_words(done, tmp_path, name, content):
    path = tmp_path / "line.txt"
    path.write_bytes(content)
    found = done(*command(name, "--file", path), "--json").json["sequences"]
    assert [sequence["text"] for sequence in found] == ["("]


def test_a_nul_byte_is_a_word_that_nobody_knows(done, tmp_path):
    path = tmp_path / "nul.txt"
    path.write_bytes(b"(\x00)\n")
    (found,) = done("tokens", "--file", path, "-w", "english", "--json").json["sequences"]
    assert [(token["text"], token["known"]) for token in found["tokens"]] == [
        ("(", True), ("\x00", False), (")", True)
    ]  # fmt: skip
    assert "\\x00" in done("tokens", "--file", path, "-w", "english").stdout


@pytest.mark.parametrize("name", READS[:5], ids=lambda name: name[0])
def test_a_byte_that_is_no_utf8_is_named_or_replaced(refusal, done, tmp_path, name):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"(a\xe9)\n")
    said = refusal(3, *command(name, "--file", path))
    assert said == (
        f"{path}: line 1: expected UTF-8 text, found the byte at offset 2. Save it as UTF-8, or "
        "add --errors replace."
    )
    read = done(*command(name, "--file", path, "--errors", "replace"), "--json")
    assert "\ufffd" in read.stdout


def test_a_text_on_the_command_line_is_decoded_as_it_is_asked_for(done, refusal):
    given = ("tokens", "(\udcff", "-w", "brackets", "--json")
    assert refusal(2, *given).startswith("TEXT: expected UTF-8 text")
    read = done(*given, "--errors", "replace").json["sequences"][0]["text"]
    assert read == "(\ufffd"


@pytest.mark.parametrize("ending", ["txt", "jsonl"])
def test_a_corpus_that_is_no_utf8_is_named_or_replaced(refusal, lstm, tmp_path, ending):
    path = tmp_path / f"corpus.{ending}"
    path.write_bytes(b"(\n(\xff\n" if ending == "txt" else b'{"t": "("}\n{"t": "(\xff"}\n')
    more = () if ending == "txt" else ("--field", "t")
    given = ("extract", path, "-w", "brackets", "-o", tmp_path / "states", *more)
    assert f"{path}: line 2: expected UTF-8 text, found the byte at offset" in refusal(3, *given)
    result = lstm(*given, "--errors", "replace", "--json")
    assert (result.code, result.json["tokens"]) == (0, 3)
    # Another way to read is another dataset.
    again = lstm(*given, "--errors", "strict")
    assert again.code == 3


def test_words_that_are_all_unknown_are_run_as_such(done, tiny):
    shown = done("run", "zzz qqq", "-w", tiny).stdout
    assert "2 of 2 words unknown: zzz, qqq." in shown
    assert "zzz (<unk>)" in shown


@pytest.mark.parametrize("columns", [80, 160])
@pytest.mark.parametrize("name", [("run", "--show", "cell"), ("tokens",)], ids=["run", "tokens"])
def test_wide_narrow_and_joined_characters_keep_the_columns(terminal, name, columns):
    words = ("日本語", "שלום", "नमस्ते", "👩\u200d👧", "e\u0301", "🏽", "\u202ex", "the")
    result = terminal(name[0], " ".join(words), *name[1:], "--color", "never", columns=columns)
    assert result.code == 0
    rows = [line for line in result.stdout.splitlines() if re.match(r" +\d+ ", line)]
    assert len(rows) >= len(words)
    assert "\u202e" not in result.stdout
    # A mark alone would stand on the blank before it, and move all that follows.
    assert any("\\U0001f3fd" in row for row in rows)
    assert all(_columns(row) <= columns for row in rows)
    if name[0] == "run":
        assert len({_columns(row) for row in rows}) == 1


def _columns(text):
    from rich.cells import cell_len

    return cell_len(text)


@pytest.mark.parametrize("name", READS[:5], ids=lambda name: name[0])
def test_a_line_of_100_megabytes_is_refused_without_being_read(lstm, tmp_path, name):
    path = tmp_path / "line.txt"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(b"( a ) " * 166_667)
    result = lstm(*command(name, "--file", path), preexec_fn=_with_a_gigabyte)
    assert result.code == 3
    assert result.stderr == (
        f"error: {path}: line 1: expected at most {LINE:,} bytes in a line, which is one sequence, "
        "found more. Cut it into several.\n"
    )


def _with_a_gigabyte():
    resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**30))


@pytest.mark.parametrize("place", ["/dev/zero", "bomb.gz"])
def test_a_line_without_an_end_does_not_fill_the_memory(lstm, tmp_path, place):
    if place == "bomb.gz":
        with gzip.open(tmp_path / place, "wb", compresslevel=1) as file:
            for _ in range(200):
                file.write(bytes(1_000_000))
        place = tmp_path / place
    given = ("extract", place, "-o", tmp_path / "states", "-w", "brackets")
    result = lstm(*given, preexec_fn=_with_a_gigabyte)
    assert result.code == 3
    assert "line 1: expected at most 10,000,000 bytes in a line" in result.stderr


MILLION = 1_000_000


@pytest.fixture(scope="module")
def million(tmp_path_factory):
    """A million words of one line."""
    path = tmp_path_factory.mktemp("million") / "words.txt"
    path.write_text("set hold reset any " * (MILLION // 4) + "\n")
    return path


@pytest.mark.parametrize("format", ["safetensors", "npz"])
def test_a_million_words_are_run_within_two_gigabytes(lstm, million, tmp_path, format):
    path = tmp_path / f"x.{format}"
    given = ("run", "--file", million, "-w", "latch", "--show", "cell", "-o", path)
    result = lstm(*given, preexec_fn=_with_two_gigabytes)
    assert (result.code, result.stderr) == (0, "")
    assert read_vectors(f"{path}::sequences.0.layers.0.forward.cell").shape == (MILLION, 1)


def _with_two_gigabytes():
    resource.setrlimit(resource.RLIMIT_DATA, (2 * 2**30, 2 * 2**30))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "table: expected at most 10,000 steps, found 1,000,000. Choose some with"),
        (["run", "-f", "svg"], "table: expected at most 10,000 steps, found 1,000,000."),
        (["run", "-f", "html"], "html: expected at most 10,000 steps on a page, found 1,000,000"),
        (["tokens"], "table: expected at most 10,000 steps, found 1,000,000. Choose --json"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_a_million_words_are_refused_with_the_limit(refusal, million, arguments, message):
    command, *more = arguments
    assert message in refusal(3, command, "--file", million, "-w", "latch", *more)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["explain"],
            "walk: expected at most 1,000 steps, found 20,000. Choose some with --steps.",
        ),
        (["memory"], "memory: expected at most 4,000 steps, found 20,000. Give less text."),
        (
            ["sweep", "--metric", "l0.c[0]"],
            "sweep: expected at most 10,000,000 steps in all runs, found 20,000 runs of 20,000 "
            "steps. Choose fewer values with --over, or give less text.",
        ),
        (["contrast"], "contrast: expected at most 10,000 steps, found 20,000. Give less text."),
        (["golden"], "golden: expected at most 10,000 steps, found 20,000. Give less text."),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_what_looks_closely_has_a_limit_too(refusal, arguments, message):
    command, *more = arguments
    text = ("set hold reset any " * 5000).strip()
    given = (text, "set") if command == "contrast" else (text,)
    assert refusal(3, command, *given, "-w", "latch", *more) == message


def test_a_million_words_of_the_default_model_are_refused_with_what_to_do(refusal, million):
    said = refusal(3, "run", "--file", million, "-f", "ndjson")
    assert said.startswith(f"{million}: line 1: expected at most 372,023 steps in a sequence")
    assert "a run may take 2 GB" in said
    assert said.endswith("with --carry where the state goes on, or use lstm extract.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain"], "walk: expected at most 1,000 steps, found 1,000,000."),
        (["explain", "--steps", "5:9000"], "walk: expected at most 1,000 steps, found 8,995."),
        (["explain", "--at", "l0.c[0]"], "expected at most 372,023 steps in a sequence"),
        (["explain", "--at", "are@3"], "expected at most 372,023 steps in a sequence"),
        (["memory"], "memory: expected at most 4,000 steps, found 1,000,000."),
        (
            ["sweep", "--metric", "l0.c[0]", "--over", "l0.c[7]"],
            "sweep: expected at most 10,000,000 steps in all runs, found 1,000,000 runs of",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_a_limit_is_told_before_the_words_are_run(refusal, million, arguments, message):
    """More words than the default model can run: what refuses them has not run them."""
    command, *more = arguments
    said = refusal(3, command, "--file", million, *more)
    assert said.startswith(f"{million}: line 1: {message}")


def test_a_picture_of_the_memory_has_a_limit_too(refusal, million, tmp_path):
    given = ("plot", "( a ) " * 1000, "-w", "brackets", "--what", "ledger")
    said = refusal(3, *given, "-o", tmp_path / "x.svg")
    assert said == "plot: expected at most 4,000 steps, found 6,000. Give less text."


@pytest.mark.parametrize("what", ["heatmap", "units", "saturation", "survival"])
def test_a_picture_of_too_many_steps_is_refused_before_they_are_run(refusal, tmp_path, what):
    path = saved(tmp_path, np.zeros((1_000_000, 2), "f"))
    most = "4,000" if what == "survival" else "100,000"
    given = ("plot", "--vectors", path, "-w", "latch", "--what", what, "-o", tmp_path / "x.svg")
    assert refusal(3, *given) == (
        f"{path}: plot: expected at most {most} steps, found 1,000,000. Give less text."
    )


def saved(tmp_path, array, **options):
    path = tmp_path / "x.npy"
    np.save(path, array, **options)
    return path


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 3)), "(T, 2), found (4, 3)."),
        (np.zeros(2), "(T, 2), found (2,)."),
        (np.zeros((1, 1, 4, 2)), "(T, 2), found (1, 1, 4, 2)."),
        (np.float32(1), "(T, 2), found ()."),
        (np.zeros((0, 3)), "(T, 2), found (0, 3)."),
        (np.zeros((4, 2), complex), "expected real numbers, found complex128."),
        (np.zeros((4, 2), bool), "expected real numbers, found bool."),
        (np.zeros((4, 2), "datetime64[s]"), "expected real numbers, found datetime64[s]."),
        (np.array([["a", "b"]]), "expected real numbers, found <U1."),
        (np.array([[1, None]], object), "expected numbers, found Python objects, which"),
    ],
    ids=["width", "vector", "rank 4", "scalar", "empty", "complex", "bool", "time", "words",
         "objects"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["run", "golden", "memory"])
def test_arrays_that_are_no_input_are_refused(refusal, wide, tmp_path, command, array, message):
    said = refusal(3, command, "--vectors", saved(tmp_path, array), "-w", wide)
    assert message in said


def test_no_code_of_an_array_of_objects_is_run(refusal, wide, tmp_path):
    array = np.array([[_Trap(tmp_path / "trap")]], object)
    given = ("run", "--vectors", saved(tmp_path, array, allow_pickle=True), "-w", wide)
    assert "found Python objects, which are never read" in refusal(3, *given)
    assert not (tmp_path / "trap").exists()


class _Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_the_order_in_memory_and_the_dtype_do_not_matter(done, wide, tmp_path):
    array = np.linspace(-1, 1, 8).reshape(4, 2)
    given = ("-w", wide, "-f", "ndjson")
    one = done("run", "--vectors", saved(tmp_path, array.astype(np.float32)), *given).data
    for other in (np.asfortranarray(array), array.astype(">f8"), array[::-1][::-1]):
        assert done("run", "--vectors", saved(tmp_path, other), *given).data == one


@pytest.mark.parametrize(("shape", "sequences"), [((0, 2), 1), ((0, 3, 2), 0), ((2, 0, 2), 2)])
def test_arrays_of_no_steps_or_sequences_are_as_many_without_steps(
    done, wide, tmp_path, shape, sequences
):
    path = saved(tmp_path, np.zeros(shape))
    found = done("run", "--vectors", path, "-w", wide, "--json").json["sequences"]
    assert [sequence["steps"] for sequence in found] == [[]] * sequences


def test_vectors_that_are_no_numbers_are_run_and_named(done, wide, tmp_path):
    path = saved(tmp_path, np.array([[1, np.nan], [1, 2], [np.inf, 1e300]]))
    (found,) = done("run", "--vectors", path, "-w", wide, "--json", "--units", "0").json[
        "sequences"
    ]
    assert found["steps"][0]["cell"] == [None]
    assert {"address": "l0.c[0]@0", "value": "nan"} in found["nonfinite"]


@pytest.mark.parametrize(
    ("code", "ids", "message"),
    [
        (2, "1.5", "--ids: expected numbers such as 5,17,3; found '1.5'."),
        (3, "9" * 40, f"--ids: token id: expected 0 to 6, found {'9' * 40}."),
        (3, "-9" + "9" * 40, f"--ids: token id: expected 0 to 6, found -9{'9' * 40}."),
        # Beside ordinary ones numpy would make floats of them.
        (3, f"1,{2**64 - 1}", f"--ids: token id: expected 0 to 6, found {2**64 - 1}."),
        (3, f"{2**63},-1", "--ids: token id: expected 0 to 6, found -1."),
        (3, f"{2**63}", f"--ids: token id: expected 0 to 6, found {2**63}."),
    ],
)
def test_ids_that_are_no_numbers_or_too_large_are_refused(refusal, tiny, code, ids, message):
    assert refusal(code, "run", f"--ids={ids}", "-w", tiny) == message


@pytest.mark.parametrize(
    ("quantity", "value"), [("hidden", np.nan), ("cell", np.nan), ("cell", -np.inf)]
)
def test_a_state_that_is_no_number_is_run_and_named(done, tiny, tmp_path, quantity, value):
    arrays = {f"layers.0.forward.{name}": np.full(5, 0.5, "f") for name in ("hidden", "cell")}
    arrays[f"layers.0.forward.{quantity}"][2] = value
    (tmp_path / "x.safetensors").write_bytes(archive_bytes(arrays, {}))
    given = ("run", "john", "-w", tiny, "--initial-state", tmp_path / "x.safetensors")
    (found,) = done(*given, "--json", "--show", "cell").json["sequences"]
    assert found["steps"][0]["cell"][2] is None
    assert {one["address"] for one in found["nonfinite"]} >= {"l0.c[2]@0"}
    assert "numbers of this run are not finite; the first is l0." in done(*given).stdout


@pytest.mark.parametrize("name", ["explain", "memory", "sweep", "golden", "plot", "compare"])
def test_vectors_that_are_no_numbers_are_looked_at_too(lstm, wide, tmp_path, name):
    path = saved(tmp_path, np.array([[1, np.nan], [1, 2], [np.inf, 1e300]]))
    more = {
        "sweep": ["--metric", "l0.c[0]", "--over", "l0.c[0:3]"], "golden": ["--format", "json"],
        "plot": ["-o", tmp_path / "x.svg"], "compare": [wide, wide],
    }.get(name, [])  # fmt: skip
    weights = [] if name == "compare" else ["-w", wide]
    result = lstm(name, *more, "--vectors", path, *weights)
    assert result.code == (1 if name == "compare" else 0), result.stderr
    assert all(line.startswith("note: ") for line in result.stderr.splitlines())


def test_ids_of_nothing_are_a_sequence_without_steps(done):
    assert done("run", "--ids", "", "-w", "parity", "--json").json["sequences"][0]["steps"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--color-by", "l0.c[9]"],
        ["run", "--set", "l3.c[0]:=1"],
        ["run", "--units", "9"],
        ["run", "--steps", "9"],
        ["run", "--layers", "1"],
        ["explain", "--at", "l0.c[0]@9"],
        ["explain", "--at", "l0.c[7]"],
        ["explain", "--at", "l2.c[0]"],
        ["explain", "--at", "l0.reverse.c[0]"],
        ["memory", "--unit", "l0.c[1]"],
        ["sweep", "--metric", "l0.c[9]"],
        ["sweep", "--metric", "l0.c[0]", "--over", "l0.c[4]"],
        ["sweep", "--metric", "l0.c[0]@9"],
    ],
    ids=" ".join,
)
def test_an_address_that_is_not_there_is_refused_by_name(lstm, arguments):
    command, *more = arguments
    result = lstm(command, "((", "-w", "brackets", *more)
    assert result.code in (2, 3)
    assert result.data == b""
    assert result.stderr.count("\n") == 1
    number = more[-1].translate(str.maketrans("", "", "l0.c[]@:="))[:1]
    assert number in result.stderr or "reverse" in result.stderr
