"""Tokenizers in the JSON form of the Hugging Face library, and life without that library."""

import json
import sys

import pytest
from hypothesis import given

from lstm.errors import LSTMError, MissingExtraError
from lstm.tokenizers.huggingface import HuggingFaceTokenizer
from lstm.tokenizers.registry import from_specification
from lstm.tokenizers.tokenizer import Piece, Token
from tests.lstm.tokenizers.texts import HARD, texts

tokenizers = pytest.importorskip("tokenizers")


def word_level(words, unknown="[UNK]"):
    """Words between white space and marks, in lower case."""
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token=unknown))
    inner.normalizer = tokenizers.normalizers.Lowercase()
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return inner


def byte_level():
    """Pieces of UTF-8 bytes, some of them merged."""
    inner = tokenizers.Tokenizer(tokenizers.models.BPE())
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=270,
        show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
    )
    inner.train_from_iterator(["the cat sat on the mat", "the theatre"] * 3, trainer)
    return inner


WORDS = HuggingFaceTokenizer(word_level({"[UNK]": 0, "the": 1, "cat": 2, ".": 3}).to_str())
BYTES = HuggingFaceTokenizer(byte_level().to_str())
# No surrogates: the library takes only text that has a UTF-8 form.
HARD_TEXTS = HARD[:-1]


def test_words_are_looked_up():
    assert WORDS.encode("The dog.") == (
        Token("The", "the", 1, 0, 3),
        Token("dog", "[UNK]", 0, 4, 7, known=False),
        Token(".", ".", 3, 7, 8),
    )


def test_pieces_are_the_tokens_without_their_ids():
    assert WORDS.pieces("The cat") == [Piece("The", "the", 0, 3), Piece("cat", "cat", 4, 7)]


def test_offsets_count_characters_not_bytes():
    token = WORDS.encode("日本 the")[1]
    assert (token.text, token.start, token.end) == ("the", 3, 6)


def test_the_vocabulary_is_that_of_the_file():
    assert WORDS.vocabulary.tokens == ("[UNK]", "the", "cat", ".")
    assert WORDS.vocabulary.unknown == "[UNK]"
    assert BYTES.vocabulary.unknown is None
    assert len(BYTES.vocabulary) == 270


def test_an_id_that_no_token_has_is_named_by_its_number():
    gap = HuggingFaceTokenizer(word_level({"[UNK]": 0, "cat": 3}).to_str())
    assert gap.vocabulary.tokens == ("[UNK]", "<1>", "<2>", "cat")


def test_an_unknown_token_outside_the_vocabulary_is_none():
    gap = HuggingFaceTokenizer(word_level({"cat": 0}).to_str())
    assert gap.vocabulary.unknown is None


def test_special_tokens_are_added_where_the_file_says_so():
    inner = word_level({"[UNK]": 0, "the": 1, "[CLS]": 2, "[SEP]": 3})
    inner.add_special_tokens(["[CLS]", "[SEP]"])
    inner.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokens = HuggingFaceTokenizer(inner.to_str()).encode("The")
    assert [(token.text, token.id) for token in tokens] == [("[CLS]", 2), ("The", 1), ("[SEP]", 3)]
    assert all(token.known for token in tokens)


def check_bytes(text):
    tokens = BYTES.encode(text)
    for token in tokens:
        assert token.text == text[token.start : token.end]
        assert BYTES.vocabulary.tokens[token.id] == token.read
    assert [token.start for token in tokens] == sorted(token.start for token in tokens)
    covered = {n for token in tokens for n in range(token.start, token.end)}
    assert covered == set(range(len(text)))
    assert BYTES.write([token.id for token in tokens]) == text


@pytest.mark.parametrize("text", HARD_TEXTS)
def test_byte_pairs_lie_in_a_hard_text_and_are_written_as_it(text):
    check_bytes(text)


@given(texts)
def test_byte_pairs_lie_in_any_text_and_are_written_as_it(text):
    check_bytes(text)


def test_byte_pairs_are_merged():
    assert BYTES.encode("the then")[0].text == "the"
    assert len(BYTES.encode("the")) == 1


def test_words_are_written_with_spaces():
    assert WORDS.write([1, 2]) == "the cat"


@pytest.mark.parametrize("tokenizer", [WORDS, BYTES])
def test_a_specification_makes_the_same_tokenizer(tokenizer):
    record = json.loads(json.dumps(tokenizer.specification()))
    assert list(record) == ["kind", "source"]
    again = from_specification(record)
    assert isinstance(again, HuggingFaceTokenizer)
    assert again.vocabulary == tokenizer.vocabulary
    for text in HARD_TEXTS:
        assert again.encode(text) == tokenizer.encode(text)


@pytest.mark.parametrize("source", [None, 5, {"model": {}}])
def test_a_specification_without_its_text_raises(source):
    with pytest.raises(LSTMError) as caught:
        from_specification({"kind": "huggingface", "source": source})
    assert str(caught.value) == ("tokenizer: expected the text of a tokenizer.json, found none.")


@pytest.mark.parametrize("source", ["", "{", "{}", '{"model": {"type": "None"}}'])
def test_a_malformed_file_raises(source):
    with pytest.raises(LSTMError) as caught:
        HuggingFaceTokenizer(source)
    reason = str(caught.value.message)
    assert reason.startswith("expected a tokenizer.json, found: ")
    assert reason.endswith(".")


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtraError) as caught:
        HuggingFaceTokenizer(WORDS.source)
    assert str(caught.value) == (
        "a tokenizer.json needs the package tokenizers, which is not installed. "
        "Install the extra: pip install 'lstm-cli[tokenizers]'."
    )
    assert (caught.value.package, caught.value.extra) == ("tokenizers", "tokenizers")


def test_the_other_tokenizers_need_no_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    tokenizer = from_specification({"kind": "word", "vocabulary": ["a"]})
    assert tokenizer.encode("a")[0].id == 0
