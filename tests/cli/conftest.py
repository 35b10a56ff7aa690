"""The real command as a process, on a pipe or on a terminal, and small models to run it on."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import numpy as np
import pytest

from lstm.address import Address
from lstm.card import Card, NamedUnit
from lstm.embedding import Embedding
from lstm.head import Head
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.tokenizers.tokenizer import Vocabulary
from lstm.tokenizers.word import WordTokenizer
from weights import save
from weights.containers.safetensors import archive_bytes

COMMAND = Path(sys.executable).with_name("lstm")
DISTURBING = (
    "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "GITHUB_ACTIONS", "LSTM_WEIGHTS", "COLUMNS", "LINES",
    "COLORTERM", "TERM", "PYTHONPATH", "PYTHONUNBUFFERED", "_LSTM_COMPLETE",
)  # fmt: skip
# Tells a process that its coverage is measured, which is not to be where a signal may come: one
# that comes while coverage holds its lock is waited for by both, without an end.
COVERED = "COVERAGE_PROCESS_CONFIG"
WORDS = ("<unk>", "<s>", "</s>", "john", "likes", "black", "coffee")


class Result(NamedTuple):
    """What a process left behind."""

    code: int
    data: bytes
    stderr: str

    @property
    def stdout(self) -> str:
        return self.data.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.data)

    @property
    def lines(self) -> list[str]:
        """The lines of standard output, without white space at their ends."""
        return [line.rstrip() for line in self.stdout.splitlines()]

    @property
    def records(self) -> list[Any]:
        """What each line holds, where each is a JSON document."""
        return [json.loads(line) for line in self.stdout.splitlines()]


class Started(subprocess.Popen[bytes]):
    """A process that does not outlive a test that fails while it waits for it."""

    def __exit__(self, kind: type[BaseException] | None, *about: Any) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, *about)


def environment(**changes: str) -> dict[str, str]:
    """The environment without what would change the output, and with what a test wants."""
    without = {*DISTURBING, COVERED}
    plain = {name: value for name, value in os.environ.items() if name not in without}
    return {**plain, **changes}


def covered(**changes: str) -> dict[str, str]:
    """What a test wants in the environment of a command that comes to its own end."""
    told = os.environ.get(COVERED)
    return changes if told is None else {COVERED: told, **changes}


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Have signals reach the commands also where the tests themselves are in the background.

    What ignores one hands that on to all that it starts; what handles it does not.
    """
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)
    ):  # fmt: skip
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is not the repository."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="session")
def start(elsewhere: Path) -> Callable[..., Started]:
    """Start the command and leave the talking to the test."""

    def started(
        *arguments: object, env: Mapping[str, str] | None = None, **options: Any
    ) -> Started:
        given = {"cwd": elsewhere, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                 "stderr": subprocess.PIPE, **options}  # fmt: skip
        command = [str(COMMAND), *map(str, arguments)]
        return Started(command, env=environment(**(env or {})), **given)

    return started


@pytest.fixture(scope="session")
def lstm(start: Callable[..., Started]) -> Callable[..., Result]:
    """Run the command to its end."""

    def run(
        *arguments: object, stdin: str | bytes = b"", seconds: float = 60, **options: Any
    ) -> Result:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        env = covered(**options.pop("env", {}))
        with start(*arguments, stdin=subprocess.PIPE, env=env, **options) as process:
            out, err = process.communicate(given, timeout=seconds)
        return Result(process.returncode, out, err.decode())

    return run


@pytest.fixture(scope="session")
def done(lstm: Callable[..., Result]) -> Callable[..., Result]:
    """Run the command, which is to succeed and has nothing to complain of."""

    def run(*arguments: object, **options: Any) -> Result:
        result = lstm(*arguments, **options)
        assert (result.code, result.stderr) == (0, "")
        return result

    return run


@pytest.fixture(scope="session")
def refusal(lstm: Callable[..., Result]) -> Callable[..., str]:
    """Run the command, which is to fail: one line on stderr, nothing on stdout."""

    def run(code: int, *arguments: object, **options: Any) -> str:
        result = lstm(*arguments, **options)
        assert result.code == code, result
        assert result.data == b""
        assert result.stderr.startswith("error: ")
        assert result.stderr.endswith("\n")
        assert result.stderr.count("\n") == 1
        return result.stderr.removeprefix("error: ").removesuffix("\n")

    return run


