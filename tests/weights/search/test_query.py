"""What is typed stays out of the text of a query."""

from hypothesis import given
from hypothesis import strategies as st

from lstm.pattern import Word
from lstm.pattern_grammar import parse_condition
from weights.search.query import Parameters, Writer


@given(st.text(), st.sampled_from(["=", "!="]))
def test_a_word_is_bound_and_never_written(word, operator):
    parameters = Parameters()
    query = Writer({}, parameters).condition(Word(operator, word))
    assert query == f"token IS {'NOT ' * (operator == '=')}DISTINCT FROM $p0"
    assert parameters.values == {"p0": word}


def test_numbers_and_addresses_are_not_written_either():
    pattern = parse_condition("l7.reverse.f[41] * 13 < 17 and sequence = 19 and step != 23")
    parameters = Parameters()
    columns = dict.fromkeys(pattern.places, "v0")
    query = Writer(columns, parameters).condition(pattern.tree)
    assert not {"41", "13", "17", "19", "23", "reverse"} & set(query.replace("(", " ").split())
    assert list(parameters.values.values()) == [13.0, 17.0, 19.0, 23.0]
