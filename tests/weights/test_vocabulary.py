from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm.errors import LSTMError, MissingExtraError
from lstm.tokenizers.character import CharacterTokenizer
from lstm.tokenizers.huggingface import HuggingFaceTokenizer
from lstm.tokenizers.tokenizer import Tokenizer
from lstm.tokenizers.word import WordTokenizer
from tests.weights.builders import golden
from tests.weights.strategies import huggingface
from weights import load
from weights.errors import UnreadableFileError
from weights.vocabulary import beside, read_tokenizer


def from_text(folder: Path, content: str) -> tuple[Tokenizer, tuple[str, ...]]:
    path = folder / "vocab.txt"
    path.write_bytes(content.encode())
    return read_tokenizer(path)


def from_json(folder: Path, content: Any) -> tuple[Tokenizer, tuple[str, ...]]:
    path = folder / "vocab.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return read_tokenizer(path)


@pytest.mark.parametrize("content", ["one\ntwo\nThree\n", "one\ntwo\nThree", "one\r\ntwo\r\nThree"])
def test_a_text_file_has_one_token_a_line_in_the_order_of_ids(tmp_path: Path, content: str) -> None:
    tokenizer, assumed = from_text(tmp_path, content)
    assert isinstance(tokenizer, WordTokenizer)
    assert tokenizer.vocabulary.tokens == ("one", "two", "Three")
    assert tokenizer.lowercase is False
    assert assumed == ("tokenizer: word (from the look of the vocabulary)",)
    assert [t.id for t in tokenizer.encode("Three one two")] == [2, 0, 1]


def test_lower_case_is_assumed_where_no_token_has_upper_case(tmp_path: Path) -> None:
    tokenizer, assumed = from_text(tmp_path, "[UNK]\none\ntwo\n")
    assert isinstance(tokenizer, WordTokenizer)
    assert tokenizer.lowercase is True
    assert assumed == (
        "tokenizer: word (from the look of the vocabulary)",
        "tokenizer: lower case (the vocabulary has no upper case)",
        "tokenizer: [UNK] stands for unknown words",
    )
    assert [t.id for t in tokenizer.encode("Two ONE three")] == [2, 1, 0]


def test_characters_are_assumed_where_every_token_is_one(tmp_path: Path) -> None:
    tokenizer, assumed = from_text(tmp_path, "<unk>\na\nB\n \n")
    assert isinstance(tokenizer, CharacterTokenizer)
    assert tokenizer.vocabulary.tokens == ("<unk>", "a", "B", " ")
    assert assumed == (
        "tokenizer: character (from the look of the vocabulary)",
        "tokenizer: <unk> stands for unknown words",
    )
    assert [t.id for t in tokenizer.encode("aB c")] == [1, 2, 3, 0]


def test_padding_of_white_space_does_not_make_characters_words(tmp_path: Path) -> None:
    tokenizer, _ = from_json(tmp_path, ["a", "", "  ", "\n", "b"])
    assert isinstance(tokenizer, CharacterTokenizer)
    assert [t.id for t in tokenizer.encode("b\na")] == [4, 3, 0]


@pytest.mark.parametrize("unknown", ["<unk>", "[UNK]", "<UNK>", "[unk]", "<oov>", "UNK", "unk"])
@pytest.mark.parametrize(
    ("start", "end"), [("<s>", "</s>"), ("<bos>", "<eos>"), ("[BOS]", "[EOS]")]
)
def test_special_tokens_are_known_by_their_usual_names(
    tmp_path: Path, unknown: str, start: str, end: str
) -> None:
    words = from_text(tmp_path, f"word\n{unknown}\n{start}\n{end}\n")[0].vocabulary
    assert (words.unknown, words.start, words.end) == (unknown, start, end)


def test_without_special_tokens_none_is_assumed(tmp_path: Path) -> None:
    words = from_text(tmp_path, "one\ntwo\n")[0].vocabulary
    assert (words.unknown, words.start, words.end) == (None, None, None)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_a_line_feed_ends_a_token(tmp_path: Path, separator: str) -> None:
    """A vocabulary of characters may hold every character that Python calls a line boundary."""
    tokenizer, _ = from_text(tmp_path, f"a\n{separator}\nb\n")
    assert tokenizer.vocabulary.tokens == ("a", separator, "b")


@pytest.mark.parametrize("content", [{"b": 1, "a": 0, "c": 2}, ["a", "b", "c"]])
def test_a_json_file_is_a_list_or_maps_tokens_to_ids(tmp_path: Path, content: Any) -> None:
    tokenizer, _ = from_json(tmp_path, content)
    assert tokenizer.vocabulary.tokens == ("a", "b", "c")


