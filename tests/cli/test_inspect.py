"""What a weight file holds."""

import re
from pathlib import Path

import numpy as np
import pytest

from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.variants import Variant
from weights import load, save
from weights.containers.safetensors import archive_bytes


def facts(result):
    """The lines of the first table: a name and what it is."""
    lines = result.lines[1 : result.lines.index("")]
    return dict(re.split(r" {2,}", line, maxsplit=1) for line in lines if line[:1].strip())


def write(path, **arrays):
    path.write_bytes(archive_bytes(arrays, {}))
    return path


def test_a_model_of_our_own_is_described(done, valid, tiny):
    result = done("inspect", tiny, "--json")
    document = valid("inspect", result.json)
    assert document["source"] == str(tiny)
    assert document["bytes"] == tiny.stat().st_size
    assert document["reason"] is None
    (found,) = document["lstms"]
    expected = {
        "layout": "native", "prefix": "", "layers": 1, "directions": 1, "input_size": 4,
        "hidden_size": 5, "projection_size": None, "biases": 1, "dtype": "F32",
        "parameters": 4 * 5 * (4 + 5 + 1), "description": "A model to test with.",
        "licence": "CC0-1.0", "trained_on": "random numbers", "quality": {"perplexity": 7.5},
        "units": [{"address": "l0.c[3]", "tells": "nothing at all", "auc": 0.51}], "assumed": [],
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    assert found["cells"] == [
        {"layer": 0, "direction": "forward", "input_size": 4, "hidden_size": 5, "biases": 1,
         "parameters": 200, "parameters_per_gate": 50}
    ]  # fmt: skip
    assert found["embedding"] == {"tensor": "embedding.weight", "vocabulary_size": 7, "size": 4}
    assert found["head"]["tied"] is True
    assert found["head"]["projection"] == [4, 5]
    assert found["vocabulary"] == {
        "tokenizer": "word", "size": 7, "where": "in the file", "unknown": "<unk>",
        "start": "<s>", "end": "</s>",
    }  # fmt: skip
    assert "stats" not in found
    owners = {tensor["name"]: tensor["belongs_to"] for tensor in document["tensors"]}
    assert owners["embedding.weight"] == "embedding"
    assert owners["head.bias"] == "head"
    assert owners["layers.0.forward.forget_gate.weight"] == "lstm"
    assert None not in owners.values()


def test_the_table_says_the_same(done, tiny):
    result = done("inspect", tiny)
    assert result.lines[0] == str(tiny)
    said = facts(result)
    assert said["LSTM"] == "1 layer, forward"
    assert said["sizes"] == "input 4, hidden 5"
    assert said["projection"] == "none"
    assert said["biases"] == "one per gate"
    assert said["gate order"] == "one tensor per gate"
    assert said["numbers"] == "F32, 200 parameters"
    assert said["layout"] == "native (lstm's own)"
    assert said["embedding"] == "embedding.weight, 7 tokens of 4 numbers"
    assert "7 tokens, word, in the file" in said["vocabulary"]
    assert "tied to the embedding" in said["head"]
    assert said["what it is"] == "A model to test with."
    assert said["licence"] == "CC0-1.0"
    assert said["quality"].startswith("perplexity")
    assert "l0.c[3]  AUC 0.51  nothing at all" in result.lines
    assert "0 forward 4 5 200 50" in [" ".join(line.split()) for line in result.lines]
    assert "\x1b" not in result.stdout
    assert "\x1b[" in done("inspect", tiny, "--color", "always").stdout
    assert done("inspect", tiny, "--color", "never").data == result.data


def test_layers_and_directions_are_counted(done, valid, deep, foreign):
    (found,) = valid("inspect", done("inspect", deep, "--json").json)["lstms"]
    assert (found["layers"], found["directions"]) == (2, 2)
    assert [(c["layer"], c["direction"], c["input_size"]) for c in found["cells"]] == [
        (0, "forward", 4), (0, "reverse", 4), (1, "forward", 6), (1, "reverse", 6)
    ]  # fmt: skip
    assert found["head"]["labels"] == ["N", "V"]
    (found,) = valid("inspect", done("inspect", foreign, "--json").json)["lstms"]
    assert (found["layout"], found["gate_order"], found["biases"]) == ("pytorch", "i f g o", 2)
    assert (found["prefix"], found["input_size"], found["hidden_size"]) == ("lstm.", 4, 3)
    assert found["evidence"]
    assert any("embedding.weight" in assumed for assumed in found["assumed"])


def test_all_lstms_of_a_file_are_described_and_strangers_marked(done, valid, refusal, twins):
    document = valid("inspect", done("inspect", twins, "--json").json)
    assert {found["prefix"]: found["hidden_size"] for found in document["lstms"]} == {
        "encoder.rnn.": 3, "decoder.rnn.": 2,
    }  # fmt: skip
    owners = {tensor["name"]: tensor["belongs_to"] for tensor in document["tensors"]}
    assert owners.pop("other.table") is None
    assert set(owners.values()) == {"lstm"}
    lines = done("inspect", twins).lines
    assert any(line.split()[-2:] == ["9)", "nothing"] for line in lines)
    one = valid("inspect", done("inspect", twins, "--prefix", "decoder.rnn", "--json").json)
    assert [found["prefix"] for found in one["lstms"]] == ["decoder.rnn."]
    named = done("inspect", twins, "--prefix", "decoder.rnn", "--layout", "pytorch", "--json")
    assert named.json == one


def test_stats_are_those_of_the_weights_gate_by_gate(done, valid, deep):
    (found,) = valid("inspect", done("inspect", deep, "--stats", "--json").json)["lstms"]
    parameters = load(deep).parameters
    gates = found["stats"]["gates"]
    assert len(gates) == 2 * 2 * 4
    assert found["stats"]["nonfinite"] == []
    for gate in gates:
        cell = getattr(parameters.layers[gate["layer"]], gate["direction"])
        weight, bias = cell.gate_weight(gate["gate"]), cell.gate_bias(gate["gate"])
        recurrent = weight[:, :3].astype(float)
        assert gate["weight_hh"]["minimum"] == pytest.approx(recurrent.min())
        assert gate["weight_hh"]["maximum"] == pytest.approx(recurrent.max())
        assert gate["weight_ih"]["mean"] == pytest.approx(weight[:, 3:].astype(float).mean())
        assert gate["bias"]["deviation"] == pytest.approx(bias.astype(float).std())
        assert sum(gate["weight_hh"]["histogram"]) == 9
        radius = np.abs(np.linalg.eigvals(recurrent)).max()
        assert gate["spectral_radius"] == pytest.approx(radius, rel=1e-6)


def test_the_table_of_stats_shows_range_histogram_radius_and_forget_bias(done, tiny):
    text = done("inspect", tiny, "--stats").stdout
    for heading in ("Input weights", "Recurrent weights", "Biases", "Forget bias", "Not finite"):
        assert f"\n{heading}" in text
    assert "radius" in text
    assert re.search("[▁▂▃▄▅▆▇█]{5}", text)
    bias = load(tiny).parameters.layers[0].forward.gate_bias("forget")
    assert f"{bias.mean():.3f}" in text[text.index("\nForget bias") :]


def test_what_is_not_finite_is_counted_with_its_place(done, valid, infinite, doomed):
    (found,) = valid("inspect", done("inspect", infinite, "--stats", "--json").json)["lstms"]
    assert found["stats"]["nonfinite"] == [
        {"tensor": "layers.0.forward.candidate.weight", "what": "infinity", "count": 1,
         "first": [0, 1]}
    ]  # fmt: skip
    (found,) = valid("inspect", done("inspect", doomed, "--stats", "--json").json)["lstms"]
    places = [(entry["what"], entry["first"]) for entry in found["stats"]["nonfinite"]]
    # weights over [hidden, input]: the input is in column 2; all biases are 0
    assert places == [("nan", [0, 2])] * 8
    text = done("inspect", infinite, "--stats").stdout
    assert "layers.0.forward.candidate.weight[0, 1]" in text
    assert done("inspect", doomed, "--stats").stdout


def test_without_stats_only_the_header_is_read(done, valid, foreign, tmp_path):
    # a file of 40 GB by its header, of a few hundred bytes on disk until it is read
    path = tmp_path / "large.safetensors"
    rows, columns = 4 * 25_000, 100_000
    shapes = {"weight_ih_l0": (rows, columns), "weight_hh_l0": (rows, 25_000)}
    import json

    header, end = {}, 0
    for name, shape in shapes.items():
        size = shape[0] * shape[1] * 2
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    (found,) = valid("inspect", done("inspect", path, "--json").json)["lstms"]
    assert (found["input_size"], found["hidden_size"], found["biases"]) == (columns, 25_000, 0)
    assert found["dtype"] == "BF16"


def test_a_file_that_is_no_lstm_gets_its_tensors_listed_and_a_sentence(lstm, valid, tmp_path):
    gru = write(
        tmp_path / "gru.safetensors",
        weight_ih_l0=np.zeros((9, 2), np.float32),
        weight_hh_l0=np.zeros((9, 3), np.float32),
    )
    table = lstm("inspect", gru)
    why = "rows of weight_hh_l0 are 3 times its columns: this is a GRU, not an LSTM."
    assert (table.code, table.stderr) == (3, f"error: {gru}: {why}\n")
    assert [line.split()[0] for line in table.lines if line.startswith("weight")] == [
        "weight_hh_l0", "weight_ih_l0",
    ]  # fmt: skip
    result = lstm("inspect", gru, "--json")
    assert (result.code, result.stderr) == (3, table.stderr)
    document = valid("inspect", result.json)
    assert (document["lstms"], document["reason"]) == ([], why)
    assert {tensor["belongs_to"] for tensor in document["tensors"]} == {None}
    linear = write(tmp_path / "linear.safetensors", kernel=np.zeros((2, 2), np.float32))
    result = lstm("inspect", linear)
    assert result.code == 3
    assert "kernel belongs to a dense (linear) layer, not to an LSTM." in result.stderr


def test_metadata_of_other_programs_are_shown(done, valid, tmp_path):
    path = tmp_path / "lstm.safetensors"
    arrays = {"weight_ih_l0": np.ones((8, 3)), "weight_hh_l0": np.ones((8, 2))}
    path.write_bytes(archive_bytes(arrays, {"made by": "a friend"}))
    assert "made by  a friend" in done("inspect", path).lines
    document = valid("inspect", done("inspect", path, "--json").json)
    assert document["metadata"] == {"made by": "a friend"}
    assert (document["lstms"][0]["dtype"], document["lstms"][0]["biases"]) == ("F64", 0)


def test_quantised_weights_of_tensorflow_js_are_said(done, valid):
    model = Path(__file__).parents[1] / "golden" / "tfjs_quantized" / "model.json"
    said = {
        "lstm/kernel is quantised": "uint8 q, read as q * 0.00713123456789 + -0.9123456789012",
        "lstm/recurrent_kernel is quantised":
            "uint16 q, read as q * 2.3456789e-05 + -0.7654321098765",
        "lstm/bias is quantised": "float16, read as float32",
    }  # fmt: skip
    document = valid("inspect", done("inspect", model, "--json").json)
    assert document["metadata"] == said
    assert document["lstms"][0]["dtype"] == "F32"
    assert "lstm/bias is quantised" in done("inspect", model).stdout


def test_a_layout_that_does_not_fit_is_said(lstm, tiny):
    result = lstm("inspect", tiny, "--layout", "textbook")
    assert result.code == 3
    assert "no tensors named as textbook has them. Found: native." in result.stderr


def test_debug_shows_where_an_error_comes_from(lstm):
    assert lstm("inspect", "absent", "--debug").stderr.startswith("Traceback")


def test_parameters_that_belong_to_no_single_gate_are_not_shared_out(done, models):
    peephole = Variant(peephole_input=np.full(3, 0.5, np.float32))
    shapes = ((12, 2), (12, 3), (12,))
    weights = CellParameters(*(np.ones(shape, np.float32) for shape in shapes), peephole)
    save(models / "peephole.safetensors", Model(Parameters((LayerParameters(weights),))))
    lines = done("inspect", models / "peephole.safetensors").lines
    row = lines[lines.index("Cells") + 2]
    assert row.split() == ["0", "forward", "2", "3", "75", "-"]


STATES = (
    "these are the states of an LSTM, not its weights. lstm run takes them with --initial-state."
)
TRACE = "this is a trace, not weights: what lstm run wrote. lstm compare takes it."


@pytest.mark.parametrize("model", ["tiny", "deep"])
def test_a_saved_state_is_called_one(lstm, done, request, tmp_path, model):
    weights, path = request.getfixturevalue(model), tmp_path / "state.safetensors"
    done("run", "--ids", "1,2", "-w", weights, "--final-state", path)
    for command in (["inspect", path], ["run", "--ids", "1", "-w", path]):
        said = lstm(*command)
        assert (said.code, said.stderr) == (3, f"error: {path}: {STATES}\n")
    assert lstm("inspect", path, "--json").json["reason"] == STATES


@pytest.mark.parametrize("ending", ["json", "ndjson", "csv", "npz", "safetensors"])
def test_a_trace_is_called_one(lstm, done, tiny, tmp_path, ending):
    path = tmp_path / f"trace.{ending}"
    done("run", "john likes", "-w", tiny, "-o", path)
    for command in (["inspect", path], ["run", "john", "-w", path]):
        said = lstm(*command)
        assert (said.code, said.stderr) == (3, f"error: {path}: {TRACE}\n")


GOLDEN = (
    "these are golden values, not weights alone: what lstm golden wrote. lstm compare takes them."
)


@pytest.mark.parametrize("ending", ["json", "npz"])
@pytest.mark.parametrize("option", [["--head"], ["--biases", "two"]])
def test_golden_values_are_called_so(lstm, done, tiny, tmp_path, ending, option):
    path = tmp_path / f"golden.{ending}"
    done("golden", "john likes", "-w", tiny, *option, "-o", path)
    for command in (["inspect", path], ["run", "john", "-w", path]):
        said = lstm(*command)
        assert (said.code, said.stderr) == (3, f"error: {path}: {GOLDEN}\n")


def test_another_document_of_the_tool_names_the_command_that_wrote_it(
    refusal, done, tiny, tmp_path
):
    path = tmp_path / "x.json"
    path.write_bytes(done("inspect", tiny, "--json").data)
    assert refusal(3, "inspect", path) == (
        f"{path}: this is no weight file: it is what lstm inspect wrote."
    )
    path.write_text('{"a": 1}')
    assert "expected a safetensors file" in refusal(3, "inspect", path)
