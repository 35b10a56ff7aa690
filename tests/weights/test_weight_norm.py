"""A matrix stored as direction and lengths: by hand, and with what torch made of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.weights.builders import close, golden, golden_run, golden_weights, infos, run_as, write
from weights import load
from weights.archive import TensorInfo
from weights.containers.safetensors import open_archive
from weights.errors import UnsupportedDtypeError, WeightsError
from weights.weight_norm import find_pairs, fold

OLD = ("weight_hh_l0_g", "weight_hh_l0_v")
NEW = ("parametrizations.weight_hh_l0.original0", "parametrizations.weight_hh_l0.original1")


def header(**shapes: tuple[int, ...]) -> dict[str, TensorInfo]:
    return infos(**shapes)


@pytest.mark.parametrize("names", [OLD, NEW])
@pytest.mark.parametrize("place", ["", "rnn.", "module.encoder.rnn."])
def test_a_matrix_is_folded_under_its_own_name(
    names: tuple[str, str], place: str, tmp_path: Path
) -> None:
    """Rows (3, 4) and (0, 2) of lengths 5 and 2 become rows of lengths 10 and 7."""
    g, v = (place + name for name in names)
    arrays = {g: [[10.0], [-7.0]], v: [[3.0, 4.0], [0.0, 2.0]], f"{place}other": [1.0]}
    archive = fold(open_archive(write(tmp_path / "model.safetensors", arrays)))
    assert sorted(archive.tensors) == sorted([f"{place}weight_hh_l0", f"{place}other"])
    assert archive.tensors[f"{place}weight_hh_l0"].shape == (2, 2)
    found = archive.read(f"{place}weight_hh_l0", "float64")
    assert found.tolist() == [[6.0, 8.0], [0.0, -7.0]]
    assert not found.flags.writeable
    assert archive.read(f"{place}other", "float32").tolist() == [1.0]


@pytest.mark.parametrize(
    ("g", "expected"),
    [
        ([[13.0, 4.0]], [[5.0, 0.0], [12.0, 4.0]]),  # one length per column
        ([[3.0]], [[5.0 / 6, 0.0], [2.0, 2.0]]),  # one for all, with axes
    ],
)
def test_the_norm_is_taken_along_the_axes_that_the_lengths_lack(
    g: list[list[float]], expected: list[list[float]], tmp_path: Path
) -> None:
    v = [[5.0, 0.0], [12.0, 12.0]]
    if g == [[3.0]]:
        expected = (3 * np.array(v) / np.sqrt(25 + 144 + 144)).tolist()
    arrays = {"weight_hh_l0_g": np.array(g), "weight_hh_l0_v": np.array(v)}
    archive = fold(open_archive(write(tmp_path / "model.safetensors", arrays)))
    close(archive.read("weight_hh_l0", "float64"), np.array(expected), 1e-15)


def test_a_single_number_is_the_length_of_the_whole(tmp_path: Path) -> None:
    arrays = {"weight_hh_l0_g": np.array(10.0), "weight_hh_l0_v": np.array([[3.0], [4.0]])}
    archive = fold(open_archive(write(tmp_path / "model.safetensors", arrays)))
    assert archive.read("weight_hh_l0", "float32").tolist() == [[6.0], [8.0]]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_product_is_computed_in_float64_whatever_is_stored(dtype: str, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    g, v = random.normal(size=(4, 1)).astype(dtype), random.normal(size=(4, 3)).astype(dtype)
    path = write(tmp_path / "model.safetensors", {"weight_hh_l0_g": g, "weight_hh_l0_v": v})
    wide, long = v.astype(float), g.astype(float)
    expected = long * wide / np.sqrt((wide**2).sum(axis=1, keepdims=True))
    archive = fold(open_archive(path))
    close(archive.read("weight_hh_l0", "float64"), expected, 1e-15)
    np.testing.assert_array_equal(
        archive.read("weight_hh_l0", "float32"), expected.astype(np.float32)
    )


def test_numbers_that_are_no_floats_are_refused(tmp_path: Path) -> None:
    arrays = {"weight_hh_l0_g": np.ones((4, 1), np.int8), "weight_hh_l0_v": np.ones((4, 2))}
    archive = fold(open_archive(write(tmp_path / "model.safetensors", arrays)))
    with pytest.raises(UnsupportedDtypeError) as caught:
        archive.read("weight_hh_l0", "float32")
    assert str(caught.value) == (
        "weight_hh_l0_g: expected F64, F32, F16, BF16, found I8. Convert the weights to one of "
        "these first."
    )


@pytest.mark.parametrize(
    "tensors",
    [
        header(weight_hh_l0_g=(4, 1)),
        header(weight_hh_l0_v=(4, 2)),
        header(weight_hh_l0_g=(3, 1), weight_hh_l0_v=(4, 2)),
        header(weight_hh_l0_g=(4, 1), weight_hh_l0_v=(4, 2, 2)),
        header(weight_hh_l0_g=(4, 1), weight_hh_l0_v=(4, 2), weight_hh_l0=(4, 2)),
        header(b_g=(4, 1), b_v=(4, 2)),
        header(parametrizations__weight_hh_l0__original=(4, 2)),
    ],
)
def test_nothing_else_is_folded(tensors: dict[str, TensorInfo]) -> None:
    assert find_pairs(tensors) == {}


def test_a_matrix_that_stands_beside_its_parts_is_not_guessed_about(tmp_path: Path) -> None:
    """Which of the two counts, the file does not tell."""
    arrays = golden_weights("weight_norm_old") | {
        "weight_hh_l0": np.zeros((12, 3), np.float32),
        "weight_hh_l0_reverse": np.zeros((12, 3), np.float32),
    }
    with pytest.raises(WeightsError, match=r"weight_hh_l0(_reverse)?_[gv]: expected only tensors"):
        load(write(tmp_path / "model.safetensors", arrays))


@pytest.mark.parametrize("name", ["weight_norm", "weight_norm_old", "weight_norm_all"])
def test_the_lengths_count(name: str, tmp_path: Path) -> None:
    """Torch's numbers are missed where g is passed over: v alone is not the matrix."""
    arrays = golden_weights(name)
    for key in arrays:
        if key.endswith(("_g", "original0")):
            arrays[key] = np.ones_like(arrays[key])
    run = golden_run(name)
    trace = run_as(load(write(tmp_path / "model.safetensors", arrays), dtype="float64"), run)
    assert np.abs(trace.hidden.swapaxes(0, 1) - run["hs"]).max() > 0.01


def test_a_file_without_such_matrices_is_left_as_it_is() -> None:
    archive = open_archive(golden("lstm"))
    assert fold(archive) is archive


def test_folding_needs_no_numpy() -> None:
    code = (
        "import sys; from weights.containers.safetensors import open_archive; "
        "from weights.weight_norm import "
        f"fold; fold(open_archive({str(golden('weight_norm'))!r})); assert 'numpy' not in "
        "sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
