"""What is found is what Python says of the trace itself, number by number."""

from __future__ import annotations

import ast
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.pattern_grammar import parse_condition, parse_number
from lstm.quantities import BY_SYMBOL
from tests.datasets import write_dataset
from tests.strategies import few, make_model
from weights.errors import UnreadableFileError
from weights.search.dataset import open_dataset
from weights.search.hits import Search, count, find

TEXTS = (
    "The cat sat on the mat.",
    "mat",
    "cat the on the mat cat sat sat .",
    "on . the the dog cat",
    "sat the mat cat",
)
SIZES = (3, 5)  # of the layers; D = 2
SIGNS = ("<", "<=", ">", ">=", "==", "!=")


@pytest.fixture(scope="module")
def traces():
    model = make_model(3, np.float32, hidden_sizes=SIZES, num_directions=2)
    return [model.run(text) for text in TEXTS]


@pytest.fixture(scope="module")
def dataset(traces, tmp_path_factory):
    """Two layers of two directions, each of another size, in three parts."""
    return open_dataset(write_dataset(tmp_path_factory.mktemp("data") / "whole", traces, parts=3))


class Rounded(ast.NodeTransformer):
    """Make the numbers of an expression those of the search: float32, or float64 beside steps."""

    def visit_Compare(self, node):
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        self.kind = "float64" if names & {"step", "sequence"} else "float32"
        if "token" in names:
            return node
        return self.generic_visit(node)

    def visit_Subscript(self, node):
        return ast.parse(f"{self.kind}({ast.unparse(node)})", mode="eval").body

    def visit_Name(self, node):
        return self.visit_Subscript(node) if node.id in ("step", "sequence") else node

    def visit_Constant(self, node):
        return self.visit_Subscript(node)


def evaluated(text, traces):
    """Return the steps for which Python finds an expression true."""
    tree = ast.fix_missing_locations(Rounded().visit(ast.parse(text, mode="eval")))
    code = compile(tree, text, "eval")
    found = []
    for sequence, trace in enumerate(traces):
        for step, token in enumerate(trace.tokens):
            names = {
                "float32": np.float32, "float64": np.float64, "abs": abs,
                "step": step, "sequence": sequence, "token": token.text,
            }  # fmt: skip
            for number, layer in enumerate(trace.layers):
                forward, reverse = (
                    SimpleNamespace(**{s: getattr(one, q.name)[step] for s, q in BY_SYMBOL.items()})
                    for one in layer.directions
                )
                forward.forward, forward.reverse = forward, reverse
                names[f"l{number}"] = forward
            with np.errstate(all="ignore"):
                if eval(code, names):
                    found.append((sequence, step))
    return found


@st.composite
def addresses(draw):
    layer = draw(st.integers(0, 1))
    direction = draw(st.sampled_from(["", ".forward", ".reverse"]))
    symbol = draw(st.sampled_from(list(BY_SYMBOL)))
    width = (2, 6)[layer] if symbol == "x" else SIZES[layer]
    return f"l{layer}{direction}.{symbol}[{draw(st.integers(0, width - 1))}]"


literals = st.one_of(
    st.integers(0, 9).map(str), st.floats(0, 2, width=16).map(str), st.just("1e30"), st.just("0.1")
)
atoms = st.one_of(addresses(), addresses(), literals, st.sampled_from(["step", "sequence"]))
numbers = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("-{}".format, inner),
        st.builds("({})".format, inner),
        st.builds("abs({})".format, inner),
    ),
    max_leaves=5,
)
comparisons = st.one_of(
    st.builds("{} {} {}".format, addresses(), st.sampled_from(SIGNS), numbers),
    st.builds("{} {} {}".format, numbers, st.sampled_from(SIGNS), numbers),
    st.builds("{} < {} <= {}".format, literals, addresses(), numbers),
    st.builds("token {} '{}'".format, st.sampled_from(["==", "!="]),
              st.sampled_from(["the", "The", "dog", "."])),
)  # fmt: skip
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("not {}".format, inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=5,
)


@few
@given(conditions)
def test_a_search_finds_what_python_finds_in_the_trace(dataset, traces, text):
    search = Search(parse_condition(text))
    expected = evaluated(text, traces)
    assert [(hit.sequence, hit.step) for hit in find(dataset, search)] == expected
    assert count(dataset, search) == len(expected)
    as_written = parse_condition(text.replace("==", "="))
    assert count(dataset, Search(as_written)) == len(expected)


@few
@given(st.lists(addresses(), min_size=1, max_size=4, unique=True), st.sampled_from([1, 2, 4, 40]))
def test_the_numbers_and_words_of_a_hit_are_those_of_its_step(dataset, traces, asked, context):
    condition = parse_condition(" and ".join(f"{one} > -99" for one in asked))
    search = Search(condition, context=context)
    hits = list(find(dataset, search))
    assert len(hits) == sum(trace.num_steps for trace in traces)
    assert search.names == list(dict.fromkeys(repr(one) for one in condition.places))
    for hit in hits:
        trace = traces[hit.sequence]
        words = [token.text for token in trace.tokens]
        assert hit.token == words[hit.step]
        assert hit.before == tuple(words[max(0, hit.step - context) : hit.step])
        assert hit.after == tuple(words[hit.step + 1 : hit.step + 1 + context])
        for address, value in zip(condition.places, hit.values, strict=True):
            layer = trace.layers[address.layer]
            record = {one.direction: one for one in layer.directions}[address.direction]
            assert value == getattr(record, address.quantity)[hit.step, address.units]
            assert value.dtype == np.float32


