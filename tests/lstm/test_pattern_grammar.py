"""The grammar of a search: what an expression means, and what is said of a wrong one."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.address import Address
from lstm.pattern import Comparison, Counter, Logic, Operation, PatternError, Word
from lstm.pattern_grammar import parse_condition, parse_number

C = Address(0, "forward", "c", 3)
H = Address(1, "reverse", "h", 0)


def test_not_binds_tighter_than_and_and_and_tighter_than_or():
    a, b, c = (Word("=", word) for word in "abc")
    text = "token = 'a' or not token = 'b' and token = 'c'"
    assert parse_condition(text).tree == Logic("or", (a, Logic("and", (Logic("not", (b,)), c))))
    text = "(token = 'a' or token = 'b') and token = 'c'"
    assert parse_condition(text).tree == Logic("and", (Logic("or", (a, b)), c))
    text = "token = 'a' and token = 'b' and token = 'c'"
    assert parse_condition(text).tree == Logic("and", (a, b, c))


def test_arithmetic_goes_from_left_to_right_products_first():
    minus = Operation("-", (1.0, Operation("*", (2.0, C))))
    assert parse_number("1 - 2 * l0.c[3] - 4").tree == Operation("-", (minus, 4.0))
    assert parse_number("-abs(l0.c[3]) / step").tree == Operation(
        "/", (Operation("-", (Operation("abs", (C,)),)), Counter("step"))
    )
    assert parse_number("(1 + sequence) * .5e1").tree == Operation(
        "*", (Operation("+", (1.0, Counter("sequence"))), 5.0)
    )


def test_a_chain_of_comparisons_is_each_of_them():
    first, second = Comparison("<", 0.25, C), Comparison("<=", C, H)
    assert parse_condition("0.25 < l0.c[3] <= l1.reverse.h[0]").tree == Logic(
        "and", (first, second)
    )


def test_one_comparison_is_written_in_two_ways():
    assert parse_condition("l0.c[3] == 1").tree == parse_condition("l0.c[3]=1").tree
    assert parse_condition('token == "a"').tree == parse_condition("token = 'a'").tree


def test_a_word_is_whatever_stands_between_the_quotes():
    assert parse_condition("""token != "it's" """).tree == Word("!=", "it's")
    assert parse_condition("token = ' or 1=1 --\n'").tree == Word("=", " or 1=1 --\n")
    assert parse_condition("token = ''").tree == Word("=", "")


def test_each_address_is_known_with_its_place():
    pattern = parse_condition("l0.c[3] < 1 and l1.reverse.h[0] > l0.forward.c[3]")
    assert list(pattern.places.items()) == [(C, 0), (H, 16)]


EXPECTED_ATOM = (
    "expected an address such as l0.c[81], a number, step, sequence, token or abs(...), found"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"at offset 0: {EXPECTED_ATOM} the end."),
        ("l0.c[3] > > 1", f"at offset 10: {EXPECTED_ATOM} '>'."),
        ("l0.c[3] > 1 andd step", "at offset 12: expected a sign, 'and', 'or' or the end, "
                                  "found 'andd'."),
        ("(l0.c[3] > 1", "at offset 12: expected ')', found the end."),
        ("l0.c[3] > 1)", "at offset 11: expected a sign, 'and', 'or' or the end, found ')'."),
        ("step = 1 or l0.c[3]", "at offset 12: expected a condition, found a number. Compare it, "
                                "such as l0.c[81] > 0.5."),
        ("l0.c[3]", "at offset 0: expected a condition, found a number. Compare it, "
                    "such as l0.c[81] > 0.5."),
        ("not step", "at offset 4: expected a condition, found a number. Compare it, "
                     "such as l0.c[81] > 0.5."),
        ("1 + (step = 1)", "at offset 4: expected a number such as l0.c[81], found a condition."),
        ("abs(step = 1) > 0", "at offset 4: expected a number such as l0.c[81], "
                              "found a condition."),
        ("(step = 1) = 1", "at offset 0: expected a number such as l0.c[81], found a condition."),
        ("1 = (step = 1) + 1", "at offset 4: expected a number such as l0.c[81], "
                               "found a condition."),
        ("1 = (step = 1) * 1", "at offset 4: expected a number such as l0.c[81], "
                               "found a condition."),
        ("token > 'a'", "at offset 6: expected = or != after token, found '>'."),
        ("token = a", "at offset 8: expected a word in quotes, found 'a'."),
        ("'a' = token", f"at offset 0: {EXPECTED_ATOM} \"'a'\"."),
        ("token = 'a", "at offset 8: expected a word that a quote closes, found 'a."),
        ("step = 1; DROP", "at offset 8: expected an address, a number, a word in quotes or a "
                           "sign, found ';'."),
        ("l0.c[3]@2 > 1", "at offset 0: l0.c[3]@2: expected no step. Write `step = 3` as a "
                          "condition of its own."),
        ("1 < l0.c", "at offset 4: l0.c: expected one unit, such as l0.c[0], found several."),
        ("1 < l0.c[2:4]", "at offset 4: l0.c[2:4]: expected one unit, such as l0.c[0], "
                          "found several."),
        ("step < 1e39", "at offset 7: expected at most 3.4e+38, found 1e39."),
        ("step < l0.q[1]", "at offset 7: address 'l0.q[1]': expected layer.quantity[unit]@step"),
        ("step < l0", "at offset 7: address 'l0': expected layer.quantity[unit]@step"),
        ("(" * 60 + "step", "at offset 51: expected at most 50 parts in one another, found more."),
        ("not " * 60, "at offset 204: expected at most 50 parts in one another, found more."),
        ("-" * 60, "at offset 51: expected at most 50 parts in one another, found more."),
        ("1" + "+1" * 400, "at offset 500: expected at most 500 words and signs, found more."),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(text, message):
    with pytest.raises(PatternError) as caught:
        parse_condition(text)
    assert str(caught.value).startswith(message)
    assert f"at offset {caught.value.offset}: " in message


def test_a_ranking_is_by_a_number():
    with pytest.raises(PatternError, match="at offset 0: expected a number such as l0"):
        parse_number("l0.c[3] > 1")


@given(st.text(alphabet="l01.c[3]'\"= <>!andortke()+-*/@:;%é\n\\", max_size=40))
def test_any_text_is_read_or_refused(text):
    with suppress(PatternError):
        assert parse_condition(text).text == text
