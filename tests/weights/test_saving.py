from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from safetensors import safe_open

from lstm.address import Address
from lstm.card import Card, NamedUnit
from lstm.embedding import Embedding
from lstm.errors import LSTMError
from lstm.head import Head
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.tokenizers.tokenizer import Vocabulary
from lstm.tokenizers.word import WordTokenizer
from tests.weights.builders import assert_same, golden, golden_run, header_of, run_as
from tests.weights.strategies import models
from weights import load, save
from weights.saving import _GATE_NAMES

D, H, V = 2, 3, 5
RANDOM = np.random.default_rng(7)


def cell(width: int = D, dtype: str = "float32") -> CellParameters:
    shapes = ((4 * H, width), (4 * H, H), (4 * H,))
    return CellParameters(*(RANDOM.standard_normal(shape).astype(dtype) for shape in shapes))


def model(**parts: Any) -> Model:
    return Model(Parameters((LayerParameters(cell()),)), **parts)


def table(rows: int, width: int) -> np.ndarray:
    return RANDOM.standard_normal((rows, width)).astype(np.float32)


def bits(array: np.ndarray | None) -> Any:
    return None if array is None else (array.dtype.str, array.shape, array.tobytes())


def content(model: Model) -> dict[str, Any]:
    """Everything that a file has to keep, down to the bits."""
    head, words = model.head, model.tokenizer
    cells = [c for layer in model.parameters.layers for c in layer.directions.values()]
    return {
        "directions": [list(layer.directions) for layer in model.parameters.layers],
        "cells": [[bits(array) for array in cell.arrays] for cell in cells],
        "embedding": bits(model.embedding.weight) if model.embedding else None,
        "head": head
        and [bits(a) for a in (head.weight, head.bias, head.projection, head.projection_bias)],
        "outcomes": head and (head.names, head.predicts_tokens),
        "tied": bool(head and model.embedding and head.weight is model.embedding.weight),
        "tokenizer": words and (type(words), words.specification()),
        "card": model.card._replace(source="", hashed=str, layout="", assumed=()),
    }


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(models())
def test_a_saved_model_is_loaded_bit_for_bit(tmp_path: Path, model: Model) -> None:
    save(tmp_path / "model.safetensors", model)
    found = load(tmp_path / "model.safetensors", allow_nonfinite=True)
    assert content(found) == content(model)
    assert found.card.layout == "native"
    assert found.card.assumed == ()


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(models())
def test_a_model_loaded_and_saved_again_is_the_same_bytes(tmp_path: Path, model: Model) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    save(first, model)
    save(second, load(first, allow_nonfinite=True))
    assert first.read_bytes() == second.read_bytes()
    save(second, model)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    "name", ["three_layers", "two_layers_bidirectional", "no_bias", "bfloat16", "float64"]
)
def test_torchs_weights_saved_in_the_native_layout_still_give_what_torch_gave(
    tmp_path: Path, name: str
) -> None:
    save(tmp_path / "model.safetensors", load(golden(name), dtype="float64"))
    run = golden_run(name)
    assert_same(run_as(load(tmp_path / "model.safetensors"), run), run, 1e-13)


def test_a_whole_tagger_saved_in_the_native_layout_still_gives_torchs_logits(
    tmp_path: Path,
) -> None:
    save(tmp_path / "model.safetensors", load(golden("tagger"), dtype="float64"))
    found, run = load(tmp_path / "model.safetensors"), golden_run("tagger")
    start = {
        "layers.0.forward.hidden": run["h0"][0, 1],
        "layers.0.forward.cell": run["c0"][0, 1],
    }
    trace = found.run(ids=run["ids"][:, 1], initial_state=start)
    np.testing.assert_allclose(trace.logits, run["logits"][:, 1], rtol=0, atol=1e-13)


