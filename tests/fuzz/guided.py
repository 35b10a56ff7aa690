"""Fuzz the parsers, guided by which of their lines a file reaches; with atheris.

    python -m tests.fuzz.guided TARGET [-max_total_time=60] [-seed=1] [CORPUS FOLDER]

What the parsers may raise is the project's own errors; all else, a slow input and one that takes
more memory than it should, is written to a file and ends the run. The options are libFuzzer's.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

LIMITS = ("-timeout=10", "-rss_limit_mb=1500", "-max_len=20000")
# Where files of one name lie, one after the other.
FOLDER = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))


def safetensors(data: bytes) -> None:
    """The header, the layout that it has, and the numbers in it."""
    from weights import load

    load(_file("x.safetensors", data))


def metadata(data: bytes) -> None:
    """The entries that a file of our own may hold, each a text after its name and a line end."""
    from weights.metadata import read_metadata

    entries = data.decode("utf-8", "replace").split("\0")
    pairs = (entry.partition("\n") for entry in entries)
    read_metadata({"format": "lstm.native/1", **{name: text for name, _, text in pairs}})


def tokenizer(data: bytes) -> None:
    """A vocabulary of either kind, and a text read with it."""
    from weights.vocabulary import read_tokenizer

    name = "vocab.json" if data[:1] in (b"[", b"{") else "vocab.txt"
    found, _ = read_tokenizer(_file(name, data))
    text = data[:200].decode("utf-8", "replace")
    for token in found.encode(text):
        assert token.text == text[token.start : token.end] or not token.text


def npz(data: bytes) -> None:
    """An archive of arrays, or where it is none an array by itself."""
    from weights.containers.registry import open_any
    from weights.vectors import read_vectors

    if not data.startswith(b"PK"):
        read_vectors(str(_file("x.npy", data)))
        return
    archive = open_any(_file("x.npz", data))
    for name in archive.tensors:
        archive.raw(name)


def onnx(data: bytes) -> None:
    """A graph, and the numbers that it holds."""
    from weights.containers.registry import open_any

    open_any(_file("x.onnx", data))


def keras(data: bytes) -> None:
    """The configuration of a model."""
    from weights.containers.keras_config import told_variant
    from weights.documents import parse

    try:
        config = parse(data)
    except ValueError:
        return
    told_variant(config, "3.1" if len(data) % 2 else "2.9")


def tfjs(data: bytes) -> None:
    """A manifest, with numbers beside it."""
    from weights.containers.registry import open_any

    _file("weights.bin", bytes(720))
    open_any(_file("model.json", data))


def checkpoint(data: bytes) -> None:
    """What torch refuses: the reasons are read from its messages; nothing is unpickled."""
    from weights.containers.torch import _reason

    _reason(RuntimeError(data.decode("utf-8", "replace")))


def trace(data: bytes) -> None:
    """A trace in each of its textual forms."""
    from weights.traces import read_trace

    for name in ("x.json", "x.ndjson", "x.csv"):
        _guarded(lambda place: read_trace(place), _file(name, data))


TARGETS = MappingProxyType({
    target.__name__: target
    for target in (safetensors, metadata, tokenizer, npz, onnx, keras, tfjs, checkpoint, trace)
})  # fmt: skip


def _file(name: str, data: bytes) -> Path:
    path = FOLDER / name
    path.write_bytes(data)
    return path


def _guarded(read: Callable[[Path], object], path: Path) -> None:
    from lstm.errors import LSTMError

    try:
        read(path)
    except LSTMError:
        return


def _seeded(name: str, folder: Path) -> None:
    """Put the sound files of a target into the corpus that the fuzzer starts from."""
    from tests.fuzz.seeds import every_seed

    families = {
        "safetensors": ("safetensors", "native", "state"), "npz": ("npz", "vectors"),
        "onnx": ("onnx",), "tfjs": ("tfjs",), "tokenizer": ("vocabulary",), "trace": ("trace",),
    }  # fmt: skip
    for number, seed in enumerate(every_seed()):
        if seed.family in families.get(name, ()):
            (folder / f"{number}").write_bytes(seed.files[seed.name])
    if name == "metadata":
        words = '{"kind":"word","vocabulary":["a","b"],"unknown":"a","lowercase":true}'
        entries = (
            f"tokenizer\n{words}", 'cell\n{"cell_clip":3,"gate_activation":"relu"}',
            'head\n{"labels":["a"],"tied":true}', 'units\n[{"address":"l0.c[1]","tells":"a"}]',
        )  # fmt: skip
        (folder / "all").write_text("\0".join(entries))
    if name == "keras":
        layer = '{"class_name":"LSTM","config":{"activation":"tanh","go_backwards":false}}'
        (folder / "model").write_text(f'{{"config":{{"layers":[{layer}]}}}}')
    if name == "checkpoint":
        (folder / "code").write_text("Unsupported global: GLOBAL os.system was not allowed")


def main() -> None:
    import atheris

    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"expected one of {', '.join(TARGETS)}")
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=["lstm", "weights"]):
        import weights.containers.registry
        import weights.loading
        import weights.traces  # noqa: F401
    if not any(Path(argument).is_dir() for argument in sys.argv[1:]):
        corpus = FOLDER / "corpus"
        corpus.mkdir()
        sys.argv.append(str(corpus))
    _seeded(name, Path(next(a for a in sys.argv[1:] if Path(a).is_dir())))
    from lstm.errors import LSTMError

    def one(data: bytes) -> None:
        try:
            TARGETS[name](data)
        except LSTMError:
            return

    atheris.Setup([sys.argv[0], *LIMITS, *sys.argv[1:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
