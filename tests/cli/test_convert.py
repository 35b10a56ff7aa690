"""`lstm convert`, and the self-test that it writes."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lstm.errors import LSTMError
from lstm.quantities import NAMES as QUANTITIES
from weights import conversion, load
from weights.containers.safetensors import archive_bytes, open_archive
from weights.saving import native_bytes


@pytest.fixture
def keras(tmp_path):
    """A layer as old Keras saved it, with an embedding and a dense layer beside it."""
    random = np.random.default_rng(2)
    shapes = {
        "lstm_1/kernel": (2, 12),
        "lstm_1/recurrent_kernel": (3, 12),
        "lstm_1/bias": (12,),
        "embedding_1/embeddings": (4, 2),
        "top/kernel": (3, 4),
        "top/bias": (4,),
    }
    path = tmp_path / "old.safetensors"
    save_file({name: random.normal(size=s).astype("f") for name, s in shapes.items()}, path)
    (tmp_path / "vocab.txt").write_text("<unk>\na\nb\nc\n")
    return path


def test_one_file_holds_all_that_options_had_to_tell(lstm, keras, tmp_path):
    out = tmp_path / "elsewhere"
    out.mkdir()
    options = ["--gate-activation", "hard-sigmoid", "--head", "top/kernel"]
    done = lstm("convert", keras, out / "new.safetensors", *options)
    assert done.code == 0
    assert done.stdout == (
        f"{out / 'new.safetensors'}: native, checked on a random input: "
        "hidden states differ by at most 0, cell states by 0\n"
    )
    again = lstm("run", "a b c d", "-w", out / "new.safetensors", "--json").json
    before = load(keras, gate_activation="hard-sigmoid", head="top/kernel").run("a b c d")
    assert again["model"]["assumed"] == []
    hidden = np.array([step["hidden"] for step in again["sequences"][0]["steps"]], "f")
    assert np.array_equal(hidden, before.hidden)
    assert [best["token"] for best in again["sequences"][0]["next"][-1]] == [
        best.name for best in before.forecast(5).predictions[-1]
    ]


def test_an_option_that_says_what_is_so_anyway_changes_nothing(lstm, done, tiny, tmp_path):
    said = ("--gate-activation", "sigmoid")
    for name, options in (("silent", ()), ("said", said)):
        assert lstm("convert", tiny, tmp_path / f"{name}.safetensors", *options).code == 0
    files = [(tmp_path / f"{name}.safetensors").read_bytes() for name in ("silent", "said")]
    assert files[0] == files[1]
    given = ("run", "john likes", "-w", tiny, "--engine", "numba", "-f", "ndjson")
    assert done(*given, *said).data == done(*given).data


def test_a_file_that_gives_other_numbers_does_not_take_the_name(tiny, tmp_path, monkeypatch):
    other = load(tiny, forget_bias=0.5)
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"old")
    monkeypatch.setattr(conversion, "native_bytes", lambda *_, **__: native_bytes(other))
    with pytest.raises(LSTMError, match=r"x\.safetensors: expected the numbers of the model"):
        conversion.convert(load(tiny), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_another_layout_holds_the_lstm_alone_and_says_so(lstm, keras, tmp_path):
    done = lstm("convert", keras, tmp_path / "x.safetensors", "--to", "pytorch")
    assert done.code == 0
    assert (
        f"note: pytorch holds the LSTM alone; embedding, head and tokenizer stay in {keras}.\n"
        in (done.stderr)
    )
    assert set(load_file(tmp_path / "x.safetensors")) == {
        "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0",
    }  # fmt: skip


def test_what_is_wrong_leaves_no_file(lstm, keras, tmp_path):
    target = tmp_path / "x.safetensors"
    clipped = lstm("convert", keras, target, "--to", "mlx", "--cell-clip", "1")
    assert (clipped.code, clipped.stdout) == (3, "")
    assert clipped.stderr.splitlines()[-1] == "error: --to: mlx cannot hold cell_clip."
    assert lstm("convert", keras, tmp_path / "x.txt").code == 2
    assert lstm("convert", keras, target, "--to", "chainer").code == 2
    missing = lstm("convert", keras, target, "--embedding", "nothing")
    assert missing.code == 3
    assert "--embedding: expected a tensor beside the LSTM, found no nothing." in missing.stderr
    assert not target.exists()


BITS = "self-test passed: every number of the run is the same, to the last bit\n"


def rewritten(path, change=None, selftest=None):
    """Write a native file again with one number, or its self-test, changed."""
    archive = open_archive(path)
    arrays = {name: np.array(archive.read(name, "float32")) for name in archive.tensors}
    if change is not None:
        arrays["layers.0.forward.forget_gate.bias"][1] += change
    metadata = {**archive.metadata}
    if selftest is not None:
        metadata["selftest"] = json.dumps(selftest(json.loads(metadata["selftest"])))
    path.write_bytes(archive_bytes(arrays, metadata))


def test_a_self_test_passes_until_a_number_changes(lstm, done, valid, keras, tmp_path):
    path = tmp_path / "x.safetensors"
    assert lstm("convert", keras, path).code == 0
    assert done("inspect", path, "--verify").stdout == BITS
    document = valid("inspect", done("inspect", path, "--verify", "--json").json)
    assert document["selftest"] == {"passed": True, "same_bits": True, "difference": 0}

    rewritten(path, change=0.01)
    failed = lstm("inspect", path, "--verify")
    assert failed.code == 1
    assert failed.stdout.startswith("self-test failed: states differ by up to 0.0")
    failed = lstm("inspect", path, "--verify", "--json")
    assert failed.code == 1
    assert valid("inspect", failed.json)["selftest"]["passed"] is False


def test_a_self_test_tells_the_same_bits_from_values_that_are_as_good(done, keras, lstm, tmp_path):
    path = tmp_path / "x.safetensors"
    lstm("convert", keras, path)
    # As if another machine had written it, whose sums end in other bits.
    rewritten(path, selftest=lambda test: {**test, "sha256": "0" * 64})
    assert done("inspect", path, "--verify").stdout == (
        "self-test passed: states differ by up to 0 "
        "(not bit for bit: another machine adds up in another order)\n"
    )
    rewritten(path, selftest=lambda test: {k: v for k, v in test.items() if k != "sha256"})
    assert done("inspect", path, "--verify").stdout == (
        "self-test passed: states differ by up to 0\n"
    )


def test_the_hash_of_a_self_test_is_that_of_every_quantity_in_order(lstm, done, deep, tmp_path):
    path = tmp_path / "x.safetensors"
    lstm("convert", deep, path)
    test = json.loads(open_archive(path).metadata["selftest"])
    np.save(tmp_path / "v.npy", np.array(test["vectors"]))
    options = ["--vectors", tmp_path / "v.npy", "--dtype", "float64", "--show", "all"]
    found = done("run", "-w", path, *options, "-o", tmp_path / "t.npz")
    digest = hashlib.sha256()
    with np.load(tmp_path / "t.npz") as trace:
        for layer in range(2):
            for direction in ("forward", "reverse"):
                for quantity in QUANTITIES:
                    array = trace[f"sequences.0.layers.{layer}.{direction}.{quantity}"]
                    digest.update(array.astype("<f8").tobytes())
    assert found.stdout == ""
    assert digest.hexdigest() == test["sha256"]


def test_a_run_without_one_finite_number_passes_only_where_that_is_expected(
    lstm, done, doomed, tmp_path
):
    path = tmp_path / "x.safetensors"
    made = lstm("convert", doomed, path, "--allow-nonfinite")
    assert "hidden states differ by at most 0, cell" in made.stdout
    assert done("inspect", path, "--verify").stdout == BITS
    rewritten(path, selftest=lambda test: {**test, "cell": np.ones((3, 4)).tolist()})
    failed = lstm("inspect", path, "--verify")
    assert (failed.code, failed.stdout) == (1, "self-test failed: states differ by up to inf\n")


def test_verifying_says_nothing_of_other_options(refusal, keras):
    said = refusal(2, "inspect", keras, "--verify", "--stats")
    assert said == "expected one of --verify and --stats, found both. Leave one out."


@pytest.mark.parametrize(
    "selftest", ["{}", "[", json.dumps({"vectors": [1], "hidden": 1, "cell": 2})]
)
def test_a_malformed_self_test_is_a_sentence(lstm, keras, tmp_path, selftest):
    path = tmp_path / "x.safetensors"
    lstm("convert", keras, path)
    archive = open_archive(path)
    arrays = {name: archive.read(name, "float32") for name in archive.tensors}
    path.write_bytes(archive_bytes(arrays, {**archive.metadata, "selftest": selftest}))
    done = lstm("inspect", path, "--verify")
    assert (done.code, done.stdout) == (3, "")
    assert f"error: {path}: metadata: selftest: malformed (" in done.stderr


def test_a_file_without_a_self_test_says_so(lstm, keras):
    done = lstm("inspect", keras, "--verify")
    assert done.code == 3
    assert done.stderr == f"error: {keras}: expected a self-test in the file, found none.\n"


@pytest.mark.parametrize("layout", ["pytorch", "keras", "flax", "tensorflow", "onnx", "textbook"])
def test_two_layers_in_two_directions_come_back_from_another_layout(lstm, deep, tmp_path, layout):
    there, back = tmp_path / "there.safetensors", tmp_path / "back.safetensors"
    written = lstm("convert", deep, there, "--to", layout)
    assert written.code == 0
    assert "differ by at most 0, cell states by 0\n" in written.stdout
    assert lstm("convert", there, back).code == 0
    found, expected = load_file(back), load_file(deep)
    cells = [name for name in expected if name.startswith("layers.")]
    assert len(cells) == 32
    assert all(np.array_equal(found[name], expected[name]) for name in cells)


def test_a_framework_without_two_directions_is_refused(refusal, deep, tmp_path):
    said = refusal(3, "convert", deep, tmp_path / "x.safetensors", "--to", "mlx")
    assert said == (
        "--to: mlx has no layer that reads in two directions, so no names for a second one."
    )


def test_a_forget_bias_that_tensorflow_would_round_is_kept_where_nothing_is_added(
    lstm, wide, tmp_path
):
    path = tmp_path / "x.safetensors"
    done = lstm("convert", wide, path, "--to", "tensorflow")
    assert (done.code, done.stdout) == (0, (
        f"{path}: tensorflow-cudnn, checked on a random input: "
        "hidden states differ by at most 0, cell states by 0\n"
    ))  # fmt: skip
    assert done.stderr == (
        "note: tensorflow adds to the forget gate at run time what cannot be taken off this bias "
        "exactly: the names are those of tensorflow-cudnn, whose cell adds nothing. In any other "
        "cell set its forget bias to 0.\n"
    )


def test_the_report_tells_what_was_read_and_written(lstm, valid, keras, tmp_path):
    path = tmp_path / "x.safetensors"
    done = lstm("convert", keras, path, "--to", "pytorch", "--json", "--head", "top/kernel")
    assert done.code == 0
    report = valid("convert", done.json)
    hashed = hashlib.sha256(keras.read_bytes()).hexdigest()
    read = report.pop("read")
    assert report == {
        "schema": "lstm.convert/1", "source": str(keras), "sha256": hashed, "layers": 1,
        "directions": 1, "input_size": 2, "hidden_size": 3, "projection_size": None,
        "dtype": "float32", "file": str(path), "bytes": path.stat().st_size, "layout": "pytorch",
        "left_out": ["embedding", "head", "vocabulary"],
        "largest_difference": {"hidden": 0, "cell": 0},
    }  # fmt: skip
    assert (read["layout"], read["layout_title"], read["prefix"]) == (
        "keras",
        "Keras LSTM",
        "lstm_1/",
    )
    assert "12 outputs are 4 times the hidden size 3" in read["evidence"]
    assert read["assumed"][0].startswith("gate activation: sigmoid; Keras before 2.3")
    assert [f"note: assumed: {line}" for line in read["assumed"]] == done.stderr.splitlines()[:-1]


def test_the_report_of_a_file_that_is_written_over_tells_what_it_was(lstm, valid, keras):
    report = valid("convert", lstm("convert", keras, keras, "--json").json)
    assert (report["read"]["layout"], report["layout"]) == ("keras", "native")


def test_a_file_is_not_written_over_by_a_part_of_itself(refusal, keras, tmp_path):
    before = keras.read_bytes()
    (tmp_path / "link.safetensors").symlink_to(keras)
    for target in (keras, tmp_path / "link.safetensors"):
        said = refusal(2, "convert", keras, target, "--to", "pytorch")
        assert said == "OUT: expected another file than IN: pytorch holds the LSTM alone."
    assert keras.read_bytes() == before


def test_the_report_of_a_native_file_and_of_a_projection(lstm, valid, tmp_path):
    random = np.random.default_rng(3)
    shapes = {"weight_ih_l0": (12, 4), "weight_hh_l0": (12, 2), "weight_hr_l0": (2, 3)}
    arrays = {name: random.normal(size=shape) for name, shape in shapes.items()}
    save_file(arrays, tmp_path / "a.safetensors")
    done = lstm("convert", tmp_path / "a.safetensors", tmp_path / "b.safetensors", "--json")
    report = valid("convert", done.json)
    said = [report[name] for name in ("layout", "left_out", "hidden_size", "projection_size")]
    assert said == ["native", [], 3, 2]
    assert report["dtype"] == "float64"
