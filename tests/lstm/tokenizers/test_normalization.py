"""The NFKC form is that of the standard library; the offsets lead back into the text."""

from unicodedata import normalize

import pytest
from hypothesis import given, settings

from lstm.tokenizers.normalization import nfkc_with_offsets
from tests.lstm.tokenizers.texts import HARD, tangles, texts


def check(text):
    form, offsets = nfkc_with_offsets(text)
    offsets = list(offsets)
    assert form == normalize("NFKC", text)
    assert len(offsets) == len(form) + 1
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(text)
    assert not form or offsets[0] == 0


@pytest.mark.parametrize("text", HARD)
def test_the_form_of_a_hard_text_is_that_of_the_standard_library(text):
    check(text)


@given(texts)
def test_the_form_of_any_text_is_that_of_the_standard_library(text):
    check(text)


@settings(max_examples=1000)
@given(tangles)
def test_the_form_of_tangled_marks_is_that_of_the_standard_library(text):
    check(text)


@pytest.mark.parametrize(
    ("text", "form", "offsets"),
    [
        ("abc", "abc", [0, 1, 2, 3]),
        ("", "", [0]),
        ("e\u0301!", "é!", [0, 2, 3]),
        ("ﬁx", "fix", [0, 0, 1, 2]),
        ("a…b", "a...b", [0, 1, 1, 1, 2, 3]),
        ("xe\u0301ﬁ", "xéfi", [0, 1, 3, 3, 4]),
        ("\u1112\u1161\u11abx", "한x", [0, 3, 4]),
    ],
)
def test_offsets_worked_out_by_hand(text, form, offsets):
    found, places = nfkc_with_offsets(text)
    assert (found, list(places)) == (form, offsets)
