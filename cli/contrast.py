"""`lstm contrast`: two texts side by side."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated

import typer

from cli import interventions as i
from cli import options as o
from cli import untold as u
from cli.console import Terminal, standard_output
from cli.contradictions import idle
from cli.contrast_page import Page
from cli.metrics import MEASURED, measuring, parse_metric
from cli.sources import Request
from weights.pretrained.registry import DEFAULT

ALIGNMENTS = ("start", "end")


def contrast(
    first: Annotated[str, typer.Argument(metavar="TEXT1", help="A text.", rich_help_panel=o.INPUT)],
    second: Annotated[
        str, typer.Argument(metavar="TEXT2", help="Another.", rich_help_panel=o.INPUT)
    ],
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
    align: Annotated[
        str,
        o.one_of(
            ALIGNMENTS,
            "--align",
            panel=o.INPUT,
            help="Which ends of texts of different lengths stand side by side.  [default: start]",
        ),
    ] = "start",
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="EXPRESSION",
            help="What the effect of a unit is measured on, as in lstm sweep; otherwise the "
            "log-odds of the next word that loses most against the one that gains most.",
            rich_help_panel=MEASURED,
        ),
    ] = None,
    top: o.Top = 8,
    json: o.JsonOnly = False,
    color: o.ColorWhen = None,
    set_value: i.SetValue = None,
    ablate: i.Ablate = None,
    debug: o.Debug = False,
) -> None:
    """Show where two texts part inside, and which units carry the difference to the end.

    \b
    Examples:
      lstm contrast "the boys near the car" "the boy near the cars"
      lstm contrast "she has seen it" "she saw it" --align end
      lstm contrast "the boys" "the boy" --metric "p(are)" --json
    """
    request = Request([first, second])
    if json:
        idle("--json", "JSON has no colours", color=color)
    measured = None if metric is None else parse_metric(metric)
    # Only now, when the command line is known to be sound, import numpy and read the weights.
    from cli.limits import TABLE_STEPS, admitted, check_steps
    from cli.output import tell_assumptions
    from cli.runner import Runner
    from lstm.analysis import contrast as analysis
    from weights import load

    model = load(
        weights, layout=layout, prefix=prefix, tokenizer=tokenizer, dtype=dtype,
        allow_nonfinite=allow_nonfinite,
        gate_order=gate_order, forget_bias=forget_bias, gate_activation=gate_activation,
        pre_activation_clip=pre_activation_clip, cell_clip=cell_clip, residual=residual,
        projection_clip=projection_clip, concatenation=concatenation, coupled=coupled,
    )  # fmt: skip
    model = i.changed(model, set_value, ablate)
    size = partial(check_steps, "contrast", most=TABLE_STEPS, hint="Give less text.")
    one, two = Runner(model).run(admitted(model, request.sources(), size))
    found = analysis.contrast(one, two, align)
    units = found.carriers(model.card, top)
    watched = measured or found.log_odds
    with measuring():
        patches = (
            None if watched is None
            else analysis.patch(model, (one, two), found.pairs[-1], units, watched)
        )  # fmt: skip
    tell_assumptions(model)
    _write(Page(model, (one, two), align, found, units, patches), json, color)


def _write(page: Page, json: bool, color: str | None) -> None:
    if json:
        from cli.contrast_record import as_json

        with standard_output() as stream:
            stream.write(as_json(page))
        return
    from cli.contrast_tables import tables
    from cli.tables import show

    terminal = Terminal.of(sys.stdout, color)
    console = terminal.console()
    for part in tables(page):
        show(console, part)