def test_the_file_says_what_it_holds_in_the_formats_own_library(tmp_path: Path) -> None:
    """Each gate's matrix is (hidden rows) x [hidden, input], under the gate's own name."""
    saved = model()
    save(tmp_path / "model.safetensors", saved)
    with safe_open(tmp_path / "model.safetensors", framework="numpy") as file:
        assert file.metadata()["format"] == "lstm.native/1"
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    gates = ("input_gate", "forget_gate", "candidate", "output_gate")
    assert sorted(arrays) == sorted(
        f"layers.0.forward.{gate}.{what}" for gate in gates for what in ("weight", "bias")
    )
    forward = saved.parameters.layers[0].forward
    for n, gate in enumerate(gates):
        rows = slice(n * H, (n + 1) * H)
        both = np.concatenate([forward.weight_hh[rows], forward.weight_ih[rows]], axis=1)
        np.testing.assert_array_equal(arrays[f"layers.0.forward.{gate}.weight"], both)
        np.testing.assert_array_equal(arrays[f"layers.0.forward.{gate}.bias"], forward.bias[rows])


def test_each_gate_is_saved_under_its_own_name() -> None:
    assert _GATE_NAMES == {
        "input": "input_gate",
        "forget": "forget_gate",
        "candidate": "candidate",
        "output": "output_gate",
    }


def test_a_tied_head_is_saved_once_and_stays_tied(tmp_path: Path) -> None:
    embedding = Embedding(table(V, D))
    head = Head(embedding.weight, projection=table(D, H))
    save(tmp_path / "model.safetensors", model(embedding=embedding, head=head))
    assert "head.weight" not in header_of(tmp_path / "model.safetensors")
    found = load(tmp_path / "model.safetensors", allow_nonfinite=True)
    assert found.embedding is not None
    assert found.head is not None
    assert found.head.weight is found.embedding.weight


def test_a_head_that_merely_equals_the_embedding_is_not_tied(tmp_path: Path) -> None:
    weight = table(V, D)
    untied = model(embedding=Embedding(weight), head=Head(weight.copy(), projection=table(D, H)))
    save(tmp_path / "model.safetensors", untied)
    assert "head.weight" in header_of(tmp_path / "model.safetensors")


def test_labels_without_names_stay_labels_whatever_their_number(tmp_path: Path) -> None:
    """As many labels as the embedding has rows: the head still predicts no tokens."""
    head = Head(table(V, H), predicts_tokens=False)
    save(tmp_path / "model.safetensors", model(embedding=Embedding(table(V, D)), head=head))
    found = load(tmp_path / "model.safetensors").head
    assert found is not None
    assert found.predicts_tokens is False
    assert found.names is None


def test_labels_without_names_take_no_tokens_for_names(tmp_path: Path) -> None:
    words = WordTokenizer(Vocabulary(("a", "b", "c", "d", "e")))
    head = Head(table(V, H), predicts_tokens=False)
    save(tmp_path / "model.safetensors", model(tokenizer=words, head=head))
    found = load(tmp_path / "model.safetensors").head
    assert found is not None
    assert (found.names, found.predicts_tokens) == (None, False)


def test_a_head_without_an_embedding_still_predicts_tokens(tmp_path: Path) -> None:
    """As in a model that reads one-hot vectors."""
    save(tmp_path / "model.safetensors", model(head=Head(table(V, H), predicts_tokens=True)))
    found = load(tmp_path / "model.safetensors").head
    assert found is not None
    assert found.predicts_tokens is True


def test_float16_rounds_to_the_nearest(tmp_path: Path) -> None:
    saved = model()
    save(tmp_path / "model.safetensors", saved, dtype="float16")
    found = load(tmp_path / "model.safetensors").parameters.layers[0].forward
    for ours, theirs in zip(saved.parameters.layers[0].forward.arrays, found.arrays, strict=True):
        np.testing.assert_array_equal(theirs, ours.astype(np.float16).astype(np.float32))
        np.testing.assert_allclose(theirs, ours, rtol=2**-11, atol=2**-25)
    dtypes = {e["dtype"] for n, e in header_of(tmp_path / "model.safetensors").items()
              if n != "__metadata__"}  # fmt: skip
    assert dtypes == {"F16"}


