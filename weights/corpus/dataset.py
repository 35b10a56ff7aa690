"""The folder of a dataset: its manifest, which parts are done, and who may write to it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import orjson

from lstm.errors import LSTMError
from weights.atomic import replacing
from weights.corpus.job import Part, part_name
from weights.corpus.shards import Shard
from weights.errors import UnreadableFileError

SCHEMA = "lstm.dataset/1"
# What begins with a line is no part of the data to those who read a whole folder of Parquet files.
MANIFEST = "_manifest.json"
# A part that is done but not yet in the manifest is made again after a kill: seconds, not more.
_SAVED_EVERY = 1.0
# Where a file lies makes no difference to what is in it.
_PLACES = ("source", "name")
_SHORT = 16


class ChangedError(LSTMError):
    """A dataset that was begun with something else."""

    def __init__(self, changes: Sequence[str]) -> None:
        self.changes = tuple(changes)
        super().__init__(
            "expected what the dataset was begun with, found other: "
            f"{'; '.join(changes)}. Give the same again, or name another folder."
        )


@dataclass
class Dataset:
    """A dataset that is being made, or done.

    Args:
        folder: where it lies.
        made_from: what decides every byte of it: weights, options, inputs, versions.
        parts: those that are done, by number.
        is_finished: whether these are all.
    """

    folder: Path
    made_from: Mapping[str, Any]
    parts: dict[int, Part] = field(default_factory=dict)
    is_finished: bool = False
    _saved: float = -_SAVED_EVERY

    def add(self, part: Part) -> None:
        """Note a part that is whole on disk."""
        self.parts[part.number] = part
        if monotonic() - self._saved >= _SAVED_EVERY:
            self.save()

    def finish(self, num_shards: int) -> None:
        """Note that there are no more parts.

        Raises:
            ChangedError: an earlier run found more of them.
        """
        if len(self.parts) > num_shards:
            raise ChangedError([f"the input has {num_shards} parts, {len(self.parts)} were made"])
        self.is_finished = True

    def check(self, shard: Shard) -> None:
        """Look whether the input still gives the texts that a part was made from.

        Raises:
            ChangedError: it does not.
        """
        part = self.parts.get(shard.number)
        if part is None and self.is_finished:
            raise ChangedError([f"the input has more than {len(self.parts)} parts"])
        if part is not None and part.texts_sha256 != shard.sha256:
            raise ChangedError([f"the input's sequences from {part.first} on"])

    def save(self) -> None:
        """Write the manifest: the old one stands until the new one is whole."""
        parts = [self.parts[number] for number in sorted(self.parts)]
        document = {
            "schema": SCHEMA,
            **self.made_from,
            "finished": self.is_finished,
            **totals(parts),
            "parts": [part.record() for part in parts],
        }
        data = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        with replacing(self.folder / MANIFEST) as file:
            file.write(data)
        self._saved = monotonic()

    def remove_remains(self) -> None:
        """Remove temporary files: what is written is whole under its name, or begun again."""
        for name in (MANIFEST, part_name(0)[:5]):
            for remains in self.folder.glob(f".{name}*"):
                remains.unlink(missing_ok=True)


def totals(parts: Sequence[Part]) -> dict[str, int]:
    """Add up what is in some parts."""
    return {
        name: sum(getattr(part, name) for part in parts)
        for name in ("sequences", "tokens", "rows", "bytes")
    }


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Read the manifest of a dataset, None where the folder is empty or not there yet.

    Raises:
        UnreadableFileError: the folder holds something else.
    """
    path = folder / MANIFEST
    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        _refuse_strangers(folder)
        return None
    except NotADirectoryError:
        raise UnreadableFileError("expected a folder, found a file.").at(str(folder)) from None
    except orjson.JSONDecodeError as error:
        raise UnreadableFileError(f"expected JSON, found {error}.").at(str(path)) from None
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        raise UnreadableFileError(f"expected schema {SCHEMA}, found {found!r}.").at(str(path))
    for name, kind in (("model", dict), ("engine", str), ("bytes", int)):
        if not isinstance(document.get(name), kind):
            raise UnreadableFileError(
                f"expected {name} as lstm extract writes it, found {_shown(document.get(name))}."
            ).at(str(path))
    return dict(document)


def _refuse_strangers(folder: Path) -> None:
    if folder.is_dir():
        names = sorted(path.name for path in folder.iterdir())
        if strangers := [name for name in names if not name.startswith(f".{MANIFEST}.")]:
            raise UnreadableFileError(
                f"expected an empty folder, or a dataset with its {MANIFEST}, found "
                f"{strangers[0]}. Name a folder of its own."
            ).at(str(folder))


@contextmanager
def opened(folder: Path, made_from: Mapping[str, Any]) -> Iterator[Dataset]:
    """Begin a dataset, or go on with one that was begun; nobody else may do so meanwhile.

    Raises:
        ChangedError: it was begun with something else; the message says what.
        LSTMError: another process is at it, or the folder holds something else.
    """
    folder.mkdir(exist_ok=True)
    with _locked(folder):
        dataset = Dataset(folder, made_from, *_done(folder, made_from))
        dataset.remove_remains()
        dataset.save()
        try:
            yield dataset
        except BaseException:
            with suppress(OSError):  # the reason why it ends matters more
                dataset.save()
            raise
        else:
            dataset.save()
        finally:
            dataset.remove_remains()


def _done(folder: Path, made_from: Mapping[str, Any]) -> tuple[dict[int, Part], bool]:
    """Return the parts that are there whole, and whether these are all."""
    manifest = read_manifest(folder)
    if manifest is None:
        return {}, False
    if found := changes(manifest, made_from):
        raise ChangedError(found).at(str(folder))
    try:
        recorded = [
            Part(**{name: part[name] for name in Part._fields}) for part in manifest["parts"]
        ]
    except (KeyError, TypeError):
        raise UnreadableFileError("expected a list of parts, found other.").at(
            str(folder / MANIFEST)
        ) from None
    parts = {part.number: part for part in recorded if _is_whole(folder, part)}
    return parts, bool(manifest.get("finished")) and len(parts) == len(recorded)


def _is_whole(folder: Path, part: Part) -> bool:
    path = folder / part.file
    return path.is_file() and path.stat().st_size == part.bytes


def changes(before: Mapping[str, Any], now: Mapping[str, Any], place: str = "") -> list[str]:
    """List what is now other than before, as `versions.numpy was 2.3, is 2.4`.

    >>> changes({"model": {"sha256": "ab"}, "parts": []}, {"model": {"sha256": "cd"}})
    ['model.sha256 was ab, is cd']
    """
    found = []
    for key, value in now.items():
        name, old = f"{place}{key}", before.get(key)
        if key in _PLACES or value == old:
            continue
        value, old = _by_number(value), _by_number(old)
        if isinstance(value, dict) and isinstance(old, dict):
            whole = {**dict.fromkeys(old), **value}
            found += changes(old, whole, f"{name}.")
        else:
            found.append(f"{name} was {_shown(old)}, is {_shown(value)}")
    return found


def _by_number(value: Any) -> Any:
    """A list of records as one record, so that each is compared with its like."""
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return {str(number): entry for number, entry in enumerate(value)}
    return value


def _shown(value: object) -> str:
    """A value in a sentence; of a hash its beginning."""
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) < 64 else f"{text[:_SHORT]}…"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise LSTMError("another lstm extract is writing here. Wait for its end.").at(
            str(folder)
        ) from None
    finally:
        os.close(descriptor)
