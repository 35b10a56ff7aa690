from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from lstm.errors import LSTMError
from tests.weights.builders import golden, golden_weights, header_of, raw, write
from weights import load
from weights.archive import Archive, TensorInfo
from weights.containers.safetensors import archive_bytes, open_archive
from weights.errors import UnreadableFileError, UnsupportedDtypeError

NO_HEADER = (
    "expected a safetensors file, found something else (its first eight bytes do not give the "
    "length of a header inside the file)."
)
NOT_JSON = "expected a safetensors file, found something else (its header is not JSON)."


def one(dtype: str, shape: tuple[int, ...], size: int) -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": [0, size]}}


def test_a_header_tells_names_dtypes_and_shapes() -> None:
    archive = open_archive(golden("lstm"))
    assert archive.tensors == {
        "bias_hh_l0": TensorInfo("bias_hh_l0", "F32", (12,)),
        "bias_ih_l0": TensorInfo("bias_ih_l0", "F32", (12,)),
        "weight_hh_l0": TensorInfo("weight_hh_l0", "F32", (12, 3)),
        "weight_ih_l0": TensorInfo("weight_ih_l0", "F32", (12, 4)),
    }
    assert archive.metadata == {"torch": "2.13.0"}
    assert [info.size for info in archive.tensors.values()] == [12, 12, 36, 48]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        open_archive(tmp_path / "none.safetensors")
    assert str(caught.value) == (
        f"{tmp_path / 'none.safetensors'}: cannot be read: No such file or directory."
    )


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        open_archive(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory."


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05",
        b"PK\x03\x04 a zip file, such as torch.save writes",
        b"\x08" + bytes(7) + b"{",
        b"\xff" * 64,
        (100_000_001).to_bytes(8, "little") + b"{}",
    ],
    ids=["empty", "one byte", "zip", "header longer than the file", "noise", "absurd length"],
)
def test_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError) as caught:
        open_archive(path)
    assert str(caught.value) == f"{path}: {NO_HEADER}"


@pytest.mark.parametrize(
    "header", [b"not json", b"[1, 2]", b'"text"', b"", b"null", b'{"a": NaN}', b"\xff\xfe{}"]
)
def test_a_header_that_is_no_json_object_is_refused(tmp_path: Path, header: bytes) -> None:
    path = raw(tmp_path / "model.safetensors", header)
    with pytest.raises(UnreadableFileError) as caught:
        open_archive(path)
    assert str(caught.value) == f"{path}: {NOT_JSON}"


@pytest.mark.parametrize(
    "entry",
    [
        5,
        None,
        [],
        {},
        {"dtype": "F32"},
        {"shape": [1]},
        {"dtype": "F32", "shape": None},
        {"dtype": "F32", "shape": ["x"]},
        {"dtype": "F32", "shape": "12"},
        {"dtype": "F32", "shape": [-4, 2]},
        {"dtype": "F32", "shape": [2.5]},
    ],
    ids=str,
)
def test_a_tensor_without_dtype_and_shape_is_refused(tmp_path: Path, entry: Any) -> None:
    path = raw(tmp_path / "model.safetensors", {"a": entry})
    with pytest.raises(UnreadableFileError) as caught:
        open_archive(path)
    assert str(caught.value) == (
        f"{path}: a: expected dtype, shape and data_offsets in the header, found {entry!r}."
    )


@pytest.mark.parametrize("metadata", [5, [], "text", {"format": 1}, {"a": {}}], ids=str)
def test_metadata_that_is_no_map_of_strings_is_refused(tmp_path: Path, metadata: Any) -> None:
    header = {"__metadata__": metadata, **one("F32", (1,), 4)}
    path = raw(tmp_path / "model.safetensors", header, bytes(4))
    with pytest.raises(LSTMError, match="metadata"):
        load(path)


def test_metadata_of_null_are_none_as_in_the_formats_own_library(tmp_path: Path) -> None:
    header = {"__metadata__": None, **one("F32", (1,), 4)}
    path = raw(tmp_path / "model.safetensors", header, bytes(4))
    with safe_open(path, framework="numpy") as file:
        assert file.metadata() is None
    assert open_archive(path).metadata == {}


def test_a_truncated_file_is_refused_before_its_numbers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(golden("lstm").read_bytes()[:-40])
    with pytest.raises(UnreadableFileError) as caught:
        load(path)
    whole, header = golden("lstm").stat().st_size, int.from_bytes(path.read_bytes()[:8], "little")
    expected = whole - header - 8
    assert str(caught.value) == (
        f"{path}: expected {expected} bytes of numbers, as the header says, found {expected - 40}. "
        "The file is damaged, or its download was cut off."
    )


