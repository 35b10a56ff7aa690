"""Which model runs, how its file is read, and options that contradict each other."""

import json
import shutil
import subprocess
import time

import numpy as np
import pytest

from weights import load
from weights.pretrained.registry import path_of


def model_of(result):
    return result.json["model"]


def test_weights_are_a_name_or_a_path_from_the_option_or_the_environment(done, tiny, elsewhere):
    by_name = model_of(done("run", "(", "-w", "brackets", "--json"))
    assert by_name["source"] == "brackets"
    assert (by_name["layers"], by_name["input_size"], by_name["hidden_size"]) == (1, 2, 1)
    by_path = model_of(done("run", "john", "--weights", tiny, "--json"))
    assert by_path["source"] == str(tiny)
    from_environment = done("run", "john", "--json", env={"LSTM_WEIGHTS": str(tiny)})
    assert model_of(from_environment) == by_path
    option_first = done("run", "(", "-w", "brackets", "--json", env={"LSTM_WEIGHTS": str(tiny)})
    assert model_of(option_first) == by_name


def test_the_model_says_where_its_numbers_come_from(done, tiny):
    record = model_of(done("run", "john", "-w", tiny, "--json"))
    digest = subprocess.run(["sha256sum", tiny], capture_output=True, text=True).stdout.split()[0]
    assert record == {
        "source": str(tiny),
        "sha256": digest,
        "layout": "native",
        "layers": 1,
        "directions": 1,
        "independent": False,
        "residual": False,
        "input_size": 4,
        "hidden_size": 5,
        "dtype": "float32",
        "tokenizer": "word",
        "assumed": [],
    }


def test_a_path_that_is_no_utf8_is_no_bug(lstm, tmp_path):
    path = shutil.copy(path_of("brackets"), tmp_path / "m\udcff.safetensors")
    result = lstm("run", "(", "-w", path, "--json")
    assert "Traceback" not in result.stderr
    assert result.code in (0, 2, 3)


def test_a_prefix_chooses_among_several_lstms(done, refusal, lstm, twins, tmp_path):
    np.save(tmp_path / "x.npy", np.eye(2))
    given = ("run", "--vectors", tmp_path / "x.npy", "-w", twins, "--json")
    encoder = lstm(*given, "--prefix", "encoder.rnn.")
    assert model_of(encoder)["hidden_size"] == 3
    assert model_of(encoder)["layout"] == "pytorch"
    assert model_of(lstm(*given, "--prefix", "decoder.rnn"))["hidden_size"] == 2
    assert model_of(encoder)["assumed"][0].startswith("not used: 5 tensors (decoder.rnn.")
    assert encoder.stderr == "".join(
        f"note: assumed: {assumption}\n" for assumption in model_of(encoder)["assumed"]
    )
    said = refusal(3, *given)
    assert said == (
        f"{twins}: expected one LSTM, found decoder.rnn., encoder.rnn.. Choose with --prefix."
    )
    said = refusal(3, *given, "--prefix", "coder")
    assert "expected one of 'decoder.rnn.', 'encoder.rnn.', found 'coder'." in said


def test_a_layout_is_taken_by_name(done, refusal, tiny):
    named = done("run", "john", "-w", tiny, "--layout", "native", "--json")
    assert model_of(named)["layout"] == "native"
    said = refusal(3, "run", "john", "-w", tiny, "--layout", "textbook")
    assert said == f"{tiny}: no tensors named as textbook has them. Found: native."
    said = refusal(2, "run", "john", "-w", tiny, "--layout", "caffe")
    assert "expected native, pytorch" in said
    assert said.endswith("found 'caffe'.")


@pytest.mark.parametrize("form", ["vocab.txt", "vocab.json", "tokenizer.json"])
def test_a_tokenizer_is_read_from_a_file(lstm, foreign, tmp_path, form):
    path = tmp_path / form
    path.write_text(vocabulary(form), "utf-8")
    result = lstm("run", "the dog", "-w", foreign, "--tokenizer", path, "--json")
    assert result.code == 0, result.stderr
    sequence = result.json["sequences"][0]
    assert sequence["ids"] == [1, 0]
    assert sequence["unknown"] == [{"step": 1, "token": "dog"}]
    assert model_of(result)["tokenizer"] == ("huggingface" if form[0] == "t" else "word")
    assert all(f"note: assumed: {note}\n" in result.stderr for note in model_of(result)["assumed"])