@pytest.fixture(scope="session")
def shell(elsewhere: Path) -> Callable[..., Result]:
    """Run a line as it is typed into a shell."""

    def run(line: str, **options: Any) -> Result:
        path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
        env = environment(**covered(PATH=path))
        given = {"cwd": elsewhere, "env": env, "stdin": subprocess.DEVNULL,
                 "capture_output": True, "timeout": 60, **options}  # fmt: skip
        done = subprocess.run(["bash", "-o", "pipefail", "-c", line], **given)
        return Result(done.returncode, done.stdout, done.stderr.decode())

    return run


@pytest.fixture(scope="session")
def terminal(start: Callable[..., Started]) -> Callable[..., Result]:
    """Run the command on a terminal of so many columns; stderr stays apart."""

    def run(*arguments: object, columns: int = 80, **options: Any) -> Result:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        env = covered(**{"TERM": "xterm-256color", **options.pop("env", {})})
        given = {"stdin": theirs, "stdout": theirs, **options}
        with start(*arguments, env=env, **given) as process:
            os.close(theirs)
            shown = b"".join(_until_closed(ours))
            assert process.stderr is not None
            complaints = process.stderr.read().decode()
        return Result(process.returncode, shown.replace(b"\r\n", b"\n"), complaints)

    return run


def _until_closed(descriptor: int) -> Iterator[bytes]:
    try:
        while block := os.read(descriptor, 65536):
            yield block
    except OSError:  # the way in which Linux says that the other end is closed
        pass
    finally:
        os.close(descriptor)


@pytest.fixture(scope="session")
def valid(done: Callable[..., Result]) -> Callable[[str, Any], Any]:
    """Check a document against a schema that the command itself prints."""
    schemas: dict[str, Any] = {}

    def check(name: str, document: Any) -> Any:
        if name not in schemas:
            schema = done("schema", name).json
            jsonschema.Draft202012Validator.check_schema(schema)
            schemas[name] = jsonschema.Draft202012Validator(schema)
        schemas[name].validate(document)
        return document

    return check


def cell(random: np.random.Generator, input_size: int, size: int) -> CellParameters:
    """A cell with weights that differ in every place."""
    shapes = ((4 * size, input_size), (4 * size, size), (4 * size,))
    return CellParameters(*(random.normal(size=shape).astype(np.float32) for shape in shapes))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the models of these tests lie."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def tiny(models: Path) -> Path:
    """Words with an unknown token; D = 4, H = 5, V = 7; a tied head with a projection."""
    random = np.random.default_rng(1)
    embedding = Embedding(random.normal(size=(7, 4)).astype(np.float32))
    projection = random.normal(size=(4, 5)).astype(np.float32)
    bias = random.normal(size=7).astype(np.float32)
    special = {"unknown": "<unk>", "start": "<s>", "end": "</s>"}
    tokenizer = WordTokenizer(Vocabulary(WORDS, **special), lowercase=True)
    card = Card(
        description="A model to test with.",
        licence="CC0-1.0",
        origin="random numbers",
        units=(NamedUnit(Address(0, "forward", "c", 3), "nothing at all", 0.51),),
        quality={"perplexity": 7.5},
    )
    return _saved(
        models / "tiny.safetensors",
        Parameters((LayerParameters(cell(random, 4, 5)),)),
        embedding,
        Head(embedding.weight, bias, projection, names=WORDS),
        tokenizer,
        card,
    )


@pytest.fixture(scope="session")
def deep(models: Path) -> Path:
    """Two layers, two directions; D = 4, H = 3, V = 5; labels; no unknown token."""
    random = np.random.default_rng(2)
    words = ("the", "cat", "sat", "down", "here")
    layers = tuple(
        LayerParameters(cell(random, width, 3), cell(random, width, 3)) for width in (4, 6)
    )
    labels = Head(
        random.normal(size=(2, 6)).astype(np.float32), names=("N", "V"), predicts_tokens=False
    )
    return _saved(
        models / "deep.safetensors",
        Parameters(layers),
        Embedding(random.normal(size=(5, 4)).astype(np.float32)),
        labels,
        WordTokenizer(Vocabulary(words)),
    )


