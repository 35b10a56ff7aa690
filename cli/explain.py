"""`lstm explain`: how one number came about; or a walk through the sentence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from cli import interventions as i
from cli import options as o
from cli import untold as u
from cli.console import CommandLineError, Terminal, standard_output
from cli.contradictions import idle
from cli.selection import Spans
from cli.sources import Request
from weights.pretrained.registry import DEFAULT

if TYPE_CHECKING:
    from cli.explained import Sheet, Walk
    from lstm.address import Address
    from lstm.analysis.outcome import Score
    from lstm.model import Model
    from lstm.trace import Trace

TOP, DIGITS, WALK_DIGITS = 5, 4, 2


def explain(
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
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="ADDRESS",
            help="Which number: 'l0.f[42]@3', 'l0.c[42]', 'logit(are)@3' or a next word; without "
            "a step, after the last. Without this, a walk through the text.",
            rich_help_panel=o.SHOW,
        ),
    ] = None,
    top: Annotated[
        int,
        typer.Option(
            "--top",
            metavar="N",
            min=1,
            help="How many terms of a kind; in a walk, how many units and next words.",
            show_default=True,
            rich_help_panel=o.SHOW,
        ),
    ] = TOP,
    layers: o.Layers = None,
    steps: o.Steps = None,
    digits: Annotated[
        int | None,
        typer.Option(
            "--digits",
            metavar="N",
            min=0,
            max=17,
            help=f"Digits after the point.  [default: {DIGITS}; in a walk {WALK_DIGITS}]",
            rich_help_panel=o.SHOW,
        ),
    ] = None,
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
    """Show how one number came about, term by term; or walk through a text in plain words.

    \b
    Examples:
      lstm explain "The boys near the car"
      lstm explain "The boys near the car" --at 'l0.f[83]@4'
      lstm explain "The boys near the car" --at are --top 10
    """
    request = Request(list(texts or []), file, ids, vectors, errors)
    if request.is_empty:
        typer.echo(context.get_help())
        return
    if json:
        idle("--json", "only tables are rounded and have colours", digits=digits, color=color)
    asked = _asked(at, layers, steps)
    # Only now, when the command line is known to be sound, import numpy and read the weights.
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
    trace = run_single(model, request, initial_state, warm_up, asked.check_size)
    page = Page(model, trace, top, digits)
    found = page.walk(asked) if asked.at is None else page.sheet(asked.at)
    tell_assumptions(model)
    if json:
        _write_json(found)
    else:
        _write_tables(found, color)


class Asked(NamedTuple):
    """One number, or the layers and steps of a walk."""

    at: Address | Score | None
    layers: Spans
    steps: Spans

    def check_size(self, num_steps: int) -> None:
        """Refuse a walk through more steps than anybody reads."""
        from cli.limits import WALK_STEPS, check_steps

        if self.at is None:
            hint = "Choose some with --steps."
            check_steps("walk", len(self.steps.within(num_steps)), WALK_STEPS, hint)


def _asked(at: str | None, layers: str | None, steps: str | None) -> Asked:
    """Check what only the command line can tell."""
    spans = (Spans.parse("--layers", layers), Spans.parse("--steps", steps))
    if at is None:
        return Asked(None, *spans)
    if (layers, steps) != (None, None):
        raise CommandLineError(
            "--layers and --steps: --at names a layer and a step. Leave them out."
        )
    from cli.at import parse_at

    return Asked(parse_at(at), *spans)


class Page(NamedTuple):
    """What is explained of what."""

    model: Model
    trace: Trace
    top: int
    digits: int | None

    def sheet(self, at: Address | Score) -> Sheet:
        """Explain one number."""
        from cli.at import placed, scored
        from cli.explained import Sheet
        from lstm.address import Address
        from lstm.analysis.explanation import explain, explain_score

        if isinstance(at, Address):
            at = placed(at, self.model, self.trace)
            found = explain(self.model, self.trace, at)
        else:
            outcome, step = scored(at, self.model, self.trace)
            at = at._replace(step=step)
            found = explain_score(self.model, self.trace, outcome, step)
        digits = DIGITS if self.digits is None else self.digits
        return Sheet(self.model, self.trace, at, found, self.top, digits)

    def walk(self, asked: Asked) -> Walk:
        """Walk through the steps that are asked for."""
        from cli.explained import Walk

        asked.layers.check(self.model.parameters.num_layers, "layers")
        asked.steps.check(self.trace.num_steps, "steps")
        layers = asked.layers.within(self.model.parameters.num_layers)
        steps = asked.steps.within(self.trace.num_steps)
        digits = WALK_DIGITS if self.digits is None else self.digits
        return Walk(self.model, self.trace, layers, steps, self.top, digits)


def _write_json(found: Sheet | Walk) -> None:
    from cli.explain_record import record
    from cli.formats.record import dump

    document = dump(record(found))
    with standard_output() as stream:
        stream.write(document + b"\n")


def _write_tables(found: Sheet | Walk, color: str | None) -> None:
    from cli.explained import Sheet
    from cli.explanation_tables import sheet_parts
    from cli.tables import show
    from cli.walk_tables import walk_parts

    terminal = Terminal.of(sys.stdout, color)
    console = terminal.console()
    parts = sheet_parts(found) if isinstance(found, Sheet) else walk_parts(found, terminal)
    for part in parts:
        show(console, part)
