"""Every code point is a token, white space too."""

import pytest
from hypothesis import given

from lstm.tokenizers.character import CharacterTokenizer
from lstm.tokenizers.tokenizer import Piece, Token, Vocabulary
from tests.lstm.tokenizers.texts import HARD, texts

ANY = CharacterTokenizer(Vocabulary(()))


def test_white_space_is_kept():
    assert ANY.pieces("a \nb") == [
        Piece("a", "a", 0, 1),
        Piece(" ", " ", 1, 2),
        Piece("\n", "\n", 2, 3),
        Piece("b", "b", 3, 4),
    ]


def test_a_combining_accent_is_a_character_of_its_own():
    assert [piece.read for piece in ANY.pieces("e\u0301")] == ["e", "\u0301"]


@given(texts)
def test_the_pieces_put_together_are_the_text(text):
    assert "".join(piece.text for piece in ANY.pieces(text)) == text


def test_lower_case_changes_what_is_read_not_what_is_shown():
    tokenizer = CharacterTokenizer(Vocabulary(("a", "é")), lowercase=True)
    assert tokenizer.encode("AÉa") == (
        Token("A", "a", 0, 0, 1),
        Token("É", "é", 1, 1, 2),
        Token("a", "a", 0, 2, 3),
    )


@pytest.mark.parametrize("text", HARD)
def test_written_ids_are_the_text(text):
    tokenizer = CharacterTokenizer(Vocabulary(tuple(dict.fromkeys(text))))
    assert tokenizer.write([token.id for token in tokenizer.encode(text)]) == text
