from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lstm.errors import LSTMError
from tests.weights.builders import raw, write
from weights.errors import UnreadableFileError
from weights.vectors import read_vectors

ONE = np.arange(10, dtype=np.float32).reshape(5, 2)
TWO = -np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize("array", [ONE, TWO, np.zeros((2, 5, 3)), np.zeros((0, 4), np.float16)])
def test_an_npy_file_is_its_array(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "x.npy", array)
    found = read_vectors(str(tmp_path / "x.npy"))
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype


def test_an_npz_file_with_one_array_is_that_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", ONE)
    np.testing.assert_array_equal(read_vectors(str(tmp_path / "x.npz")), ONE)


@pytest.mark.parametrize(("name", "array"), [("one", ONE), ("two", TWO)])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_one_of_several_arrays_is_named_after_two_colons(
    tmp_path: Path, name: str, array: np.ndarray, save: type
) -> None:
    save(tmp_path / "x.npz", one=ONE, two=TWO)
    np.testing.assert_array_equal(read_vectors(f"{tmp_path / 'x.npz'}::{name}"), array)


@pytest.mark.parametrize(("name", "array"), [("one", ONE), ("two", TWO)])
def test_safetensors_hold_vectors_too(tmp_path: Path, name: str, array: np.ndarray) -> None:
    path = write(tmp_path / "x.safetensors", {"one": ONE, "two": TWO})
    np.testing.assert_array_equal(read_vectors(f"{path}::{name}"), array)


def test_a_lone_tensor_needs_no_name(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", {"one": ONE})
    found = read_vectors(str(path))
    np.testing.assert_array_equal(found, ONE)
    assert found.dtype == np.float32


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
@pytest.mark.parametrize(
    ("name", "wanted"), [("", "one array"), ("::three", "an array named three")]
)
def test_several_arrays_have_to_be_chosen_from(
    tmp_path: Path, ending: str, name: str, wanted: str
) -> None:
    path = tmp_path / f"x{ending}"
    if ending == ".npz":
        np.savez(path, one=ONE, two=TWO)
    else:
        write(path, {"one": ONE, "two": TWO.astype(np.float32)})
    with pytest.raises(LSTMError) as caught:
        read_vectors(f"{path}{name}")
    assert str(caught.value) == (
        f"{path}: expected {wanted}, found one, two. Name one: --vectors FILE::NAME."
    )


def test_an_archive_without_arrays_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz")
    with pytest.raises(LSTMError) as caught:
        read_vectors(str(tmp_path / "x.npz"))
    assert str(caught.value) == (
        f"{tmp_path / 'x.npz'}: expected one array, found none. Name one: --vectors FILE::NAME."
    )


@pytest.mark.parametrize("ending", [".npy", ".npz", ".safetensors"])
def test_a_missing_file_is_named(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"none{ending}"
    with pytest.raises(UnreadableFileError) as caught:
        read_vectors(f"{path}::x")
    assert str(caught.value) == f"{path}: cannot be read: No such file or directory."


@pytest.mark.parametrize("name", ["x.txt", "x", "x.csv"])
def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LSTMError) as caught:
        read_vectors(str(tmp_path / name))
    assert str(caught.value) == (
        f"{tmp_path / name}: expected a file ending in .npy, .npz or .safetensors."
    )


@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_objects_are_never_unpickled(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"x{ending}"
    array = np.array([{"a": 1}, None], dtype=object)
    (np.save if ending == ".npy" else np.savez)(path, array, allow_pickle=True)
    with pytest.raises(
        UnreadableFileError, match="expected numbers, found Python objects, which are never read"
    ):
        read_vectors(str(path))


JUNK = {
    "empty": b"",
    "text": b"1 2 3\n4 5 6\n",
    "pickle": b"\x80\x04N.",
    "numpy header only": b"\x93NUMPY\x01\x00",
    "broken numpy header": b"\x93NUMPY\x01\x00\x76\x00"
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (3, (".ljust(0x76),
    "numpy data missing": b"\x93NUMPY\x01\x00\x76\x00"
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }".ljust(0x75)
    + b"\n12345",
    "far too many numbers": b"\x93NUMPY\x01\x00\x76\x00"
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,), }".ljust(0x75)
    + b"\n",
    "start of a zip": b"PK\x03\x04 and no more",
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("ending", [".npy", ".npz", ".safetensors"])
def test_junk_is_refused_with_a_sentence(tmp_path: Path, ending: str, junk: str) -> None:
    path = tmp_path / f"x{ending}"
    path.write_bytes(JUNK[junk])
    with pytest.raises(LSTMError) as caught:
        read_vectors(str(path))
    assert str(caught.value).startswith(f"{path}: ")


def test_a_damaged_archive_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, x=np.random.default_rng(0).standard_normal((50, 2)))
    data = bytearray(path.read_bytes())
    data[300:310] = bytes(10)
    path.write_bytes(bytes(data))
    with pytest.raises(UnreadableFileError):
        read_vectors(str(path))


@pytest.mark.parametrize(("inside", "outside"), [(".npy", ".npz"), (".npz", ".npy")])
def test_a_wrong_ending_is_read_or_refused_with_a_sentence(
    tmp_path: Path, inside: str, outside: str
) -> None:
    (np.save if inside == ".npy" else np.savez)(tmp_path / f"x{inside}", ONE)
    (tmp_path / f"x{inside}").rename(tmp_path / f"x{outside}")
    try:
        found = read_vectors(str(tmp_path / f"x{outside}"))
    except LSTMError:
        return
    np.testing.assert_array_equal(found, ONE)


@pytest.mark.parametrize("array", [np.array(["a", "b"]), np.array([[1j]]), np.array([True])])
def test_what_is_not_a_real_number_is_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(LSTMError):
        read_vectors(str(tmp_path / "x.npy"))


def test_whole_numbers_in_safetensors_are_refused_by_name(tmp_path: Path) -> None:
    entry = {"x": {"dtype": "I16", "shape": [2, 1], "data_offsets": [0, 4]}}
    path = raw(tmp_path / "x.safetensors", entry, bytes(4))
    with pytest.raises(LSTMError) as caught:
        read_vectors(str(path))
    assert str(caught.value).startswith(f"{path}: x: expected F64, F32, F16, BF16, found I16.")
