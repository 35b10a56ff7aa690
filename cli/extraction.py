"""From a corpus to a dataset: estimate, refuse or begin or go on, tell how far it is."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from cli.console import CommandLineError, note
from cli.engine import tell
from cli.formats.record import model_record
from cli.progress import progress, reading
from cli.selection import Selection, widest
from lstm.engines.registry import choose
from lstm.model import Model
from weights.corpus.dataset import Dataset, opened, read_manifest, totals
from weights.corpus.estimate import Estimate, estimate
from weights.corpus.job import Job, Part
from weights.corpus.reading import Source
from weights.corpus.rows import Wanted
from weights.corpus.shards import Shard, shards
from weights.corpus.workers import run_here, run_in_processes
from weights.vocabulary import fingerprint

SCHEMA = "lstm.extract/1"
# More than this is written only when someone said so.
_LIMIT = 10 * 10**9


class Request(NamedTuple):
    """What the command line asks to do; see `cli.extract`."""

    weights: str
    options: Mapping[str, Any]
    sources: Sequence[Source]
    selection: Selection
    steps: str
    half: bool
    part_size: int
    folder: Path
    engine: str
    workers: int | None
    cluster: str | None
    verbose: bool
    yes: bool


def run(request: Request, model: Model) -> dict[str, Any]:
    """Write the dataset, or the rest of it, and return the summary.

    Raises:
        CommandLineError: it would be too large.
        LSTMError: an input cannot be read, or does not fit; or the dataset is another one.
        OSError: the disk is full.
    """
    wanted = _wanted(request, model)
    manifest = read_manifest(request.folder)
    free, already = _free(request, manifest), manifest["bytes"] if manifest else 0
    most = free + already if request.yes else min(free + already, _LIMIT)
    with reading():
        expected = estimate(model, wanted, request.sources, most)
    engine = _engine(request, model, manifest, expected)
    _tell_and_check(request, expected, engine, free, already)
    made_from = _made_from(request, model, engine)
    job = Job(
        request.weights, request.options, model.card.sha256, engine, wanted, request.folder,
        model.intervention, model,
    )  # fmt: skip
    workers = request.workers
    if workers is None and request.cluster is None:
        workers = _workers(expected, request.part_size)
    with opened(request.folder, made_from) as dataset:
        before, start = list(dataset.parts.values()), monotonic()
        if not dataset.is_finished or expected is None:
            _make(request, dataset, job, workers, expected)
        summary = _summary(request, dataset, before, monotonic() - start)
    return {**summary, "engine": engine, "workers": workers}


def _wanted(request: Request, model: Model) -> Wanted:
    selection, parameters = request.selection, model.parameters
    selection.layers.check(parameters.num_layers, "layers")
    selection.units.check(widest(model, selection), "units")
    return Wanted.of(
        parameters,
        selection.show,
        selection.layers.within(parameters.num_layers),
        selection.units.within,
        selection.steps.within,
        "float16" if request.half else str(parameters.dtype),
    )


def _engine(
    request: Request, model: Model, manifest: Mapping[str, Any] | None, expected: Estimate | None
) -> str:
    """Choose the engine; where a part of the dataset is there, the one that made it."""
    name = request.engine
    if name == "auto" and model.intervention is not None:
        name = "numpy"  # which alone changes values on the way
    if name == "auto" and manifest and manifest["model"].get("sha256") == model.card.sha256:
        name = manifest["engine"]
    choice = choose(name, model.parameters, expected.tokens if expected else None, 1)
    tell(choice, verbose=request.verbose)
    return choice.engine.name


def _made_from(request: Request, model: Model, engine: str) -> dict[str, Any]:
    """Say what decides every byte of the dataset; the manifest holds it."""
    selection = request.selection
    layers, units = selection.layers, selection.units
    given = {name: value for name, value in request.options.items() if value is not None}
    if any(source.errors == "replace" for source in request.sources):
        given["errors"] = "replace"
    return {
        "model": model_record(model),
        "options": {name: value for name, value in given.items() if name != "tokenizer"},
        "tokenizer": fingerprint(model.tokenizer) if model.tokenizer else None,
        "show": list(selection.show),
        "layers": "all" if layers.text is None else layers.within(model.parameters.num_layers),
        "units": "all" if units.text is None else units.within(widest(model, selection)),
        "steps": request.steps,
        "dtype": "float16" if request.half else str(model.parameters.dtype),
        "engine": engine,
        "part_size": request.part_size,
        "inputs": [_input_record(source) for source in request.sources],
        "versions": _versions(engine, model),
    }


def _input_record(source: Source) -> dict[str, Any]:
    sha256 = source.sha256()
    return {
        "name": source.name,
        "bytes": None if sha256 is None else source.num_bytes,
        "sha256": sha256,
        "field": source.field,
        "column": source.column,
    }


def _versions(engine: str, model: Model) -> dict[str, str]:
    """List what has a say in the bytes: numbers, words, the file format."""
    packages = ["lstm-cli", "numpy", "pyarrow"]
    packages += ["numba"] if engine == "numba" else []
    packages += ["tokenizers"] if model.tokenizer and model.tokenizer.kind == "huggingface" else []
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{package: version(package) for package in packages},
    }


def _free(request: Request, manifest: Mapping[str, Any] | None) -> int:
    place = request.folder if manifest else request.folder.parent
    if not place.is_dir():
        raise CommandLineError(f"--output: there is no folder {place}.")
    return shutil.disk_usage(place).free


def _tell_and_check(
    request: Request, expected: Estimate | None, engine: str, free: int, already: int
) -> None:
    """Say what it will take, and refuse what does not fit or is more than anyone expects."""
    if expected is None:
        hint = f" It runs in {engine}; --engine says otherwise." if request.engine == "auto" else ""
        note(f"estimate: none, the input is a stream.{hint}")
        return
    each = expected.bytes // max(1, expected.tokens)
    note(
        f"estimate: about {size(expected.bytes)} for {expected.tokens:,} tokens of "
        f"{expected.sequences:,} sequences, {each:,} bytes a token; {size(free)} are free."
    )
    if expected.bytes - already > free:
        raise CommandLineError(
            f"--output: expected at most the {size(free)} that are free, found about "
            f"{size(expected.bytes - already)}. Show fewer quantities, layers, units or steps, or "
            "add --half."
        )
    if expected.bytes > _LIMIT and not request.yes:
        raise _too_much(expected.bytes)


def _too_much(found: int) -> CommandLineError:
    return CommandLineError(
        f"expected at most {size(_LIMIT)} without --yes, found about {size(found)}. Add --yes, or "
        "show fewer quantities, layers, units or steps."
    )


def _workers(expected: Estimate | None, part_size: int) -> int:
    """One per core, but none without a part of its own."""
    cores = len(os.sched_getaffinity(0))
    return cores if expected is None else max(1, min(cores, -(-expected.sequences // part_size)))


def _make(
    request: Request, dataset: Dataset, job: Job, workers: int | None, expected: Estimate | None
) -> None:
    """Make the parts that are not there yet."""
    todo = _Todo(request, dataset, is_stream=expected is None)
    before = totals(list(dataset.parts.values()))
    tokens = None if expected is None else expected.tokens
    with (
        progress(tokens, before["sequences"], before["tokens"]) as job.told,
        closing(_parts(request, job, todo, workers)) as parts,
    ):
        for part in parts:
            dataset.add(part)
            written = totals(list(dataset.parts.values()))["bytes"]
            if written > _LIMIT and not request.yes:
                raise _too_much(written)
    dataset.finish(todo.count if expected is None else len(dataset.parts))


def _parts(
    request: Request, job: Job, todo: _Todo, workers: int | None
) -> Generator[Part, None, None]:
    if request.cluster is not None:
        from weights.corpus.cluster import run_on_ray

        already = frozenset(todo.dataset.parts)
        address, size = request.cluster, request.part_size
        return run_on_ray(job, request.sources, size, already, address, workers)
    if workers is None or workers == 1:
        return run_here(job, todo)
    return run_in_processes(job, todo, workers)


class _Todo:
    """The shards whose parts are not there yet; counts all of them."""

    def __init__(self, request: Request, dataset: Dataset, *, is_stream: bool) -> None:
        self.request, self.dataset, self.is_stream, self.count = request, dataset, is_stream, 0

    def __iter__(self) -> Iterator[Shard]:
        request = self.request
        for shard in shards(request.sources, request.part_size, sys.stdin.buffer):
            self.count += 1
            if self.is_stream:
                self.dataset.check(shard)
            if shard.number not in self.dataset.parts:
                yield shard


def _summary(
    request: Request, dataset: Dataset, before: Sequence[Part], seconds: float
) -> dict[str, Any]:
    found, old = totals(list(dataset.parts.values())), totals(before)
    new = found["tokens"] - old["tokens"]
    speed = new / seconds if new else None
    told = "" if speed is None else f"; {speed:,.0f} tokens a second"
    note(
        f"{request.folder}: {found['sequences']:,} sequences, {found['tokens']:,} tokens, "
        f"{found['rows']:,} rows, {size(found['bytes'])} in {len(dataset.parts)} part(s), "
        f"{len(before)} of them from before{told}."
    )
    return {
        "schema": SCHEMA,
        "folder": str(request.folder),
        **found,
        "parts": len(dataset.parts),
        "parts_before": len(before),
        "seconds": seconds,
        "tokens_per_second": speed,
    }


def size(count: int) -> str:
    """Write a number of bytes for people.

    >>> size(1_234_567), size(999)
    ('1.23 MB', '999 bytes')
    """
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power:
            return f"{count / 1000**power:.3g} {unit}"
    return f"{count} bytes"
