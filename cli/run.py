"""`lstm run`: what happens inside at every step."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli import interventions as i
from cli import options as o
from cli import speed as s
from cli import untold as u
from cli.console import CommandLineError
from cli.contradictions import exclusive, idle
from cli.formats.registry import Format, choose
from cli.selection import Selection, Spans, parse_show, parse_units, widest
from cli.sources import Request
from weights.pretrained.registry import DEFAULT

if TYPE_CHECKING:
    from lstm.model import Model
    from lstm.trace import Trace


def run(
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
    show: o.Show = None,
    layers: o.Layers = None,
    units: o.Units = None,
    steps: o.Steps = None,
    color_by: o.ColorBy = None,
    digits: o.Digits = None,
    top_k: o.TopK = None,
    format: o.FormatName = None,
    json: o.Json = False,
    output: o.Output = None,
    color: o.ColorWhen = None,
    initial_state: o.InitialState = None,
    final_state: o.FinalState = None,
    carry: o.Carry = False,
    warm_up: o.WarmUp = None,
    set_value: i.SetValue = None,
    ablate: i.Ablate = None,
    patch: i.Patch = None,
    patch_from: i.PatchFrom = None,
    engine: s.EngineName = "auto",
    threads: s.Threads = None,
    verbose: s.Verbose = False,
    debug: o.Debug = False,
) -> None:
    """Run a text word by word and show the states and the gates of every step.

    \b
    Examples:
      lstm run "John likes black coffee"
      lstm run "John likes black coffee" --json | jq '.sequences[0].steps[-1].hidden'
      cat lines.txt | lstm run --format ndjson | jq -c '.cell[81]'
      lstm run --weights model.safetensors --vectors inputs.npy -o trace.npz
    """
    request = Request(list(texts or []), file, ids, vectors, errors)
    if request.is_empty:
        typer.echo(context.get_help())
        return
    exclusive(format=format, json=json)
    chosen = choose("json" if json else format, output)
    by = parse_units("--color-by", color_by or ())
    summary = show is None and not by
    _refuse_idle_options(chosen, request, show, steps, digits, top_k, carry, summary)
    _check_colors(chosen, color_by, show, layers=layers, units=units)
    if not chosen.may_have_colors:
        idle(f"the format {chosen.name}", "its colours do not change", color=color)
    _check_final(final_state, output)
    selection = Selection(
        parse_show(show or "hidden,cell") if show or not by else (),
        Spans.parse("--layers", layers),
        Spans.parse("--units", units),
        Spans.parse("--steps", steps),
    )
    # Only now, when the command line is known to be sound, import numpy and read the weights.
    from cli.engine import with_engine
    from cli.output import Output, write_traces
    from cli.runner import Runner
    from weights import load

    model = load(
        weights, layout=layout, prefix=prefix, tokenizer=tokenizer, dtype=dtype, residual=residual,
        allow_nonfinite=allow_nonfinite, gate_order=gate_order, gate_activation=gate_activation,
        pre_activation_clip=pre_activation_clip, cell_clip=cell_clip, forget_bias=forget_bias,
        projection_clip=projection_clip, concatenation=concatenation, coupled=coupled,
    )  # fmt: skip
    _check_against(model, selection, top_k)
    model = i.changed(model, set_value, ablate, patch, patch_from)
    model = with_engine(model, request, engine, threads, verbose=verbose)
    runner = Runner(model, initial_state, warm_up, carry, keep_final=final_state is not None)
    plan = Output(chosen, output, color, selection, top_k, digits, summary, by)
    traces = runner.run(request.sources())
    write_traces(plan, model, _with_steps(traces, selection) if request.is_single else traces)
    if final_state is not None:
        runner.write_final(final_state)


def _with_steps(traces: "Iterable[Trace]", selection: Selection) -> "Iterator[Trace]":
    """Check that the one sequence has the steps that are to be shown."""
    for trace in traces:
        if selection.steps.text is not None:
            selection.steps.check(trace.num_steps, "steps")
        yield trace


def _refuse_idle_options(
    format: Format,
    request: Request,
    show: str | None,
    steps: str | None,
    digits: int | None,
    top_k: int | None,
    carry: bool,
    summary: bool,
) -> None:
    """An option that would have no effect is an error, not a silence."""
    if digits is not None and not format.is_table:
        raise CommandLineError(
            f"--digits: only tables are rounded; {format.name} holds every digit. Leave it out."
        )
    for option, given in (("--show", show), ("--steps", steps)):
        if given is not None and format.is_whole:
            raise CommandLineError(
                f"{option}: {format.name} shows every step and has its own quantities, as the "
                "memory of a step comes from all before it. Leave it out."
            )
    if top_k is not None and not format.has_predictions:
        raise CommandLineError(
            f"--top-k: {format.name} holds no predictions. Use --format json, or leave it out."
        )
    if top_k is not None and format.is_table and not summary:
        other = "--color-by" if show is None else "--show"
        raise CommandLineError(f"--top-k: with {other}, a table has no predictions. Leave one out.")
    if carry and request.is_single:
        raise CommandLineError("--carry: expected several sequences, found one. Leave it out.")


def _check_colors(
    format: Format, color_by: list[str] | None, show: str | None, **chosen: str | None
) -> None:
    """Colours are for tables; alone they have no layers or units to choose from."""
    if color_by and not format.is_table:
        raise CommandLineError(f"--color-by: {format.name} has no colours. Leave it out.")
    for name, given in chosen.items():
        if color_by and show is None and given is not None:
            raise CommandLineError(
                f"--{name}: --color-by shows its own unit alone. Leave it out, or add --show."
            )


def _check_final(final_state: Path | None, output: Path | None) -> None:
    if final_state is not None and output is not None and final_state == output:
        raise CommandLineError("--final-state: expected another file than --output.")
    # A folder that is not there is better found before a long run than after it.
    if final_state is not None and not final_state.parent.is_dir():
        raise CommandLineError(f"--final-state: there is no folder {final_state.parent}.")


def _check_against(model: "Model", selection: Selection, top_k: int | None) -> None:
    """Check what only the model can tell: how many layers and units there are."""
    selection.layers.check(model.parameters.num_layers, "layers")
    selection.units.check(widest(model, selection), "units")
    if top_k is not None and model.head is None:
        raise CommandLineError("--top-k: the model has no head, so it predicts nothing.")
