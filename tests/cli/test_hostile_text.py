"""Tokens, names and metadata that would steer what shows them: they stay text everywhere."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from safetensors.numpy import save

HOSTILE = (
    "\x1b[31mred", "\x1b]0;title\x07", "[bold]", "[/]", "=cmd|' /C calc'!A0", "@SUM(1+1)", "+1+1",
    "-2+3", "<script>alert(1)</script>", "</svg>", "\u202egnp.exe", "\u200b", "{{7*7}}", "${HOME}",
    "%s%n", "a\x00b", "a\r\nb", "\u2028", "'=1", "x" * 2**20, "e\u0301" * 40, "`id`",
    "__import__('os')", "*/ int x; /*", "a\\", "\x9b31m", "\u2067x\u2069", "[link=file:///]x",
)  # fmt: skip
GATES = ("input_gate", "forget_gate", "candidate", "output_gate")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model whose every text is hostile: vocabulary, labels, card, units, quality."""
    return _written(tmp_path_factory.mktemp("hostile"), {"head": {"labels": list(HOSTILE)}})


@pytest.fixture(scope="module")
def speaker(tmp_path_factory):
    """The same, but its head predicts its words."""
    return _written(tmp_path_factory.mktemp("speaker"), {})


def _written(folder, more):
    random = np.random.default_rng(4)
    arrays = {f"layers.0.forward.{gate}.weight": random.normal(size=(3, 5)).astype("f")
              for gate in GATES}  # fmt: skip
    arrays["embedding.weight"] = random.normal(size=(len(HOSTILE), 2)).astype("f")
    arrays["head.weight"] = random.normal(size=(len(HOSTILE), 3)).astype("f")
    short = [text[:200] for text in HOSTILE]
    records = {
        "tokenizer": {"kind": "word", "vocabulary": list(HOSTILE), "unknown": HOSTILE[0]},
        "units": [{"address": "l0.c[1]", "tells": text, "auc": 0.5} for text in short],
        "quality": dict.fromkeys(short, 0.5),
        **more,
    }
    metadata = {"format": "lstm.native/1", "description": "".join(short), "licence": short[0]}
    metadata |= {key: json.dumps(value) for key, value in records.items()}
    path = folder / "x.safetensors"
    path.write_bytes(save(arrays, {**metadata, "source": short[8]}))
    return path


IDS = ("--ids", ",".join(map(str, range(len(HOSTILE)))))
# What may stand in a text for a terminal: all but the characters that steer one.
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", *IDS, "-w"), ("run", *IDS, "--show", "hidden", "-w"), ("inspect",),
        ("memory", *IDS, "-w"), ("explain", *IDS, "-w"), ("tokens", "a b", "-w"),
        ("run", *IDS, "--color-by", "l0.c[0]", "-w"),
        ("golden", *IDS, "--format", "c", "-w"), ("explain", *IDS, "--at", "l0.c[1]@8", "-w"),
        ("explain", *IDS, "--at", "+1+1", "-w"), ("explain", *IDS, "--at", "logit([/])", "-w"),
        ("memory", *IDS, "--unit", "l0.c[1]", "-w"), ("memory", *IDS, "--of", "logit([/])", "-w"),
        ("sweep", *IDS, "--metric", "p([bold])", "-w"), ("compare", *IDS, "brackets"),
        ("sweep", *IDS, "--metric", "l0.c[1]", "--to", "mean", "-w"),
        ("contrast", "\x1b[31mred [/]", "</svg> [bold]", "-w"),
        ("contrast", "[/]", "@SUM(1+1)", "--metric", "logit([/]) - logit([bold])", "-w"),
        ("run", "[/]\u202e", "--warm-up", "[/]", "-w"),
    ],
    ids=lambda arguments: "-".join(a for a in arguments if len(a) < 9),
)  # fmt: skip
def test_no_text_of_a_model_steers_the_terminal(lstm, model, arguments):
    result = lstm(*arguments, model)
    assert result.code == (1 if arguments[0] == "compare" else 0), result.stderr
    assert "Traceback" not in result.stderr
    assert not STEERING.search(result.stdout)
    assert not STEERING.search(result.stderr)
    if arguments[0] == "run":
        assert max(map(len, result.lines)) < 20_000  # a word of a megabyte is cut in a table


