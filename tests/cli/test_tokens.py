"""What a text becomes, without running it."""

import json

import pytest


def pieces(result):
    return [
        [(t["text"], t["read"], t["id"], t["start"], t["end"], t["known"]) for t in s["tokens"]]
        for s in result.json["sequences"]
    ]


def test_pieces_ids_offsets_and_what_is_known(done, valid, tiny):
    result = done("tokens", "John don’t like\u00a0COFFEE.", "coffee", "-w", tiny, "--json")
    valid("tokens", result.json)
    assert pieces(result) == [
        [
            ("John", "john", 3, 0, 4, True),
            ("don’t", "<unk>", 0, 5, 10, False),
            ("like", "<unk>", 0, 11, 15, False),
            ("COFFEE", "coffee", 6, 16, 22, True),
            (".", "<unk>", 0, 22, 23, False),
        ],
        [("coffee", "coffee", 6, 0, 6, True)],
    ]
    for sequence in result.json["sequences"]:
        for token in sequence["tokens"]:
            assert sequence["text"][token["start"] : token["end"]] == token["text"]


def test_the_table_says_the_same(done, tiny):
    lines = done("tokens", "John hates", "-w", tiny).lines
    assert lines[0] == "John hates"
    assert lines[1].split() == ["step", "text", "read", "as", "id", "characters"]
    assert lines[2].split() == ["0", "John", "john", "3", "0:4"]
    assert lines[3].split() == ["1", "hates", "<unk>", "0", "5:10", "unknown"]


def test_lines_come_from_a_file_or_a_pipe(done, tiny, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("john\n\nlikes\n")
    from_file = done("tokens", "--file", path, "-w", tiny, "--json")
    assert [s["text"] for s in from_file.json["sequences"]] == ["john", "", "likes"]
    for given in ([], ["-"]):
        piped = done("tokens", *given, "-w", tiny, "--json", stdin=path.read_bytes())
        assert piped.data == from_file.data


def test_the_model_is_named_as_for_run(done, lstm, foreign, tmp_path):
    by_environment = done("tokens", "()", "--json", env={"LSTM_WEIGHTS": "brackets"})
    assert [piece[2] for piece in pieces(by_environment)[0]] == [0, 1]
    path = tmp_path / "vocab.json"
    path.write_text(json.dumps(["a", "b", "c", "d", "e", "?"]))
    result = lstm("tokens", "ab?", "-w", foreign, "--tokenizer", path, "--layout", "pytorch",
                  "--prefix", "lstm.", "--json")  # fmt: skip
    assert result.code == 0
    assert [piece[2] for piece in pieces(result)[0]] == [0, 1, 5]


@pytest.mark.parametrize("color", ["auto", "always", "never"])
def test_colours_are_as_asked_for(done, tiny, color):
    shown = done("tokens", "hates", "-w", tiny, "--color", color).stdout
    assert ("\x1b[" in shown) is (color == "always")


def test_a_word_without_a_token_is_named(refusal, deep):
    assert refusal(3, "tokens", "dog", "-w", deep).startswith('token "dog" at position 0 is not')
    said = refusal(3, "tokens", "-w", deep, stdin="the\ndog\n")
    assert said.startswith('line 2: token "dog" at position 0 is not')


def test_a_blank_that_a_vocabulary_lacks_is_told_with_what_it_has(refusal, done):
    assert refusal(3, "run", "1 0 1", "-w", "parity") == (
        'token " " at position 1 is not in the vocabulary (2 entries), and it has no unknown '
        "token. Known: 0 1"
    )
    assert done("run", "101", "-w", "parity")
