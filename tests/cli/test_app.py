"""Exit codes, the form of errors, interruptions, closed pipes, the version."""

import os
import signal
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

import pytest


def test_version_is_that_of_the_distribution(done):
    assert done("--version").stdout == f"lstm {version('lstm-cli')}\n"


def test_the_command_alone_prints_its_help(lstm):
    result = lstm()
    assert result.code in (0, 2)
    assert "Usage: lstm" in result.stdout + result.stderr
    assert "\\n" not in result.stdout + result.stderr, "the help is one escaped line"
    assert "error:" not in result.stderr


def test_an_unknown_command_is_refused(refusal):
    assert refusal(2, "rum") == "No such command 'rum'. Did you mean 'run'?"
    assert refusal(2, "qqq") == "No such command 'qqq'."


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (2, ["inspect"]),
        (2, ["inspect", "a", "b"]),
        (2, ["inspect", "a", "--layout", "caffe"]),
        (2, ["run", "x", "--ids"]),
        (2, ["generate", "x", "--steps", "0"]),
        (2, ["generate", "x", "--steps", "ten"]),
        (2, ["schema", "everything"]),
        (2, ["models", "extra"]),
        (2, ["tokens", "x", "--file", "y"]),
        (3, ["run", "x", "-w", "absent.safetensors"]),
        (3, ["inspect", "absent.safetensors"]),
        (3, ["tokens", "x", "-w", "absent.safetensors"]),
        (3, ["generate", "x", "-w", "absent.safetensors"]),
        (3, ["run", "x", "-w", "."]),
    ],
)
def test_a_failure_is_one_line_on_stderr_and_a_code(refusal, code, arguments):
    assert refusal(code, *arguments)


def test_a_misspelt_name_of_a_model_is_answered_with_the_names_there_are(refusal):
    assert "brackets" in refusal(3, "run", "x", "-w", "bracket")


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64, b"\x08" + bytes(7) + b"no json!"])
def test_a_file_that_is_no_safetensors_file_is_refused_by_name(refusal, tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    said = refusal(3, "run", "x", "-w", path)
    assert said.startswith(f"{path}: expected a safetensors file, found something else")


def test_debug_shows_the_traceback(lstm):
    given = ("run", "x", "-w", "absent.safetensors")
    assert "Traceback" not in lstm(*given).stderr
    result = lstm(*given, "--debug")
    assert result.stderr.startswith("Traceback (most recent call last):")
    assert "UnreadableFileError: absent.safetensors: " in result.stderr
    assert result.code != 0
    assert result.data == b""


def test_control_characters_in_names_cannot_steer_the_terminal(refusal):
    said = refusal(3, "run", "x", "-w", "a\x1b[31m\nb")
    assert "\x1b" not in said
    assert said.startswith("a\\x1b[31m\\nb: ")


@pytest.mark.parametrize("format", ["ndjson", "table", "csv", "json", "svg", "npz"])
def test_a_reader_that_stops_is_left_without_a_word(start, tmp_path, format):
    path = tmp_path / "lines.txt"
    path.write_text("(((\n" * (40 if format == "svg" else 300))
    with start("run", "-w", "brackets", "-f", format, "--file", path) as process:
        assert process.stdout.read(5)
        process.stdout.close()
        err = process.stderr.read()
        assert (process.wait(20), err) == (0, b"")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["run", "--help"], ["schema"], ["models"]]
)
def test_a_reader_that_never_reads_is_left_without_a_word(start, arguments):
    ours, theirs = os.pipe()
    os.close(ours)
    with start(*arguments, stdout=theirs) as process:
        os.close(theirs)
        err = process.stderr.read()
        assert (process.wait(20), err) == (0, b"")


def test_head_takes_one_line_of_many(shell):
    result = shell("seq 5000 | lstm run -w brackets -f ndjson | head -1")
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1


def test_an_interruption_while_waiting_for_input_is_130(start):
    arguments = ("run", "-w", "brackets", "-f", "ndjson")
    with start(*arguments, stdin=subprocess.PIPE) as process:
        process.stdin.write(b"(\n")
        process.stdin.flush()
        assert process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_full_disk_is_an_error_without_a_traceback(shell):
    result = shell("lstm run '((' -w brackets --json > /dev/full")
    assert result.code == 3
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_closed_stream_is_no_bug(shell, closed):
    for rest in ("run '((' -w brackets --json", "run -w brackets", "--help"):
        result = shell(f"lstm {rest} {closed}")
        assert "Traceback" not in result.stderr
        assert result.code in (0, 2, 3)