def test_words_that_are_drawn_do_not_steer_the_terminal(lstm, speaker):
    result = lstm(
        "generate", "a", "--steps", "60", "--temperature", "9", "--seed", "1", "-w", speaker
    )
    assert result.code == 0, result.stderr
    assert not STEERING.search(result.stdout)
    assert sum(one in result.stdout for one in ("bold", "alert(1)", "u202e", "x1b")) > 2


@pytest.mark.parametrize("format", ["json", "ndjson"])
def test_json_holds_every_text_as_it_is(done, valid, model, format):
    result = done("run", *IDS, "-w", model, "-f", format)
    if format == "json":
        steps = valid("trace", result.json)["sequences"][0]["steps"]
        assert [step["token"] for step in steps] == list(HOSTILE)
    else:
        records = [json.loads(line) for line in result.data.split(b"\n")[:-1]]
        assert [record["token"] for record in records] == list(HOSTILE)
    found = done("inspect", model, "--json").json["lstms"][0]
    assert [unit["tells"] for unit in found["units"]] == [text[:200] for text in HOSTILE]


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain",), ("explain", "--at", "l0.c[1]@8"), ("memory",), ("golden", "--format", "json"),
        ("sweep", "--metric", "p([bold])"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_document_holds_every_text_as_it_is(done, model, arguments):
    command, *more = arguments
    json_ = [] if command == "golden" else ["--json"]
    document = done(command, *IDS, *more, *json_, "-w", model).json
    assert set(HOSTILE) <= set(_texts(document))


def _texts(value):
    """Every text in a JSON document."""
    if isinstance(value, str):
        yield value
    for one in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from _texts(one)


def test_a_contrast_of_hostile_text_is_json(done, model):
    texts = ("[/] @SUM(1+1)", "\u202egnp.exe =1\x1b[31m")
    assert {*texts} <= set(_texts(done("contrast", *texts, "--json", "-w", model).json))


@pytest.fixture
def reading(tmp_path):
    """A vocabulary of single characters that begin formulas, and words of them."""
    tokens = {token: number for number, token in enumerate([*"=+-@", "-2+3", "=1+1", "'=1", "'a"])}
    whole = {"version": "1.0", "pre_tokenizer": {"type": "WhitespaceSplit"},
             "model": {"type": "WordLevel", "vocab": tokens, "unk_token": "="}}  # fmt: skip
    (tmp_path / "tokenizer.json").write_text(json.dumps(whole))
    shapes = {"weight_ih_l0": (12, 2), "weight_hh_l0": (12, 3), "embedding.weight": (8, 2)}
    arrays = {name: np.ones(shape, "f") for name, shape in shapes.items()}
    (tmp_path / "x.safetensors").write_bytes(save(arrays))
    return tmp_path / "x.safetensors"


def test_a_cell_of_a_spreadsheet_is_no_formula_and_is_read_back_as_the_word(lstm, reading):
    pytest.importorskip("tokenizers")
    text = "=1+1 -2+3 = - @ '=1 'a"
    path = reading.with_name("t.csv")
    assert lstm("run", text, "-w", reading, "-o", path).code == 0
    tokens = [row["token"] for row in csv.DictReader(path.open())]
    assert tokens == ["'=1+1", "'-2+3", "=", "-", "@", "''=1", "'a"]
    from weights.traces import read_trace

    assert list(read_trace(path).recordings[0].tokens) == text.split()


def test_a_cell_of_a_sweep_is_no_formula(lstm, reading):
    pytest.importorskip("tokenizers")
    given = ("sweep", "=1+1 -2+3 - 'a", "-w", reading, "--metric", "l0.c[0]", "-f", "csv")
    rows = csv.DictReader(lstm(*given).stdout.splitlines())
    found = {row["step"]: row["token"] for row in rows}
    assert found == {"0": "'=1+1", "1": "'-2+3", "2": "-", "3": "'a"}


def test_a_picture_of_hostile_text_is_xml_without_scripts(done, model, tmp_path):
    done("run", *IDS, "-w", model, "-o", tmp_path / "x.svg")
    tree = ET.parse(tmp_path / "x.svg")
    assert not [e for e in tree.iter() if e.tag.endswith("script") or "onload" in e.attrib]
    result = done("run", "\x1b[31m<a>\u202e", "-f", "svg")
    assert ET.parse(io.StringIO(result.stdout)) is not None


def test_a_page_of_hostile_text_has_its_own_script_alone(done, model, tmp_path):
    done("run", *IDS, "-w", model, "-o", tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text("utf-8")
    assert page.count("<script") == 2  # the data, and what draws them
    assert "<script>alert" not in page
    assert "49}}" not in page


@pytest.mark.parametrize("what", ["heatmap", "units", "ledger", "survival", "saturation"])
def test_a_chart_of_hostile_text_is_drawn(lstm, model, tmp_path, what):
    pytest.importorskip("vl_convert")
    result = lstm("plot", *IDS, "-w", model, "--what", what, "-o", tmp_path / "x.svg")
    assert result.code == 0, result.stderr
    tree = ET.parse(tmp_path / "x.svg")
    assert not [e for e in tree.iter() if e.tag.endswith("script") or "onload" in e.attrib]


def test_a_chart_of_two_hostile_texts_runs_nothing_on_a_page(lstm, model, tmp_path):
    pytest.importorskip("vl_convert")
    texts = ("<script>alert(1)</script> [/]", "</svg> ${HOME}")
    given = ("plot", *texts, "-w", model, "--what", "contrast", "-o", tmp_path / "x.html")
    result = lstm(*given)
    assert result.code == 0, result.stderr
    assert "<script>alert" not in (tmp_path / "x.html").read_text("utf-8")


def test_names_of_tensors_and_metadata_of_others_are_text_too(lstm, tmp_path):
    names = [text[:100].replace("\x00", "") for text in HOSTILE]
    arrays = {f"{name}.weight": np.ones((2, 3), "f") for name in names}
    (tmp_path / "x.safetensors").write_bytes(save(arrays, dict.fromkeys(names, HOSTILE[19])))
    for more in ((), ("--json",)):
        result = lstm("inspect", tmp_path / "x.safetensors", *more)
        assert result.code == 3
        assert not STEERING.search(result.stderr)
        assert len(result.stderr) < 5000
        if more:
            found = {tensor["name"].removesuffix(".weight") for tensor in result.json["tensors"]}
            assert found == set(names)
        else:
            assert not STEERING.search(result.stdout)


NO_TEXT = (("inspect", "--json"), ("inspect",), ("run", "--ids", "0", "-w"))


@pytest.mark.parametrize("command", NO_TEXT, ids=" ".join)
def test_names_of_a_checkpoint_that_are_no_text_are_refused(refusal, tmp_path, command):
    """A pickle writes down all that Python calls a text; no output could hold it."""
    torch = pytest.importorskip("torch")
    torch.save({"a\ud800.weight_ih_l0": torch.ones(12, 2)}, tmp_path / "x.pt")
    said = refusal(3, *command, tmp_path / "x.pt")
    assert said.endswith("'a\\ud800.weight_ih_l0': expected a name in UTF-8, found another.")


@pytest.mark.parametrize("command", NO_TEXT, ids=" ".join)
def test_names_in_hdf5_that_are_no_text_are_refused(refusal, tmp_path, command):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("lstm??/kernel", data=np.ones((2, 12), "f"))
    content = (tmp_path / "x.h5").read_bytes()
    assert content.count(b"lstm??") == 1
    (tmp_path / "x.h5").write_bytes(content.replace(b"lstm??", b"lstm\xff\xfe"))
    assert "not a valid .h5 file" in refusal(3, *command, tmp_path / "x.h5")


@pytest.mark.parametrize(
    ("tokens", "code", "told"),
    [
        (["a", "b", "c", "d", "e"], 3, "5"),
        (["a", "b", "a", "c"], 3, "expected every token once, found 'a' twice"),
        (["a", 5], 3, "expected strings, found 5"),
        ("a", 3, "expected a list of tokens"),
        ({"a": 0, "b": 2}, 3, "expected the ids 0 to 1, each once"),
        ({"a": 0, "b": -1}, 3, "expected the ids 0 to 1, each once"),
        ({"a": 0, "b": 10**30}, 3, "expected the ids 0 to 1, each once"),
        (["a", "b"], 0, ""),
    ],
    ids=str,
)
def test_a_vocabulary_that_does_not_fit_is_refused(lstm, reading, tokens, code, told):
    path = reading.with_name("vocab.json")
    path.write_text(json.dumps(tokens))
    reading.with_name("tokenizer.json").unlink()
    shapes = {"weight_ih_l0": (12, 2), "weight_hh_l0": (12, 3), "embedding.weight": (4, 2)}
    reading.write_bytes(save({name: np.ones(shape, "f") for name, shape in shapes.items()}))
    result = lstm("run", "ab", "-w", reading, "--tokenizer", path)
    assert (result.code, told in result.stderr) == (code, True), result.stderr
