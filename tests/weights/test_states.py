from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lstm.errors import LSTMError, ShapeError
from lstm.parameters import Parameters
from lstm.state import ModelState
from tests.weights.builders import close, golden, golden_run, raw, run_as, write
from weights import load
from weights.errors import UnreadableFileError
from weights.states import read_state, write_state

H, C = "layers.0.forward.hidden", "layers.0.forward.cell"


@pytest.fixture
def parameters() -> Parameters:
    return load(golden("lstm")).parameters


def test_a_final_state_written_and_read_continues_the_run(tmp_path: Path) -> None:
    run = golden_run("three_layers")
    model = load(golden("three_layers"), dtype="float64")
    first = run_as(model, {**run, "x": run["x"][:2]})
    write_state(tmp_path / "state.safetensors", first.final)
    state = read_state(tmp_path / "state.safetensors", model.parameters)
    rest = model.run(vectors=run["x"][2:].swapaxes(0, 1), initial_state=state)
    close(rest.hidden.swapaxes(0, 1), run["hs"][2:], 1e-13)


def test_a_state_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    run = golden_run("two_layers_bidirectional")
    model = load(golden("two_layers_bidirectional"))
    final = run_as(model, run).final
    write_state(tmp_path / "state.safetensors", final)
    found = read_state(tmp_path / "state.safetensors", model.parameters).arrays()
    expected = final.arrays()
    assert sorted(found) == sorted(expected)
    assert len(found) == 8
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 3)])
def test_a_state_is_one_for_all_sequences_or_one_each(
    tmp_path: Path, parameters: Parameters, shape: tuple[int, ...]
) -> None:
    hidden = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    path = write(tmp_path / "state.safetensors", {H: hidden, C: -hidden})
    state = read_state(path, parameters)[0, "forward"]
    np.testing.assert_array_equal(state.h, hidden)
    np.testing.assert_array_equal(state.c, -hidden)


def test_a_state_takes_the_dtype_of_the_parameters(tmp_path: Path, parameters: Parameters) -> None:
    path = write(tmp_path / "state.safetensors", {H: np.ones(3), C: np.ones(3, np.float16)})
    state = read_state(path, parameters)[0, "forward"]
    assert (state.h.dtype, state.c.dtype) == (np.float32, np.float32)


def test_a_read_state_is_read_only(tmp_path: Path, parameters: Parameters) -> None:
    path = write(tmp_path / "state.safetensors", {H: np.ones(3), C: np.ones(3)})
    with pytest.raises(ValueError, match="read-only"):
        read_state(path, parameters)[0, "forward"].h[0] = 2


def test_the_same_state_is_the_same_bytes(tmp_path: Path, parameters: Parameters) -> None:
    state = ModelState.zeros(parameters)
    for name in ("a", "b"):
        write_state(tmp_path / name, state)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {H: np.ones(3)},
            "state: expected an array named layers.0.forward.cell, found none.",
        ),
        (
            {"h": np.ones(3), "c": np.ones(3)},
            "state: expected an array named layers.0.forward.cell, found none.",
        ),
        (
            {H: np.ones(3), C: np.ones(3), "layers.1.forward.cell": np.ones(3)},
            "state: expected arrays for 1 cell, found also layers.1.forward.cell.",
        ),
        (
            {H: np.ones((2, 3)), C: np.ones((4, 3))},
            "state: expected the same number of sequences in every array.",
        ),
        ({}, "state: expected an array named layers.0.forward.cell, found none."),
    ],
)
def test_names_and_numbers_that_do_not_fit_are_refused(
    tmp_path: Path, parameters: Parameters, arrays: dict[str, np.ndarray], message: str
) -> None:
    path = write(tmp_path / "state.safetensors", arrays)
    with pytest.raises(LSTMError) as caught:
        read_state(path, parameters)
    assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize("shape", [(4,), (2, 4), (3, 1), (1, 2, 3), ()])
def test_a_state_of_another_width_is_refused(
    tmp_path: Path, parameters: Parameters, shape: tuple[int, ...]
) -> None:
    path = write(tmp_path / "state.safetensors", {H: np.ones(shape), C: np.ones(3)})
    with pytest.raises(ShapeError) as caught:
        read_state(path, parameters)
    assert str(caught.value) == (
        f"{path}: state: layers.0.forward.hidden: expected (hidden_size,) or "
        f"(sequences, hidden_size) = (3,), found {shape}."
    )


def test_a_state_of_whole_numbers_is_refused(tmp_path: Path, parameters: Parameters) -> None:
    path = write(tmp_path / "state.safetensors", {H: np.ones(3, np.int32), C: np.ones(3)})
    with pytest.raises(LSTMError) as caught:
        read_state(path, parameters)
    assert str(caught.value).startswith(f"{path}: {H}: expected F64, F32, F16, BF16, found I32.")


def test_a_missing_state_is_named(tmp_path: Path, parameters: Parameters) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read_state(tmp_path / "none", parameters)
    assert str(caught.value) == f"{tmp_path / 'none'}: cannot be read: No such file or directory."


def test_a_truncated_state_is_refused(tmp_path: Path, parameters: Parameters) -> None:
    entry = {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}
    path = raw(tmp_path / "state", {H: entry, C: {**entry, "data_offsets": [12, 24]}}, bytes(16))
    with pytest.raises(UnreadableFileError, match="expected 24 bytes of numbers"):
        read_state(path, parameters)