@pytest.fixture(scope="session")
def uneven(models: Path) -> Path:
    """Two layers of different sizes: H = 3, then H = 2; D = 4, V = 5; ids only, no head."""
    random = np.random.default_rng(7)
    layers = (LayerParameters(cell(random, 4, 3)), LayerParameters(cell(random, 3, 2)))
    embedding = Embedding(random.normal(size=(5, 4)).astype(np.float32))
    return _saved(models / "uneven.safetensors", Parameters(layers), embedding)


@pytest.fixture(scope="session")
def wide(models: Path) -> Path:
    """More units than fit on a terminal: D = 2, H = 40; vectors only, no head."""
    random = np.random.default_rng(3)
    return _saved(models / "wide.safetensors", Parameters((LayerParameters(cell(random, 2, 40)),)))


@pytest.fixture(scope="session")
def bare(models: Path) -> Path:
    """Only the cell, in float64: D = 2, H = 3; no embedding, vocabulary or head."""
    random = np.random.default_rng(4)
    shapes = ((12, 2), (12, 3), (12,))
    weights = CellParameters(*(random.normal(size=shape) for shape in shapes))
    return _saved(models / "bare.safetensors", Parameters((LayerParameters(weights),)))


@pytest.fixture(scope="session")
def infinite(models: Path) -> Path:
    """One unit that is given x times infinity: `up` x = 1, `down` x = -1, `nil` x = 0."""
    inf = np.inf
    weights = CellParameters(
        np.array([[0], [0], [inf], [0]], np.float32),
        np.zeros((4, 1), np.float32),
        np.array([100, 100, 0, 100], np.float32),
    )
    return _saved(
        models / "infinite.safetensors",
        Parameters((LayerParameters(weights),)),
        Embedding(np.array([[1], [-1], [0]], np.float32)),
        tokenizer=WordTokenizer(Vocabulary(("up", "down", "nil"))),
    )


@pytest.fixture(scope="session")
def doomed(models: Path) -> Path:
    """Weights that are no numbers, two directions, a head; D = 1, H = 2, V = 3; ids only."""
    nan = np.full((8, 1), np.nan, np.float32)
    weights = CellParameters(nan, np.zeros((8, 2), np.float32), np.zeros(8, np.float32))
    return _saved(
        models / "doomed.safetensors",
        Parameters((LayerParameters(weights, weights),)),
        Embedding(np.ones((3, 1), np.float32)),
        Head(np.ones((3, 4), np.float32)),
    )


@pytest.fixture(scope="session")
def twins(models: Path) -> Path:
    """Two LSTMs in one file, named as PyTorch names them; H = 3 and H = 2; and a stranger."""
    random = np.random.default_rng(5)
    arrays = {
        f"{prefix}.rnn.{name}_l0": random.normal(size=shape).astype(np.float32)
        for prefix, size in (("encoder", 3), ("decoder", 2))
        for name, shape in torch_shapes(2, size).items()
    }
    arrays["other.table"] = random.normal(size=(9, 9)).astype(np.float32)
    return write_arrays(models / "twins.safetensors", arrays)


@pytest.fixture(scope="session")
def foreign(models: Path) -> Path:
    """An LSTM as PyTorch stores one, with embedding and head; D = 4, H = 3, V = 6."""
    random = np.random.default_rng(6)
    shapes: dict[str, tuple[int, ...]] = {
        **{f"lstm.{name}_l0": shape for name, shape in torch_shapes(4, 3).items()},
        "embedding.weight": (6, 4),
        "fc.weight": (6, 3),
        "fc.bias": (6,),
    }
    arrays = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return write_arrays(models / "foreign.safetensors", arrays)


def torch_shapes(input_size: int, size: int) -> dict[str, tuple[int, ...]]:
    return {
        "weight_ih": (4 * size, input_size),
        "weight_hh": (4 * size, size),
        "bias_ih": (4 * size,),
        "bias_hh": (4 * size,),
    }


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    path.write_bytes(archive_bytes(arrays, {}))
    return path


def _saved(path: Path, *parts: Any, **named: Any) -> Path:
    save(path, Model(*parts, **named))
    return path


@pytest.fixture(scope="session")
def same_bits() -> Callable[[Sequence[float], np.ndarray], None]:
    """Compare numbers from a text with an array, bit for bit."""

    def check(numbers: Sequence[float], array: np.ndarray) -> None:
        read = np.array(numbers, array.dtype)
        assert read.shape == array.shape
        assert read.tobytes() == np.ascontiguousarray(array).tobytes()

    return check
