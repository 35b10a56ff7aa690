"""`lstm extract` through the real command: what is read, what is written, what is refused."""

import gzip
import io
import json
import os
import pty
import random
import re
import sys
from contextlib import suppress
from subprocess import run as run_python

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from lstm.quantities import NAMES
from weights import load

LINES = [
    "John likes coffee",
    "",
    "black black coffee Likes JOHN naïve",
    "john",
    "likes coffee john",
]
TEXT = "\n".join(LINES) + "\n"


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture
def extracted(lstm, tmp_path):
    """Run the command, which is to succeed, and read the dataset."""

    def run(*arguments, folder="states", **options):
        result = lstm("extract", *arguments, "-o", tmp_path / folder, **options)
        assert result.code == 0, result.stderr
        assert result.data == b""
        return read(tmp_path / folder)

    return run


def read(folder):
    parts = sorted(folder.glob("*.parquet"))
    return pa.concat_tables([pq.read_table(part) for part in parts]).to_pylist()


def manifest(folder):
    return json.loads((folder / "_manifest.json").read_text())


def expected(model, texts, show, layers=None, steps=None):
    """The rows, one by one, from a run of each text by itself."""
    rows = []
    for number, text in enumerate(texts):
        trace = model.run(text)
        for row in trace.rows(show):
            chosen = range(trace.num_steps)[steps] if steps else range(trace.num_steps)
            if row["step"] in chosen and (layers is None or row["layer"] in layers):
                rows.append({"sequence": number, **row})
    return rows


def assert_same(rows, wanted, dtype=np.float32):
    assert [list(row) for row in rows] == [list(row) for row in wanted]
    for row, other in zip(rows, wanted, strict=True):
        for name, value in other.items():
            if isinstance(value, np.ndarray):
                assert np.array(row[name], dtype).tobytes() == value.astype(dtype).tobytes()
            else:
                assert row[name] == value


def test_each_row_has_the_bits_that_the_sequence_has_alone(extracted, corpus, tiny, tmp_path):
    rows = extracted(corpus, "-w", tiny, "--part-size", "2")
    assert_same(rows, expected(load(tiny), LINES, ("hidden", "cell")))
    assert {path.name for path in (tmp_path / "states").iterdir()} == {
        "_manifest.json", "part-00000.parquet", "part-00001.parquet", "part-00002.parquet"
    }  # fmt: skip


def test_two_layers_in_two_directions_stand_step_by_step(extracted, deep, tmp_path):
    path = tmp_path / "x.txt"
    texts = ["the cat sat", "down here the cat", "cat sat down"]
    path.write_text("\n".join(texts))
    rows = extracted(path, "-w", deep, "--show", "all")
    assert [(row["step"], row["layer"], row["direction"]) for row in rows[:5]] == [
        (0, 0, "forward"), (0, 0, "reverse"), (0, 1, "forward"), (0, 1, "reverse"),
        (1, 0, "forward"),
    ]  # fmt: skip
    wanted = expected(load(deep), texts, NAMES)
    assert_same(rows, wanted)
    # --layers, --steps: what is left is the same
    some = extracted(path, "-w", deep, "--layers", "1", "--steps", "1:", folder="some")
    assert_same(some, expected(load(deep), texts, ("hidden", "cell"), {1}, slice(1, None)))


def test_columns_are_typed_for_databases(extracted, corpus, tiny, tmp_path):
    extracted(corpus, "-w", tiny, "--show", "cell,forget")
    schema = pq.read_schema(tmp_path / "states" / "part-00000.parquet")
    assert schema.names == [
        "sequence",
        "step",
        "token",
        "id",
        "layer",
        "direction",
        "cell",
        "forget",
    ]
    assert schema.types[:5] == [
        pa.int64(), pa.int32(), pa.dictionary(pa.int32(), pa.string()), pa.int32(), pa.int16(),
    ]  # fmt: skip
    # Parquet has no width for the index, and older readers do not ask for what was written.
    assert schema.types[5].value_type == pa.string()
    assert pa.types.is_fixed_size_list(schema.field("cell").type)
    assert schema.field("cell").type.list_size == 5
    assert schema.field("cell").type.value_type == pa.float32()
    found = duckdb.sql(
        f"select token, id, cell[3] from '{tmp_path}/states/*.parquet' where sequence = 2"
    ).fetchall()
    trace = load(tiny).run(LINES[2])
    assert found == [
        (token.text, token.id, float(trace.cell[n, 2])) for n, token in enumerate(trace.tokens)
    ]


