"""What is read: texts, lines of a file or a pipe, ids, vectors."""

import select
import subprocess
import time

import numpy as np
import pytest

from weights import load
from weights.containers.safetensors import archive_bytes


def texts(result):
    return [sequence["text"] for sequence in result.json["sequences"]]


def test_several_texts_are_several_sequences_each_from_zero_states(done, tiny):
    alone = done("run", "black coffee", "-w", tiny, "--json").json["sequences"]
    both = done("run", "John", "black coffee", "-w", tiny, "--json").json["sequences"]
    assert [sequence["text"] for sequence in both] == ["John", "black coffee"]
    assert both[1:] == alone


def test_each_line_of_a_pipe_is_a_sequence(done):
    piped = "((\n\n a\r\n)("
    by_pipe = done("run", "-w", "brackets", "--json", stdin=piped)
    assert texts(by_pipe) == ["((", "", " a", ")("]
    assert by_pipe.json["sequences"][1]["steps"] == []
    by_dash = done("run", "-", "-w", "brackets", "--json", stdin=piped)
    assert by_dash.data == by_pipe.data


def test_each_line_of_a_file_is_a_sequence(done, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("((\r\n\né\n)".encode())
    read = done("run", "--file", path, "-w", "brackets", "--json")
    assert texts(read) == ["((", "", "é", ")"]
    assert read.data == done("run", "--file", "-", "-w", "brackets", "--json",
                             stdin=path.read_bytes()).data  # fmt: skip


def test_nothing_piped_in_is_no_sequence(done):
    assert done("run", "-w", "brackets", "--json", stdin="").json["sequences"] == []
    assert done("run", "-w", "brackets", stdin="").data == b""


def test_a_text_that_starts_with_a_dash_follows_two_dashes(done):
    assert texts(done("run", "-w", "brackets", "--json", "--", "-x")) == ["-x"]


def test_lines_are_answered_one_by_one_as_they_come(start):
    arguments = ("run", "-w", "brackets", "--format", "ndjson")
    with start(*arguments, stdin=subprocess.PIPE) as process:
        for number, line in enumerate(("(", "a", ")")):
            process.stdin.write(f"{line}\n".encode())
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], 20)
            assert ready, "no answer before the next line"
            assert process.stdout.readline().startswith(b'{"sequence":%d,' % number)
        process.stdin.close()
        assert process.wait(20) == 0


@pytest.mark.parametrize(("format", "first"), [("table", b"((\n"), ("csv", b"sequence,step")])
def test_the_other_formats_of_lines_are_streamed_too(start, format, first):
    with start("run", "-w", "brackets", "-f", format, stdin=subprocess.PIPE) as process:
        process.stdin.write(b"((\n")
        process.stdin.flush()
        read = b""
        end = time.monotonic() + 20
        while b"2.0" not in read and time.monotonic() < end:
            if select.select([process.stdout], [], [], 1)[0]:
                read += process.stdout.read1(65536)
        assert read.startswith(first)
        assert b"2.0" in read, "no answer before the input ends"
        process.stdin.close()
        process.stdout.read()
        assert process.wait(20) == 0


def test_ids_are_run_in_place_of_a_text(done, tiny):
    by_text = done("run", "john likes", "-w", tiny, "--json").json["sequences"][0]
    by_ids = done("run", "--ids", "3,4", "-w", tiny, "--json").json["sequences"][0]
    assert by_ids == {**by_text, "text": None}
    spaced = done("run", "--ids", "3 4", "-w", tiny, "--json").json["sequences"][0]
    assert spaced == by_ids


def test_ids_need_no_vocabulary(lstm, foreign):
    result = lstm("run", "--ids", "5,0", "-w", foreign, "--json")
    assert result.code == 0
    assert result.json["sequences"][0]["tokens"] == ["5", "0"]


@pytest.mark.parametrize(
    ("code", "ids", "message"),
    [
        (2, "3,x", "--ids: expected numbers such as 5,17,3; found '3,x'."),
        (3, "3,7", "--ids: token id: expected 0 to 6, found 7."),
        (3, "-1", "--ids: token id: expected 0 to 6, found -1."),
    ],
)
def test_wrong_ids_are_refused(refusal, tiny, code, ids, message):
    assert refusal(code, "run", f"--ids={ids}", "-w", tiny).startswith(message.split(":")[0])
    assert refusal(code, "run", f"--ids={ids}", "-w", tiny) == message


VECTORS = np.linspace(-1, 1, 16, dtype=np.float32).reshape(2, 4, 2)  # N = 2, T = 4, D = 2


@pytest.fixture(scope="module")
def vector_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors")
    np.save(folder / "one.npy", VECTORS[0])
    np.save(folder / "both.npy", VECTORS)
    np.savez(folder / "alone.npz", only=VECTORS[0])
    np.savez(folder / "pair.npz", a=VECTORS[0], b=VECTORS[1])
    data = archive_bytes({"a": VECTORS[0], "b": VECTORS[1]}, {})
    (folder / "pair.safetensors").write_bytes(data)
    np.save(folder / "narrow.npy", np.zeros((4, 3)))
    np.save(folder / "words.npy", np.array([["a", "b"]]))
    (folder / "broken.npy").write_bytes(b"no array")
    (folder / "table.csv").write_text("1,2\n")
    return folder


