"""Ctrl-C, a request to end, a terminal that is gone, a reader that is gone: in every command.

Whatever comes, and when: the right exit code, without a word, at once, and nothing stays behind,
neither a temporary file nor a process.
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from cli.command import COMMANDS

TEXT = "the boys near the car"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
AT_ONCE = 10  # seconds, on a machine that is busy with other tests
# What each command is given so that it is at work for a while; {} is a folder to write to.
GIVEN = {
    "run": ["--file", "{lines}", "-f", "ndjson", "-o", "{}/x.ndjson"],
    "tour": [],
    "inspect": ["english", "--stats"],
    "convert": ["english", "{}/x.safetensors"],
    "compare": ["english", "english", "--file", "{lines}"],
    "extract": ["{lines}", "-o", "{}/states", "--workers", "2", "--part-size", "50"],
    "find": ["l0.c[81] > 900", "{states}"],
    "sweep": [TEXT, "--metric", "logit(are)"],
    "contrast": [TEXT, "the boy near the cars"],
    "explain": [TEXT],
    "memory": [TEXT],
    "generate": ["I", "--steps", "100000"],
    "plot": [TEXT, "-o", "{}/x.svg"],
    "golden": [TEXT, "-o", "{}/x.h"],
    "tokens": ["--file", "{lines}"],
    "models": [],
    "schema": [],
}
# At the keyboard, on a terminal: see test_step.
ELSEWHERE = {"step"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, done, lstm):
    """A corpus that takes a while, and a dataset to search."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "lines.txt").write_text(f"{TEXT}\n" * 20_000)
    (folder / "few.txt").write_text(f"{TEXT}\n" * 20)
    assert lstm("extract", folder / "few.txt", "-o", folder / "states").code == 0
    return {
        name: folder / path
        for name, path in (("lines", "lines.txt"), ("few", "few.txt"), ("states", "states"))
    }


def arguments(command, prepared, folder):
    return [command, *(word.format(folder, **prepared) for word in GIVEN[command])]


def left_behind(folder):
    return [path for path in folder.rglob("*") if path.name.startswith(".")]


def is_at_work(pid):
    """Whether Python has come to the command: from there on it is the command that answers."""
    with open(f"/proc/{pid}/status") as status:
        caught = next(line for line in status if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & 1 << (signal.SIGTERM - 1))


def wait_for(condition):
    end = time.monotonic() + AT_ONCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def descendants(pid):
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    parents = dict(tuple(map(int, line.split())) for line in listed.splitlines())
    found = {pid}
    for _ in parents:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            break
        found |= more
    return found - {pid}


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as status:
            return status.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_every_command_is_here():
    assert {entry.name for entry in COMMANDS} == {*GIVEN, *ELSEWHERE}


@pytest.mark.parametrize("by", CODES, ids=lambda by: by.name)
@pytest.mark.parametrize("command", GIVEN)
def test_a_signal_ends_every_command_at_once_and_without_remains(
    start, prepared, tmp_path, command, by
):
    drawn = random.Random(f"{command} {by}")
    with start(*arguments(command, prepared, tmp_path)) as process:
        wait_for(lambda: is_at_work(process.pid))
        time.sleep(drawn.random() * 0.4)
        below = descendants(process.pid)
        sent = time.monotonic()
        process.send_signal(by)
        _, err = process.communicate(timeout=60)
    assert time.monotonic() - sent < AT_ONCE
    # A short command may have come to its own end before.
    own = (0, 1) if command == "find" else (0,)
    assert process.returncode in (*own, CODES[by])
    assert b"Traceback" not in err
    assert b"error" not in err
    assert left_behind(tmp_path) == []
    wait_for(lambda: not any(map(is_alive, below)))