@pytest.mark.parametrize(
    ("dtype", "stored", "loaded"),
    [
        (None, "F32", "float32"),
        ("float16", "F16", "float32"),
        ("float32", "F32", "float32"),
        ("float64", "F64", "float64"),
    ],
)
def test_a_dtype_may_be_chosen(tmp_path: Path, dtype: str | None, stored: str, loaded: str) -> None:
    saved = model(embedding=Embedding(table(V, D)), head=Head(table(V, H)))
    save(tmp_path / "model.safetensors", saved, dtype=dtype)
    entries = header_of(tmp_path / "model.safetensors")
    assert {e["dtype"] for n, e in entries.items() if n != "__metadata__"} == {stored}
    assert load(tmp_path / "model.safetensors").parameters.dtype == loaded


def with_bias(value: float) -> Model:
    arrays = [np.array(array) for array in cell().arrays]
    arrays[2][H] = value  # the first unit's forget gate
    return Model(Parameters((LayerParameters(CellParameters(*arrays)),)))


@pytest.mark.parametrize("value", [70000.0, -70000.0, 65520.0])
def test_a_number_beyond_the_dtype_is_refused_and_the_old_file_stands(
    tmp_path: Path, value: float
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"old")
    with pytest.raises(LSTMError) as caught:
        save(path, with_bias(value), dtype="float16")
    assert str(caught.value) == (
        "layers.0.forward.forget_gate.bias: expected numbers within float16, "
        f"found {abs(value):.6g}."
    )
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.safetensors"]


@pytest.mark.parametrize("value", [65504.0, np.inf, -np.inf, np.nan])
def test_what_the_dtype_can_hold_is_saved(tmp_path: Path, value: float) -> None:
    save(tmp_path / "model.safetensors", with_bias(value), dtype="float16")
    found = (
        load(tmp_path / "model.safetensors", allow_nonfinite=True)
        .parameters.layers[0]
        .forward.bias[H]
    )
    np.testing.assert_equal(found, np.float32(value))


@pytest.mark.parametrize("dtype", ["bfloat16", "int8", "double", ""])
def test_another_dtype_is_refused(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(LSTMError) as caught:
        save(tmp_path / "model.safetensors", model(), dtype=dtype)
    assert str(caught.value) == (f"dtype: expected float16, float32 or float64, found {dtype!r}.")
    assert os.listdir(tmp_path) == []


def test_a_failing_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    save(path, model())
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="cannot be written: No space left on device"):
        save(path, model())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save(tmp_path / "none" / "model.safetensors", model())


def test_a_path_may_be_text(tmp_path: Path) -> None:
    save(str(tmp_path / "model.safetensors"), model())
    assert load(str(tmp_path / "model.safetensors")).parameters.hidden_size == H


def test_where_a_model_came_from_is_kept_and_where_it_lay_is_not(tmp_path: Path) -> None:
    units = (NamedUnit(Address(0, "forward", "c", 1), "depth", 0.5),)
    card = Card("there", str, "pytorch", ("guess",), "what", "MIT", "whence", units, {"a": 1})
    save(tmp_path / "model.safetensors", model(card=card))
    found = load(tmp_path / "model.safetensors").card
    assert found == card._replace(
        source=str(tmp_path / "model.safetensors"),
        hashed=found.hashed,
        layout="native",
        assumed=(),
    )
    assert b"guess" not in (tmp_path / "model.safetensors").read_bytes()


def test_two_saves_of_different_models_differ(tmp_path: Path) -> None:
    one = model()
    save(tmp_path / "one", one)
    save(tmp_path / "other", replace(one, card=Card(description="x")))
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()
