from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import weights
from lstm.errors import LSTMError, ShapeError
from lstm.model import Model
from lstm.tokenizers.character import CharacterTokenizer
from tests.weights.builders import (
    FIXTURES,
    ROOT,
    close,
    golden,
    golden_run,
    golden_weights,
    needs_fixtures,
    raw,
    write,
    zeros,
)
from tests.weights.layouts.test_native import FORMAT, one_unit
from weights import load
from weights.errors import AmbiguousError, NotAnLSTMError, UnreadableFileError, WeightsError
from weights.layouts.registry import NAMES as LAYOUTS
from weights.pretrained.registry import NAMES, find, path_of


def refusal(source: Any, **options: Any) -> str:
    with pytest.raises(LSTMError) as caught:
        load(source, **options)
    return str(caught.value)


def test_the_package_offers_load_and_save() -> None:
    assert sorted(weights.__all__) == ["load", "save"]
    assert callable(weights.load)
    assert callable(weights.save)
    with pytest.raises(AttributeError, match="dump"):
        weights.dump  # noqa: B018


def test_an_embedded_model_is_loaded_by_its_name() -> None:
    model = load("brackets")
    assert isinstance(model, Model)
    assert isinstance(model.tokenizer, CharacterTokenizer)
    trace = model.run("a ( b ( c ) )")
    assert np.round(trace.cell[:, 0]).tolist() == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 0]
    assert model.card.source == "brackets"
    assert model.card.layout == "native"
    assert model.card.assumed == ()
    path = path_of("brackets")
    assert model.card.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", [name for name in NAMES if path_of(name).exists()])
def test_every_embedded_model_is_self_contained(name: str) -> None:
    model = load(name)
    assert model.embedding is not None
    assert model.head is not None
    assert model.tokenizer is not None
    assert model.card.description
    assert model.card.licence
    assert model.card.units
    assert model.card.assumed == ()


def test_names_of_embedded_models_and_paths_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("latch").touch()
    assert find("latch") == path_of("latch")
    assert find("./latch") == Path("latch")
    assert find(Path("latch")) == Path("latch")


@pytest.mark.parametrize("make", [str, Path])
def test_a_file_is_loaded_by_its_path(make: type) -> None:
    model = load(make(golden("lstm")))
    assert model.card.source == str(golden("lstm"))
    assert model.card.layout == "pytorch"
    assert (model.embedding, model.head, model.tokenizer) == (None, None, None)
    assert model.card.assumed == ()


def test_a_name_that_is_neither_is_a_missing_file() -> None:
    assert refusal("shakespeare") == (
        f"shakespeare: no such file, and no model of that name inside ({', '.join(NAMES)})."
    )


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("lstm", "float32"), ("float16", "float32"), ("bfloat16", "float32"), ("float64", "float64")],
)
def test_the_dtype_follows_the_file(name: str, dtype: str) -> None:
    assert load(golden(name)).parameters.dtype == dtype


