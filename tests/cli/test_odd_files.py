"""What is no file, or no longer the one it was; and files with odd names."""

from __future__ import annotations

import json
import os
import socket

import numpy as np
import pytest
from safetensors.numpy import save

from lstm.errors import LSTMError
from weights import load
from weights.containers.safetensors import open_archive

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


NAMES = {"a line break": "a\nb\x1b[31m", "no UTF-8": "a\udcff"}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_files_with_odd_names_are_read_and_written_by_every_command(
    lstm, tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    stem = tmp_path / name
    (tmp_path / f"{name}.txt").write_text("set hold\n")
    np.save(f"{stem}.npy", np.ones((2, 2), "f"))
    weights = ("-w", f"{stem}.safetensors")
    ways = [
        ("convert", "latch", f"{stem}.safetensors"),
        ("run", "--file", f"{stem}.txt", *weights, "-o", f"{stem}.json"),
        ("run", "--vectors", f"{stem}.npy", *weights, "-o", f"{stem}.npz"),
        ("run", "set", *weights, "--final-state", f"{stem}.st.safetensors", "--json"),
        ("run", "set", *weights, "--initial-state", f"{stem}.st.safetensors", "-f", "csv"),
        ("tokens", "--file", f"{stem}.txt", *weights),
        ("explain", "--file", f"{stem}.txt", *weights), ("memory", "set", *weights),
        ("sweep", "set", *weights, "--metric", "l0.c[0]"), ("contrast", "set", "hold", *weights),
        ("golden", "set", *weights, "-o", f"{stem}.h"), ("golden", "set", *weights, "-f", "json"),
        ("compare", f"{stem}.json", f"{stem}.safetensors"), ("inspect", f"{stem}.npz"),
        ("plot", "set", *weights, "-o", f"{stem}.svg"),
    ]  # fmt: skip
    for words in ways:
        result = lstm(*words)
        assert result.code == (3 if words[0] == "inspect" else 0), (words, result.stderr)
        shown = result.stdout + result.stderr
        assert not any(letter in shown for letter in "\x1b\udcff"), words
        assert "a\nb" not in shown, words
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_corpus_may_have_a_name_with_a_line_break_and_none_that_is_no_utf8(lstm, tmp_path):
    for name, code in (("a\nb\x1b[31m", 0), ("a\udcff", 2)):
        (tmp_path / name).write_text("set hold\n")
        result = lstm("extract", tmp_path / name, "-w", "latch", "-o", tmp_path / f"{name}.states")
        assert result.code == code
        assert "\x1b" not in result.stderr
        assert "a\nb" not in result.stderr
    assert result.stderr == "error: CORPUS: expected UTF-8 text, found the byte at offset " \
        f"{len(str(tmp_path)) + 2}.\n"  # fmt: skip
    found = lstm("find", "l0.c[0] > 0.5", tmp_path / "a\nb\x1b[31m.states")
    assert (found.code, "a\nb" in found.stdout) == (0, False)


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


@pytest.fixture
def slowly(monkeypatch):
    """Have another file take the place of one while the weights are read."""
    from weights import loading

    original = loading.read_parameters

    def disturbed(path):
        def slow(*arguments):
            found = original(*arguments)
            path.with_suffix(".new").write_bytes(path.read_bytes())
            path.with_suffix(".new").replace(path)
            return found

        monkeypatch.setattr(loading, "read_parameters", slow)

    return disturbed


def test_loading_notices_that_another_file_took_the_place(model, slowly):
    slowly(model)
    with pytest.raises(LSTMError, match="expected the file to stay as it is"):
        load(model)


def test_loading_notices_that_another_shard_took_the_place(model, slowly):
    index = model.with_name("x.safetensors.index.json")
    index.write_text(json.dumps({"weight_map": dict.fromkeys(SHAPES, model.name)}))
    slowly(model)
    with pytest.raises(LSTMError, match="expected the file to stay as it is"):
        load(index)


@pytest.mark.parametrize("kind", ["tfjs", "onnx"])
def test_files_beside_it_that_change_while_they_are_read_are_noticed(tmp_path, monkeypatch, kind):
    (tmp_path / "x.bin").write_bytes(bytes(24))
    path = {"tfjs": _tfjs, "onnx": _onnx}[kind](tmp_path)
    original = os.stat

    def later(place, *more, **options):
        found = original(place, *more, **options)
        if os.fspath(place).endswith("x.bin"):
            os.utime(place, ns=(0, found.st_mtime_ns + 1))
        return found

    monkeypatch.setattr(os, "stat", later)
    with pytest.raises(LSTMError, match="expected the file to stay as it is"):
        load(path)


def _tfjs(folder):
    weights = [{"name": "lstm/kernel", "shape": [2, 3], "dtype": "float32"}]
    manifest = [{"paths": ["x.bin"], "weights": weights}]
    (folder / "model.json").write_text(json.dumps({"weightsManifest": manifest}))
    return folder / "model.json"


def _onnx(folder):
    onnx = pytest.importorskip("onnx")
    tensor = onnx.TensorProto(name="W", dims=[1, 2, 3], data_type=1)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="x.bin")
    node = onnx.helper.make_node("LSTM", ["X", "W"], ["Y"], hidden_size=1)
    graph = onnx.helper.make_graph([node], "g", [], [], [tensor])
    (folder / "x.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    return folder / "x.onnx"