@few
@given(addresses(), st.integers(1, 30), st.booleans())
def test_a_ranking_is_the_order_of_the_numbers(dataset, traces, asked, limit, smallest):
    everything = list(find(dataset, Search(parse_condition(f"{asked} > -99"))))
    search = Search(None, parse_number(f"-2 * {asked}"), smallest, limit)
    hits = list(find(dataset, search))
    expected = sorted(
        everything,
        key=lambda hit: ((1 if smallest else -1) * -2 * hit.values[0], hit.sequence, hit.step),
    )
    assert [hit[:2] for hit in hits] == [hit[:2] for hit in expected[:limit]]
    assert [hit.values[0] for hit in hits] == [-2 * hit.values[0] for hit in expected[:limit]]
    assert search.names[0] == f"-2 * {asked}"


def test_a_ranking_may_have_a_condition(dataset, traces):
    search = Search(
        parse_condition("token = 'the' and l1.reverse.f[4] < 2"), parse_number("l0.c[2]"), limit=2
    )
    assert search.names == ["l0.c[2]", "l1.reverse.f[4]"]
    values = [
        trace.layers[0].forward.cell[step, 2]
        for trace in traces
        for step, token in enumerate(trace.tokens)
        if token.text == "the"
    ]
    assert [hit.values[0] for hit in find(dataset, search)] == sorted(values, reverse=True)[:2]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_chosen_units_keep_their_numbers(traces, tmp_path, dtype):
    write_dataset(tmp_path, traces, ("hidden", "cell", "layer_input"), [1, 2, 4], dtype)
    search = Search(parse_condition("l1.c[4] > -99 and l0.c[2] > -99 and l1.x[5] > -99"))
    for hit in find(open_dataset(tmp_path), search):
        layers = traces[hit.sequence].layers
        expected = (
            layers[1].forward.cell[hit.step, 4],
            layers[0].forward.cell[hit.step, 2],
            layers[1].forward.layer_input[hit.step, 5],
        )
        assert hit.values == tuple(np.float32(dtype(value)) for value in expected)


def test_what_is_no_number_fits_only_what_it_differs_from_and_has_no_rank(traces, tmp_path):
    nan = traces[0].layers[0].forward.hidden.copy()
    nan[2, 1], nan[3, 1], nan[4, 1] = np.nan, np.inf, -np.inf
    layer = traces[0].layers[0]
    layer = layer._replace(forward=layer.forward._replace(hidden=nan))
    trace = traces[0].__class__(**{**vars(traces[0]), "layers": (layer,)})
    dataset = open_dataset(write_dataset(tmp_path, [trace], ("hidden",), parts=1))
    for text in ("l0.h[1] > 0.1", "l0.h[1] < 0.1", "0.1 >= l0.h[1]", "0.1 < l0.h[1]",
                 "0.1 <= l0.h[1]", "l0.h[1] == l0.h[1]",
                 "l0.h[1] != l0.h[1]", "not l0.h[1] <= 0.1", "l0.h[1] - l0.h[1] == 0",
                 "l0.h[1] / 0 > 5"):  # fmt: skip
        hits = find(dataset, Search(parse_condition(text)))
        assert [hit[:2] for hit in hits] == evaluated(text, [trace]), text
    hits = list(find(dataset, Search(None, parse_number("l0.h[1]"))))
    first, *between, last = (hit.step for hit in hits)
    assert (first, set(between), last) == (3, {0, 1, 5, 6}, 4)


def test_sequences_are_told_apart_where_float32_does_not(traces, tmp_path):
    write_dataset(tmp_path, traces, ("cell",), parts=1)
    path = tmp_path / "part-00000.parquet"
    table = pq.read_table(path)
    numbers = pa.array([number.as_py() + 2**24 for number in table["sequence"]])
    pq.write_table(table.set_column(0, "sequence", numbers), path)
    search = Search(parse_condition(f"sequence = {2**24 + 1}"))
    assert [hit[:3] for hit in find(open_dataset(tmp_path), search)] == [(2**24 + 1, 0, "mat")]


def test_a_step_of_which_rows_are_missing_is_not_passed_over(traces, tmp_path):
    write_dataset(tmp_path, traces, ("cell",), parts=1)
    path = tmp_path / "part-00000.parquet"
    table = pq.read_table(path)
    pq.write_table(table.take([n for n in range(len(table)) if n != 4]), path)
    with pytest.raises(UnreadableFileError, match="the rows of a step do not stand together"):
        list(find(open_dataset(tmp_path), Search(parse_condition("l0.c[0] > l1.c[0]"))))