def test_the_folder_as_a_whole_is_a_dataset(extracted, corpus, tiny, tmp_path):
    rows = extracted(corpus, "-w", tiny, "--part-size", "2")
    assert pq.read_table(tmp_path / "states").to_pylist() == rows


def test_units_and_half_numbers(extracted, corpus, tiny, tmp_path):
    rows = extracted(corpus, "-w", tiny, "--show", "cell,layer_input", "--units", "1,3:", "--half")
    schema = pq.read_schema(tmp_path / "states" / "part-00000.parquet")
    assert schema.field("cell").type == pa.list_(pa.field("element", pa.float16()), 3)
    wanted = expected(load(tiny), LINES, ("cell", "layer_input"))
    for row in wanted:
        row["cell"] = row["cell"][[1, 3, 4]]
    assert_same(rows, wanted, np.float16)
    assert manifest(tmp_path / "states")["units"] == [1, 3, 4]
    assert manifest(tmp_path / "states")["dtype"] == "float16"


def test_layers_of_different_size_are_lists_of_different_length(extracted, uneven, tmp_path):
    (tmp_path / "vocab.txt").write_text("a\nbb\nc\nd\ne\n")
    (tmp_path / "x.txt").write_text("a c bb\nd\n")
    given = ("-w", uneven, "--tokenizer", tmp_path / "vocab.txt")
    rows = extracted(tmp_path / "x.txt", *given)
    assert [len(row["cell"]) for row in rows] == [3, 2] * 4
    model = load(uneven, tokenizer=tmp_path / "vocab.txt")
    assert_same(rows, expected(model, ["a c bb", "d"], ("hidden", "cell")))
    some = extracted(tmp_path / "x.txt", *given, "--units", "2", folder="some")
    assert [len(row["cell"]) for row in some] == [1, 0] * 4


def test_float64_stays_float64(extracted, corpus, tiny):
    rows = extracted(corpus, "-w", tiny, "--dtype", "float64")
    wanted = expected(load(tiny, dtype="float64"), LINES, ("hidden", "cell"))
    assert_same(rows, wanted, np.float64)