IMPATIENT = """
import os, signal
from pathlib import Path
from cli import app, start
from weights.atomic import replacing

def disturbed(path):
    os.kill(os.getpid(), signal.SIGINT)
    remove(path)

def write():
    with replacing("x"):
        os.kill(os.getpid(), signal.SIGTERM)

remove, Path.unlink, app.run = Path.unlink, disturbed, write
start.main()
"""


def test_a_second_signal_does_not_disturb_the_cleaning_up(tmp_path):
    done = subprocess.run([sys.executable, "-c", IMPATIENT], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (143, b"", b"")
    assert list(tmp_path.iterdir()) == []


LOST = """
import os, sys, time, weakref
from cli import app, start

class Key: pass

def send(*_):
    os.kill(os.getpid(), int(sys.argv[1]))

def work():
    key = Key()
    reference = weakref.ref(key, send)
    try:
        raise ValueError
    except ValueError:  # which is no reason to wait
        del key  # what a callback raises is printed and gone
        time.sleep(60)

app.run = work
start.main()
"""

CHANGED = """
import os, sys
from cli import app, start

def work():
    try:
        os.kill(os.getpid(), int(sys.argv[1]))
    except BaseException as problem:  # as Python itself does while it makes a class
        raise RuntimeError("no class") from problem

app.run = work
start.main()
"""


@pytest.mark.parametrize("by", CODES, ids=lambda by: by.name)
@pytest.mark.parametrize("program", [LOST, CHANGED], ids=["lost", "changed"])
def test_a_signal_that_meets_a_library_ends_the_command_all_the_same(program, by):
    sent = time.monotonic()
    line = [sys.executable, "-c", program, str(int(by))]
    done = subprocess.run(line, capture_output=True, timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (CODES[by], b"", b"")
    assert time.monotonic() - sent < AT_ONCE


@pytest.mark.parametrize("by", CODES, ids=lambda by: by.name)
def test_what_a_parent_has_ignored_stays_ignored(start, tmp_path, by):
    """As under nohup, or in the background of a script."""
    given = ("run", "-w", "brackets", "-f", "ndjson", "-o", tmp_path / "x.ndjson")
    ignore = {"preexec_fn": lambda: signal.signal(by, signal.SIG_IGN)}
    with start(*given, stdin=subprocess.PIPE, **ignore) as process:
        wait_for(lambda: left_behind(tmp_path))
        process.send_signal(by)
        _, err = process.communicate(b"((\n", timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert (tmp_path / "x.ndjson").read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("command", sorted({*GIVEN} - {"plot"}))  # which writes only files
def test_a_reader_that_is_gone_ends_every_command_without_a_word(
    start, prepared, tmp_path, command
):
    given = arguments(command, {**prepared, "lines": prepared["few"]}, tmp_path)
    if command == "extract":
        given.append("--json")
    elif "-o" in given:  # to standard output instead
        given = given[: given.index("-o")]
    ours, theirs = os.pipe()
    os.close(ours)
    with start(*given, stdout=theirs) as process:
        os.close(theirs)
        below = descendants(process.pid)
        _, err = process.communicate(timeout=60)
    # find finds nothing here, which its exit code tells all the same
    assert process.returncode == (1 if command == "find" else 0)
    assert b"error" not in err
    assert b"Traceback" not in err
    wait_for(lambda: not any(map(is_alive, below)))


@pytest.mark.parametrize("more", [[], ["--json"]])
@pytest.mark.parametrize(("ids", "code"), [("1,0,1", 1), ("1,1,1", 0)])
def test_compare_answers_with_its_exit_code_also_where_nobody_reads(
    done, shell, tmp_path, ids, code, more
):
    traces = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for given, path in zip((ids, "1,1,1"), traces, strict=True):
        done("run", "--ids", given, "-w", "parity", "-o", path)
    line = " ".join(map(str, ["lstm compare", *traces, *more]))
    # the right-hand side is gone before anything is written
    result = shell(f"{{ sleep 0.5; {line}; }} | true")
    assert (result.code, result.stderr) == (code, "")