@pytest.mark.parametrize("name", ["lstm", "bfloat16", "float64", "tagger"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_asked_for_is_that_of_every_number(name: str, dtype: str) -> None:
    model = load(golden(name), dtype=dtype)
    assert model.parameters.dtype == dtype
    if model.embedding is not None and model.head is not None:
        assert model.embedding.weight.dtype == dtype
        assert model.head.weight.dtype == dtype


def test_everything_loaded_is_read_only() -> None:
    model = load(golden("tagger"))
    cell = model.parameters.layers[0].forward
    assert model.embedding is not None
    assert model.head is not None
    assert model.head.bias is not None
    for array in (*cell.arrays, model.embedding.weight, model.head.weight, model.head.bias):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("dtype", ["float16", "double", ""])
def test_another_dtype_is_refused(dtype: str) -> None:
    assert refusal("brackets", dtype=dtype) == (
        f"dtype: expected float32 or float64, found {dtype!r}."
    )


def test_what_was_assumed_is_said() -> None:
    assert load(golden("tagger")).card.assumed == (
        "embedding: model.embedding.weight, by its name and shape",
        "head: model.head.weight, by its name and shape",
    )


def test_one_of_several_lstms_has_to_be_named() -> None:
    path = golden("encoder_decoder")
    with pytest.raises(AmbiguousError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: expected one LSTM, found decoder., encoder.. Choose with --prefix."
    )


@pytest.mark.parametrize("prefix", ["encoder", "decoder"])
def test_the_other_lstm_lends_no_part_of_itself(prefix: str) -> None:
    model = load(golden("encoder_decoder"), prefix=prefix)
    assert (model.embedding, model.head) == (None, None)


def test_a_wrong_prefix_is_answered_with_the_right_ones() -> None:
    path = golden("encoder_decoder")
    assert refusal(path, prefix="rnn") == (
        f"{path}: --prefix: expected one of 'decoder.', 'encoder.', found 'rnn'."
    )
    assert refusal(golden("tagger"), prefix="model.enc") == (
        f"{golden('tagger')}: --prefix: expected one of 'model.encoder.rnn.', found 'model.enc'."
    )


@pytest.mark.parametrize("prefix", ["model", "model.encoder", "model.encoder.rnn."])
def test_a_prefix_may_name_a_place_that_holds_one_lstm(prefix: str) -> None:
    assert load(golden("tagger"), prefix=prefix).card.layout == "pytorch"


def test_a_layout_may_be_named() -> None:
    assert load(golden("lstm"), layout="pytorch").card.layout == "pytorch"
    path = golden("lstm")
    assert refusal(path, layout="textbook") == (
        f"{path}: no tensors named as textbook has them. Found: pytorch."
    )
    assert refusal(path, layout="theano") == (
        f"{path}: --layout: expected one of {', '.join(LAYOUTS)}, found 'theano'."
    )


def test_a_layout_that_is_named_decides_between_two(tmp_path: Path) -> None:
    arrays = {f"a.{name}": array for name, array in golden_weights("lstm").items()}
    arrays |= {f"b.W{gate}": np.zeros((2, 5), np.float32) for gate in ("FG", "IPG", "CS", "OPG")}
    path = write(tmp_path / "model.safetensors", arrays)
    with pytest.raises(AmbiguousError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: expected one layout, found pytorch, textbook. Choose with --layout."
    )
    assert load(path, layout="textbook").parameters.hidden_size == 2
    assert load(path, layout="pytorch").parameters.hidden_size == 3


def test_a_native_file_is_not_read_as_another_layout() -> None:
    assert refusal("brackets", layout="pytorch") == (
        "brackets: no tensors named as pytorch has them. Found: native."
    )


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"embedding.weight": (8, 5)},
            "embedding: expected (vocabulary_size, input_size) = (8, 1), found (8, 5).",
        ),
        (
            {"head.weight": (8, 2)},
            "head: expected (outcomes, directions*hidden_size) = (8, 1), found (8, 2).",
        ),
        (
            {"head.weight": (8, 2), "head.projection.weight": (3, 1)},
            "head projection: expected (2, 1), found (3, 1).",
        ),
        (
            {"head.weight": (8, 1), "head.bias": (7,)},
            "head bias: expected (8,), found (7,).",
        ),
        (
            {"head.weight": (8, 1), "head.projection.bias": (3,)},
            "head projection bias: expected (1,), found (3,).",
        ),
    ],
)
def test_embedding_and_head_have_to_fit(
    tmp_path: Path, arrays: dict[str, tuple[int, ...]], message: str
) -> None:
    path = write(tmp_path / "model.safetensors", {**one_unit(), **zeros(**arrays)}, FORMAT)
    with pytest.raises(ShapeError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {message}"


def native(folder: Path, shapes: dict[str, tuple[int, ...]], **metadata: Any) -> Path:
    entries = {key: json.dumps(value) for key, value in metadata.items()}
    arrays = {**one_unit(), **zeros(**shapes)}
    return write(folder / "model.safetensors", arrays, {**FORMAT, **entries})


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "c", "d"], []])
def test_there_are_as_many_labels_as_outcomes(tmp_path: Path, labels: list[str]) -> None:
    path = native(tmp_path, {"head.weight": (3, 1)}, head={"labels": labels})
    assert refusal(path) == (
        f"{path}: head: expected 3 names, one per row of its weight, found {len(labels)}."
    )


def test_a_tied_head_needs_an_embedding(tmp_path: Path) -> None:
    path = native(tmp_path, {}, head={"tied": True})
    assert refusal(path) == f"{path}: head: expected an embedding to be tied to, found none."


@pytest.mark.parametrize("part", ["head.bias", "head.projection.weight", "head.projection.bias"])
def test_a_part_of_a_head_without_the_head_is_refused(tmp_path: Path, part: str) -> None:
    path = native(tmp_path, {part: (1,)})
    assert part in refusal(path)


def test_labels_without_a_head_are_refused(tmp_path: Path) -> None:
    path = native(tmp_path, {}, head={"labels": ["a", "b"]})
    assert "head" in refusal(path)