def test_what_the_file_does_not_tell_is_told(lstm, extracted, deep, tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("the cat sat\ndown here\n")
    told = ("--residual", "--pre-activation-clip", "0.5", "--forget-bias", "0")
    rows = extracted(path, "-w", deep, *told)
    model = load(deep, residual=True, pre_activation_clip=0.5, forget_bias=0.0)
    assert_same(rows, expected(model, ["the cat sat", "down here"], ("hidden", "cell")))
    options = manifest(tmp_path / "states")["options"]
    assert options == {"residual": True, "pre_activation_clip": 0.5, "forget_bias": 0.0}
    other = lstm("extract", path, "-w", deep, *told[:-2], "-o", tmp_path / "states")
    assert other.code == 3
    assert "expected what the dataset was begun with" in other.stderr


@pytest.mark.parametrize(("steps", "kept"), [("last", slice(-1, None)), ("0:2", slice(0, 2)),
                                             ("-2:", slice(-2, None))])  # fmt: skip
def test_steps_are_chosen_in_each_sequence(extracted, corpus, tiny, tmp_path, steps, kept):
    rows = extracted(corpus, "-w", tiny, "--steps", steps)
    assert_same(rows, expected(load(tiny), LINES, ("hidden", "cell"), steps=kept))
    assert manifest(tmp_path / "states")["steps"] == steps
    assert manifest(tmp_path / "states")["tokens"] == 13


def kinds(folder):
    """The same sequences in every kind of file, with the options that each needs."""
    records = [json.dumps({"n": n, "text": text}) + "\n" for n, text in enumerate(LINES)]
    table = io.BytesIO()
    pq.write_table(pa.table({"text": LINES, "n": range(len(LINES))}), table)
    files = {
        "x.txt": TEXT.encode(),
        "bom.txt": b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode(),
        "x.txt.gz": gzip.compress(TEXT.encode()),
        "x.txt.zst": zstandard.compress(TEXT.encode()),
        "x.jsonl": "".join(records).encode(),
        "x.ndjson.gz": gzip.compress("".join(records).encode()),
        "x.parquet": table.getvalue(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return files


@pytest.mark.parametrize("name", ["x.txt", "bom.txt", "x.txt.gz", "x.txt.zst", "x.jsonl",
                                  "x.ndjson.gz", "x.parquet", "-"])  # fmt: skip
def test_every_kind_of_file_gives_the_same_part(extracted, tiny, corpus, tmp_path, name):
    kinds(tmp_path)
    extracted(corpus, "-w", tiny, folder="plain")
    options = ["--field", "text"] if "json" in name else []
    options += ["--column", "text"] if "parquet" in name else []
    path = name if name == "-" else tmp_path / name
    extracted(path, "-w", tiny, *options, stdin=TEXT if name == "-" else "")
    first, second = (tmp_path / folder / "part-00000.parquet" for folder in ("plain", "states"))
    assert first.read_bytes() == second.read_bytes()


def test_json_lines_come_through_stdin_with_field(extracted, tiny):
    lines = "".join(json.dumps({"said": text}) + "\n" for text in LINES)
    rows = extracted("-", "--field", "said", "-w", tiny, stdin=lines)
    assert_same(rows, expected(load(tiny), LINES, ("hidden", "cell")))


def test_several_files_are_read_in_order(extracted, tiny, tmp_path):
    kinds(tmp_path)
    given = [tmp_path / name for name in ("x.parquet", "x.txt", "x.jsonl")]
    rows = extracted(*given, "--field", "text", "--column", "text", "-w", tiny, "--part-size", "4")
    assert_same(rows, expected(load(tiny), LINES * 3, ("hidden", "cell")))
    assert len(manifest(tmp_path / "states")["parts"]) == 4


def test_a_zst_file_of_several_frames_is_read_to_its_end(extracted, tiny, tmp_path):
    path = tmp_path / "x.zst"
    path.write_bytes(zstandard.compress(b"john\nlikes ") + zstandard.compress(b"coffee\n"))
    rows = extracted(path, "-w", tiny)
    assert [(row["sequence"], row["token"]) for row in rows] == [
        (0, "john"), (1, "likes"), (1, "coffee")
    ]  # fmt: skip


def test_the_manifest_and_the_summary_say_what_was_made(lstm, valid, corpus, tiny, tmp_path):
    given = ("extract", corpus, "-w", tiny, "--part-size", "2", "-o", tmp_path / "states")
    result = lstm(*given, "--json")
    assert result.code == 0
    summary = valid("extract", result.json)
    assert (summary["sequences"], summary["tokens"], summary["rows"]) == (5, 13, 13)
    assert (summary["parts"], summary["parts_before"], summary["engine"]) == (3, 0, "numpy")
    made = valid("dataset", manifest(tmp_path / "states"))
    assert (made["finished"], made["sequences"], made["rows"]) == (True, 5, 13)
    assert [(part["first"], part["sequences"]) for part in made["parts"]] == [
        (0, 2),
        (2, 2),
        (4, 1),
    ]
    assert made["model"]["sha256"] == load(tiny).card.sha256
    done = run_python(
        ["sha256sum", corpus, *sorted((tmp_path / "states").glob("*.parquet"))],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    hashes = [line.split()[0] for line in done.stdout.splitlines()]
    assert hashes == [made["inputs"][0]["sha256"], *(part["sha256"] for part in made["parts"])]
    assert (made["units"], made["layers"], made["show"]) == ("all", "all", ["hidden", "cell"])
    again = valid("extract", lstm(*given, "--json").json)
    assert (again["parts"], again["parts_before"], again["rows"]) == (3, 3, 13)


def test_the_estimate_comes_first_and_the_summary_last(lstm, corpus, tiny, tmp_path):
    said = lstm("extract", corpus, "-w", tiny, "-o", tmp_path / "states", "--verbose").stderr
    engine, first, last = said.splitlines()
    assert engine.startswith("note: engine numpy: ")
    # two quantities of five units in four bytes, and some more for what a row is known by
    assert first.startswith(
        "note: estimate: about 598 bytes for 13 tokens of 5 sequences, 46 bytes"
    )
    assert ": 5 sequences, 13 tokens, 13 rows, " in last


@pytest.mark.parametrize("steps", ["all", "last"])
def test_the_estimate_of_a_large_corpus_is_near(lstm, tiny, tmp_path, steps):
    random.seed(5)
    words = "john likes black coffee naïve".split()
    lines = [" ".join(random.choices(words, k=random.randint(0, 9))) for _ in range(6000)]
    text = "\n".join(sorted(lines, key=len))
    (tmp_path / "x.txt").write_text(text)
    (tmp_path / "x.txt.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("x.txt", "x.txt.gz"):
        given = (tmp_path / name, "-w", tiny, "--show", "all", "--steps", steps)
        result = lstm("extract", *given, "-o", tmp_path / f"{name}.states", "--json")
        tokens, sequences = re.search(r"for ([\d,]+) tokens of ([\d,]+) ", result.stderr).groups()
        size, unit = re.search(r"about ([\d.]+) (.)B for", result.stderr).groups()
        assert int(sequences.replace(",", "")) == result.json["sequences"] == 6000
        assert int(tokens.replace(",", "")) == pytest.approx(result.json["tokens"], rel=0.05)
        power = {"k": 1e3, "M": 1e6}[unit]
        assert float(size) * power == pytest.approx(result.json["bytes"], rel=0.1)


def test_engines_are_named_and_a_dataset_keeps_its_own(lstm, corpus, tiny, tmp_path):
    given = ("extract", corpus, "-w", tiny, "-o", tmp_path / "states")
    assert lstm(*given, "--engine", "numba").code == 0
    assert manifest(tmp_path / "states")["engine"] == "numba"
    assert manifest(tmp_path / "states")["versions"].keys() >= {"numba", "numpy", "pyarrow"}
    assert lstm(*given).code == 0
    refused = lstm(*given, "--engine", "numpy")
    assert (refused.code, refused.data) == (3, b"")
    assert "engine was numba, is numpy" in refused.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_set_is_set_at_every_step_of_every_sequence(
    workers, extracted, done, lstm, corpus, tiny, tmp_path
):
    changes = ("--set", "l0.f[3]:=1", "--ablate", "l0[1]")
    given = (corpus, "-w", tiny, "--part-size", "2", "--workers", workers)
    rows = extracted(*given, *changes)
    assert manifest(tmp_path / "states")["model"]["changed"] == ["l0.f[3]:=1", "l0.h[1]:=0"]
    for number, line in enumerate(LINES):
        if not line:
            continue
        document = done("run", line, "-w", tiny, "--json", *changes).json
        own = [row for row in rows if row["sequence"] == number]
        for row, step in zip(own, document["sequences"][0]["steps"], strict=True):
            assert row["hidden"][1] == 0
            np.testing.assert_allclose(row["cell"], step["cell"], rtol=1e-6)
            np.testing.assert_allclose(row["hidden"], step["hidden"], rtol=1e-6)
    other = lstm("extract", *given, "-o", tmp_path / "states")
    assert other.code == 3
    assert "another" in other.stderr or "was" in other.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--set", "l0.c[0]@2:=1"), "--set: expected a place at every step, as sequences are of"),
        (("--set", "l0.c[9]:=1"), "--set or --ablate: l0.c[9]: unit: expected 0 to 4, found 9."),
    ],
)
def test_what_is_not_there_in_every_sequence_is_not_set(
    lstm, corpus, tiny, tmp_path, options, message
):
    refused = lstm("extract", corpus, "-w", tiny, "-o", tmp_path / "states", *options)
    assert (refused.code, refused.data) == (2, b"")
    assert refused.stderr.startswith(f"error: {message}")


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (("x.jsonl",), 2, "x.jsonl: JSON lines need --field, the name of the text."),
        (("x.parquet",), 2, "x.parquet: Parquet needs --column, the name of the text."),
        (("x.txt", "--field", "text"), 2, "--field: no CORPUS holds JSON lines (.jsonl)."),
        (("x.txt", "--column", "text"), 2, "--column: no CORPUS is a .parquet file."),
        (("x.jsonl", "--field", "n"), 3, "x.jsonl: line 1: expected a text in field 'n', found "
         "none. Fields that hold texts: text."),
        (("x.parquet", "--column", "m"), 3, "x.parquet: expected a column 'm', found text, n."),
        (("x.parquet", "--column", "n"), 3, "x.parquet: row 0: expected a text, found int."),
        (("-", "-"), 2, "CORPUS: standard input can be read once, found - twice."),
        (("x.txt", "-", "--cluster", "ray"), 2, "--cluster: expected files, found a stream."),
        (("x.txt", "--cluster", "spark"), 2, "expected ray or ray://HOST:PORT, found 'spark'."),
        (("absent.txt",), 3, "absent.txt: cannot be read: No such file or directory."),
        ((".",), 3, ".: expected a file, found a folder."),
        (("latin.txt",), 3, "latin.txt: line 2: expected UTF-8 text, found the byte at offset 3."),
        (("broken.gz",), 3, "broken.gz: cannot be "),
        (("broken.zst",), 3, "broken.zst: cannot be decompressed"),
        (("cut.gz",), 3, "cut.gz: cannot be decompressed: Compressed file ended before the end"),
        (("cut.zst",), 3, "cut.zst: cannot be decompressed: the file ended before the end of a "),
        (("broken.parquet", "--column", "text"), 3, "broken.parquet: not a valid Parquet file"),
        (("broken.jsonl", "--field", "text"), 3, "broken.jsonl: line 2: expected a JSON object, "),
        (("x.txt", "--units", "5"), 2, "--units: expected units 0 to 4, found 5."),
        (("x.txt", "--layers", "1"), 2, "--layers: expected 0, as there is no other, found 1."),
        (("x.txt", "--steps", "first"), 2, "--steps: expected numbers and spans such as 0:8,12"),
        (("x.txt", "--show", "soul"), 2, "--show: expected all, or names among"),
        (("x.txt", "--workers", "0"), 2, "--workers"),
        (("x.txt", "-o", "no/such"), 2, "--output: there is no folder no."),
        (("x.txt", "-o", "x.jsonl"), 3, "x.jsonl: expected a folder, found a file."),
        (("x.txt", "-o", "."), 3, ".: expected an empty folder, or a dataset with its _manifest"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_anything_is_written(
    lstm, tiny, tmp_path, given, code, message
):
    kinds(tmp_path)
    (tmp_path / "latin.txt").write_bytes(b"john\nna \xef\n")
    for name in ("broken.gz", "broken.zst", "broken.parquet"):
        (tmp_path / name).write_bytes(b"this is something else")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(TEXT.encode())[:-9])
    (tmp_path / "cut.zst").write_bytes(zstandard.compress(TEXT.encode())[:-1])
    (tmp_path / "broken.jsonl").write_text('{"text": "john"}\n[]\n')
    before = {path.name for path in tmp_path.iterdir()}
    folder = () if "-o" in given else ("-o", "states")
    result = lstm("extract", *given, *folder, "-w", tiny, cwd=tmp_path)
    assert (result.code, result.data) == (code, b"")
    errors = [line for line in result.stderr.splitlines() if not line.startswith("note: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_word_that_is_not_known_stops_with_its_line(lstm, deep, tmp_path):
    texts = ["the cat"] * 5000 + ["the dog"]  # which no sample has
    (tmp_path / "x.txt").write_text("\n".join(texts))
    for workers in ("1", "2"):
        folder = tmp_path / f"states{workers}"
        given = ("-w", deep, "--part-size", "500", "--workers", workers, "-o", folder)
        result = lstm("extract", "x.txt", *given, cwd=tmp_path)
        assert result.code == 3
        assert 'error: x.txt: line 5001: token "dog" at position 1 is not in the' in result.stderr
        assert "Traceback" not in result.stderr
        assert not any(path.name.startswith(".") for path in folder.iterdir())


def test_a_corpus_needs_a_vocabulary_and_an_output(lstm, uneven, corpus, tmp_path):
    result = lstm("extract", corpus, "-w", uneven, "-o", tmp_path / "states")
    assert result.code == 3
    assert "the model has no vocabulary" in result.stderr
    assert lstm("extract", corpus).code == 2
    assert lstm("extract", "-o", tmp_path / "states").code == 2


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("extraction._LIMIT = 10**8", "error: expected at most 100 MB without --yes, found"),
        (
            "extraction.shutil.disk_usage = lambda _: SimpleNamespace(free=10**8)",
            "error: --output: expected at most the 100 MB that are free, found",
        ),
    ],
)
def test_too_much_is_refused_as_soon_as_it_is_known(tmp_path, limit, message):
    size, line = 10**8, b"John likes black coffee\n"
    with (tmp_path / "x.txt").open("wb") as file:  # sparse: only its start is ever read
        file.write(line * 100_000)
        file.truncate(size)
    arguments = ["lstm", "extract", "x.txt", "-o", "states", "--show", "cell"]
    program = (
        f"import sys; from types import SimpleNamespace; from cli import extraction; {limit}; "
        f"sys.argv = {arguments!r}; from cli.start import main; main()"
    )
    command = [sys.executable, "-c", program]
    done = run_python(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    # what was read is taken to go on like this: four steps of 128 numbers to a line
    (found,) = re.findall(r"found about ([\d.]+) GB\.", done.stderr)
    assert float(found) == pytest.approx(size / len(line) * 4 * (4 * 128 + 6) / 1e9, 0.01)
    assert not (tmp_path / "states").exists()


@pytest.mark.parametrize("package", ["pyarrow", "zstandard"])
def test_without_the_extra_a_sentence_names_it(tiny, tmp_path, package):
    (tmp_path / "x.txt.zst").write_bytes(zstandard.compress(b"john\n"))
    arguments = ["lstm", "extract", str(tmp_path / "x.txt.zst"), "-w", str(tiny), "-o", "states"]
    program = (
        f"import sys; sys.modules['{package}'] = None; "
        f"sys.argv = {arguments!r}; from cli.start import main; main()"
    )
    done = run_python([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"the package {package}, which is not installed" in done.stderr
    assert "pip install 'lstm-cli[corpus]'" in done.stderr


def test_pandas_is_not_imported_where_it_is_installed(tiny, corpus, tmp_path):
    pytest.importorskip("pandas")
    arguments = ["lstm", "extract", str(corpus), "-w", str(tiny), "-o", "states", "--workers", "1"]
    program = f"import sys; sys.argv = {arguments!r}; from cli.start import main; main()"
    command = [sys.executable, "-X", "importtime", "-c", program]
    done = run_python(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0
    assert "pyarrow.parquet" in done.stderr
    assert " pandas\n" not in done.stderr


def test_more_than_the_estimate_said_is_refused_when_it_is_there(tiny, tmp_path):
    # a line that is long is judged by its beginning
    (tmp_path / "x.txt").write_text("john" * 2000 + " john likes coffee" * 300)
    arguments = ["lstm", "extract", "x.txt", "-w", str(tiny), "-o", "states"]
    program = (
        "import sys; from cli import extraction; extraction._LIMIT = 20_000; "
        f"sys.argv = {arguments!r} + sys.argv[1:]; from cli.start import main; main()"
    )
    command = [sys.executable, "-c", program]
    done = run_python(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "estimate: about 138 bytes for 3 tokens" in done.stderr
    assert "error: expected at most 20 kB without --yes, found about 4" in done.stderr
    assert run_python([*command, "--yes"], capture_output=True, cwd=tmp_path).returncode == 0
    assert manifest(tmp_path / "states")["tokens"] == 901


def test_the_last_line_is_read_before_anything_is_made(lstm, tiny, tmp_path):
    lines = b"john likes coffee\n" * 3000
    (tmp_path / "x.txt.gz").write_bytes(gzip.compress(lines + b"na\xef\n"))
    given = ("extract", "x.txt.gz", "-w", tiny, "-o", "states", "--part-size", "100")
    result = lstm(*given, cwd=tmp_path)
    assert (result.code, result.data) == (3, b"")
    assert result.stderr.startswith("error: x.txt.gz: line 3001: expected UTF-8 text")
    assert not (tmp_path / "states").exists()


def test_a_pipe_is_read_once(shell, tiny, corpus, tmp_path):
    line = f"lstm extract <(cat {corpus}) -w {tiny} -o {tmp_path}/states --part-size 2"
    result = shell(line)
    assert result.code == 0, result.stderr
    assert (
        "estimate: none, the input is a stream. It runs in numpy; --engine says otherwise."
        in result.stderr
    )
    assert_same(read(tmp_path / "states"), expected(load(tiny), LINES, ("hidden", "cell")))


def test_an_empty_corpus_is_a_dataset_without_parts(lstm, tiny, tmp_path):
    (tmp_path / "x.txt").write_text("")
    assert lstm("extract", tmp_path / "x.txt", "-w", tiny, "-o", tmp_path / "states").code == 0
    assert manifest(tmp_path / "states")["finished"] is True
    assert [path.name for path in (tmp_path / "states").iterdir()] == ["_manifest.json"]


def on_a_terminal(start, *given):
    """What the command shows on a terminal, which is to succeed."""
    ours, theirs = pty.openpty()
    with start(*given, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # the way in which Linux says that the other end is closed
            while block := os.read(ours, 65536):
                shown += block
    os.close(ours)
    assert process.returncode == 0
    return shown.decode()


def test_progress_is_shown_on_a_terminal_only(start, corpus, tiny, tmp_path):
    given = ("extract", corpus, "-w", tiny, "--part-size", "1")
    shown = on_a_terminal(start, *given, "-o", tmp_path / "states")
    assert "5 sequences" in shown
    assert "tokens a second" in shown
    assert "100%" in shown
    with start(*given, "-o", tmp_path / "other") as process:
        assert b"%" not in process.stderr.read()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_progress_is_shown_within_a_part(start, tiny, tmp_path, workers):
    (tmp_path / "x.txt").write_text("john likes coffee\n" * 5000 + "black " * 200_000)
    given = (tmp_path / "x.txt", "-w", tiny, "-o", tmp_path / "states", "--engine", "numpy")
    shown = on_a_terminal(start, "extract", *given, "--workers", workers)
    assert len(manifest(tmp_path / "states")["parts"]) == 1
    assert any(0 < int(found) < 95 for found in re.findall(r"(\d+)%", shown))
    assert "5,000 sequences" in shown
    again = on_a_terminal(start, "extract", *given)
    assert "%" not in again
    assert "1 of them from before." in again
