"""Every byte of the UTF-8 form is a token, and its id is its value."""

import pytest
from hypothesis import given

from lstm.tokenizers.byte import ByteTokenizer
from lstm.tokenizers.tokenizer import Token
from tests.lstm.tokenizers.texts import HARD, texts

BYTES = ByteTokenizer()


def test_the_bytes_of_a_character_share_its_place():
    assert BYTES.encode("a€") == (
        Token("a", "<61>", 0x61, 0, 1),
        Token("€", "<e2>", 0xE2, 1, 2),
        Token("€", "<82>", 0x82, 1, 2),
        Token("€", "<ac>", 0xAC, 1, 2),
    )


def test_there_are_256_tokens():
    assert len(BYTES.vocabulary) == 256
    assert BYTES.vocabulary.tokens[0] == "<00>"
    assert BYTES.vocabulary.tokens[255] == "<ff>"


@given(texts)
def test_the_ids_are_the_bytes(text):
    ids = [token.id for token in BYTES.encode(text)]
    assert bytes(ids) == text.encode()
    assert BYTES.write(ids) == text


@pytest.mark.parametrize("text", HARD[:-1])
def test_written_ids_are_the_text(text):
    assert BYTES.write([token.id for token in BYTES.encode(text)]) == text


def test_a_byte_that_was_no_utf_8_is_kept():
    """A command line hands such a byte on as a lone surrogate."""
    typed = b"caf\xe9".decode("utf-8", "surrogateescape")
    tokens = BYTES.encode(typed)
    assert bytes(token.id for token in tokens) == b"caf\xe9"
    assert (tokens[-1].start, tokens[-1].end) == (3, 4)


def test_ids_that_are_no_utf_8_are_written_with_a_replacement():
    assert BYTES.write([0x61, 0xC3, 0x62]) == "a\ufffdb"
    assert BYTES.write([]) == ""
