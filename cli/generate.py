"""`lstm generate`: the model goes on by itself."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Annotated

import typer

from cli import interventions as i
from cli import options as o
from cli import untold as u
from cli.console import CommandLineError, printable, utf8
from weights.pretrained.registry import DEFAULT

if TYPE_CHECKING:
    from lstm.model import Model
    from lstm.trace import Trace

DRAWING = "Drawing"


def generate(
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT",
            show_default=False,
            help="What to go on from; otherwise the model's start token.",
            rich_help_panel=o.INPUT,
        ),
    ] = None,
    steps: Annotated[
        int,
        typer.Option(
            "--steps",
            metavar="N",
            min=1,
            help="How many tokens at most.",
            show_default=True,
            rich_help_panel=DRAWING,
        ),
    ] = 20,
    temperature: Annotated[
        float,
        typer.Option(
            "--temperature",
            metavar="X",
            min=0.0,
            show_default=True,
            rich_help_panel=DRAWING,
            help="0 takes the most probable token; 1 draws as the model says.",
        ),
    ] = 0.0,
    top_k: Annotated[
        int | None,
        typer.Option(
            "--top-k",
            metavar="N",
            min=1,
            rich_help_panel=DRAWING,
            help="Draw from the most probable tokens only.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="N",
            min=0,
            show_default=False,
            rich_help_panel=DRAWING,
            help="Of the draw.  [default: 0]",
        ),
    ] = None,
    tokenizer: o.TokenizerPath = None,
    weights: o.Weights = DEFAULT,
    layout: o.LayoutName = None,
    prefix: o.Prefix = None,
    allow_nonfinite: u.AllowNonfinite = False,
    dtype: o.Dtype = None,
    gate_order: u.GateOrder = None,
    forget_bias: u.ForgetBias = None,
    gate_activation: u.GateActivation = None,
    pre_activation_clip: u.PreActivationClip = None,
    cell_clip: u.CellClip = None,
    projection_clip: u.ProjectionClip = None,
    concatenation: u.Concatenation = None,
    coupled: u.Coupled = None,
    residual: u.Residual = None,
    set_value: i.SetValue = None,
    ablate: i.Ablate = None,
    patch: i.Patch = None,
    patch_from: i.PatchFrom = None,
    json: o.JsonTrace = False,
    debug: o.Debug = False,
) -> None:
    """Let the model go on by itself, printed as it comes.

    \b
    Examples:
      lstm generate "The boys" --steps 12
      lstm generate "I" --temperature 0.8 --top-k 40 --seed 7
      lstm generate "John likes" --json | jq '.sequences[0].tokens'
    """
    if not isfinite(temperature):
        raise CommandLineError(f"--temperature: expected a finite number, found {temperature}.")
    if temperature == 0 and (top_k is not None or seed is not None):
        raise CommandLineError(
            "--top-k and --seed need a draw: without --temperature the most probable token is "
            "taken. Add --temperature 1, or leave them out."
        )
    from cli.output import tell_assumptions
    from lstm.generation import generate as go_on
    from weights import load

    model = load(
        weights, layout=layout, prefix=prefix, tokenizer=tokenizer, dtype=dtype,
        allow_nonfinite=allow_nonfinite,
        gate_order=gate_order, forget_bias=forget_bias, gate_activation=gate_activation,
        pre_activation_clip=pre_activation_clip, cell_clip=cell_clip, residual=residual,
        projection_clip=projection_clip, concatenation=concatenation, coupled=coupled,
    )  # fmt: skip
    model = i.changed(model, set_value, ablate, patch, patch_from)
    start = _start(model, None if text is None else utf8(text, "TEXT"), steps)
    drawn = islice(go_on(model, start, temperature=temperature, top_k=top_k, seed=seed or 0), steps)
    if json:
        _write_json(model, start, drawn)
    else:
        tell_assumptions(model)
        _print(model, start, drawn)


def _start(model: Model, text: str | None, steps: int) -> Trace:
    """Read the text to go on from, or the token with which the model's texts start."""
    if text:
        return _first(model, len(model.encode(text)), steps).run(text)
    vocabulary = model.tokenizer.vocabulary if model.tokenizer else None
    if vocabulary is None or vocabulary.start is None:
        raise CommandLineError("TEXT: the model has no start token, so it needs a text to go on.")
    return _first(model, 1, steps).run(ids=[vocabulary.tokens.index(vocabulary.start)])


def _first(model: Model, num_steps: int, drawn: int) -> Model:
    """The model for the text to go on from; what is changed may lie in the steps to come."""
    if model.intervention is not None:
        model.intervention.check(model.parameters, num_steps + drawn)
    return model.window(0, num_steps)


def _ids(trace: Trace) -> list[int]:
    return [token.id for token in trace.tokens or ()]


def _print(model: Model, start: Trace, drawn: Iterable[int]) -> None:
    """Write the text as it comes: after each token, what it adds to what is there."""
    sys.stdout.write(printable(start.text or ""))
    ids: list[int] = []
    written = ""
    for token in drawn:
        ids.append(token)
        longer = _continuation(model, start, ids)
        sys.stdout.write(printable(longer[len(written) :]))
        sys.stdout.flush()
        written = longer
    sys.stdout.write("\n")


def _continuation(model: Model, start: Trace, drawn: list[int]) -> str:
    """The text that drawn tokens add to the one they go on from.

    An unfinished character at its end waits for its other bytes, and a text of the model's own
    does not begin with the gap after the start token.
    """
    assert model.tokenizer is not None  # or there would be no start to go on from
    before = model.tokenizer.write(_ids(start))
    added = model.tokenizer.write([*_ids(start), *drawn]).rstrip("\ufffd")[len(before) :]
    return added if start.text else added.lstrip()


def _write_json(model: Model, start: Trace, drawn: Iterable[int]) -> None:
    """Write the trace that `run` would give for the whole text."""
    from cli.formats.registry import choose
    from cli.output import Output, write_traces
    from cli.selection import Selection, Spans, parse_show

    everything = [Spans(option, None) for option in ("--layers", "--units", "--steps")]
    selection = Selection(parse_show("hidden,cell"), *everything)
    output = Output(choose("json", None), None, "never", selection, None, None, summary=False)
    drawn = list(drawn)
    ids = [*_ids(start), *drawn]
    trace = model.window(0, len(ids)).run(ids=ids)
    whole = replace(
        trace,
        tokens=(*(start.tokens or ()), *model.decode(drawn)),
        text=(start.text or "") + _continuation(model, start, drawn),
    )
    write_traces(output, model, [whole])
