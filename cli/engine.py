"""The engine that a command runs on."""

from __future__ import annotations

import os
from dataclasses import replace

from cli.console import CommandLineError, note
from cli.sources import Request
from lstm.engines.registry import Choice, choose
from lstm.model import Model

# Of a text: letters of a word and the blank after it, in the mean.
_BYTES_PER_STEP = 5


def with_engine(
    model: Model, request: Request, name: str, threads: int | None, *, verbose: bool
) -> Model:
    """Return the model with the engine of this name, or the one that is sooner done.

    Raises:
        CommandLineError: threads for an engine that has none.
        LSTMError: the engine cannot run this model, or is not installed.
    """
    if threads is not None and name == "numpy":
        raise CommandLineError("--threads: numpy runs on one. Leave it out, or leave --engine out.")
    steps = None if request.num_bytes is None else request.num_bytes // _step_bytes(model, request)
    choice = choose(name, model.parameters, steps, threads or len(os.sched_getaffinity(0)))
    tell(choice, verbose=verbose)
    return replace(model, engine=choice.engine)


def tell(choice: Choice, *, verbose: bool) -> None:
    """Say which engine was taken and why, where someone wants to know."""
    if verbose:
        note(f"engine {choice.engine.name}: {choice.reason}.")


def _step_bytes(model: Model, request: Request) -> int:
    if request.vectors is None:
        return _BYTES_PER_STEP
    return model.parameters.input_size * model.parameters.dtype.itemsize
