"""`lstm golden`: what a port is checked against."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as o
from cli import untold as u
from cli.console import CommandLineError, note
from cli.formats.golden.registry import GOLDEN_FORMATS, GoldenFormat, choose
from cli.selection import parse_show
from cli.sources import Request
from lstm.errors import LSTMError
from lstm.quantities import NAMES
from weights.port import BIASES, MATRICES, Port
from weights.pretrained.registry import DEFAULT

if TYPE_CHECKING:
    from lstm.trace import Trace
    from weights.golden import Golden

PORT = "How the port stores its weights"
FORMAT_NAMES = tuple(format.name for format in GOLDEN_FORMATS)
# A tolerance above this hides what a wrong port does.
WIDE = 1e-2


def _order(value: str) -> str:
    if not Port(value).has_every_gate:
        raise typer.BadParameter(f"expected the letters i, f, g and o, each once; found {value!r}.")
    return value


def golden(
    context: typer.Context,
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT",
            show_default=False,
            help="What to read; - reads one line from stdin.",
            rich_help_panel=o.INPUT,
        ),
    ] = None,
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
    order: Annotated[
        str,
        typer.Option(
            "--order",
            metavar="ifgo",
            callback=_order,
            show_default=True,
            help="In which order the gates' blocks are written.",
            rich_help_panel=PORT,
        ),
    ] = "ifgo",
    matrices: Annotated[
        str,
        typer.Option(
            "--matrices",
            metavar="|".join(MATRICES),
            callback=o.choice(MATRICES),
            autocompletion=o.completion(MATRICES),
            show_default=True,
            help="(outputs, inputs) for W @ x, or (inputs, outputs) for x @ W.",
            rich_help_panel=PORT,
        ),
    ] = "outputs-first",
    biases: Annotated[
        str,
        typer.Option(
            "--biases",
            metavar="|".join(BIASES),
            callback=o.choice(BIASES),
            autocompletion=o.completion(BIASES),
            show_default=True,
            help="How many per gate; the second is zero.",
            rich_help_panel=PORT,
        ),
    ] = "one",
    show: Annotated[
        str,
        typer.Option(
            "--show",
            metavar="NAME,...",
            autocompletion=o.completion(("all", *NAMES)),
            show_default=True,
            help=f"all, or any of {', '.join(NAMES)}.",
            rich_help_panel=o.SHOW,
        ),
    ] = "all",
    head: Annotated[
        bool,
        typer.Option(
            "--head",
            help="Also the head: its weights, and the logits and probabilities of every step.",
            rich_help_panel=o.SHOW,
        ),
    ] = False,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="|".join(FORMAT_NAMES),
            callback=o.choice(FORMAT_NAMES),
            autocompletion=o.completion(FORMAT_NAMES),
            show_default=False,
            help="Otherwise by the ending of --output (.h, .json, .npz), else c.",
            rich_help_panel=o.OUTPUT,
        ),
    ] = None,
    bits: Annotated[
        bool,
        typer.Option(
            "--bits",
            help="In C: bit patterns (uint32_t, uint64_t) instead of hexadecimal literals.",
            rich_help_panel=o.OUTPUT,
        ),
    ] = False,
    output: o.Output = None,
    initial_state: o.InitialState = None,
    debug: o.Debug = False,
) -> None:
    """Write what a port is checked against: inputs, weights, every number of every step.

    \b
    Examples:
      lstm golden "John likes black coffee" -o golden.h
      lstm golden --vectors inputs.npy --weights model.safetensors --order ifog -o golden.h
      lstm golden --ids 1,0,1 --weights parity --format json | jq .tolerances.cell
    """
    request = Request([] if text is None else [text], None, ids, vectors, errors)
    if request.is_empty:
        typer.echo(context.get_help())
        return
    chosen = _format(format, output, bits)
    quantities = parse_show(show)
    from cli.formats.golden.record import GoldenReport
    from cli.limits import TABLE_STEPS, admitted, check_steps
    from cli.output import opened
    from cli.runner import Runner
    from weights import load
    from weights.golden import golden as collect

    model = load(
        weights, layout=layout, prefix=prefix, tokenizer=tokenizer, dtype=dtype,
        allow_nonfinite=allow_nonfinite,
        gate_order=gate_order, forget_bias=forget_bias, gate_activation=gate_activation,
        pre_activation_clip=pre_activation_clip, cell_clip=cell_clip, residual=residual,
        projection_clip=projection_clip, concatenation=concatenation, coupled=coupled,
    )  # fmt: skip
    if head and model.head is None:
        raise CommandLineError("--head: the model has no head. Leave it out.")
    size = partial(check_steps, "golden", most=TABLE_STEPS, hint="Give less text.")
    sources = admitted(model, request.sources(), size)
    trace = _only(Runner(model, initial_state).run(sources))
    collected = collect(model, trace, Port(order, matrices, biases), quantities, head)
    _tell(collected)
    with opened(output) as stream:
        chosen.write(GoldenReport(collected, _command(), stream, bits))
        stream.flush()


def _format(name: str | None, output: Path | None, bits: bool) -> GoldenFormat:
    """Choose the format, and check that it can be written as is asked for."""
    chosen = choose(name, output)
    if bits and not chosen.has_bits:
        raise CommandLineError(
            f"--bits: {chosen.name} holds every bit anyway. Leave it out, or use --format c."
        )
    if chosen.is_binary and output is None and sys.stdout.isatty():
        raise CommandLineError(
            f"--format {chosen.name}: a terminal cannot show it. Name a file with --output."
        )
    return chosen


def _only(runs: Iterable[Trace]) -> Trace:
    """Return the one run that there has to be."""
    traces = list(islice(runs, 2))
    if len(traces) != 1:
        found = (
            "several. Give one at a time." if traces else "none. Give a TEXT, --ids or --vectors."
        )
        raise LSTMError(f"input: expected one sequence, found {found}")
    return traces[0]


def _tell(golden: Golden) -> None:
    """Say what was assumed, and where rounding grows so much that a wrong port could pass."""
    from cli.output import tell_assumptions

    tell_assumptions(golden.model)
    name, widest = max(golden.tolerances.items(), key=lambda item: item[1].atol)
    if widest.atol > WIDE:
        note(
            f"rounding grows on this input: the tolerance of {name} is {widest.atol:g}. "
            "Give fewer steps, or --dtype float64, to see finer differences."
        )


def _command() -> tuple[str, ...]:
    """Return the command line, whose words may be no UTF-8."""
    return ("lstm", *(word.encode("utf-8", "backslashreplace").decode() for word in sys.argv[1:]))
