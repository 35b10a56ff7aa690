"""The options that set values on the way, and the model on which they are set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import CommandLineError, utf8
from lstm.errors import LSTMError

if TYPE_CHECKING:
    from lstm.analysis.recording import Recording
    from lstm.model import Model

WHAT_IF = "What if"

SetValue = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="ADDRESS:=NUMBER",
        help="Set a gate (i f g o), a cell (c) or a hidden state (h): l0.f[81]@2:=1.",
        rich_help_panel=WHAT_IF,
    ),
]
Ablate = Annotated[
    list[str] | None,
    typer.Option(
        "--ablate",
        metavar="l0[81]",
        help="Silence units: their hidden state is 0 at every step.",
        rich_help_panel=WHAT_IF,
    ),
]
Patch = Annotated[
    list[str] | None,
    typer.Option(
        "--patch",
        metavar="ADDRESS",
        help="Take a value from another run: l0.c[81]@4. Needs --from.",
        rich_help_panel=WHAT_IF,
    ),
]
PatchFrom = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TEXT|TRACE",
        help="The other run: a text, or a trace that run wrote.",
        rich_help_panel=WHAT_IF,
    ),
]


def changed(
    model: Model,
    values: Sequence[str] | None,
    ablate: Sequence[str] | None,
    patch: Sequence[str] | None = None,
    source: str | None = None,
) -> Model:
    """Return the model with what the options set on the way.

    Raises:
        CommandLineError: --patch without --from, or the other way round, or a text that does
            not follow the grammar.
        LSTMError: the other run has no such place.
    """
    if bool(patch) != (source is not None):
        missing = "--from" if patch else "--patch"
        raise CommandLineError(f"{missing}: --patch says what to take, --from from which run.")
    if not (values or ablate or patch):
        return model
    from lstm.analysis.intervention import Change, Intervention, settable

    with _option("--set"):
        changes = [Change.parse(text) for text in values or ()]
    with _option("--ablate"):
        changes += [Change.ablation(text) for text in ablate or ()]
    if source is not None:
        with _option("--patch"):
            for text in patch or ():
                settable(text)
        other = recording(model, source)
        changes += [Change.patch(text, other) for text in patch or ()]
    return replace(model, intervention=Intervention(tuple(changes)))


def changed_throughout(
    model: Model, values: Sequence[str] | None, ablate: Sequence[str] | None
) -> Model:
    """Return the model with what the options set at every step of many sequences.

    Raises:
        CommandLineError: a change names a step, or a place that the model has not.
    """
    model = changed(model, values, ablate)
    for change in model.changes:
        if change.address.steps is not None:
            raise CommandLineError(
                f"--set: expected a place at every step, as sequences are of different lengths; "
                f"found {change.address}."
            )
    if model.intervention is not None:
        with _option("--set or --ablate"):
            model.intervention.check(model.parameters, 1)
    return model


@contextmanager
def _option(name: str) -> Iterator[None]:
    """Name the option whose text is malformed."""
    try:
        yield
    except LSTMError as error:
        raise CommandLineError(f"{name}: {error}") from None


def recording(model: Model, source: str) -> Recording:
    """Run the other text, or read the trace that --from names.

    Raises:
        CommandLineError: the trace is of several sequences.
        LSTMError: the text does not fit the model, or the trace cannot be read.
    """
    from lstm.analysis.recording import Recording
    from weights.traces import is_trace, read_trace

    if not is_trace(source):
        return Recording.of(model.run(utf8(source, "--from")))
    recordings = read_trace(Path(source)).recordings
    if len(recordings) != 1:
        raise CommandLineError(f"--from: expected one sequence, {source} has {len(recordings)}.")
    return recordings[0]
