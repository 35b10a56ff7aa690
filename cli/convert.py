"""`lstm convert`: weights from any file into one file of our own, or into another layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options as o
from cli import untold as u
from cli.console import CommandLineError, note, printable, write_json
from weights.layouts.registry import LAYOUTS

WRITTEN = tuple(layout.name for layout in LAYOUTS if layout.is_written)


def convert(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="safetensors (or its *.index.json), npz, pt, h5, keras, onnx, TensorFlow.js.",
            rich_help_panel=o.INPUT,
        ),
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT.safetensors", rich_help_panel=o.OUTPUT)],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="LAYOUT",
            callback=o.choice(WRITTEN),
            autocompletion=o.completion(WRITTEN),
            show_default=True,
            help=f"One of {', '.join(WRITTEN)}.",
            rich_help_panel=o.OUTPUT,
        ),
    ] = "native",
    tokenizer: o.TokenizerPath = None,
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
    embedding: u.EmbeddingName = None,
    head: u.HeadName = None,
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="A report as JSON instead of a line.", rich_help_panel=o.OUTPUT
        ),
    ] = False,
    debug: o.Debug = False,
) -> None:
    """Write weights into one file of the tool's own, or into another layout, and check it.

    The native file holds weights, embedding, head, tokenizer and options, so that later runs
    need none. Another layout holds the LSTM alone. What a layout cannot hold is refused.

    \b
    Examples:
      lstm convert model.pt mine.safetensors --tokenizer vocab.txt
      lstm convert model.keras mine.safetensors --gate-activation hard-sigmoid
      lstm convert mine.safetensors theirs.safetensors --to pytorch
      lstm convert mine.safetensors theirs.safetensors --to keras --json | jq .largest_difference
    """
    if target.suffix != ".safetensors":
        raise CommandLineError(f"OUT: expected a name ending in .safetensors, found {target.name}.")
    if target.exists() and not target.is_file():
        raise CommandLineError("OUT: expected a file, which is read again, found something else.")
    if to != "native" and _is_same(source, target):
        raise CommandLineError(f"OUT: expected another file than IN: {to} holds the LSTM alone.")
    from cli.output import tell_assumptions
    from weights import load
    from weights.conversion import convert as write
    from weights.conversion import origin_of

    model = load(
        source, layout=layout, prefix=prefix, tokenizer=tokenizer, dtype=dtype,
        allow_nonfinite=allow_nonfinite,
        gate_order=gate_order, forget_bias=forget_bias, gate_activation=gate_activation,
        pre_activation_clip=pre_activation_clip, cell_clip=cell_clip, residual=residual,
        projection_clip=projection_clip, concatenation=concatenation, coupled=coupled,
        embedding=embedding, head=head,
    )  # fmt: skip
    tell_assumptions(model)
    # Before OUT is written, which may be IN.
    read = (origin_of(source, layout, prefix), model.card.sha256) if json else None
    written, difference = write(model, target, to)
    if to != "native" and (model.embedding or model.head or model.tokenizer):
        note(f"{to} holds the LSTM alone; embedding, head and tokenizer stay in {source}.")
    if written != to:
        note(
            f"{to} adds to the forget gate at run time what cannot be taken off this bias exactly: "
            f"the names are those of {written}, whose cell adds nothing. In any other cell set "
            "its forget bias to 0."
        )
    if read is not None:
        from cli.conversion_record import conversion_record

        write_json(conversion_record(source, *read, model, target, written, difference))
        return
    typer.echo(
        f"{printable(str(target))}: {written}, checked on a random input: hidden states differ "
        f"by at most {difference.hidden:.3g}, cell states by {difference.cell:.3g}"
    )


def _is_same(source: str, target: Path) -> bool:
    """Whether OUT is the file that is read."""
    return target.exists() and Path(source).exists() and target.samefile(source)
