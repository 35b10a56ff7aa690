"""The commands that a damaged file is given to, by the family of the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np
from safetensors.numpy import save

from lstm.errors import LSTMError
from tests.fuzz.seeds import Seed, arrays
from tests.weights.layouts.writers import WRITERS, cell
from weights import load

Command = tuple[str, ...]


class Commands:
    """Draws a command for a file. What the file is used with lies, sound, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.out = str(folder / "out.safetensors")
        self.words = str(_written(folder / "words.safetensors", save(arrays())))
        four = {n: a.astype("f") for n, a in WRITERS["pytorch"](cell(3)).items()}
        self.four = str(_written(folder / "four.safetensors", save(four)))
        self.folder = folder
        self.read: dict[int, Command] = {}

    def draw(self, seed: Seed, file: str, random: Random) -> Command:
        """Return the arguments of one run on a damaged file of this seed."""
        special: dict[str, Callable[[str, Random], Command]] = {
            "vocabulary": self._vocabulary,
            "vectors": self._vectors,
            "state": self._state,
            "trace": self._trace,
        }
        if seed.family in special:
            return special[seed.family](file, random)
        if id(seed) not in self.read:
            self.read[id(seed)] = self._input_of(seed)
        other = ("--ids", "1"), self._width(random.randrange(1, 6))
        read = random.choices((self.read[id(seed)], *other), (8, 1, 1))[0]
        return self._weights(file, read, random)

    def _input_of(self, seed: Seed) -> Command:
        """What the sound file can read."""
        folder = self.folder / "sound"
        folder.mkdir(exist_ok=True)
        for name, data in seed.files.items():
            (folder / name).write_bytes(data)
        try:
            model = load(folder / seed.name)
        except LSTMError:  # an option is needed, which is not drawn
            return ("--ids", "1,0")
        return self._width(model.parameters.input_size) if model.embedding is None else (
            "--ids", "1,0"
        )  # fmt: skip

    def _width(self, size: int) -> Command:
        path = self.folder / f"{size}.npy"
        if not path.exists():
            np.save(path, np.linspace(-1, 1, 2 * size, dtype="f").reshape(2, size))
        return ("--vectors", str(path))

    def _weights(self, file: str, read: Command, random: Random) -> Command:
        return _one(
            random,
            (6, ("inspect", file, "--json")),
            (3, ("inspect", file)),
            (3, ("inspect", file, "--stats", "--json")),
            (1, ("inspect", file, "--stats")),
            (1, ("inspect", file, "--verify")),
            (6, ("run", *read, "-w", file, "--json")),
            (3, ("run", *read, "-w", file, "-f", random.choice(("table", "ndjson", "csv")))),
            (1, ("run", "it is", "-w", file)),
            (1, ("run", *read, "-w", file, "-f", random.choice(("html", "npz", "safetensors")))),
            (1, ("run", *read, "-w", file, "--dtype", "float32", "--show", "all", "-f", "csv")),
            (1, ("tokens", "it is", "-w", file, "--json")),
            (3, ("convert", file, self.out, "--to", random.choice(("native", "pytorch", "keras")))),
            (1, ("compare", file, self.four, *read)),
            (1, ("memory", *read, "-w", file, "--json")),
            (1, ("explain", *read, "-w", file)),
            (1, ("generate", "it", "-w", file, "--steps", "3")),
            (1, ("golden", *read, "-w", file, "--format", random.choice(("c", "json")))),
        )

    def _vocabulary(self, file: str, random: Random) -> Command:
        return _one(
            random,
            (3, ("tokens", "john likes ünknown", "-w", self.words, "--tokenizer", file, "--json")),
            (1, ("tokens", "john likes", "-w", self.words, "--tokenizer", file)),
            (1, ("run", "john likes", "-w", self.words, "--tokenizer", file, "--json")),
            (1, ("run", "john likes", "-w", self.words, "--tokenizer", file, "-f", "html")),
            (1, ("convert", self.words, self.out, "--tokenizer", file)),
        )

    def _vectors(self, file: str, random: Random) -> Command:
        kind = random.choice(("json", "table", "npz"))
        return ("run", "-w", self.four, "--vectors", file, "-f", kind)

    def _state(self, file: str, random: Random) -> Command:
        return ("run", "-w", self.four, *self._width(4), "--initial-state", file)

    def _trace(self, file: str, random: Random) -> Command:
        return _one(
            random,
            (3, ("compare", file, "brackets", "--json")),
            (1, ("compare", "brackets", file)),
            (1, ("compare", file, "brackets", "( a )", "--map", "hidden=hidden")),
            (1, ("inspect", file)),
        )


def _one(random: Random, *weighted: tuple[int, Command]) -> Command:
    weights: Sequence[int] = [weight for weight, _ in weighted]
    return random.choices([command for _, command in weighted], weights)[0]


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
