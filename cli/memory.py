"""`lstm memory`: which word wrote what is in the memory now."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli import interventions as i
from cli import options as o
from cli import untold as u
from cli.accounts import Asked, parse_of, parse_unit
from cli.console import CommandLineError, Terminal, standard_output
from cli.contradictions import exclusive, idle
from cli.selection import Spans
from cli.sources import Request
from lstm.quantities import DIRECTIONS
from weights.pretrained.registry import DEFAULT

if TYPE_CHECKING:
    from lstm.model import Model
    from lstm.trace import Trace


def memory(
    context: typer.Context,
    texts: o.Texts = None,
    file: o.File = None,
    ids: o.Ids = None,
    vectors: o.Vectors = None,
    errors: o.Errors = None,
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
    of: Annotated[
        str | None,
        typer.Option(
            "--of",
            metavar="WHAT",
            help="cell, hidden, or the score of a next word or label: 'logit(are)'.  "
            "[default: cell]",
            rich_help_panel=o.SHOW,
        ),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            "--unit",
            metavar="ADDRESS",
            help="One unit, with signs: 'l0.c[81]', 'l0.reverse.h[3:5]'.",
            rich_help_panel=o.SHOW,
        ),
    ] = None,
    layers: o.Layers = None,
    direction: Annotated[
        str | None,
        o.one_of(DIRECTIONS, "--direction", panel=o.SHOW, help="Only this direction."),
    ] = None,
    steps: o.Steps = None,
    digits: o.Digits = None,
    json: o.JsonOnly = False,
    color: o.ColorWhen = None,
    initial_state: o.InitialState = None,
    warm_up: o.WarmUp = None,
    set_value: i.SetValue = None,
    ablate: i.Ablate = None,
    patch: i.Patch = None,
    patch_from: i.PatchFrom = None,
    debug: o.Debug = False,
) -> None:
    """Show which word wrote what is in the memory, and how much of it is left.

    \b
    Examples:
      lstm memory "The boys near the car"
      lstm memory "The boys near the car" --unit 'l0.c[83]'
      lstm memory "The boys near the car" --of 'logit(are)' --steps -1
    """
    request = Request(list(texts or []), file, ids, vectors, errors)
    if request.is_empty:
        typer.echo(context.get_help())
        return
    asked = _asked(of, unit, layers, direction, steps)
    if json:
        idle("--json", "only tables are rounded and have colours", digits=digits, color=color)
    # Only now, when the command line is known to be sound, import numpy and read the weights.
    from cli.limits import check_ledger
    from cli.output import tell_assumptions
    from cli.single import run_single
    from weights import load

    model = load(
        weights, layout=layout, prefix=prefix, tokenizer=tokenizer, dtype=dtype,
        allow_nonfinite=allow_nonfinite,
        gate_order=gate_order, forget_bias=forget_bias, gate_activation=gate_activation,
        pre_activation_clip=pre_activation_clip, cell_clip=cell_clip, residual=residual,
        projection_clip=projection_clip, concatenation=concatenation, coupled=coupled,
    )  # fmt: skip
    model = i.changed(model, set_value, ablate, patch, patch_from)
    trace = run_single(model, request, initial_state, warm_up, check_ledger)
    tell_assumptions(model)
    if json:
        _write_json(model, trace, asked)
    else:
        _write_tables(model, trace, asked, digits, color)


def _asked(
    of: str | None, unit: str | None, layers: str | None, direction: str | None, steps: str | None
) -> Asked:
    """Check what only the command line can tell."""
    exclusive(of=of, unit=unit)
    exclusive(layers=layers, unit=unit)
    exclusive(direction=direction, unit=unit)
    what, word = parse_of("cell" if of is None else of)
    if word is not None and (layers, direction) != (None, None):
        raise CommandLineError(
            "--layers and --direction: a score is made of the whole top layer. Leave them out."
        )
    address = parse_unit(unit)
    if address is not None and address.steps is not None:
        exclusive(steps=steps, unit=unit)
        steps = repr(address).partition("@")[2]
    spans = (Spans.parse("--layers", layers), Spans.parse("--steps", steps))
    return Asked(what, word, address, spans[0], direction, spans[1])


def _write_json(model: Model, trace: Trace, asked: Asked) -> None:
    from cli.formats.record import dump
    from cli.memory_record import record

    document = dump(record(model, trace, asked))
    with standard_output() as stream:
        stream.write(document + b"\n")


def _write_tables(
    model: Model, trace: Trace, asked: Asked, digits: int | None, color: str | None
) -> None:
    from cli.memory_tables import Page, tables
    from cli.tables import show

    terminal = Terminal.of(sys.stdout, color)
    parts = list(tables(Page(model, trace, asked, terminal, digits)))
    console = terminal.console()
    for part in parts:
        show(console, part)
