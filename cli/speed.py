"""The options for how fast a command runs; none of them changes what it says."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import one_of
from lstm.quantities import ENGINE_NAMES

SPEED = "Speed"

EngineName = Annotated[
    str,
    one_of(
        ENGINE_NAMES,
        "--engine",
        panel=SPEED,
        help="numba is some times faster on long inputs and needs the extra fast; auto takes "
        "what is sooner done.  [default: auto]",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        min=1,
        help="For numba; no number depends on it.  [default: one per core]",
        rich_help_panel=SPEED,
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Say which engine was taken, and why.")]
