"""What the fuzzers found, each once more: a damaged file is read, or refused in words."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from lstm.errors import LSTMError
from tests.weights.builders import GOLDEN
from weights.containers.registry import open_any
from weights.traces import read_trace
from weights.vocabulary import read_tokenizer

ARRAYS = {"weight_ih_l0": np.ones((12, 2), "f"), "weight_hh_l0": np.ones((12, 3), "f")}


def flipped(content, folder, name, step):
    """Flip a bit at every so many bytes, one file each; open them, and read what is in them."""
    refused = 0
    for at in range(0, len(content), step):
        damaged = bytearray(content)
        damaged[at] ^= 1 << at % 8
        (folder / name).write_bytes(damaged)
        try:
            archive = open_any(folder / name)
            _ = [archive.raw(tensor) for tensor in archive.tensors]
        except LSTMError:
            refused += 1
    return refused


@pytest.mark.parametrize("name", ["keras_lstm.h5", "keras_lstm.keras", "onnx_lstm.onnx"])
def test_a_flipped_bit_is_never_a_traceback(tmp_path, name):
    pytest.importorskip("onnx" if name.endswith("onnx") else "h5py")
    content = (GOLDEN / name).read_bytes()
    assert flipped(content, tmp_path, name, 1 + len(content) // 300) > 5


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_nor_is_one_in_an_archive_of_numpy(tmp_path, write):
    stream = io.BytesIO()
    write(stream, **ARRAYS)
    assert flipped(stream.getvalue(), tmp_path, "x.npz", 3) > 50


@pytest.mark.parametrize("packed", [True, False])
def test_nor_is_one_in_a_checkpoint(tmp_path, packed):
    torch = pytest.importorskip("torch")
    stream = io.BytesIO()
    tensors = {name: torch.from_numpy(array) for name, array in ARRAYS.items()}
    torch.save(tensors, stream, _use_new_zipfile_serialization=packed)
    assert flipped(stream.getvalue(), tmp_path, "x.pt", 5) > 50


@pytest.mark.parametrize(
    ("weight", "told"),
    [
        ({"name": 5, "shape": [1], "dtype": "float32"}, "name: expected a text, found 5."),
        ({"name": "a", "shape": [-1], "dtype": "float32"}, "a: expected bytes 0 to -4"),
        ({"name": "a", "shape": [2**62], "dtype": "float32"}, "a: expected bytes 0 to 18446744"),
        ({"name": "a", "shape": [3], "dtype": "float32"}, "a: expected bytes 0 to 12 for the"),
    ],
)  # fmt: skip
def test_a_manifest_that_claims_other_bytes_than_there_are_is_refused(tmp_path, weight, told):
    (tmp_path / "a.bin").write_bytes(bytes(8))
    manifest = [{"paths": ["a.bin"], "weights": [weight]}]
    (tmp_path / "model.json").write_text(json.dumps({"weightsManifest": manifest}))
    with pytest.raises(LSTMError) as caught:
        open_any(tmp_path / "model.json")
    assert told in str(caught.value)


def test_a_configuration_that_is_nested_beyond_measure_is_refused(tmp_path):
    (tmp_path / "a.bin").write_bytes(bytes(8))
    deep = '{"config":' * 500 + "1" + "}" * 500
    (tmp_path / "model.json").write_text(f'{{"weightsManifest": [], "modelTopology": {deep}}}')
    with pytest.raises(LSTMError, match="nested more than 100 levels deep"):
        open_any(tmp_path / "model.json")


def test_a_tokenizer_without_its_own_unknown_token_is_refused_in_words(tmp_path):
    pytest.importorskip("tokenizers")
    model = {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "[UNK]"}
    (tmp_path / "tokenizer.json").write_text(json.dumps({"version": "1.0", "model": model}))
    tokenizer, _ = read_tokenizer(tmp_path / "tokenizer.json")
    with pytest.raises(LSTMError, match="tokenizer: WordLevel error"):
        tokenizer.encode("b")


@pytest.mark.parametrize("dtype", ["O", "M8[s]", "U5", 5, None])
def test_a_trace_of_another_number_format_is_refused(tmp_path, dtype):
    document = {"model": {"dtype": dtype}, "sequences": []}
    (tmp_path / "x.json").write_text(json.dumps(document))
    with pytest.raises(LSTMError, match="dtype: expected float32 or float64, found"):
        read_trace(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("member", "told"),
    [("metadata.txt", "expected an array"), ("layers.0.forward.cell", "expected an array")],
)
def test_golden_values_with_a_member_that_is_no_array_are_refused(tmp_path, member, told):
    np.savez(tmp_path / "x.npz", inputs=np.ones((2, 3)), metadata=np.array("{}"))
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as archive:
        archive.writestr(member, b"text")
    with pytest.raises(LSTMError, match=told):
        read_trace(tmp_path / "x.npz")


def test_golden_values_of_another_rank_are_refused(tmp_path):
    given = {"layers.0.forward.cell": np.ones((2, 3, 4)), "inputs": np.ones((2, 3))}
    metadata = np.array(json.dumps({"schema": "lstm.golden/1", "model": {}}))
    np.savez(tmp_path / "x.npz", metadata=metadata, **given)
    with pytest.raises(LSTMError, match=r"layers.0.forward.cell: expected \(steps, units\)"):
        read_trace(tmp_path / "x.npz")
