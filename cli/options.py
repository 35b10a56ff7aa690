"""The options that commands share. Choices come from the registries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import COLORS
from cli.formats.registry import FORMATS
from lstm.quantities import DTYPES, NAMES
from weights.pretrained.registry import NAMES as MODEL_NAMES

INPUT, MODEL, SHOW, OUTPUT, STATE = "Input", "Model", "What to show", "Output", "State"


def choice(values: Sequence[str]) -> Callable[[str | None], str | None]:
    """Check a value against a list, and say the list where it is not in it."""

    def check(value: str | None) -> str | None:
        if value is not None and value not in values:
            raise typer.BadParameter(f"expected {_listed(values)}, found {value!r}.")
        return value

    return check


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values[:-1]) + " or " + values[-1]


def completion(values: Iterable[str]) -> Callable[[str], list[str]]:
    """Offer the values that begin with what is typed."""

    def complete(incomplete: str) -> list[str]:
        return [value for value in values if value.startswith(incomplete)]

    return complete


def one_of(values: Sequence[str], *names: str, panel: str, help: str) -> Any:
    """An option that takes one of a list of values."""
    return typer.Option(
        *names,
        metavar="|".join(values),
        callback=choice(values),
        autocompletion=completion(values),
        show_default=False,
        help=help,
        rich_help_panel=panel,
    )


Texts = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TEXT]...",
        show_default=False,
        help="What to read; several TEXTs are several sequences; - reads lines from stdin.",
        rich_help_panel=INPUT,
    ),
]
File = Annotated[
    Path | None,
    typer.Option("--file", metavar="PATH", help="One sequence a line.", rich_help_panel=INPUT),
]
Ids = Annotated[
    str | None,
    typer.Option(
        "--ids", metavar="5,17,3", help="Token ids instead of a text.", rich_help_panel=INPUT
    ),
]
Vectors = Annotated[
    str | None,
    typer.Option(
        "--vectors",
        metavar="PATH",
        help="Input vectors instead of a text: .npy, .npz or .safetensors, (T, D) or (N, T, D). "
        "PATH::NAME where the file has several arrays.",
        rich_help_panel=INPUT,
    ),
]
Errors = Annotated[
    str | None,
    one_of(
        ("strict", "replace"),
        "--errors",
        panel=INPUT,
        help="Bytes that are no UTF-8: refuse them, or read each as U+FFFD.  [default: strict]",
    ),
]
TokenizerPath = Annotated[
    Path | None,
    typer.Option(
        "--tokenizer",
        metavar="PATH",
        help="A vocab.txt, vocab.json or tokenizer.json.",
        rich_help_panel=INPUT,
    ),
]
Weights = Annotated[
    str,
    typer.Option(
        "--weights",
        "-w",
        metavar="PATH|NAME",
        envvar="LSTM_WEIGHTS",
        show_envvar=True,
        show_default=True,
        autocompletion=completion(MODEL_NAMES),
        help="A safetensors file, or a model inside (see lstm models).",
        rich_help_panel=MODEL,
    ),
]


def _layout_names() -> Sequence[str]:
    """The layouts are many: their names are read when somebody asks for one."""
    from weights.layouts.registry import NAMES as LAYOUT_NAMES

    return LAYOUT_NAMES


LayoutName = Annotated[
    str | None,
    typer.Option(
        "--layout",
        metavar="NAME",
        callback=lambda value: value and choice(_layout_names())(value),
        autocompletion=lambda incomplete: completion(_layout_names())(incomplete),
        show_default=False,
        help="How the file stores the weights; usually found out. Names: see the README.",
        rich_help_panel=MODEL,
    ),
]
Prefix = Annotated[
    str | None,
    typer.Option(
        "--prefix",
        metavar="TEXT",
        help="Which LSTM, where the file holds several: what its names start with.",
        rich_help_panel=MODEL,
    ),
]
Dtype = Annotated[
    str | None,
    one_of(
        DTYPES,
        "--dtype",
        panel=MODEL,
        help="What to compute in; otherwise float64 for weights stored so, else float32.",
    ),
]
Show = Annotated[
    str | None,
    typer.Option(
        "--show",
        metavar="NAME,...",
        autocompletion=completion(("all", *NAMES)),
        help=f"all, or any of {', '.join(NAMES)}.  [default: hidden,cell]",
        rich_help_panel=SHOW,
    ),
]
Layers = Annotated[
    str | None,
    typer.Option("--layers", metavar="0,2", help="Only these layers.", rich_help_panel=SHOW),
]
Units = Annotated[
    str | None,
    typer.Option(
        "--units",
        metavar="0:8,12",
        help="Only these units; otherwise as many as fit, those with the largest |c|.",
        rich_help_panel=SHOW,
    ),
]
Steps = Annotated[
    str | None,
    typer.Option(
        "--steps",
        metavar="0:5,-1",
        help="Only these steps; negative ones count from the end.",
        rich_help_panel=SHOW,
    ),
]
ColorBy = Annotated[
    list[str] | None,
    typer.Option(
        "--color-by",
        metavar="l0.c[81]",
        help="The words themselves, coloured by a unit; several times for several units.",
        rich_help_panel=SHOW,
    ),
]
Digits = Annotated[
    int | None,
    typer.Option(
        "--digits",
        metavar="N",
        min=0,
        max=17,
        help="Digits after the point, in tables.  [default: 2]",
        rich_help_panel=SHOW,
    ),
]
TopK = Annotated[
    int | None,
    typer.Option(
        "--top-k", metavar="N", min=1, help="How many predictions per step.", rich_help_panel=SHOW
    ),
]
FormatName = Annotated[
    str | None,
    one_of(
        tuple(format.name for format in FORMATS),
        "--format",
        "-f",
        panel=OUTPUT,
        help="Otherwise by the ending of --output, else table.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Short for --format json.", rich_help_panel=OUTPUT)
]
JsonOnly = Annotated[
    bool, typer.Option("--json", help="JSON instead of a table.", rich_help_panel=OUTPUT)
]
JsonTrace = Annotated[
    bool, typer.Option("--json", help="The trace, as run writes it.", rich_help_panel=OUTPUT)
]
Top = Annotated[
    int,
    typer.Option(
        "--top",
        metavar="N",
        min=1,
        show_default=True,
        help="How many to show, the largest first.",
        rich_help_panel=SHOW,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Write to a file: whole, or not at all.",
        rich_help_panel=OUTPUT,
    ),
]
ColorWhen = Annotated[
    str | None,
    one_of(COLORS, "--color", panel=OUTPUT, help="NO_COLOR is honoured.  [default: auto]"),
]
InitialState = Annotated[
    Path | None,
    typer.Option(
        "--initial-state",
        metavar="PATH",
        help="Start from this state (safetensors) and not from zeros.",
        rich_help_panel=STATE,
    ),
]
FinalState = Annotated[
    Path | None,
    typer.Option(
        "--final-state",
        metavar="PATH",
        help="Write the state after the last step.",
        rich_help_panel=STATE,
    ),
]
Carry = Annotated[
    bool,
    typer.Option(
        "--carry",
        help="Each sequence goes on from the state that the one before it left; otherwise each "
        "starts anew.",
        rich_help_panel=STATE,
    ),
]
WarmUp = Annotated[
    str | None,
    typer.Option(
        "--warm-up",
        metavar="TEXT",
        help="Read this first, without showing it.",
        rich_help_panel=STATE,
    ),
]

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
