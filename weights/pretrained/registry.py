"""The embedded models, one line each."""

from __future__ import annotations

import os
from pathlib import Path

from weights.errors import UnreadableFileError

NAMES = (
    "english",
    "brackets",
    "latch",
    "parity",
)
DEFAULT = "english"


def find(source: str | os.PathLike[str]) -> Path:
    """Return the file of an embedded model, or the path itself where none has that name.

    Raises:
        UnreadableFileError: there is neither such a model nor such a file.
    """
    if isinstance(source, str) and source in NAMES:
        return path_of(source)
    path = Path(source)
    if not path.exists():
        raise UnreadableFileError(
            f"no such file, and no model of that name inside ({', '.join(NAMES)})."
        ).at(str(source))
    return path


def path_of(name: str) -> Path:
    """Return the file of an embedded model."""
    return Path(__file__).parent / name / "model.safetensors"
