"""`lstm plot`: pictures of a run, for pages and papers."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli import interventions as i
from cli import options as o
from cli import untold as u
from cli.console import CommandLineError
from cli.contrast import ALIGNMENTS
from cli.palette import THEMES
from cli.selection import Selection, Spans, parse_show, widest
from cli.sources import Request
from weights.pretrained.registry import DEFAULT

SUFFIXES = (".svg", ".png", ".pdf", ".html")
# The names of `cli.formats.plot.pictures.PICTURES`, known before numpy is imported.
WHAT = ("heatmap", "units", "ledger", "survival", "saturation", "contrast")
CONTRAST = "contrast"

What = Annotated[
    str,
    o.one_of(
        WHAT,
        "--what",
        panel=o.SHOW,
        help="Which picture; contrast takes two TEXTs.  [default: heatmap]",
    ),
]
ShownOf = Annotated[
    str | None,
    typer.Option(
        "--show",
        metavar="NAME,...",
        help="Of a heatmap: the quantities, as in run.  [default: gates, candidate, cell, hidden]",
        rich_help_panel=o.SHOW,
    ),
]
Align = Annotated[
    str | None,
    o.one_of(
        ALIGNMENTS,
        "--align",
        panel=o.SHOW,
        help="Of a contrast: which ends of the texts stand side by side.  [default: start]",
    ),
]
Units = Annotated[
    str | None,
    typer.Option(
        "--units",
        metavar="0:8,12",
        help="Only these units; otherwise those with the largest numbers, or all.",
        rich_help_panel=o.SHOW,
    ),
]
ThemeName = Annotated[
    str, o.one_of(tuple(THEMES), "--theme", panel=o.OUTPUT, help="The ground.  [default: light]")
]
PicturePath = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help=f"The picture: a name ending in {', '.join(SUFFIXES)}.",
        rich_help_panel=o.OUTPUT,
    ),
]


def plot(
    context: typer.Context,
    output: PicturePath,
    texts: o.Texts = None,
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
    what: What = "heatmap",
    align: Align = None,
    show: ShownOf = None,
    layers: o.Layers = None,
    units: Units = None,
    theme: ThemeName = "light",
    warm_up: o.WarmUp = None,
    set_value: i.SetValue = None,
    ablate: i.Ablate = None,
    patch: i.Patch = None,
    patch_from: i.PatchFrom = None,
    debug: o.Debug = False,
) -> None:
    """Draw a run: gates and states, units, the memory's account, or two texts side by side.

    \b
    Examples:
      lstm plot "John likes black coffee" -o picture.svg
      lstm plot "the boys near the car" --what units --units 83 -o unit.png
      lstm plot "the boys near the car" --what ledger --theme dark -o ledger.pdf
      lstm plot "the boy near the cars" "the boys near the car" --what contrast -o two.html

    Needs the extra plot: pip install 'lstm-cli[plot]'.
    """
    request = Request(list(texts or []), ids=ids, vectors=vectors, errors=errors)
    if request.is_empty:
        typer.echo(context.get_help())
        return
    _check(output, what, show, align)
    selection = Selection(
        parse_show(show or "forget,input,output,candidate,cell,hidden"),
        Spans.parse("--layers", layers),
        Spans.parse("--units", units),
        Spans.parse("--steps", None),
    )
    from cli.formats.plot.draw import draw
    from cli.formats.plot.pictures import picture
    from cli.limits import admitted, check_picture
    from cli.output import opened, tell_assumptions
    from cli.runner import Runner
    from weights import load

    model = load(
        weights, layout=layout, prefix=prefix, tokenizer=tokenizer, dtype=dtype,
        allow_nonfinite=allow_nonfinite,
        gate_order=gate_order, forget_bias=forget_bias, gate_activation=gate_activation,
        pre_activation_clip=pre_activation_clip, cell_clip=cell_clip, residual=residual,
        projection_clip=projection_clip, concatenation=concatenation, coupled=coupled,
    )  # fmt: skip
    selection.layers.check(model.parameters.num_layers, "layers")
    selection.units.check(widest(model, selection), "units")
    model = i.changed(model, set_value, ablate, patch, patch_from)
    sources = admitted(model, request.sources(), partial(check_picture, what))
    traces = list(Runner(model, warm_up=warm_up).run(sources))
    expected = 2 if what == CONTRAST else 1
    if len(traces) != expected:
        raise CommandLineError(
            f"--what {what}: expected {('one text', 'two texts')[expected - 1]}, found "
            f"{len(traces)}."
        )
    tell_assumptions(model)
    data = draw(picture(what, model, traces, selection, align or "start"), theme, output.suffix)
    with opened(output) as stream:
        stream.write(data)


def _check(output: Path, what: str, show: str | None, align: str | None) -> None:
    """Refuse what has no such picture before anything is read."""
    if output.suffix not in SUFFIXES:
        raise CommandLineError(
            f"--output: expected a name ending in {', '.join(SUFFIXES)}; found {output.name!r}."
        )
    if show is not None and what != "heatmap":
        raise CommandLineError(f"--show: {what} has quantities of its own. Leave it out.")
    if align is not None and what != CONTRAST:
        raise CommandLineError(f"--align: {what} is of one text. Leave it out.")
