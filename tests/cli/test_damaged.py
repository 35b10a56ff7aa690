"""Files that claim what they do not hold, or hold code: one line, and nothing is run."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save_file

D, H = 2, 3
SHAPES = {"weight_ih_l0": (4 * H, D), "weight_hh_l0": (4 * H, H)}


def header(path, tensors, numbers=b""):
    """A safetensors file of this header, whatever it claims."""
    text = json.dumps(tensors).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + numbers)
    return path


def lstm_of(layer, size=H):
    """The header of an LSTM whose only layer has this number."""
    start, found = 0, {}
    for name, shape in (
        (f"weight_ih_l{layer}", (4 * size, D)),
        (f"weight_hh_l{layer}", (4 * size, size)),
    ):
        end = start + 4 * shape[0] * shape[1]
        found[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
        start = end
    return found, bytes(min(start, 10_000))


@pytest.mark.parametrize(
    ("layer", "size", "told"),
    [
        ("0", 10**6, "expected 16000032000000 bytes of numbers, as the header says, found 10000."),
        ("999999999", H, "expected layers 0 to 999999999, each forward; found no layer 0 forward."),
        ("9" * 5000, H, "expected a name of at most 4096 letters, found 5011."),
    ],
)
def test_a_header_that_claims_too_much_is_refused_at_once(refusal, tmp_path, layer, size, told):
    path = header(tmp_path / "x.safetensors", *lstm_of(layer, size))
    assert told in refusal(3, "run", "--ids", "1", "-w", path)


def test_an_archive_of_numpy_that_claims_too_much_is_refused(refusal, tmp_path):
    start = io.BytesIO()
    claim = {"descr": "<f4", "fortran_order": False, "shape": (10**7, 10**7)}
    np.lib.format.write_array_header_1_0(start, claim)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("weight_ih_l0.npy", start.getvalue())
    told = refusal(3, "inspect", tmp_path / "x.npz")
    assert "weight_ih_l0: expected 400000000000000 bytes for the shape" in told


def test_an_archive_of_numpy_with_another_file_in_it_is_refused(refusal, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("notes.txt", "hello")
    assert "notes.txt: expected an array" in refusal(3, "inspect", tmp_path / "x.npz")


def test_an_index_with_a_name_that_no_file_can_have_is_refused(refusal, tmp_path):
    path = tmp_path / "x.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": {"a": "b\0c"}}))
    assert "weight_map: expected files beside it, found b\\x00c." in refusal(3, "inspect", path)


def test_a_shard_that_is_missing_is_named(refusal, tmp_path):
    save_file({"weight_ih_l0": np.ones((4 * H, D), "f")}, tmp_path / "1.safetensors")
    path = tmp_path / "x.safetensors.index.json"
    where = {"weight_ih_l0": "1.safetensors", "weight_hh_l0": "2.safetensors"}
    path.write_text(json.dumps({"weight_map": where}))
    expected = f"{tmp_path / '2.safetensors'}: cannot be read: No such file or directory."
    assert refusal(3, "inspect", path) == expected


def test_a_keras_file_with_metadata_of_another_kind_is_refused(refusal, tmp_path):
    h5py = pytest.importorskip("h5py")
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file["lstm/kernel"] = np.ones((D, 4 * H))
    with zipfile.ZipFile(tmp_path / "x.keras", "w") as file:
        file.writestr("model.weights.h5", content.getvalue())
        file.writestr("config.json", "{}")
        file.writestr("metadata.json", "[]")
    assert "not a valid .keras file" in refusal(3, "inspect", tmp_path / "x.keras")


@pytest.fixture
def graph(tmp_path):
    """Write an ONNX file of one LSTM; return its path."""
    onnx = pytest.importorskip("onnx")

    def write(change=lambda tensor: None, nodes=(), constant="W", **attributes):
        arrays = {constant: np.ones((1, 4 * H, D), "f"), "R": np.ones((1, 4 * H, H), "f")}
        constants = [onnx.numpy_helper.from_array(a, name) for name, a in arrays.items()]
        change(constants[0])
        node = onnx.helper.make_node("LSTM", ["X", "W", "R"], ["Y"], **attributes)
        made = onnx.helper.make_graph([*nodes, node], "g", [], [], constants)
        path = tmp_path / "x.onnx"
        path.write_bytes(onnx.helper.make_model(made).SerializeToString())
        return path

    return write


def longer(tensor):
    tensor.dims[0] = 10**6


def strange(tensor):
    tensor.data_type = 99


@pytest.mark.parametrize("change", [longer, strange])
def test_a_graph_with_a_damaged_constant_is_refused(refusal, graph, change):
    assert "not a valid ONNX file" in refusal(3, "inspect", graph(change))


@pytest.mark.parametrize("wrong", [{"clip": "abc"}, {"activations": [1, 2, 3]}])
def test_an_attribute_of_another_kind_is_refused(refusal, graph, wrong):
    assert "not a valid ONNX file" in refusal(3, "inspect", graph(**wrong))


def test_a_direction_that_the_standard_does_not_know_is_refused(refusal, graph):
    told = refusal(3, "inspect", graph(direction="sideways"))
    assert "direction: expected forward, reverse or bidirectional, found b'sideways'." in told


def test_a_constant_under_a_second_name_is_found(done, graph):
    onnx = pytest.importorskip("onnx")
    again = onnx.helper.make_node("Identity", ["stored"], ["W"])
    (found,) = done("inspect", graph(nodes=[again], constant="stored"), "--json").json["lstms"]
    assert (found["layout"], found["hidden_size"]) == ("onnx", H)


@pytest.fixture
def checkpoint(tmp_path):
    """Save something with torch; return the path."""
    torch = pytest.importorskip("torch")

    def write(content):
        torch.save(content, tmp_path / "x.pt")
        return tmp_path / "x.pt"

    return write


def test_code_in_a_checkpoint_is_named_and_not_run(refusal, tmp_path, checkpoint):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "run"), "w"))

    told = refusal(3, "inspect", checkpoint({"weight_ih_l0": Evil()}))
    assert "expected tensors alone, found" in told
    assert "weights_only" not in told  # nobody is told how to run it all the same
    assert not (tmp_path / "run").exists()


def test_a_whole_module_is_refused_with_what_to_save(refusal, checkpoint):
    torch = pytest.importorskip("torch")
    told = refusal(3, "inspect", checkpoint(torch.nn.LSTM(D, H)))
    assert told.endswith("Save the model's state_dict() in its place.")


@pytest.mark.parametrize("content", [b"", b"hello " * 9])
def test_what_torch_did_not_write_is_refused(refusal, tmp_path, content):
    pytest.importorskip("torch")
    (tmp_path / "x.pt").write_bytes(content)
    assert "expected what torch.save writes" in refusal(3, "inspect", tmp_path / "x.pt")


def test_a_number_format_that_numpy_lacks_is_named(refusal, checkpoint):
    torch = pytest.importorskip("torch")
    eighths = {n: torch.ones(shape).to(torch.float8_e4m3fn) for n, shape in SHAPES.items()}
    told = refusal(3, "convert", checkpoint(eighths), "out.safetensors")
    assert "weight_ih_l0: expected F64, F32, F16, BF16, found float8_e4m3fn." in told


def test_tensors_without_numbers_are_refused(refusal, checkpoint):
    torch = pytest.importorskip("torch")
    shapes = {n: torch.ones(shape, device="meta") for n, shape in SHAPES.items()}
    told = refusal(3, "inspect", checkpoint(shapes))
    assert "weight_ih_l0: expected numbers, found a shape alone (meta)." in told


def test_a_checkpoint_in_bfloat16_is_read_as_such(done, checkpoint):
    torch = pytest.importorskip("torch")
    path = checkpoint({n: torch.ones(shape).bfloat16() for n, shape in SHAPES.items()})
    assert done("inspect", path, "--json").json["lstms"][0]["dtype"] == "BF16"
    np.save(path.parent / "x.npy", np.ones((2, D)))
    assert done("run", "-w", path, "--vectors", path.parent / "x.npy", "--json").json["sequences"]
