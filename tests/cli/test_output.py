"""-o and --format: where a result goes, in which form, whole or not at all."""

import json
import os
import signal
import stat
import subprocess
import time
from io import BytesIO

import numpy as np
import pytest

ENDINGS = {
    "table": ".txt",
    "json": ".json",
    "ndjson": ".ndjson",
    "csv": ".csv",
    "npz": ".npz",
    "safetensors": ".safetensors",
    "svg": ".svg",
}
GIVEN = ("run", "((", "(a", "-w", "brackets")


def content(data, format):
    """The bytes; of an .npz its arrays, since a pipe cannot be wound back to enter sizes."""
    if format != "npz":
        return data
    with np.load(BytesIO(data)) as arrays:
        return {name: arrays[name].tolist() for name in arrays.files}


@pytest.mark.parametrize("format", ENDINGS)
def test_an_ending_chooses_the_format_and_the_file_holds_what_stdout_would(done, tmp_path, format):
    path = tmp_path / f"trace{ENDINGS[format]}"
    silent = done(*GIVEN, "-o", path)
    assert silent.data == b""
    printed = done(*GIVEN, "--format", format)
    assert content(path.read_bytes(), format) == content(printed.data, format)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_jsonl_is_ndjson_and_a_named_format_beats_the_ending(done, tmp_path):
    lines = done(*GIVEN, "-f", "ndjson").data
    done(*GIVEN, "--output", tmp_path / "x.jsonl")
    assert (tmp_path / "x.jsonl").read_bytes() == lines
    done(*GIVEN, "-o", tmp_path / "x.json", "--format", "ndjson")
    assert (tmp_path / "x.json").read_bytes() == lines
    done(*GIVEN, "-o", tmp_path / "nameless", "--json")
    assert (tmp_path / "nameless").read_bytes() == done(*GIVEN, "-f", "json").data


def test_the_same_command_gives_the_same_bytes(done):
    for format in ("svg", "npz", "safetensors"):
        assert done(*GIVEN, "-f", format).data == done(*GIVEN, "-f", format).data


def test_an_existing_file_is_replaced_and_gets_usual_permissions(done, tmp_path):
    path = tmp_path / "x.json"
    path.write_text("old")
    done(*GIVEN, "-o", path)
    assert json.loads(path.read_text())["schema"] == "lstm.trace/1"
    (tmp_path / "fresh").touch()
    mode = stat.S_IMODE((tmp_path / "fresh").stat().st_mode)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_output_goes_into_a_named_pipe_and_does_not_replace_it(done, tmp_path):
    # as it would replace /dev/null
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        done(*GIVEN, "-f", "json", "-o", path)
        assert path.is_fifo()
        assert json.loads(os.read(reader, 65536))["schema"] == "lstm.trace/1"
    finally:
        os.close(reader)


def test_output_goes_to_where_a_link_leads(done, tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "target.json")
    done(*GIVEN, "-o", tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "target.json").read_bytes())["schema"] == "lstm.trace/1"


@pytest.mark.parametrize("format", ["json", "npz", "safetensors", "svg", "ndjson", "csv", "table"])
def test_a_failed_run_leaves_the_file_as_it_was(refusal, deep, tmp_path, format):
    path = tmp_path / "x"
    path.write_text("old")
    refusal(3, "run", "the", "dog", "-w", deep, "-f", format, "-o", path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("format", ["json", "npz", "safetensors", "svg"])
def test_a_document_that_fails_on_its_last_line_is_not_begun(refusal, deep, format):
    refusal(3, "run", "the", "dog", "-w", deep, "-f", format)


@pytest.mark.parametrize(("by", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_no_file(start, tmp_path, by, code):
    arguments = ("run", "-w", "brackets", "-f", "ndjson", "-o", tmp_path / "x.ndjson")
    with start(*arguments, stdin=subprocess.PIPE) as process:
        process.stdin.write(b"((\n")
        process.stdin.flush()
        _wait_for(lambda: any(tmp_path.iterdir()))
        process.send_signal(by)
        out, err = process.communicate(timeout=20)
    assert out == b""
    assert b"Traceback" not in err
    assert process.returncode == code
    assert list(tmp_path.iterdir()) == []


def _wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