def test_a_tied_head_beside_a_head_is_refused(tmp_path: Path) -> None:
    shapes = {"embedding.weight": (5, 1), "head.weight": (5, 1)}
    assert "head" in refusal(native(tmp_path, shapes, head={"tied": True}))


def test_a_vocabulary_longer_than_the_embedding_is_refused(tmp_path: Path) -> None:
    words = {"kind": "word", "vocabulary": ["a", "b", "c"]}
    path = native(tmp_path, {"embedding.weight": (2, 1)}, tokenizer=words)
    assert refusal(path) == (
        f"{path}: vocabulary: expected at most 2 tokens, one per row of the embedding, found 3."
    )


@pytest.mark.parametrize(
    ("shapes", "words", "names", "predicts"),
    [
        ({"embedding.weight": (3, 1)}, ["a", "b", "c"], ("a", "b", "c"), True),
        ({}, ["a", "b", "c"], ("a", "b", "c"), True),
        ({"embedding.weight": (3, 1)}, ["a", "b"], None, True),
        ({"embedding.weight": (3, 1)}, None, None, True),
        ({"embedding.weight": (4, 1)}, ["a", "b", "c", "d"], None, False),
        ({}, None, None, False),
    ],
)
def test_outcomes_are_tokens_where_there_are_as_many(
    tmp_path: Path,
    shapes: dict[str, tuple[int, ...]],
    words: list[str] | None,
    names: tuple[str, ...] | None,
    predicts: bool,
) -> None:
    """In files of other frameworks, which do not say what a head predicts."""
    arrays = {f"rnn.{name}": array for name, array in golden_weights("lstm").items()}
    resized = {name: (rows, 4) for name, (rows, _) in shapes.items()}
    path = write(
        tmp_path / "model.safetensors", {**arrays, **zeros(**resized, **{"fc.weight": (3, 3)})}
    )
    if words:
        (tmp_path / "vocab.json").write_text(json.dumps(words), "utf-8")
    head = load(path).head
    assert head is not None
    assert (head.names, head.predicts_tokens) == (names, predicts)


def test_another_version_of_the_format_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", one_unit(), {"format": "lstm.native/2"})
    with pytest.raises(WeightsError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: metadata: expected format lstm.native/1, found 'lstm.native/2'. "
        "The file was written by another version of this tool, or by hand."
    )


def test_native_names_without_the_format_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", one_unit())
    assert refusal(path) == (
        f"{path}: metadata: expected format lstm.native/1, found None. "
        "The file was written by another version of this tool, or by hand."
    )


def test_a_state_is_not_taken_for_weights(tmp_path: Path) -> None:
    names = ("layers.0.forward.cell", "layers.0.forward.hidden")
    path = write(tmp_path / "s", {name: np.ones(3) for name in names}, {"format": "lstm.state/1"})
    with pytest.raises(NotAnLSTMError, match="these are the states of an LSTM, not its weights"):
        load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, f"no such file, and no model of that name inside ({', '.join(NAMES)})."),
        (..., "cannot be read: Is a directory."),
        (
            b"junk",
            "expected a safetensors file, found something else (its first eight bytes do not "
            "give the length of a header inside the file).",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_named_once(
    tmp_path: Path, content: Any, message: str
) -> None:
    path = tmp_path / "model.safetensors"
    if content is ...:
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableFileError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {message}"


def test_a_file_without_tensors_is_refused(tmp_path: Path) -> None:
    path = raw(tmp_path / "model.safetensors", {})
    assert refusal(path) == f"{path}: the file holds no tensors."


def test_a_tagger_reads_text_through_a_vocabulary_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(golden("tagger").read_bytes())
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), "utf-8")
    run = golden_run("tagger")
    ids = run["ids"][:, 0]
    start = {
        "layers.0.forward.hidden": run["h0"][0, 0],
        "layers.0.forward.cell": run["c0"][0, 0],
    }
    trace = load(path, dtype="float64").run(" ".join(words[n] for n in ids), initial_state=start)
    close(trace.logits, run["logits"][:, 0], 1e-13)


@needs_fixtures
def test_a_published_model_says_what_was_assumed_of_it() -> None:
    model = load(FIXTURES / "models" / "g2pm" / "weights.safetensors")
    assert model.embedding is not None
    assert model.embedding.weight.shape == (5398, 64)
    assert "embedding: embedding.weight, by its name and shape" in model.card.assumed
    assert any(sentence.startswith("not used: ") for sentence in model.card.assumed)


def test_importing_the_package_imports_no_numpy() -> None:
    code = "import weights, sys; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
