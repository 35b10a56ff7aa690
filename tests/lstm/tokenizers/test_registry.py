"""A tokenizer goes into a file and comes out of it the same."""

import json

import pytest

from lstm.errors import LSTMError
from lstm.tokenizers.byte import ByteTokenizer
from lstm.tokenizers.character import CharacterTokenizer
from lstm.tokenizers.registry import TOKENIZERS, from_specification
from lstm.tokenizers.tokenizer import Vocabulary
from lstm.tokenizers.word import WordTokenizer
from tests.lstm.tokenizers.texts import HARD

WORDS = ("<s>", "a", "é", "the", "<unk>", "</s>")
SPECIAL = Vocabulary(WORDS, unknown="<unk>", start="<s>", end="</s>")
EXAMPLES = (
    WordTokenizer(SPECIAL),
    WordTokenizer(SPECIAL, lowercase=True),
    WordTokenizer(Vocabulary(WORDS, unknown="é")),
    CharacterTokenizer(SPECIAL),
    CharacterTokenizer(SPECIAL, lowercase=True),
    ByteTokenizer(),
)


def test_the_kinds_of_tokenizers():
    kinds = [tokenizer.kind for tokenizer in TOKENIZERS]
    assert kinds == ["word", "character", "byte", "huggingface"]


@pytest.mark.parametrize("tokenizer", EXAMPLES)
def test_a_specification_makes_the_same_tokenizer(tokenizer):
    record = json.loads(json.dumps(tokenizer.specification()))
    again = from_specification(record)
    assert type(again) is type(tokenizer)
    assert again.vocabulary == tokenizer.vocabulary
    assert again.options() == tokenizer.options()
    assert again.specification() == tokenizer.specification()
    for text in HARD:
        assert again.encode(text) == tokenizer.encode(text)


def test_a_specification_is_a_plain_record():
    assert WordTokenizer(SPECIAL, lowercase=True).specification() == {
        "kind": "word",
        "lowercase": True,
        "unknown": "<unk>",
        "start": "<s>",
        "end": "</s>",
        "vocabulary": list(WORDS),
    }
    assert CharacterTokenizer(Vocabulary(("a",))).specification() == {
        "kind": "character",
        "lowercase": False,
        "vocabulary": ["a"],
    }
    assert ByteTokenizer().specification() == {"kind": "byte"}


def test_reading_a_specification_leaves_it_alone():
    record = WordTokenizer(SPECIAL).specification()
    from_specification(record)
    assert record == WordTokenizer(SPECIAL).specification()


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (None, "tokenizer: expected a record with its kind, found none."),
        ("word", "tokenizer: expected a record with its kind, found none."),
        ([], "tokenizer: expected a record with its kind, found none."),
        (
            {},
            "tokenizer: expected a kind among word, character, byte, huggingface; found None.",
        ),
        (
            {"kind": "Word"},
            "tokenizer: expected a kind among word, character, byte, huggingface; found 'Word'.",
        ),
        ({"kind": "word"}, "vocabulary: expected a list of tokens, found none."),
        (
            {"kind": "character", "vocabulary": ["a", 1]},
            "vocabulary: expected strings, found 1.",
        ),
        (
            {"kind": "word", "vocabulary": ["a"], "unknown": "?"},
            "vocabulary: expected the unknown token '?' among its 1 entries, found no such entry.",
        ),
        (
            {"kind": "word", "vocabulary": ["a"], "unknown": ["a"]},
            "vocabulary: expected the unknown token ['a'] among its 1 entries, "
            "found no such entry.",
        ),
        (
            {"kind": "word", "vocabulary": ["a"], "stem": 1, "lowercase": True},
            "tokenizer: expected the options of kind 'word', found lowercase, stem.",
        ),
        (
            {"kind": "byte", "lowercase": True},
            "tokenizer: expected the options of kind 'byte', found lowercase.",
        ),
    ],
)
def test_a_malformed_specification_raises(record, message):
    with pytest.raises(LSTMError) as caught:
        from_specification(record)
    assert str(caught.value) == message
