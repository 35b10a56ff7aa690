"""The two sides of a comparison: each a trace, or weights that are run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cli.console import CommandLineError
from cli.output import tell_assumptions
from cli.runner import Runner
from cli.selection import Spans
from cli.sources import Source
from lstm.analysis.recording import Recording
from lstm.arrays import Floats
from lstm.errors import LSTMError, MissingExtraError
from lstm.model import Model
from lstm.state import ModelState
from lstm.trace import Trace
from weights import load
from weights.errors import UnknownLayoutError
from weights.pretrained.registry import NAMES as MODEL_NAMES
from weights.trace_names import PortNames
from weights.traces import is_trace, read_trace

RECORDED = (
    "If it is what a port recorded, say what is what: --map hidden=NAME,cell=NAME, or "
    "--raw hidden --shape T,H for bare numbers."
)


class Reading(NamedTuple):
    """How weights are read and run: options for `weights.load`, what to read, and from where.

    `mapped` are the names that a port's file has according to the command line.
    """

    options: dict[str, Any]
    sources: list[Source]
    initial_state: Path | None = None
    carry: bool = False
    mapped: tuple[str, ...] = ()

    @property
    def given(self) -> list[str]:
        """The options that are given, as they are typed."""
        names = [n for n, value in self.options.items() if value is not None]
        names += ["initial_state"] if self.initial_state is not None else []
        names += ["carry"] if self.carry else []
        given = [f"--{name.replace('_', '-')}" for name in names]
        return [*(["input"] if self.sources else []), *given]


class Side(NamedTuple):
    """One side: its source, what it tells of each sequence, and how.

    `model` and `traces` are those of weights that were run; `told` is what a trace says of the
    model that made it; `is_foreign` whether it is named as a port names it; `initial` is the
    state from which it tells that it started.
    """

    source: str
    recordings: tuple[Recording, ...]
    model: Model | None = None
    traces: tuple[Trace, ...] = ()
    told: dict[str, Any] | None = None
    is_foreign: bool = False
    initial: Mapping[str, Floats] | None = None


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
        hint = "" if {left, right} <= {*MODEL_NAMES} else f" {RECORDED}"
        raise CommandLineError(
            f"expected a TEXT, --file, --ids or --vectors to run A and B on.{hint}"
        )
    told = [side for side in read if side is not None]
    sides = [
        side or run_side(source, told, reading)
        for source, side in zip((left, right), read, strict=True)
    ]
    return sides[0], sides[1]


def _trace(source: str, names: PortNames) -> Side:
    file = read_trace(Path(source), names)
    return Side(
        source,
        file.recordings,
        told=file.model,
        is_foreign=file.is_foreign,
        initial=file.initial,
    )


def run_side(source: str, traces: Sequence[Side], reading: Reading) -> Side:
    """Run weights on what is given, else on what one of these traces has read."""
    try:
        model = load(source, **reading.options)
    except UnknownLayoutError as error:
        if reading.mapped:
            named = ", ".join(reading.mapped)
            raise LSTMError(
                f"--map: expected arrays named {named}, found none of them; nor has any layout of "
                f"weights the names that are there. lstm inspect {source} lists them."
            ).at(source) from None
        raise LSTMError(f"{error.message} {RECORDED}").at(source) from None
    except MissingExtraError as error:
        raise LSTMError(f"{error.message} {RECORDED}").at(source) from None
    tell_assumptions(model)
    sources = reading.sources or _sources(model, traces)
    if reading.carry and len(sources) == 1:
        raise CommandLineError("--carry: expected several sequences, found one. Leave it out.")
    start = reading.initial_state or _start(model, traces)
    made = tuple(Runner(model, start, carry=reading.carry).run(sources))
    return Side(source, tuple(map(Recording.of, made)), model, made)


def _start(model: Model, traces: Sequence[Side]) -> ModelState | None:
    """The state from which the first trace that says so started; None where that is zeros."""
    initial = next((side.initial for side in traces if side.initial is not None), {})
    if not any(array.any() for array in initial.values()):
        return None
    return ModelState.from_arrays(initial, model.parameters)


def _sources(model: Model, traces: Sequence[Side]) -> list[Source]:
    """What the first of these traces read that says so."""
    for side in traces:
        sources = [_source(model, recording) for recording in side.recordings]
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