@pytest.mark.parametrize("kind", [UnreadableFileError, LSTMError, Exception])
def test_a_broken_file_is_caught_by_any_of_its_kinds(tmp_path: Path, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        open_archive(tmp_path / "none")


@pytest.mark.parametrize(
    ("dtype", "data"),
    [
        ("F64", np.array([1.5, -2.25], "<f8").tobytes()),
        ("F32", np.array([1.5, -2.25], "<f4").tobytes()),
        ("F16", np.array([1.5, -2.25], "<f2").tobytes()),
        ("BF16", bytes.fromhex("c03f10c0")),  # the upper halves of 3fc00000 and c0100000
    ],
)
@pytest.mark.parametrize("wanted", ["float32", "float64"])
def test_four_float_formats_are_read_exactly(
    tmp_path: Path, dtype: str, data: bytes, wanted: str
) -> None:
    path = raw(tmp_path / "model.safetensors", one(dtype, (2,), len(data)), data)
    array = open_archive(path).read("a", wanted)
    assert array.tolist() == [1.5, -2.25]
    assert array.dtype == wanted


@pytest.mark.parametrize(
    ("dtype", "width"),
    [("F8_E4M3", 1), ("F8_E5M2", 1), ("I8", 1), ("U8", 1), ("I32", 4), ("I64", 8), ("BOOL", 1)],
)
def test_other_formats_are_refused_by_name(tmp_path: Path, dtype: str, width: int) -> None:
    path = raw(tmp_path / "model.safetensors", one(dtype, (2,), 2 * width), bytes(2 * width))
    with pytest.raises(UnsupportedDtypeError) as caught:
        open_archive(path).read("a", "float32")
    assert str(caught.value) == (
        f"a: expected F64, F32, F16, BF16, found {dtype}. "
        "Convert the weights to one of these first."
    )
    assert (caught.value.tensor, caught.value.dtype) == ("a", dtype)


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F8_E5M2", "I8"])
def test_an_lstm_in_another_format_is_refused_with_the_files_name(
    tmp_path: Path, dtype: str
) -> None:
    header = {
        "weight_hh_l0": {"dtype": dtype, "shape": [12, 3], "data_offsets": [0, 36]},
        "weight_ih_l0": {"dtype": dtype, "shape": [12, 4], "data_offsets": [36, 84]},
    }
    path = raw(tmp_path / "model.safetensors", header, bytes(84))
    with pytest.raises(UnsupportedDtypeError) as caught:
        load(path)
    assert str(caught.value).startswith(
        f"{path}: weight_hh_l0: expected F64, F32, F16, BF16, found {dtype}."
    ) or str(caught.value).startswith(
        f"{path}: weight_ih_l0: expected F64, F32, F16, BF16, found {dtype}."
    )


@pytest.mark.parametrize(
    ("dtypes", "widest"),
    [
        (["F32"], "float32"),
        (["F16", "BF16"], "float32"),
        (["F32", "F64"], "float64"),
        (["I64"], "float32"),
        ([], "float32"),
    ],
)
def test_float64_is_chosen_where_the_file_holds_it(dtypes: list[str], widest: str) -> None:
    tensors = {str(n): TensorInfo(str(n), dtype, (1,)) for n, dtype in enumerate(dtypes)}
    archive = Archive(Path(), tensors, {}, {}.__getitem__, Path().stat())
    assert archive.widest_dtype == widest


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_read_arrays_are_read_only(dtype: str) -> None:
    array = open_archive(golden("lstm")).read("weight_ih_l0", dtype)
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1


def test_the_hash_is_that_of_the_files_bytes() -> None:
    path = golden("lstm")
    assert open_archive(path).content() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_written_bytes_are_read_by_the_formats_own_library(tmp_path: Path) -> None:
    arrays = golden_weights("two_layers_bidirectional")
    path = tmp_path / "model.safetensors"
    path.write_bytes(archive_bytes(arrays, {"b": "2", "a": "ü \N{SNOWMAN}", "c": ""}))
    with safe_open(path, framework="numpy") as file:
        assert file.metadata() == {"a": "ü \N{SNOWMAN}", "b": "2", "c": ""}
        assert sorted(file.keys()) == sorted(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(file.get_tensor(name), array)


def test_written_metadata_stand_in_order_and_tensors_at_multiples_of_eight(tmp_path: Path) -> None:
    many = {f"key{n}": str(n) for n in range(20)}
    path = tmp_path / "model.safetensors"
    for length in range(9):
        path.write_bytes(archive_bytes({"a": np.ones(3)}, {**many, "z": "x" * length}))
        assert list(header_of(path)["__metadata__"]) == sorted([*many, "z"])
        assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0


def test_the_same_content_is_always_the_same_bytes() -> None:
    arrays = golden_weights("lstm")
    metadata = {f"key{n}": str(n) for n in range(20)}
    backwards = dict(reversed(metadata.items()))
    first = archive_bytes(arrays, metadata)
    assert all(archive_bytes(arrays, metadata) == first for _ in range(10))
    assert archive_bytes(dict(reversed(arrays.items())), backwards) == first


def test_a_transposed_array_is_written_as_it_reads(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    path = tmp_path / "model.safetensors"
    path.write_bytes(archive_bytes({"a": array.T}, {}))
    assert open_archive(path).read("a", "float64").tolist() == [[0, 3], [1, 4], [2, 5]]


def test_a_file_with_tensors_in_any_order_is_read(tmp_path: Path) -> None:
    header = {
        "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
        "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
    }
    path = raw(tmp_path / "m.safetensors", header, np.array([1, 2], "<f4").tobytes())
    archive = open_archive(path)
    assert [archive.read(n, "float32").item() for n in ("a", "b")] == [1, 2]


def test_a_path_may_be_text(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", {"a": [1.0]})
    assert list(open_archive(str(path)).tensors) == ["a"]


def test_the_hash_is_that_of_the_bytes_that_were_read_or_none(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(archive_bytes({"a": np.zeros(3, np.float32)}, {}))
    known = hashlib.sha256(path.read_bytes()).hexdigest()
    first = open_archive(path).content
    assert first == open_archive(path).content
    assert pickle.loads(pickle.dumps(first))() == known
    path.write_bytes(archive_bytes({"a": np.ones(4, np.float32)}, {}))
    assert first() == known
    second = open_archive(path).content
    path.write_bytes(archive_bytes({"a": np.ones(5, np.float32)}, {}))
    with pytest.raises(UnreadableFileError, match=r"a\.safetensors: expected the file to stay"):
        second()
    path.unlink()
    with pytest.raises(UnreadableFileError, match=r"a\.safetensors: cannot be read: No such"):
        second()
