"""What holds for every tokenizer: pieces lie in the text, ids in the vocabulary, files hold all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.errors import LSTMError, UnknownTokenError
from lstm.tokenizers.byte import ByteTokenizer
from lstm.tokenizers.character import CharacterTokenizer
from lstm.tokenizers.registry import TOKENIZERS
from lstm.tokenizers.tokenizer import Piece, Token, Vocabulary, strings
from lstm.tokenizers.word import WordTokenizer
from tests.lstm.tokenizers.texts import HARD, tangles, texts

UNKNOWN = Vocabulary(("<unk>", "a", "the"), unknown="<unk>")
EXAMPLES = (
    WordTokenizer(UNKNOWN),
    WordTokenizer(UNKNOWN, lowercase=True),
    CharacterTokenizer(UNKNOWN),
    CharacterTokenizer(UNKNOWN, lowercase=True),
    ByteTokenizer(),
)
EVERY = pytest.mark.parametrize(
    "tokenizer", EXAMPLES, ids=lambda one: f"{one.kind} {one.options() or ''}"
)


def check_pieces(tokenizer, text):
    pieces = tokenizer.pieces(text)
    for piece in pieces:
        assert 0 <= piece.start < piece.end <= len(text)
        assert piece.text == text[piece.start : piece.end]
        assert piece.read
    starts, ends = [p.start for p in pieces], [p.end for p in pieces]
    assert starts == sorted(starts)
    assert ends == sorted(ends)
    covered = {n for piece in pieces for n in range(piece.start, piece.end)}
    left_over = {n: c for n, c in enumerate(text) if n not in covered and not c.isspace()}
    assert left_over == {}
    assert tokenizer.pieces(text) == pieces


@EVERY
@pytest.mark.parametrize("text", HARD)
def test_pieces_of_a_hard_text_lie_in_it_in_order_and_leave_only_space(tokenizer, text):
    check_pieces(tokenizer, text)


@EVERY
@given(text=texts | tangles)
def test_pieces_of_any_text_lie_in_it_in_order_and_leave_only_space(tokenizer, text):
    check_pieces(tokenizer, text)


@EVERY
@pytest.mark.parametrize("text", HARD)
def test_a_token_is_its_piece_with_an_id_of_the_vocabulary(tokenizer, text):
    pieces, tokens = tokenizer.pieces(text), tokenizer.encode(text)
    words = tokenizer.vocabulary
    assert len(pieces) == len(tokens)
    for piece, token in zip(pieces, tokens, strict=True):
        assert (token.text, token.start, token.end) == (piece.text, piece.start, piece.end)
        assert words.tokens[token.id] == token.read
        assert token.known == (piece.read in words.tokens)
        assert token.read == (piece.read if token.known else words.unknown)


def test_there_is_an_example_of_every_tokenizer():
    kinds = {one.kind for one in EXAMPLES} | {"huggingface"}  # which has a file of its own
    assert {tokenizer.kind for tokenizer in TOKENIZERS} == kinds


def test_offsets_count_characters_not_bytes():
    token = WordTokenizer(UNKNOWN).encode("日本 the")[1]
    assert (token.text, token.start, token.end) == ("the", 3, 6)


def test_an_unknown_piece_becomes_the_unknown_token():
    assert WordTokenizer(UNKNOWN).encode("the dog") == (
        Token("the", "the", 2, 0, 3),
        Token("dog", "<unk>", 0, 4, 7, known=False),
    )


@pytest.mark.parametrize(
    ("tokenizer", "text", "message"),
    [
        (
            WordTokenizer(Vocabulary(("a", "dog"))),
            "a dog, a naïve dog",
            'token "," at position 2 is not in the vocabulary (2 entries), '
            "and it has no unknown token. Known: a dog",
        ),
        (
            WordTokenizer(Vocabulary(("a", "dog")), lowercase=True),
            "A Naïve dog",
            'token "naïve" at position 1 is not in the vocabulary (2 entries), '
            "and it has no unknown token. Known: a dog",
        ),
        (
            CharacterTokenizer(Vocabulary(tuple("01"))),
            "0102",
            'token "2" at position 3 is not in the vocabulary (2 entries), '
            "and it has no unknown token. Known: 0 1",
        ),
    ],
)
def test_an_unknown_piece_raises_where_nothing_stands_for_it(tokenizer, text, message):
    with pytest.raises(UnknownTokenError) as caught:
        tokenizer.encode(text)
    assert str(caught.value) == message


def test_a_piece_and_a_token_have_names():
    assert Piece._fields == ("text", "read", "start", "end")
    assert Token._fields == ("text", "read", "id", "start", "end", "known")
    assert Token("a", "a", 0, 0, 1).known


# --- the vocabulary


def test_a_vocabulary_knows_the_id_of_each_token():
    words = Vocabulary(("b", "a", "?"), unknown="?", start="b", end="a")
    assert [words.id_of(token) for token in ("b", "a", "?", "c")] == [0, 1, 2, None]
    assert len(words) == 3
    assert words.unknown_id == 2


def test_a_vocabulary_without_an_unknown_token_has_no_unknown_id():
    assert Vocabulary(("a",)).unknown_id is None


def test_the_first_token_may_be_the_unknown_one():
    assert Vocabulary(("?", "a"), unknown="?").unknown_id == 0


def test_vocabularies_of_the_same_tokens_are_equal():
    assert Vocabulary(("a", "b")) == Vocabulary(("a", "b"))
    assert Vocabulary(("a", "b")) != Vocabulary(("a", "b"), end="b")
    assert Vocabulary(("a", "b")) != Vocabulary(("b", "a"))


def test_a_token_that_stands_twice_raises():
    with pytest.raises(LSTMError) as caught:
        Vocabulary(("a", "b", "c", "b", "a"))
    assert str(caught.value) == "vocabulary: expected every token once, found 'a' twice."


@pytest.mark.parametrize("role", ["unknown", "start", "end"])
def test_a_special_token_outside_the_vocabulary_raises(role):
    with pytest.raises(LSTMError) as caught:
        Vocabulary(("a", "b"), **{role: "<s>"})
    assert str(caught.value) == (
        f"vocabulary: expected the {role} token '<s>' among its 2 entries, found no such entry."
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "vocabulary: expected a list of tokens, found none."),
        ("abc", "vocabulary: expected a list of tokens, found none."),
        ({"a": 0}, "vocabulary: expected a list of tokens, found none."),
        (["a", 5, "b"], "vocabulary: expected strings, found 5."),
        (["a", None], "vocabulary: expected strings, found None."),
    ],
)
def test_a_vocabulary_that_is_no_list_of_strings_raises(value, message):
    with pytest.raises(LSTMError) as caught:
        strings(value)
    assert str(caught.value) == message


@given(st.lists(st.text()))
def test_a_list_of_strings_becomes_a_tuple(value):
    assert strings(value) == tuple(value)
