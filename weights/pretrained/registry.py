"""The embedded models, one line each."""

from __future__ import annotations

import os
from pathlib import Path

NAMES = (
    "english",
    "brackets",
    "latch",
    "parity",
)
DEFAULT = "english"


def find(source: str | os.PathLike[str]) -> Path:
    """Return the file of an embedded model, or the path itself where none has that name."""
    if isinstance(source, str) and source in NAMES:
        return path_of(source)
    return Path(source)


def path_of(name: str) -> Path:
    """Return the file of an embedded model."""
    return Path(__file__).parent / name / "model.safetensors"
