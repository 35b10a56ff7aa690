"""The two sides of a comparison: each a trace, or weights that are run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cli.console import CommandLineError
from cli.output import tell_assumptions
from cli.runner import Runner
from cli.selection import Spans
from cli.sources import Source
from lstm.analysis.recording import Recording
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.trace import Trace
from weights import load
from weights.errors import UnknownLayoutError
from weights.trace_names import PortNames
from weights.traces import is_trace, read_trace


class Reading(NamedTuple):
    """How weights are read and run: options for `weights.load`, what to read, and from where."""

    options: dict[str, Any]
    sources: list[Source]
    initial_state: Path | None = None

    @property
    def given(self) -> list[str]:
        """The options that are given, as they are typed."""
        names = [n for n, value in self.options.items() if value is not None]
        names += ["initial_state"] if self.initial_state is not None else []
        given = [f"--{name.replace('_', '-')}" for name in names]
        return [*(["input"] if self.sources else []), *given]


class Side(NamedTuple):
    """One side: its source, what it tells of each sequence, and how.

    `model` and `traces` are those of weights that were run; `told` is what a trace says of the
    model that made it; `is_foreign` whether it is named as a port names it.
    """

    source: str
    recordings: tuple[Recording, ...]
    model: Model | None = None
    traces: tuple[Trace, ...] = ()
    told: dict[str, Any] | None = None
    is_foreign: bool = False


class Choice(NamedTuple):
    """What of each recording is compared."""

    layers: Spans
    units: Spans
    steps: Spans

    def of(self, recording: Recording) -> Recording:
        """Cut a recording down to it."""
        places = recording.series
        layers = 1 + max((place.layer for place in places), default=0)
        units = 1 + max((int(one.units.max(initial=-1)) for one in places.values()), default=0)
        return recording.choose(
            _within(self.layers, layers),
            _within(self.units, units),
            _within(self.steps, recording.num_steps),
        )


def _within(spans: Spans, size: int) -> list[int] | None:
    return None if spans.text is None else spans.within(size)


def open_sides(left: str, right: str, names: PortNames, reading: Reading) -> tuple[Side, Side]:
    """Read both sides; weights are run on what is given, else on what the other side read.

    Raises:
        CommandLineError: there is nothing to run weights on, or no use for what is given.
        LSTMError: a file cannot be read, or the input does not fit the weights.
    """
    traces = [is_trace(source, names) for source in (left, right)]
    read = [_trace(s, names) if t else None for s, t in zip((left, right), traces, strict=True)]
    if not any(traces) and not reading.sources:
        raise CommandLineError("expected a TEXT, --file, --ids or --vectors to run A and B on.")
    recordings = [side.recordings for side in read if side is not None]
    sides = [
        side or run_side(source, recordings, reading)
        for source, side in zip((left, right), read, strict=True)
    ]
    return sides[0], sides[1]


def _trace(source: str, names: PortNames) -> Side:
    file = read_trace(Path(source), names)
    return Side(source, file.recordings, told=file.model, is_foreign=file.is_foreign)


def run_side(source: str, read: Sequence[Sequence[Recording]], reading: Reading) -> Side:
    """Run weights on what is given, else on what one of these recordings has read."""
    try:
        model = load(source, **reading.options)
    except UnknownLayoutError as error:
        hint = "If it is what a port recorded, say what is what: --map hidden=NAME,cell=NAME."
        raise LSTMError(f"{error.message} {hint}").at(source) from None
    tell_assumptions(model)
    sources = reading.sources or _sources(model, read)
    traces = tuple(Runner(model, reading.initial_state).run(sources))
    return Side(source, tuple(map(Recording.of, traces)), model, traces)


def _sources(model: Model, read: Sequence[Sequence[Recording]]) -> list[Source]:
    """What the first of these recordings read that says so."""
    for recordings in read:
        sources = [_source(model, recording) for recording in recordings]
        found = [source for source in sources if source is not None]
        if found and len(found) == len(sources):
            return found
    raise LSTMError(
        "the trace does not tell what it read. Give a TEXT, --ids or --vectors, or write the "
        "trace as json, or with --show all."
    )


def _source(model: Model, recording: Recording) -> Source | None:
    if recording.ids is not None and model.embedding is not None:
        return Source({"ids": list(recording.ids)}, "what the trace read")
    if recording.inputs is not None:
        return Source({"vectors": recording.inputs}, "what the trace read")
    if recording.text is not None and model.tokenizer is not None:
        return Source({"text": recording.text}, "what the trace read")
    return None
