"""Whatever is typed: a documented exit code, one sentence, no traceback, no half of a result."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from cli.command import COMMANDS
from tests.cli.command_lines import command_lines
from tests.cli.conftest import covered, environment
from tests.datasets import write_dataset
from weights import load
from weights.containers.safetensors import archive_bytes

ROOT = Path(__file__).parents[2]
EXAMPLES = int(os.environ.get("LSTM_EXAMPLES", "400"))  # some 60 seconds
LINES = "the boys\nJohn likes\n((a)\nset hold\n1 0 1\nup down\nthe cat\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, models, tiny, deep, uneven, wide, bare, infinite, doomed, twins,
           foreign, done):  # fmt: skip
    """A folder with one of everything that the random command lines name."""
    made = tmp_path_factory.mktemp("random")
    for path in models.iterdir():
        (made / path.name).write_bytes(path.read_bytes())
    _texts(made)
    _vectors(made)
    for name in ("json", "npz", "csv", "ndjson", "safetensors"):
        done("run", "john likes", "-w", tiny, "-o", made / f"trace.{name}",
             *(["--show", "all"] if name == "npz" else []))  # fmt: skip
    (made / "bare.bin").write_bytes(np.arange(6, dtype=np.float32).tobytes())
    done("run", "john", "-w", tiny, "--final-state", made / "state.safetensors", "--json")
    done("run", "john", "likes", "-w", tiny, "--final-state", made / "states.safetensors", "--json")
    traces = [load(tiny).run(text) for text in ("john likes", "black coffee")]
    write_dataset(made / "states", traces)
    write_dataset(made / "unfinished", traces[:1], finished=False)
    (made / "folder").mkdir()
    (made / "out").mkdir()
    (made / "streams").mkdir()
    return made


def _texts(folder):
    import pyarrow as pa
    import pyarrow.parquet as pq

    contents = {
        "lines.txt": LINES.encode(), "empty.txt": b"", "blank.txt": b"\n\n", "crlf.txt": b"up\r\n(",
        "nul.txt": b"a\x00b\nthe", "latin.txt": b"the\ncaf\xe9\n",
        "odd.txt": "\u202eשלום 日本\n👩‍👩‍👧 e\u0301\n\x1b[31m\n".encode(),
        "lines.jsonl": b'{"text": "the boys"}\n{"text": ""}\n', "bad.jsonl": b'{"text": 1}\n{',
        "vocab.txt": b"a\nb\nc\nd\ne\n", "vocab.json": b'{"a": 0}',
        "vocab-short.txt": b"a\n",
    }  # fmt: skip
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    pq.write_table(pa.table({"text": ["the boys", None, ""]}), folder / "t.parquet")


def _vectors(folder):
    two = np.linspace(-1, 1, 8, dtype=np.float32).reshape(4, 2)
    arrays = {
        "two": two, "batch": np.stack([two, -two]), "narrow": np.zeros((4, 1)),
        "nothing": np.zeros((0, 2)), "nobody": np.zeros((0, 3, 2)), "nan": two * np.nan,
        "fortran": np.asfortranarray(two), "flat": two[0], "deep": two[None, None],
        "words": np.array([["a", "b"]]), "huge": two.astype(np.float64) * 1e300,
        "complex": two * 1j,
    }  # fmt: skip
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    np.save(folder / "objects.npy", np.array([[1, None]], object), allow_pickle=True)
    np.savez(folder / "several.npz", a=two, b=two[:2])
    (folder / "two.safetensors").write_bytes(archive_bytes({"x": two}, {}))


@pytest.fixture(scope="module")
def forked(folder):
    """Run the command in a fork: see `forks.py`."""
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/cli/forks.py")], cwd=folder, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environment(**covered(PYTHONPATH=str(ROOT))),
    )  # fmt: skip
    streams = folder / "streams"

    def run(*arguments, stdin=b"", timeout=30):
        for name, content in (("stdin", stdin), ("stdout", b""), ("stderr", b"")):
            (streams / name).write_bytes(content)
        words = [os.fsencode(word).hex() for word in arguments]
        request = {"arguments": words, "folder": str(folder), "streams": str(streams),
                   "timeout": timeout}  # fmt: skip
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        answer = json.loads(server.stdout.readline())
        return SimpleNamespace(
            **answer, data=(streams / "stdout").read_bytes(),
            stderr=(streams / "stderr").read_text("utf-8"),
        )  # fmt: skip

    yield run
    server.stdin.close()
    server.wait(20)


@pytest.mark.timeout(900)  # many commands in one test
@settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(words=command_lines())
def test_whatever_is_typed_has_a_defined_end(folder, forked, words):
    check(folder, forked, words)


@pytest.mark.parametrize("command", [entry.name for entry in COMMANDS])
def test_a_process_of_its_own_ends_as_its_fork_does(folder, forked, lstm, command):
    # Without its arguments, and with an option that it does not have.
    for words in (
        [command, "--nonsense"],
        [command, "--color", "x"],
        [command, "a", "b", "c", "d"],
    ):
        apart, fork = lstm(*words, cwd=folder), forked(*words)
        assert (apart.code, apart.data, apart.stderr) == (fork.code, fork.data, fork.stderr)


def check(folder, forked, words):
    """See that a command line ends in one of the ways that are documented."""
    before = _clean(folder / "out")
    result = forked(*words, stdin=LINES.encode())
    told = f"lstm {words!r} {result.excess}\n{result.stderr}"
    assert result.code in (0, 1, 2, 3), told
    assert "Traceback" not in result.stderr, told
    complaints = [line for line in result.stderr.splitlines() if not line.startswith("note: ")]
    if result.code in (2, 3):
        assert len(complaints) == 1, told
        assert complaints[0].startswith("error: "), told
        # What extract has finished stays there, to go on from.
        assert words[0] == "extract" or _files(folder / "out") == before, told
        assert result.data == b"" or _is_streamed(words) or _is_json(result.data), told
    else:
        assert complaints == [], told
        assert _is_streamed(words) or _is_json(result.data), told


def _clean(out):
    """Empty the folder of results, but for one that was there before."""
    for path in out.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (out / "old.json").write_text("{}")
    return _files(out)


def _files(out):
    """What lies there, temporary files too."""
    return {path: path.is_file() and path.read_bytes() for path in out.rglob("*")}


def _is_streamed(words):
    """Whether it may be cut off: a table, lines, or whatever else is no one document."""
    return "--json" not in words and "--format=json" not in words


def _is_json(data):
    """Whether it is one JSON document; or nothing, where it went into a file; or a help page."""
    try:
        return (
            not data
            or data.startswith(b"Usage: ")
            or json.loads(data, parse_constant=_no) is not _no
        )
    except ValueError:
        return False


def _no(name):
    raise ValueError(f"JSON has no {name}")
