"""Several safetensors files with an index, as large models are stored: `*.index.json`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from weights.archive import Archive
from weights.containers.arrays import lazy_archive
from weights.containers.safetensors import open_archive
from weights.documents import parse
from weights.errors import UnreadableFileError
from weights.files import beside, require_file


def open_sharded(path: Path) -> Archive:
    """Read the index, and the headers of the files that it names.

    Raises:
        UnreadableFileError: the index or a file is malformed or missing, or a tensor is not in
            the file that the index names.
    """
    told = require_file(path)
    where = _index(path)
    shards = {
        name: open_archive(beside(path, name, "weight_map")) for name in sorted(set(where.values()))
    }
    for tensor, shard in where.items():
        if tensor not in shards[shard].tensors:
            raise UnreadableFileError(f"{tensor}: expected in {shard}, found no such tensor there.")
    infos = {tensor: shards[shard].tensors[tensor] for tensor, shard in where.items()}
    archive = lazy_archive(path, told, infos, {}, lambda name: shards[where[name]].raw(name))
    return replace(archive, shards=tuple(shards.values()))


def _index(path: Path) -> dict[str, str]:
    try:
        content: Any = parse(path.read_bytes())
        where = content["weight_map"]
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise UnreadableFileError("expected an index with a weight_map, found none.") from None
    if not isinstance(where, dict) or not all(isinstance(file, str) for file in where.values()):
        raise UnreadableFileError("weight_map: expected file names by tensor, found others.")
    return where
