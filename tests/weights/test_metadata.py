from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.address import Address
from lstm.card import NamedUnit
from lstm.errors import LSTMError
from lstm.tokenizers.tokenizer import Vocabulary
from lstm.tokenizers.word import WordTokenizer
from weights.errors import WeightsError
from weights.metadata import FORMAT, Metadata, declared_layout, read_metadata, write_metadata

OURS = {"format": "lstm.native/1"}
ACTIVATIONS = (
    "sigmoid, hard-sigmoid, keras3-hard-sigmoid, tanh, relu, softsign, softplus, linear, "
    "leaky-relu, thresholded-relu, elu, affine, scaled-tanh"
)
OPTIONS = (
    "gate_activation, candidate_activation, cell_activation, coupled, pre_activation_clip, "
    "cell_clip, projection_clip, norm_epsilon"
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-1e9, 1e9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["kind", "vocabulary", "lowercase", "unknown", "labels", "address", "tells",
                         "auc", "tied", "gate_activation", "source"]),
        inner, max_size=4),
    max_leaves=6,
)  # fmt: skip


def refusal(**entries: Any) -> str:
    raw = {k: v if isinstance(v, str) else json.dumps(v) for k, v in entries.items()}
    with pytest.raises(LSTMError) as caught:
        read_metadata({**OURS, **raw})
    return str(caught.value)


def test_the_format_says_its_version() -> None:
    assert FORMAT == "lstm.native/1"


def test_a_file_without_entries_says_nothing() -> None:
    assert read_metadata(OURS) == Metadata()


def test_every_entry_is_read() -> None:
    found = read_metadata(
        {
            **OURS,
            "cell": '{"gate_activation": "sigmoid", "candidate_activation": "tanh"}',
            "tokenizer": '{"kind": "word", "lowercase": true, "unknown": "?", "vocabulary": '
            '["a", "?"]}',
            "head": '{"labels": ["in", "out"], "tied": true}',
            "units": '[{"address": "l1.reverse.c[4]", "tells": "depth", "auc": 0.75}, '
            '{"address": "l0.h[2:5]@3", "tells": "case"}]',
            "quality": '{"accuracy": 0.5}',
            "description": "A model.",
            "licence": "MIT",
            "source": "somewhere",
        }
    )
    assert isinstance(found.tokenizer, WordTokenizer)
    assert found.tokenizer.vocabulary == Vocabulary(("a", "?"), unknown="?")
    assert found.tokenizer.lowercase is True
    assert found.labels == ("in", "out")
    assert found.tied is True
    assert found.units == (
        NamedUnit(Address(1, "reverse", "c", 4), "depth", 0.75),
        NamedUnit(Address(0, "forward", "h", slice(2, 5), 3), "case", None),
    )
    assert found.quality == {"accuracy": 0.5}
    assert (found.description, found.licence, found.source) == ("A model.", "MIT", "somewhere")


def test_entries_of_other_programs_are_passed_over() -> None:
    assert read_metadata({**OURS, "framework": "pt"}) == Metadata()


def test_nothing_to_say_writes_the_format_and_the_cell_only() -> None:
    written = write_metadata(Metadata())
    assert json.loads(written.pop("cell")) == {
        "gate_activation": "sigmoid",
        "candidate_activation": "tanh",
    }
    assert written == OURS


@pytest.mark.parametrize(
    ("raw", "layout"),
    [
        ({}, None),
        ({"format": "pt"}, None),
        ({"format": "lstm.state/1"}, None),
        ({"format": "lstm.native/1"}, "native"),
        ({"format": "lstm.native/2"}, "native"),
        ({"format": "lstm.converted/1", "layout": "haste"}, "haste"),
        ({"layout": "haste"}, None),
    ],
)
def test_only_this_projects_files_declare_their_layout(
    raw: dict[str, str], layout: str | None
) -> None:
    assert declared_layout(raw) == layout


@pytest.mark.parametrize(
    ("raw", "found"),
    [({}, None), ({"format": "pt"}, "pt"), ({"format": "lstm.native/2"}, "lstm.native/2")],
)
def test_another_version_is_refused(raw: dict[str, str], found: str | None) -> None:
    with pytest.raises(WeightsError) as caught:
        read_metadata(raw)
    assert str(caught.value) == (
        f"metadata: expected format lstm.native/1, found {found!r}. "
        "The file was written by another version of this tool, or by hand."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"gate_activation": "hard_sigmoid"},
            f"gate_activation: expected one of {ACTIVATIONS}; found 'hard_sigmoid'.",
        ),
        (
            {"candidate_activation": "step"},
            f"candidate_activation: expected one of {ACTIVATIONS}; found 'step'.",
        ),
        ({"peephole": True}, f"expected options among {OPTIONS}; found peephole."),
        (
            {"gate_activation": ["sigmoid"]},
            f"gate_activation: expected one of {ACTIVATIONS}; found ['sigmoid'].",
        ),
        ({"gate_activation": None}, f"gate_activation: expected one of {ACTIVATIONS}; found None."),
        (
            {"reverse.cell_activation": "elu(a)"},
            "reverse.cell_activation: expected elu(alpha), in numbers; found 'elu(a)'.",
        ),
        ({"coupled": "output"}, "coupled: expected one of input, forget; found 'output'."),
        ({"cell_clip": 0}, "cell_clip: expected a positive number, found 0."),
        ({"cell_clip": -1.5}, "cell_clip: expected a positive number, found -1.5."),
        ({"cell_clip": True}, "cell_clip: expected a positive number, found True."),
        ({"projection_clip": "3"}, "projection_clip: expected a positive number, found '3'."),
    ],
)
def test_a_cell_that_is_computed_otherwise_is_refused(options: Any, message: str) -> None:
    assert refusal(cell=options) == f"metadata: cell: {message}"


