"""`lstm sweep`: what each unit at each step counts for."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated

import typer

from cli import interventions as i
from cli import options as o
from cli import untold as u
from cli.console import CommandLineError, Terminal, standard_output
from cli.contradictions import exclusive, idle
from cli.metrics import MEASURED, measuring, parse_metric
from cli.sources import Request
from cli.sweep_page import Page
from lstm.address import Address
from lstm.errors import LSTMError
from weights.pretrained.registry import DEFAULT

FORMATS = ("table", "json", "csv")
TOP = 10


def sweep(
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
    over: Annotated[
        str,
        typer.Option(
            "--over",
            metavar="ADDRESS",
            show_default=True,
            help="What is set: gates (i f g o), cells (c) or hidden states (h), all or a span: "
            "l0.c[80:90]@1:3.",
            rich_help_panel=i.WHAT_IF,
        ),
    ] = "l0.c",
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="zero|mean|NUMBER",
            help="What each is set to; mean: what the unit has on average over the text.  "
            "[default: zero]",
            rich_help_panel=i.WHAT_IF,
        ),
    ] = None,
    patch_from: i.PatchFrom = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="EXPRESSION",
            help="logit(WORD), p(WORD), log p(WORD), addresses, numbers, + - * and parentheses; "
            "after the last step, or after step 3 where @3 stands behind it.",
            rich_help_panel=MEASURED,
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            metavar="N",
            min=1,
            help=f"How many a table shows, the largest first.  [default: {TOP}]",
            rich_help_panel=o.SHOW,
        ),
    ] = None,
    format: Annotated[
        str | None,
        o.one_of(FORMATS, "--format", "-f", panel=o.OUTPUT, help="[default: table]"),
    ] = None,
    json: o.Json = False,
    color: o.ColorWhen = None,
    initial_state: o.InitialState = None,
    warm_up: o.WarmUp = None,
    set_value: i.SetValue = None,
    ablate: i.Ablate = None,
    debug: o.Debug = False,
) -> None:
    """Set one value after the other, and show what that does to a prediction.

    \b
    Examples:
      lstm sweep "the boys near the car" --metric "logit(are) - logit(is)"
      lstm sweep "the boys near the car" --metric "p(are)" --over "l0.c[80:90]@1:3" --to mean
      lstm sweep "the boys" --from "the boy" --over l0.c@1 --metric "log p(are)" --json
    """
    request = Request(list(texts or []), file, ids, vectors, errors)
    if request.is_empty:
        typer.echo(context.get_help())
        return
    exclusive(format=format, json=json)
    exclusive(to=to, **{"from": patch_from})
    if metric is None:
        raise CommandLineError("--metric: expected what to measure, as 'logit(are) - logit(is)'.")
    format = "json" if json else format or "table"
    if format != "table":
        idle(f"the format {format}", "it holds all, without colours", top=top, color=color)
    measured, place, value = parse_metric(metric), _parse_over(over), _parse_to(to)
    # Only now, when the command line is known to be sound, read the weights.
    from cli.output import tell_assumptions
    from cli.single import run_single
    from lstm.analysis import sweep as analysis
    from weights import load

    model = load(
        weights, layout=layout, prefix=prefix, tokenizer=tokenizer, dtype=dtype,
        allow_nonfinite=allow_nonfinite,
        gate_order=gate_order, forget_bias=forget_bias, gate_activation=gate_activation,
        pre_activation_clip=pre_activation_clip, cell_clip=cell_clip, residual=residual,
        projection_clip=projection_clip, concatenation=concatenation, coupled=coupled,
    )  # fmt: skip
    other = value if patch_from is None else i.recording(model, patch_from)
    model = i.changed(model, set_value, ablate)
    size = partial(analysis.check_size, model, place)
    trace = run_single(model, request, initial_state, warm_up, size)
    with measuring():
        found = analysis.sweep(model, trace, place, measured, other)
    tell_assumptions(model)
    _write(
        Page(model, trace, found, measured.text, to or "zero", patch_from, top or TOP),
        format,
        color,
    )


def _parse_over(text: str) -> Address:
    from lstm.analysis.intervention import settable

    try:
        return settable(text)
    except LSTMError as error:
        raise CommandLineError(f"--over: {error}") from None


def _parse_to(text: str | None) -> float | str:
    if text == "mean":
        return text
    try:
        return 0.0 if text in (None, "zero") else float(text)
    except ValueError:
        raise CommandLineError(f"--to: expected zero, mean or a number, found {text!r}.") from None


def _write(page: Page, format: str, color: str | None) -> None:
    if format == "table":
        from cli.sweep_tables import tables
        from cli.tables import show

        terminal = Terminal.of(sys.stdout, color)
        console = terminal.console()
        for part in tables(page, terminal):
            show(console, part)
        return
    from cli.sweep_record import as_csv, as_json

    written = as_json(page) if format == "json" else as_csv(page)
    with standard_output() as stream:
        stream.write(written)
