"""`lstm compare`: where two runs part, and why."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as o
from cli import untold as u
from cli.console import UNLIMITED, CommandLineError, ExitCode, Terminal, perhaps_unread, write_json
from cli.contradictions import exclusive, idle
from cli.selection import Spans
from cli.sources import Request, Source
from cli.tolerances import parse_tolerances
from lstm.errors import LSTMError

if TYPE_CHECKING:
    from cli.comparison import Cause, Outcome
    from weights.trace_names import PortNames

PORT, TOLERANCE = "What the port's names are", "Tolerance"


def compare(
    left: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="What is right: a trace of lstm run, golden values (json, npz), a weight file "
            "or a model inside.",
            rich_help_panel=o.INPUT,
        ),
    ],
    right: Annotated[
        str,
        typer.Argument(
            metavar="B",
            help="What may be wrong: the same, or what a port recorded (csv, npz, json, "
            "safetensors, npy, bare float32).",
            rich_help_panel=o.INPUT,
        ),
    ],
    texts: o.Texts = None,
    file: o.File = None,
    ids: o.Ids = None,
    vectors: o.Vectors = None,
    errors: o.Errors = None,
    tokenizer: o.TokenizerPath = None,
    map: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar="hidden=NAME,l1.cell=NAME",
            help="Which of the port's arrays or columns is which quantity; l0.both.hidden is both "
            "directions side by side.",
            rich_help_panel=PORT,
        ),
    ] = None,
    raw: Annotated[
        str | None,
        typer.Option(
            "--raw",
            metavar="QUANTITY",
            help="The port's file is bare float32 numbers of this quantity; or .npy; or a csv "
            "without a header.",
            rich_help_panel=PORT,
        ),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            "--shape",
            metavar="T,H",
            help="The shape of --raw; or N,T,H for N sequences.",
            rich_help_panel=PORT,
        ),
    ] = None,
    time_first: Annotated[
        bool,
        typer.Option(
            "--time-first",
            help="The port's arrays of three axes are (T, N, H), not (N, T, H).",
            rich_help_panel=PORT,
        ),
    ] = False,
    atol: Annotated[
        list[str] | None,
        typer.Option(
            "--atol",
            metavar="X|NAME=X",
            help="How far apart two numbers may be; also for one quantity.  [default: 1e-5]",
            rich_help_panel=TOLERANCE,
        ),
    ] = None,
    rtol: Annotated[
        list[str] | None,
        typer.Option(
            "--rtol",
            metavar="X|NAME=X",
            help="How far apart, times the larger of the two.  [default: 1e-5]",
            rich_help_panel=TOLERANCE,
        ),
    ] = None,
    ulp: Annotated[
        list[str] | None,
        typer.Option(
            "--ulp",
            metavar="N|NAME=N",
            help="How many float32 numbers apart; alone, it takes the place of the other two.",
            rich_help_panel=TOLERANCE,
        ),
    ] = None,
    equal_nan: Annotated[
        bool,
        typer.Option("--equal-nan", help="NaN agrees with NaN.", rich_help_panel=TOLERANCE),
    ] = False,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            "-w",
            metavar="PATH|NAME",
            help="The right weights: look for the mistake that explains the difference. Where A "
            "is weights and B a trace, they are A's.",
            rich_help_panel=o.MODEL,
        ),
    ] = None,
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
    initial_state: o.InitialState = None,
    carry: o.Carry = False,
    layers: o.Layers = None,
    units: o.Units = None,
    steps: o.Steps = None,
    json: o.JsonOnly = False,
    color: o.ColorWhen = None,
    debug: o.Debug = False,
) -> None:
    """Find the first step, layer, gate and unit at which two runs differ, and the cause.

    A and B are traces, or weights that are run on the same text. Options on how to read weights
    hold for all weight files. The exit code is 0 where all numbers agree, 1 where they differ.

    \b
    Examples:
      lstm compare model.safetensors port.npz --vectors x.npy --map hidden=h_out,cell=c_out
      lstm compare trace.json port.bin --raw hidden --shape 5,128 --weights model.safetensors
      lstm compare old.safetensors new.safetensors "John likes black coffee" --atol cell=1e-6
    """
    request = Request(list(texts or []), file, ids, vectors, errors)
    if json:
        idle("--json", "JSON has no colours", color=color)
    tolerances = parse_tolerances(atol, rtol, ulp, equal_nan)
    spans = (
        Spans.parse("--layers", layers),
        Spans.parse("--units", units),
        Spans.parse("--steps", steps),
    )
    names = _names(map, raw, shape, time_first)
    reading = {
        "layout": layout, "prefix": prefix, "tokenizer": tokenizer, "dtype": dtype,
        "allow_nonfinite": allow_nonfinite or None,
        "gate_order": gate_order, "forget_bias": forget_bias, "gate_activation": gate_activation,
        "pre_activation_clip": pre_activation_clip, "cell_clip": cell_clip, "residual": residual,
        "projection_clip": projection_clip, "concatenation": concatenation, "coupled": coupled,
    }  # fmt: skip
    # Only now, when the command line is known to be sound, import numpy and read the files.
    from cli.comparison import Comparing
    from cli.sides import Choice, Reading

    comparing = Comparing(
        (left, right), weights, names, tolerances, Choice(*spans),
        Reading(reading, _sources(request), initial_state, carry, tuple(names.places.values())),
    )  # fmt: skip
    outcome = comparing.run()
    with perhaps_unread():
        _write(outcome, comparing.find_cause(outcome), json, color)
    if not outcome.comparison.same:
        raise typer.Exit(ExitCode.DIFFERS)


def _sources(request: Request) -> list[Source]:
    """What the command line says to read; what is piped in must be asked for with -."""
    given = (request.file, request.ids, request.vectors)
    is_given = bool(request.texts) or any(one is not None for one in given)
    if not is_given:
        idle("what the traces have read", "no text is decoded", errors=request.errors)
    return list(request.sources()) if is_given else []


def _names(map: str | None, raw: str | None, shape: str | None, time_first: bool) -> PortNames:
    exclusive(map=map, raw=raw)
    if shape is not None and raw is None:
        raise CommandLineError("--shape: it is the shape of --raw. Leave it out, or add --raw.")
    if shape is not None and shape.count(",") == 1:
        idle(f"--shape {shape}", "two axes are always (T, H)", time_first=time_first)
    from weights.traces import parse_names

    try:
        return parse_names(map, raw, shape, time_first)
    except LSTMError as error:
        raise CommandLineError(str(error)) from None


def _write(outcome: Outcome, cause: Cause | None, json: bool, color: str | None) -> None:
    if json:
        from cli.comparison_record import record

        write_json(record(outcome, cause))
        return
    from cli.comparison_tables import print_comparison

    terminal = Terminal.of(sys.stdout, color)
    # A table that is wider than the terminal is wrapped there; no number is cut.
    print_comparison(terminal._replace(width=UNLIMITED).console(), outcome, cause, terminal.width)