@pytest.mark.parametrize(
    ("place", "sequences"),
    [
        ("one.npy", [0]),
        ("both.npy", [0, 1]),
        ("alone.npz", [0]),
        ("pair.npz::b", [1]),
        ("pair.safetensors::a", [0]),
    ],
)
def test_vectors_are_read_from_each_kind_of_file(done, wide, same_bits, vector_files, place,
                                                 sequences):  # fmt: skip
    document = done("run", "--vectors", f"{vector_files}/{place}", "-w", wide, "--json").json
    assert len(document["sequences"]) == len(sequences)
    for sequence, number in zip(document["sequences"], sequences, strict=True):
        trace = load(wide).run(vectors=VECTORS[number])
        assert sequence["text"] is sequence["tokens"] is sequence["ids"] is None
        assert [record["token"] for record in sequence["steps"]] == [None] * 4
        same_bits([record["hidden"] for record in sequence["steps"]], trace.hidden)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("pair.npz", "expected one array, found a, b. Name one: --vectors FILE::NAME."),
        ("pair.safetensors", "expected one array, found a, b. Name one: --vectors FILE::NAME."),
        ("pair.npz::c", "expected an array named c, found a, b. Name one: --vectors FILE::NAME."),
        ("absent.npy", "cannot be read: No such file or directory."),
        ("table.csv", "expected a file ending in .npy, .npz or .safetensors."),
        ("broken.npy", "not a valid .npy file of numbers:"),
        ("narrow.npy", "(4, 3)"),
        ("words.npy", "expected real numbers, found <U1."),
    ],
)
def test_vectors_that_cannot_be_used_are_refused(refusal, wide, vector_files, place, message):
    said = refusal(3, "run", "--vectors", f"{vector_files}/{place}", "-w", wide)
    assert message in said
    assert said.startswith(f"{vector_files}/{place.split('::')[0]}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x", "--file", "lines.txt"], "expected one of TEXT and --file, found both."),
        (["x", "--ids", "1"], "expected one of TEXT and --ids, found both."),
        (["--ids", "1", "--vectors", "x.npy"], "expected one of --ids and --vectors, found both."),
        (["-", "x"], "expected texts, or - for standard input, found both."),
    ],
)
def test_contradictory_inputs_are_refused(refusal, arguments, message):
    assert refusal(2, "run", "-w", "brackets", *arguments).startswith(message)


def test_an_unreadable_file_is_refused(refusal, tmp_path):
    said = refusal(3, "run", "--file", tmp_path / "no.txt", "-w", "brackets")
    assert said == f"{tmp_path}/no.txt: cannot be read: No such file or directory."
    said = refusal(3, "run", "--file", tmp_path, "-w", "brackets")
    assert said == f"{tmp_path}: cannot be read: Is a directory."


def test_a_line_that_is_no_utf8_is_named(refusal):
    said = refusal(3, "run", "-w", "brackets", "--json", stdin=b"((\na\xff\n")
    assert said.startswith("line 2: expected UTF-8 text, found the byte at offset 1.")


@pytest.mark.parametrize("format", ["json", "csv", "svg"])
def test_a_text_on_the_command_line_that_is_no_utf8_is_refused(lstm, format):
    result = lstm("run", "a\udcff(", "-w", "brackets", "--format", format)
    assert result.code in (2, 3), result
    assert result.data == b""
    assert result.stderr.startswith("error: ")
    assert "UTF-8" in result.stderr


def test_an_unknown_word_is_the_unknown_token_and_is_listed(done, valid, tiny):
    sequence = valid("trace", done("run", "John hates tea", "-w", tiny, "--json").json)[
        "sequences"
    ][0]
    assert sequence["tokens"] == ["John", "hates", "tea"]
    assert sequence["ids"] == [3, 0, 0]
    assert sequence["unknown"] == [{"step": 1, "token": "hates"}, {"step": 2, "token": "tea"}]


def test_an_unknown_word_is_marked_and_counted_in_the_table(done, tiny):
    shown = done("run", "John hates tea", "-w", tiny).stdout
    assert "hates (<unk>)" in shown
    assert "John (john)" in shown
    assert "2 of 3 words unknown: hates, tea." in shown


def test_a_model_without_unknown_token_names_word_and_place(refusal, deep):
    message = (
        'token "dog" at position 1 is not in the vocabulary (5 entries), '
        "and it has no unknown token. Known: the cat sat down here"
    )
    assert refusal(3, "run", "the dog", "-w", deep, "--json") == message
    piped = refusal(3, "run", "-w", deep, "--json", stdin="the cat\nthe dog\n")
    assert piped == f"line 2: {message}"


def test_a_text_needs_a_vocabulary_and_ids_an_embedding(refusal, bare):
    said = refusal(3, "run", "x", "-w", bare)
    assert said == (
        "the model has no vocabulary, which a text needs. Name one with --tokenizer, or give "
        "--ids or --vectors."
    )
    said = refusal(3, "run", "--ids", "1", "-w", bare)
    assert said.startswith("--ids: the model has no embedding")
    assert said.endswith("Give --vectors.")
