"""Words, numbers and single marks, as a reader would cut them."""

from unicodedata import normalize

import pytest

from lstm.tokenizers.tokenizer import Piece, Vocabulary
from lstm.tokenizers.word import WordTokenizer

PLAIN, LOWER = (WordTokenizer(Vocabulary(()), lowercase=lower) for lower in (False, True))


def texts(text):
    return [piece.text for piece in PLAIN.pieces(text)]


def read(text, tokenizer=PLAIN):
    return [piece.read for piece in tokenizer.pieces(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The cat sat.", ["The", "cat", "sat", "."]),
        ("a  b\n\tc\u00a0d\u3000e", ["a", "b", "c", "d", "e"]),
        ("Hello, (world)!?", ["Hello", ",", "(", "world", ")", "!", "?"]),
        ("well-known e_mail", ["well", "-", "known", "e", "_", "mail"]),
        ("U.S. e.g.", ["U", ".", "S", ".", "e", ".", "g", "."]),
        ("--", ["-", "-"]),
        ("", []),
        (" \n", []),
    ],
)
def test_words_and_single_marks(text, words):
    assert texts(text) == read(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3.14", ["3.14"]),
        ("1,000", ["1,000"]),
        ("1,000,000.50", ["1,000,000.50"]),
        ("It is 3.14.", ["It", "is", "3.14", "."]),
        ("1,2 and 3,", ["1,2", "and", "3", ","]),
        (".5 5.", [".", "5", "5", "."]),
        ("$3.50 50%", ["$", "3.50", "50", "%"]),
        ("3rd 12a a12", ["3rd", "12a", "a12"]),
        ("10-20", ["10", "-", "20"]),
        ("-7", ["-", "7"]),
        ("٣٫١٤ ३.५", ["٣", "٫", "١٤", "३.५"]),
    ],
)
def test_numbers(text, words):
    assert texts(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don't", ["don't"]),
        ("O'Neill's", ["O'Neill's"]),
        ("dogs' rock 'n' roll", ["dogs", "'", "rock", "'", "n", "'", "roll"]),
        ("don''t", ["don", "'", "'", "t"]),
        ("'quoted'", ["'", "quoted", "'"]),
    ],
)
@pytest.mark.parametrize("apostrophe", ["'", "’"])
def test_an_apostrophe_inside_a_word_belongs_to_it(text, words, apostrophe):
    typed = [word.replace("'", apostrophe) for word in words]
    assert texts(text.replace("'", apostrophe)) == typed
    assert read(text.replace("'", apostrophe)) == words


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("cafe\u0301", Piece("cafe\u0301", "café", 0, 5)),
        ("café", Piece("café", "café", 0, 4)),
        ("ﬁne", Piece("ﬁne", "fine", 0, 3)),
        ("oﬃce", Piece("oﬃce", "office", 0, 4)),
        ("ｆｕｌｌ", Piece("ｆｕｌｌ", "full", 0, 4)),
        ("x²", Piece("x²", "x2", 0, 2)),
        ("ｶﾞ", Piece("ｶﾞ", "ガ", 0, 2)),
        ("\u1112\u1161\u11ab", Piece("\u1112\u1161\u11ab", "한", 0, 3)),
        ("q\u0307\u0323", Piece("q\u0307\u0323", "q\u0323\u0307", 0, 3)),
        ("\U0001d4d7\U0001d4f2", Piece("\U0001d4d7\U0001d4f2", "Hi", 0, 2)),
    ],
)
def test_a_word_is_read_in_its_nfkc_form_and_shown_as_typed(text, piece):
    assert PLAIN.pieces(text) == [piece]
    shifted = [piece._replace(start=piece.start + 3, end=piece.end + 3)]
    assert [p for p in PLAIN.pieces(f"() {text} !") if p.text not in "()!"] == shifted


def test_the_pieces_of_one_character_share_its_place():
    assert PLAIN.pieces("a…b") == [
        Piece("a", "a", 0, 1),
        Piece("…", ".", 1, 2),
        Piece("…", ".", 1, 2),
        Piece("…", ".", 1, 2),
        Piece("b", "b", 2, 3),
    ]
    assert read("½") == ["1", "⁄", "2"]


def test_normalisation_does_not_depend_on_what_stands_before():
    text = "a\u0315\u0301"  # canonical order puts the acute first, where it meets its letter
    assert normalize("NFKC", text) == "á\u0315"
    assert read(text) == ["á\u0315"]
    assert texts(text) == [text]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("हिन्दी में लिखा है।", ["हिन्दी", "में", "लिखा", "है", "।"]),
        ("ภาษาไทย สวัสดี", ["ภาษาไทย", "สวัสดี"]),
        ("日本語を書く。", ["日本語を書く", "。"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("Привет, мир!", ["Привет", ",", "мир", "!"]),
        ("Größe ça", ["Größe", "ça"]),
    ],
)
def test_words_of_other_scripts_keep_their_marks(text, words):
    assert texts(text) == words


def test_the_thai_vowel_am_is_part_of_its_word():
    assert texts("น้ำ") == ["น้ำ"]
    assert read("น้ำ") == [normalize("NFKC", "น้ำ")]


def test_a_mark_without_a_letter_stands_alone():
    assert texts("\u0301 a") == ["\u0301", "a"]


def test_lower_case_is_an_option():
    text = "The CAFÉ Don’t ΣΑΣ"
    assert read(text) == ["The", "CAFÉ", "Don't", "ΣΑΣ"]
    assert read(text, LOWER) == ["the", "café", "don't", "σας"]
    assert [piece.text for piece in LOWER.pieces(text)] == text.split()


def test_one_mark_more_does_not_change_the_words_before_it():
    """Plain English is cut by a faster expression; it must cut alike."""
    text = "It's 3.14, or 1,000! (a_b 'n' 12a x.y) 3rd--5th"
    assert texts(text + " é")[:-1] == texts(text)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("the cat sat .", "the cat sat."),
        ("hello , world ! really ?", "hello, world! really?"),
        ("a ( b ) c [ d ]", "a (b) c [d]"),
        ("it 's 50 % , $ 3.50", "it 's 50%, $3.50"),
        ("wait … what", "wait… what"),
        ("", ""),
        (". a", ". a"),
        ("( ( a ) )", "((a))"),
    ],
)
def test_written_text_has_no_gap_before_a_mark_or_after_a_bracket(words, text):
    tokens = words.split()
    vocabulary = Vocabulary(tuple(dict.fromkeys(tokens)))
    ids = [vocabulary.id_of(token) for token in tokens]
    assert WordTokenizer(vocabulary).write(ids) == text