@pytest.mark.parametrize(
    "options",
    [
        {"gate_activation": "hard-sigmoid", "cell_activation": "relu"},
        {"coupled": "forget", "pre_activation_clip": 2.5},
        {"cell_clip": 3, "projection_clip": 0.5, "norm_epsilon": 1e-5},
    ],
)
def test_the_options_of_a_cell_are_read(options: Any) -> None:
    assert read_metadata({**OURS, "cell": json.dumps(options)}).cell == options


@pytest.mark.parametrize("key", ["cell", "head", "quality", "units", "tokenizer"])
def test_an_entry_that_is_not_json_is_refused(key: str) -> None:
    assert refusal(**{key: "{no"}).startswith(f"metadata: {key}: expected JSON, found an error: ")


@pytest.mark.parametrize("key", ["cell", "head", "quality"])
@pytest.mark.parametrize("value", ["[1]", "5", '"text"', "null"])
def test_an_entry_that_is_no_object_is_refused(key: str, value: str) -> None:
    expected = f"metadata: {key}: expected a JSON object, found {value!r}."
    assert refusal(**{key: value}) == expected


@pytest.mark.parametrize(
    "unit",
    [
        5,
        "l0.c[1]",
        {},
        {"address": "l0.c[1]"},
        {"tells": "x"},
        {"address": 5, "tells": "x"},
        {"address": "l0.c[1]", "tells": "x", "auc": "high"},
        {"address": "l0.c[1]", "tells": "x", "auc": []},
    ],
    ids=str,
)
def test_a_malformed_unit_is_shown(unit: Any) -> None:
    assert refusal(units=[unit]) == (
        f"metadata: units: expected address, tells and auc, found {unit!r}."
    )


def test_an_address_that_follows_no_grammar_is_shown() -> None:
    assert refusal(units=[{"address": "c42", "tells": "x"}]) == (
        "address 'c42': expected layer.quantity[unit]@step, such as l0.c[81]@3, l0.reverse.f[3:7] "
        "or l1.h@2:; quantities are x, z_f, z_i, z_g, z_o, f, i, g, o, ig, fc, c, tanh_c, h, y."
    )


@pytest.mark.parametrize("units", [5, None, True, 0.5, {"address": "l0.c[1]", "tells": "x"}])
def test_units_that_are_no_list_are_refused(units: Any) -> None:
    assert refusal(units=units).startswith("metadata: units: expected")


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        (None, "tokenizer: expected a record with its kind, found none."),
        ([], "tokenizer: expected a record with its kind, found none."),
        (
            {"kind": "syllable"},
            "tokenizer: expected a kind among word, character, byte, huggingface; found "
            "'syllable'.",
        ),
        ({"kind": "word"}, "vocabulary: expected a list of tokens, found none."),
        ({"kind": "word", "vocabulary": "a"}, "vocabulary: expected a list of tokens, found none."),
        ({"kind": "word", "vocabulary": ["a", 5]}, "vocabulary: expected strings, found 5."),
        (
            {"kind": "word", "vocabulary": ["a", "b", "a"]},
            "vocabulary: expected every token once, found 'a' twice.",
        ),
        (
            {"kind": "character", "vocabulary": ["a"], "unknown": "?"},
            "vocabulary: expected the unknown token '?' among its 1 entries, found no such entry.",
        ),
        (
            {"kind": "word", "vocabulary": ["a"], "stemming": True},
            "tokenizer: expected the options of kind 'word', found stemming.",
        ),
        (
            {"kind": "huggingface"},
            "tokenizer: expected the text of a tokenizer.json, found none.",
        ),
    ],
)  # fmt: skip
def test_a_malformed_tokenizer_is_refused(tokenizer: Any, message: str) -> None:
    assert refusal(tokenizer=tokenizer) == message


@pytest.mark.parametrize("labels", [5, None, "ab", {"a": 1}])
def test_labels_that_are_no_list_are_refused(labels: Any) -> None:
    assert "expected a list" in refusal(head={"labels": labels})


@given(st.sampled_from(["cell", "head", "quality", "units", "tokenizer"]), JSON)
def test_any_json_is_read_or_refused_with_a_sentence(key: str, value: Any) -> None:
    with suppress(LSTMError):
        read_metadata({**OURS, key: json.dumps(value)})


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=4))
def test_what_is_written_is_read_back(quality: dict[str, Any]) -> None:
    metadata = Metadata(
        labels=("a", "ü", ""),
        tied=True,
        description="d",
        licence="l",
        source="s",
        units=(NamedUnit(Address(0, "reverse", "z_f", slice(None, 3), 2), "tells", 1 / 3),),
        quality=quality,
    )
    assert read_metadata(write_metadata(metadata)) == metadata
