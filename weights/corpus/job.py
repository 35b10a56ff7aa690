"""What is done with each shard, in whichever process: load the model, run, write a part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from lstm.analysis.intervention import Intervention
from lstm.engines.registry import choose
from lstm.errors import LSTMError
from lstm.lookup import Lookup
from lstm.model import Model
from weights.corpus.parquet import Written, write_part
from weights.corpus.rows import Extraction, Told, Wanted, silent
from weights.corpus.shards import Shard
from weights.errors import WeightsError
from weights.loading import load


class Part(NamedTuple):
    """A part that is whole on disk: what the manifest says of it."""

    number: int
    first: int
    sequences: int
    tokens: int
    rows: int
    bytes: int
    sha256: str
    texts_sha256: str

    @property
    def file(self) -> str:
        return part_name(self.number)

    def record(self) -> dict[str, Any]:
        """Return the entry of the manifest."""
        return {"file": self.file, **self._asdict()}


def part_name(number: int) -> str:
    """Return the name of a part's file: the names sort in the order of the parts."""
    return f"part-{number:05}.parquet"


@dataclass
class Job:
    """Makes parts out of shards. Goes to other processes without the model, which they load.

    Args:
        source: the weights, a path or the name of a model inside.
        options: what else `weights.load` is given.
        sha256: of the weights; none others may have taken their place.
        engine: by name, never `auto`: all parts are computed alike.
        wanted: what is kept.
        folder: where the parts are written.
        intervention: what is set at every step.
        told: of what is done, in this process; others are to set their own.
    """

    source: str
    options: Mapping[str, Any]
    sha256: str
    engine: str
    wanted: Wanted
    folder: Path
    intervention: Intervention | None = None
    _loaded: Model | None = field(default=None, repr=False)
    told: Told = silent

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in self.__dict__.items() if name != "extraction"}
        return {**state, "told": silent, "_loaded": None}

    @cached_property
    def extraction(self) -> Extraction:
        """The model, loaded when the first shard comes."""
        loaded = self._loaded or load(self.source, **self.options)
        model = replace(loaded, intervention=self.intervention)
        if model.card.sha256 != self.sha256:
            raise WeightsError("the file has changed since the run began.").at(self.source)
        chosen = choose(self.engine, model.parameters, None, 1).engine
        engine = chosen.recording(self.wanted.show)
        return Extraction(Lookup(replace(model, engine=engine)), self.wanted, self.told)

    def run(self, shard: Shard) -> Part:
        """Write the part of a shard: whole, or not at all.

        Raises:
            LSTMError: a sequence does not fit the model, told in words that any process can pass
                on to another.
            OSError: the part cannot be written.
        """
        try:
            rows = self.extraction.rows(shard.texts, shard.first)
            path = self.folder / part_name(shard.number)
            written = write_part(path, rows, self.wanted)
        except LSTMError as error:
            raise LSTMError(str(error)) from None
        return _part(shard, written)


def _part(shard: Shard, written: Written) -> Part:
    return Part(
        shard.number, shard.first, len(shard.texts), written.tokens, written.rows, written.bytes,
        written.sha256, shard.sha256,
    )  # fmt: skip