def test_a_vocabulary_beside_the_weights_is_found_and_said(lstm, foreign, tmp_path):
    weights = shutil.copy(foreign, tmp_path / "model.safetensors")
    (tmp_path / "vocab.txt").write_text(vocabulary("vocab.txt"), "utf-8")
    result = lstm("run", "sat", "-w", weights, "--json")
    assert result.json["sequences"][0]["ids"] == [3]
    assert "note: assumed: tokenizer: vocab.txt, which lies beside the weights\n" in result.stderr


def vocabulary(form):
    words = ["<unk>", "the", "cat", "sat", "down", "here"]
    ids = {word: number for number, word in enumerate(words)}
    if form == "vocab.txt":
        return "\n".join(words) + "\n"
    if form == "vocab.json":
        return json.dumps(ids)
    model = {"type": "WordLevel", "vocab": ids, "unk_token": "<unk>"}
    return json.dumps({"version": "1.0", "added_tokens": [], "pre_tokenizer": {
        "type": "Whitespace"}, "model": model})  # fmt: skip


def test_a_vocabulary_that_cannot_be_read_is_refused(refusal, tiny, tmp_path):
    said = refusal(3, "run", "x", "-w", tiny, "--tokenizer", tmp_path / "vocab.txt")
    assert said == f"{tmp_path}/vocab.txt: cannot be read: No such file or directory."
    (tmp_path / "vocab.json").write_text("{")
    said = refusal(3, "run", "x", "-w", tiny, "--tokenizer", tmp_path / "vocab.json")
    assert said.startswith(f"{tmp_path}/vocab.json: expected JSON")


def test_dtype_is_what_the_numbers_are_computed_in(done, refusal, tiny, same_bits):
    sequences = {}
    for dtype in ("float32", "float64"):
        document = done("run", "john", "-w", tiny, "--dtype", dtype, "--json").json
        assert document["model"]["dtype"] == dtype
        sequences[dtype] = document["sequences"][0]["steps"][0]["hidden"]
        same_bits(sequences[dtype], load(tiny, dtype=dtype).run("john").hidden[0])
    assert sequences["float32"] != sequences["float64"]
    assert np.allclose(sequences["float32"], sequences["float64"], rtol=0, atol=1e-6)
    said = refusal(2, "run", "john", "-w", tiny, "--dtype", "float16")
    assert said.endswith("expected float32 or float64, found 'float16'.")


def test_weights_stored_in_float64_are_computed_so(done, bare, tmp_path):
    np.save(tmp_path / "x.npy", np.eye(2))
    result = done("run", "--vectors", tmp_path / "x.npy", "-w", bare, "--json")
    assert model_of(result)["dtype"] == "float64"


