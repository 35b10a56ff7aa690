"""Files that claim what they do not hold: refused before anything is made for the claim."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save

from tests.cli.conftest import COMMAND, environment
from tests.weights.builders import raw

TERA = 10**6  # rows and columns: a terabyte and more in float32
SHAPES = {"weight_ih_l0": (12, 2), "weight_hh_l0": (12, 3)}
ARRAYS = {name: np.linspace(-1, 1, 12 * shape[1], dtype="f").reshape(shape)
          for name, shape in SHAPES.items()}  # fmt: skip


def npy(shape, numbers=b"", dtype="<f4"):
    stream = io.BytesIO()
    claim = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, claim)
    return stream.getvalue() + numbers


def zipped(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def lie_about_size(path, size):
    """Say in the directory of an archive that its first member is so long."""
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", size)
    path.write_bytes(data)


def claims_safetensors(folder):
    entry = {"dtype": "F32", "shape": [4 * TERA, TERA], "data_offsets": [0, 16 * TERA * TERA]}
    return raw(folder / "x.safetensors", {"weight_hh_l0": entry}, bytes(64))


def claims_sharded(folder):
    claims_safetensors(folder)
    index = folder / "y.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"weight_hh_l0": "x.safetensors"}}))
    return index


def claims_npz(folder):
    return zipped(folder / "x.npz", {"weight_hh_l0.npy": npy((4 * TERA, TERA))})


def claims_npz_deflated(folder):
    path = zipped(folder / "x.npz", {"a.npy": npy((4, 4), bytes(64))}, zipfile.ZIP_DEFLATED)
    lie_about_size(path, 2**32 - 2)
    return path


def claims_hdf5(folder):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "x.h5", "w") as file:  # no chunk of it is written
        file.create_dataset("lstm/kernel", (4 * TERA, TERA), "f", chunks=(1, 1000), fillvalue=1)
    return folder / "x.h5"


def claims_hdf5_compressed(folder):
    h5py = pytest.importorskip("h5py")
    how = {"chunks": (1, 1000), "compression": "gzip"}
    with h5py.File(folder / "x.h5", "w") as file:
        file.create_dataset("lstm/kernel", (4 * TERA, TERA), "f", **how)[0, 0] = 1
    return folder / "x.h5"


def claims_keras(folder):
    content = claims_hdf5(folder).read_bytes()
    return zipped(folder / "x.keras", {"model.weights.h5": content, "config.json": "{}"})


def claims_keras_deflated(folder):
    path = zipped(folder / "x.keras", {"model.weights.h5": bytes(9)}, zipfile.ZIP_DEFLATED)
    lie_about_size(path, 2**32 - 2)
    return path


def claims_onnx(folder, location=None):
    onnx = pytest.importorskip("onnx")
    parts = []
    for name in ("W", "R"):
        tensor = onnx.TensorProto(name=name, dims=[1, 4 * TERA, TERA], data_type=1)
        if location is not None:
            tensor.data_location = onnx.TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value=location)
            tensor.external_data.add(key="length", value=str(16 * TERA * TERA))
        else:
            tensor.raw_data = bytes(64)
        parts.append(tensor)
    node = onnx.helper.make_node("LSTM", ["X", "W", "R"], ["Y"], hidden_size=TERA)
    graph = onnx.helper.make_graph([node], "g", [], [], parts)
    (folder / "x.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    return folder / "x.onnx"


def claims_onnx_apart(folder):
    (folder / "x.data").write_bytes(bytes(64))
    return claims_onnx(folder, "x.data")


def claims_tfjs(folder):
    weight = {"name": "lstm/kernel", "shape": [4 * TERA, TERA], "dtype": "float32"}
    manifest = [{"paths": ["a.bin"], "weights": [weight]}]
    (folder / "a.bin").write_bytes(bytes(64))
    (folder / "model.json").write_text(json.dumps({"weightsManifest": manifest}))
    return folder / "model.json"


def claims_tfjs_again_and_again(folder):
    claims_tfjs(folder)
    manifest = [{"paths": ["a.bin"] * 50, "weights": []}]
    (folder / "model.json").write_text(json.dumps({"weightsManifest": manifest}))
    return folder / "model.json"


def claims_vectors(folder):
    (folder / "x.npy").write_bytes(npy((TERA, TERA)))
    return folder / "x.npy"


CLAIMS = (
    claims_safetensors, claims_sharded, claims_npz, claims_npz_deflated, claims_hdf5,
    claims_hdf5_compressed, claims_keras, claims_keras_deflated, claims_onnx, claims_onnx_apart,
    claims_tfjs, claims_tfjs_again_and_again, claims_vectors,
)  # fmt: skip


# A process of its own, as a child is taken to have had what the one that starts it has.
MEASURING = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], capture_output=True).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def measured(*arguments):
    """Run the command; return its exit code, its seconds of computing and its megabytes."""
    command = [sys.executable, "-c", MEASURING, str(COMMAND), *map(str, arguments)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    code, seconds, megabytes = done.stdout.split()
    return int(code), float(seconds), float(megabytes)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_a_small_file_that_claims_a_terabyte_is_refused(refusal, wide, tmp_path, claim):
    path = claim(tmp_path)
    assert path.stat().st_size < 16_000  # HDF5 itself takes some room
    given = ("run", "-w", wide, "--vectors", path) if path.suffix == ".npy" else ("inspect", path)
    assert str(path.parent) in refusal(3, *given)
    code, seconds, megabytes = measured(*given)
    assert (code, seconds < 1.5, megabytes < 100) == (3, True, True), (seconds, megabytes)


@pytest.mark.parametrize("claim", ["legacy", "broadcast"])
def test_a_checkpoint_that_claims_more_than_it_stores_is_refused(refusal, tmp_path, claim):
    torch = pytest.importorskip("torch")
    if claim == "broadcast":  # one number for all places
        tensors = {n: torch.ones(1).expand(4 * TERA, TERA) for n in SHAPES}
        torch.save(tensors, tmp_path / "x.pt")
        told = "weight_ih_l0: expected at most 4 bytes, as are stored, found a claim of"
    else:
        torch.save({n: torch.ones(2) for n in SHAPES}, tmp_path / "x.pt",
                   _use_new_zipfile_serialization=False)  # fmt: skip
        data = (tmp_path / "x.pt").read_bytes()
        (tmp_path / "x.pt").write_bytes(data.replace(b"K\x02N", b"J\xff\xff\xff\x7fN"))
        told = "torch refuses it"
    assert told in refusal(3, "inspect", tmp_path / "x.pt")


def test_a_true_archive_of_zeros_is_no_bomb(done, tmp_path):
    arrays = {name: np.zeros((4 * 90, shape[1] if "ih" in name else 90), "f")
              for name, shape in SHAPES.items()}  # fmt: skip
    np.savez_compressed(tmp_path / "x.npz", **arrays)
    assert done("inspect", tmp_path / "x.npz", "--json").json["lstms"][0]["hidden_size"] == 90


def test_numbers_in_another_file_are_refused(refusal, tmp_path):
    h5py = pytest.importorskip("h5py")
    (tmp_path / "secret").write_bytes(bytes(96))
    outside = [(str(tmp_path / "secret"), 0, 96)]
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("lstm/kernel", (2, 12), "f", external=outside)
    told = refusal(3, "inspect", tmp_path / "x.h5")
    assert "lstm/kernel: expected its numbers in the file, found them said to lie in" in told


def test_numbers_put_together_from_other_files_are_refused(refusal, tmp_path):
    h5py = pytest.importorskip("h5py")
    layout = h5py.VirtualLayout((2, 12), "f")
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "a", (2, 12))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_virtual_dataset("lstm/kernel", layout)
    assert "lstm/kernel: expected its numbers in the file" in refusal(
        3, "inspect", tmp_path / "x.h5"
    )


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/b", "link", ""])
def test_external_data_does_not_leave_the_folder(refusal, tmp_path, location):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(96))
    (folder / "link").symlink_to(tmp_path / "secret")
    told = refusal(3, "inspect", claims_onnx(folder, location))
    assert "location: expected files beside it" in told or "Is a directory" in told


def test_a_shard_does_not_leave_the_folder(refusal, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "1.safetensors").write_bytes(save(ARRAYS))
    (folder / "1.safetensors").symlink_to(tmp_path / "1.safetensors")
    index = folder / "x.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": dict.fromkeys(SHAPES, "1.safetensors")}))
    assert "found 1.safetensors, a link to" in refusal(3, "inspect", index)


def test_a_download_cache_of_links_is_one_folder(done, tmp_path):
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots"
    blobs.mkdir()
    snapshot.mkdir()
    (blobs / "a").write_bytes(save(ARRAYS))
    (blobs / "b").write_text(json.dumps({"weight_map": dict.fromkeys(SHAPES, "1.safetensors")}))
    for name, blob in (("1.safetensors", "a"), ("x.safetensors.index.json", "b")):
        (snapshot / name).symlink_to(blobs / blob)
    found = done("inspect", snapshot / "x.safetensors.index.json", "--json").json
    assert found["lstms"][0]["hidden_size"] == 3


def entry(shape, start, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, "b: expected its numbers at offset 8"),
        ({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, "b: expected its numbers at offset 4"),
        ({"a": entry([2], 0, 12)}, "a: expected 8 bytes, as dtype and shape say, found 12"),
        ({"a": entry([3], 12, 0)}, "a: expected dtype, shape and data_offsets"),
        ({"a": entry([3], -12, 0)}, "a: expected dtype, shape and data_offsets"),
        ({"a": entry([-3], 0, 12)}, "a: expected dtype, shape and data_offsets"),
        ({"a": entry([2**64 - 1], 0, 12)}, "a: expected 73786976294838206460 bytes"),
        ({"a": entry([0, 2**50], 0, 0), "b": entry([3], 0, 12)}, "a: expected a shape of at most"),
        ({"a": entry([1] * 33, 0, 4), "b": entry([2], 4, 12)}, "a: expected at most 32 axes"),
        ({"a": entry([2], 0, 8)}, "expected 8 bytes of numbers, as the header says, found 12."),
        ({"a": entry([4], 0, 16)}, "expected 16 bytes of numbers, as the header says, found 12."),
        (
            b'{"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}, '
            b'"a": {"dtype": "F32", "shape": [3, 1], "data_offsets": [0, 12]}}',
            "a: expected once in the header, found twice.",
        ),
        (b'{"a": ' + b"[" * 90_000 + b"]" * 90_000 + b"}", "its header is not JSON"),
        (b'{"__metadata__": {"x": {"a": 1}}}', "metadata: expected texts by name"),
    ],
)  # fmt: skip
def test_a_header_that_does_not_tell_of_each_byte_once_is_refused(refusal, tmp_path, header, told):
    path = raw(tmp_path / "x.safetensors", header, bytes(12))
    assert told in refusal(3, "run", "--ids", "0", "-w", path)


NOTHING = {
    "no units": ({"weight_ih_l0": (0, 2), "weight_hh_l0": (0, 0)}, "size of at least 1, found 2 "),
    "no inputs": ({**SHAPES, "weight_ih_l0": (12, 0)}, "hidden size of at least 1, found 0 and 3."),
    "no tokens": ({**SHAPES, "embedding.weight": (0, 2)}, "at least one token, found (0, 2)."),
    "no outcomes": (
        {**SHAPES, "embedding.weight": (4, 2), "fc.weight": (0, 3)},
        "head: expected at least one outcome, found (0, 3).",
    ),
    "no tensors": ({}, "the file holds no tensors."),
    "no axes": ({**SHAPES, "weight_ih_l0": ()}, "weight_ih_l0: expected"),
}


@pytest.mark.parametrize(("shapes", "told"), NOTHING.values(), ids=NOTHING)
def test_a_size_of_nothing_is_refused(refusal, tmp_path, shapes, told):
    arrays = {name: np.zeros(shape, "f") for name, shape in shapes.items()}
    (tmp_path / "x.safetensors").write_bytes(save(arrays))
    assert told in refusal(3, "run", "--ids", "0", "-w", tmp_path / "x.safetensors")


def test_a_member_that_stands_twice_is_refused(refusal, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.npy", npy((1,), bytes(4)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.npy", npy((1,), bytes(4)))
    told = refusal(3, "inspect", tmp_path / "x.npz")
    assert "a.npy: expected once in the archive, found twice." in told


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_packed_in_an_unusual_way_is_refused(refusal, tmp_path, method):
    path = zipped(tmp_path / "x.npz", {"a.npy": npy((1,), bytes(4))}, method)
    assert "a.npy: expected it stored or deflated, found another way." in refusal(
        3, "inspect", path
    )


def test_metadata_that_are_nested_beyond_measure_are_refused(refusal, lstm, tmp_path):
    deep = "[" * 101 + "]" * 101
    metadata = {"format": "lstm.native/1", "quality": f'{{"a": {deep}}}'}
    (tmp_path / "x.safetensors").write_bytes(save(ARRAYS, metadata))
    told = lstm("inspect", tmp_path / "x.safetensors", "--json", "--layout", "pytorch")
    assert (told.code, told.stderr) == (0, "")  # the entry is shown as the text that it is
    native = {f"layers.0.forward.{g}.weight": np.ones((3, 5), "f")
              for g in ("input_gate", "forget_gate", "candidate", "output_gate")}  # fmt: skip
    (tmp_path / "x.safetensors").write_bytes(save(native, metadata))
    said = refusal(3, "run", "--ids", "0", "-w", tmp_path / "x.safetensors")
    assert "metadata: quality: expected JSON, found an error: nested more than 100 levels" in said


@pytest.mark.parametrize("packed", [True, False])
def test_a_checkpoint_with_a_text_of_many_letters_does_not_hang(refusal, tmp_path, packed):
    pytest.importorskip("torch")
    pickled = b"\x80\x02cos\n" + b"x" * 70_000 + b"\nq\x00."
    path = tmp_path / "x.pt"
    path.write_bytes(pickled)
    if packed:
        zipped(path, {"x/data.pkl": pickled, "x/version": b"3\n", "x/byteorder": b"little"})
    told = refusal(3, "inspect", path)
    assert told.startswith(f"{path}: expected texts of at most 20000 letters, found 70003. Save")
