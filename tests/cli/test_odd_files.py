"""What is no file, or no longer the one it was; and files with odd names."""

from __future__ import annotations

import os
import socket

import numpy as np
import pytest
from safetensors.numpy import save

from lstm.errors import LSTMError
from weights import load
from weights.archive import open_archive

SHAPES = {"weight_ih_l0": (12, 2), "weight_hh_l0": (12, 3), "embedding.weight": (4, 2)}
CONTENT = save({name: np.ones(shape, "f") for name, shape in SHAPES.items()})


@pytest.fixture
def model(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(CONTENT)
    return tmp_path / "x.safetensors"


def pipe(path):
    os.mkfifo(path)


def listening(path):
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.close()


def device(path):
    path.symlink_to("/dev/zero")


KINDS = {
    "a pipe": pipe,
    "a socket": listening,
    "a device": device,
}


@pytest.mark.parametrize(
    "name",
    ["x.safetensors", "x.npz", "x.h5", "x.keras", "x.onnx", "x.pt", "model.json",
     "x.safetensors.index.json"],
)  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_are_no_file_are_refused_at_once(refusal, tmp_path, monkeypatch, name, kind):
    package = {"x.h5": "h5py", "x.keras": "h5py", "x.onnx": "onnx", "x.pt": "torch"}.get(name)
    if package:
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)  # the name of a socket may not be long
    KINDS[kind](tmp_path.joinpath(name).relative_to(tmp_path) if kind == "a socket"
                else tmp_path / name)  # fmt: skip
    told = refusal(3, "inspect", tmp_path / name)
    assert told == f"{tmp_path / name}: expected a file, found {kind}. Write it into a file first."


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("--tokenizer", "vocab.txt"), ("--tokenizer", "vocab.json"), ("--vectors", "x.npy"),
        ("--vectors", "x.npz"), ("--vectors", "x.safetensors"),
        ("--initial-state", "x.safetensors"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["a pipe", "a device"])
def test_so_are_the_files_beside_the_weights(refusal, tmp_path, tiny, option, name, kind):
    KINDS[kind](tmp_path / name)
    texts = () if option == "--vectors" else ("john",)
    told = refusal(3, "run", *texts, option, tmp_path / name, "-w", tiny)
    assert f"{tmp_path / name}: expected a file, found {kind}." in told


@pytest.mark.parametrize("name", ["x.json", "x.npz", "x.csv"])
def test_so_are_traces(refusal, tmp_path, name):
    os.mkfifo(tmp_path / name)
    assert refusal(3, "compare", tmp_path / name, "brackets", "( a")


@pytest.mark.parametrize("name", ["x.safetensors", "x.npz", "x.h5", "x.onnx", "model.json"])
def test_a_folder_is_no_file(refusal, tmp_path, name):
    (tmp_path / name).mkdir()
    told = refusal(3, "inspect", tmp_path / name)
    assert told == f"{tmp_path / name}: cannot be read: Is a directory."


def test_a_file_that_the_system_does_not_let_read_is_refused(refusal):
    # The memory of a process is a file by its kind, and its start cannot be read, by root either.
    assert refusal(3, "inspect", "/proc/self/mem").startswith("/proc/self/mem: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(refusal, model):
    model.chmod(0)
    assert refusal(3, "inspect", model) == f"{model}: cannot be read: Permission denied."


def test_a_link_is_followed(done, model, tmp_path):
    (tmp_path / "link").symlink_to(model)
    assert done("inspect", tmp_path / "link", "--json").json["lstms"][0]["hidden_size"] == 3


def test_a_link_to_itself_or_to_nothing_is_refused(refusal, tmp_path):
    (tmp_path / "round.safetensors").symlink_to("round.safetensors")
    (tmp_path / "nothing.safetensors").symlink_to("none")
    assert "round.safetensors" in refusal(3, "inspect", tmp_path / "round.safetensors")
    assert "no such file" in refusal(3, "inspect", tmp_path / "nothing.safetensors")


@pytest.mark.parametrize(
    "name", [b"a\nb", b"a\x1b[31mb", b"a\xffb", "a\u202eb".encode(), b"[bold]b", b"a b", b"-b"]
)
def test_a_name_cannot_steer_the_terminal(lstm, tmp_path, name):
    path = os.path.join(os.fsencode(tmp_path), name + b".safetensors")
    for content, code in ((CONTENT, 0), (b"nothing", 3)):
        with open(path, "wb") as file:
            file.write(content)
        for more in ((), ("--json",)):
            result = lstm("inspect", os.fsdecode(path), *more)
            assert result.code == code
            shown = result.stderr + ("" if more else result.stdout)
            assert not any(letter in shown for letter in "\x1b\u202e\udcff")
            assert shown.count("\n") == (1 if code else shown.count("\n"))
            if more and code == 0:
                assert result.json["lstms"][0]["hidden_size"] == 3
    if name == b"[bold]b":
        assert "[bold]b" in shown


@pytest.mark.parametrize("change", ["longer", "shorter", "replaced", "gone"])
def test_a_file_that_changes_while_it_is_read_is_noticed(model, change):
    archive = open_archive(model)
    match change:
        case "longer":
            model.write_bytes(CONTENT + b"more")
        case "shorter":
            os.truncate(model, len(CONTENT) - 40)
        case "replaced":
            model.with_suffix(".new").write_bytes(CONTENT)
            model.with_suffix(".new").replace(model)
        case "gone":
            model.unlink()
    if change == "gone":
        with pytest.raises(OSError, match="No such file"):
            archive.check_unchanged()
        return
    with pytest.raises(LSTMError, match="expected the file to stay as it is while it is read"):
        archive.check_unchanged()


def test_a_tensor_that_is_cut_off_before_it_is_read_is_an_error_and_no_fault_of_memory(model):
    archive = open_archive(model)
    os.truncate(model, len(CONTENT) - 40)
    with pytest.raises(LSTMError, match="the file was cut off while it was read"):
        _ = [archive.raw(name) for name in archive.tensors]


def test_loading_notices_that_another_file_took_the_place(model, monkeypatch):
    from weights import loading

    original = loading.read_parameters

    def slow(*arguments):
        found = original(*arguments)
        model.with_suffix(".new").write_bytes(CONTENT)
        model.with_suffix(".new").replace(model)
        return found

    monkeypatch.setattr(loading, "read_parameters", slow)
    with pytest.raises(LSTMError, match="expected the file to stay as it is"):
        load(model)
