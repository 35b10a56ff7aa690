"""The options for what a weight file does not tell; see `weights.options`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import MODEL, one_of
from lstm.quantities import LETTERS
from weights.options import CONCATENATIONS, GATE_ACTIVATIONS

UNTOLD = "What the weight file does not tell"


def _order(value: str | None) -> str | None:
    """Check that an order of the gates names each of them once."""
    if value is not None and sorted(value) != sorted(LETTERS):
        raise typer.BadParameter(f"expected the letters i, f, g and o, found {value!r}.")
    return value


GateOrder = Annotated[
    str | None,
    typer.Option(
        "--gate-order",
        metavar="ifgo",
        callback=_order,
        help="The order of the gates' blocks, where it is not the layout's.",
        rich_help_panel=UNTOLD,
    ),
]
ForgetBias = Annotated[
    float | None,
    typer.Option(
        "--forget-bias",
        help="What is added to the forget gate at run time.",
        rich_help_panel=UNTOLD,
    ),
]
GateActivation = Annotated[
    str | None,
    one_of(
        GATE_ACTIVATIONS,
        "--gate-activation",
        panel=UNTOLD,
        help="Of the input, forget and output gates.",
    ),
]
PreActivationClip = Annotated[
    float | None,
    typer.Option(
        "--pre-activation-clip",
        help="Pre-activations are cut to plus or minus this (clip of ONNX).",
        rich_help_panel=UNTOLD,
    ),
]
CellClip = Annotated[
    float | None,
    typer.Option("--cell-clip", help="The cell state is cut so.", rich_help_panel=UNTOLD),
]
ProjectionClip = Annotated[
    float | None,
    typer.Option(
        "--projection-clip", help="So is the projected hidden state.", rich_help_panel=UNTOLD
    ),
]
Concatenation = Annotated[
    str | None,
    one_of(
        CONCATENATIONS,
        "--concatenation",
        panel=UNTOLD,
        help="Whether the hidden state or the input comes first where one matrix is for both.",
    ),
]
Coupled = Annotated[
    bool | None,
    typer.Option("--coupled", help="The forget gate is 1 - input gate.", rich_help_panel=UNTOLD),
]
Residual = Annotated[
    bool | None,
    typer.Option(
        "--residual/--no-residual",
        show_default=False,
        help="From layer 1 on, what a layer reads is added to what it hands on.",
        rich_help_panel=UNTOLD,
    ),
]
AllowNonfinite = Annotated[
    bool,
    typer.Option(
        "--allow-nonfinite",
        help="Go on with weights that are NaN or infinite, which are refused otherwise.",
        rich_help_panel=MODEL,
    ),
]
EmbeddingName = Annotated[
    str | None,
    typer.Option(
        "--embedding",
        metavar="TENSOR",
        help="The embedding, where it is not found.",
        rich_help_panel=UNTOLD,
    ),
]
HeadName = Annotated[
    str | None,
    typer.Option(
        "--head",
        metavar="TENSOR",
        help="The head's weight, where it is not found.",
        rich_help_panel=UNTOLD,
    ),
]