def test_the_word_model_may_be_in_a_vocabulary(tmp_path: Path) -> None:
    tokenizer, _ = from_json(tmp_path, {"the": 0, "model": 1})
    assert tokenizer.vocabulary.tokens == ("the", "model")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{no", "expected JSON, found an error: "),
        ({"a": 1, "b": 2}, "expected the ids 0 to 1, each once, found others."),
        ({"a": 0, "b": 0}, "expected the ids 0 to 1, each once, found others."),
        ({"a": "0"}, "expected the ids 0 to 0, each once, found others."),
        ({"a": None}, "expected the ids 0 to 0, each once, found others."),
        ({"a": []}, "expected the ids 0 to 0, each once, found others."),
        ({"a": {"id": 0}}, "expected the ids 0 to 0, each once, found others."),
        (["a", 1], "vocabulary: expected strings, found 1."),
        (["a", None], "vocabulary: expected strings, found None."),
        (["a", "a"], "vocabulary: expected every token once, found 'a' twice."),
        ("5", "vocabulary: expected a list of tokens, found none."),
        ('"abc"', "vocabulary: expected a list of tokens, found none."),
        ("null", "vocabulary: expected a list of tokens, found none."),
        ('{"model": {}}', "expected a tokenizer.json, found: "),
    ],
    ids=str,
)
def test_malformed_json_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(LSTMError) as caught:
        from_json(tmp_path, content)
    assert str(caught.value).startswith(f"{tmp_path / 'vocab.json'}: {message}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.floats(0, 1) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
def test_any_json_is_read_or_refused_with_a_sentence(tmp_path: Path, content: Any) -> None:
    with suppress(LSTMError):
        from_json(tmp_path, content)


def test_a_token_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LSTMError) as caught:
        from_text(tmp_path, "a\nb\na\n")
    assert str(caught.value) == (
        f"{tmp_path / 'vocab.txt'}: vocabulary: expected every token once, found 'a' twice."
    )


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes("ab\nçde\n".encode("latin-1"))
    with pytest.raises(UnreadableFileError) as caught:
        read_tokenizer(path)
    assert str(caught.value) == f"{path}: expected UTF-8 text, found the byte at offset 3."


@pytest.mark.parametrize("name", ["vocab.txt", "vocab.json", "tokenizer.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read_tokenizer(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: cannot be read: No such file or directory."


def test_a_tokenizer_json_is_read_by_its_own_library(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    (tmp_path / "tokenizer.json").write_text(huggingface(3), "utf-8")
    tokenizer, assumed = read_tokenizer(tmp_path / "tokenizer.json")
    assert isinstance(tokenizer, HuggingFaceTokenizer)
    assert assumed == ()
    assert tokenizer.vocabulary.tokens == ("[UNK]", "word1", "word2")
    assert [(t.text, t.id) for t in tokenizer.encode("word2 other word1")] == [
        ("word2", 2),
        ("other", 0),
        ("word1", 1),
    ]


def test_without_its_library_a_tokenizer_json_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text('{"model": {}}', "utf-8")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtraError) as caught:
        read_tokenizer(path)
    assert str(caught.value) == (
        f"{path}: a tokenizer.json needs the package tokenizers, which is not installed. "
        "Install the extra: pip install 'lstm-cli[tokenizers]'."
    )


def test_the_most_exact_of_the_files_beside_the_weights_is_chosen(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    assert beside(weights) is None
    for name in ("vocab.txt", "vocab.json", "tokenizer.json"):
        (tmp_path / name).touch()
        assert beside(weights) == tmp_path / name


def test_a_folder_beside_the_weights_is_no_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").mkdir()
    assert beside(tmp_path / "model.safetensors") is None


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(golden("tagger").read_bytes())
    return path


def test_a_vocabulary_beside_the_weights_is_used_and_that_is_said(weights: Path) -> None:
    (weights.parent / "vocab.txt").write_text("<unk>\none\ntwo\n", "utf-8")
    model = load(weights)
    assert [token.id for token in model.encode("two one three")] == [2, 1, 0]
    assert model.card.assumed[-4:] == (
        "tokenizer: vocab.txt, which lies beside the weights",
        "tokenizer: word (from the look of the vocabulary)",
        "tokenizer: lower case (the vocabulary has no upper case)",
        "tokenizer: <unk> stands for unknown words",
    )


@pytest.mark.parametrize("make", [str, Path])
def test_a_vocabulary_that_is_named_comes_before_the_one_beside(weights: Path, make: type) -> None:
    (weights.parent / "vocab.txt").write_text("one\ntwo\n", "utf-8")
    (weights.parent / "other.json").write_text('["two", "Une", "deux"]', "utf-8")
    model = load(weights, tokenizer=make(weights.parent / "other.json"))
    assert model.tokenizer is not None
    assert model.tokenizer.vocabulary.tokens == ("two", "Une", "deux")
    assert "tokenizer: word (from the look of the vocabulary)" in model.card.assumed
    assert not any("beside" in sentence for sentence in model.card.assumed)


def test_a_named_vocabulary_that_is_missing_is_refused(weights: Path) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        load(weights, tokenizer=weights.parent / "none.txt")
    assert str(caught.value) == (
        f"{weights.parent / 'none.txt'}: cannot be read: No such file or directory."
    )


def test_a_vocabulary_longer_than_the_embedding_is_refused(weights: Path) -> None:
    (weights.parent / "vocab.txt").write_text("".join(f"word{n}\n" for n in range(9)), "utf-8")
    with pytest.raises(LSTMError) as caught:
        load(weights)
    assert str(caught.value) == (
        f"{weights}: vocabulary: expected at most 8 tokens, one per row of the embedding, found 9."
    )


def test_a_malformed_vocabulary_beside_the_weights_is_named(weights: Path) -> None:
    (weights.parent / "vocab.json").write_text("[1]", "utf-8")
    with pytest.raises(LSTMError) as caught:
        load(weights)
    assert str(caught.value) == (
        f"{weights.parent / 'vocab.json'}: vocabulary: expected strings, found 1."
    )