@pytest.mark.parametrize(
    ("code", "arguments", "message"),
    [
        (2, ["--json", "--format", "csv"], "expected one of --format and --json, found both."),
        (2, ["--digits", "3", "--json"], "--digits: only tables are rounded; json holds every"),
        (2, ["--digits", "3", "-f", "csv"], "--digits: only tables are rounded; csv holds every"),
        (2, ["--top-k", "3", "-f", "ndjson"], "--top-k: ndjson holds no predictions."),
        (2, ["--top-k", "3", "-f", "npz"], "--top-k: npz holds no predictions."),
        (2, ["--top-k", "0"], "Invalid value for '--top-k': 0 is not in the range x>=1."),
        (2, ["--digits", "18"], "Invalid value for '--digits': 18 is not in the range 0<=x<=17."),
        (2, ["--carry"], "--carry: expected several sequences, found one. Leave it out."),
        (2, ["--format", "xml"], "Invalid value for '--format' / '-f': expected table, json, "),
        (2, ["--color", "blue"], "Invalid value for '--color': expected auto, always or never"),
        (2, ["--nonsense"], "No such option: --nonsense"),
        (2, ["--show", "hidden,soul"], "--show: expected all, or names among layer_input, "),
        (2, ["--units", "1-3"], "--units: expected numbers and spans such as 0:8,12, found '1-3'"),
        (2, ["--units", "1"], "--units: expected 0, as there is no other, found 1."),
        (2, ["--layers", "1"], "--layers: expected 0, as there is no other, found 1."),
        (2, ["--layers", "3:"], "--layers: expected at least one of 1 layers, found none in '3:'"),
        (2, ["--steps", ""], "--steps: expected numbers and spans such as 0:8,12, found ''."),
        (2, ["-o", "trace.xml"], "--output: expected a name ending in .txt, .json, .ndjson, "),
        (2, ["--top-k", "3", "--show", "cell"], "--top-k: with --show, a table has no predict"),
        (2, ["--final-state", "no/such/x"], "--final-state: there is no folder no/such."),
        (3, ["-o", "no/such/folder/x.json"], "no/such/folder/x.json: "),
    ],
)
def test_options_that_cannot_be_followed_are_refused(refusal, code, arguments, message):
    assert refusal(code, "run", "(", "-w", "brackets", *arguments).startswith(message)


def test_top_k_needs_a_head(refusal, bare, tmp_path):
    np.save(tmp_path / "x.npy", np.eye(2))
    said = refusal(2, "run", "--vectors", tmp_path / "x.npy", "-w", bare, "--top-k", "3")
    assert said == "--top-k: the model has no head, so it predicts nothing."


def test_top_k_is_the_number_of_predictions(done, tiny):
    chosen = done("run", "john", "-w", tiny, "--json", "--top-k", "2").json["sequences"][0]["next"]
    default = done("run", "john", "-w", tiny, "--json").json["sequences"][0]["next"]
    every = done("run", "john", "-w", tiny, "--json", "--top-k", "99").json["sequences"][0]["next"]
    assert [len(best[0]) for best in (chosen, default, every)] == [2, 5, 7]
    assert default[0][:2] == chosen[0]
    assert sum(best["probability"] for best in every[0]) == pytest.approx(1, abs=1e-12)


def test_an_option_given_twice_is_refused(refusal):
    twice = refusal(2, "run", "--ids", "1", "--ids=2", "-w", "parity")
    assert twice == "Invalid value for --ids: expected once, found twice."


def test_the_state_does_not_overwrite_the_trace(refusal, tmp_path):
    both = tmp_path / "x.safetensors"
    said = refusal(2, "run", "(", "-w", "brackets", "-o", both, "--final-state", both)
    assert said == "--final-state: expected another file than --output."
    assert not both.exists()


def test_a_step_that_the_one_text_does_not_have_is_refused(refusal, done):
    said = refusal(2, "run", "(a", "-w", "brackets", "--steps", "2")
    assert said == "--steps: expected steps 0 to 1, found 2."
    lines = done("run", "(a", "((a", "-w", "brackets", "--steps", "2", "-f", "ndjson").lines
    assert len(lines) == 1  # of several texts, those that are long enough


def test_a_byte_order_mark_is_no_word(done):
    result = done("run", "-w", "brackets", "--json", stdin=b"\xef\xbb\xbf(\n").json
    assert result["sequences"][0]["tokens"] == ["("]


def test_being_asked_to_end_leaves_no_temporary_file(start, tmp_path):
    target = tmp_path / "x.ndjson"
    process = start("run", "-w", "brackets", "-o", target, stdin=subprocess.PIPE)
    process.stdin.write(b"(\n")
    process.stdin.flush()
    deadline = time.monotonic() + 20
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.terminate()
    assert process.wait(20) == 143
    assert list(tmp_path.iterdir()) == []


def test_the_inputs_of_a_layer_have_columns_of_their_own(done, wide, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((3, 2)))
    given = ("--vectors", tmp_path / "x.npy", "-w", wide, "--show", "layer_input")
    lines = done("run", *given).lines
    assert lines[lines.index("Layer input x") + 1].split() == ["step", "0", "1"]
