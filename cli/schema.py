"""`lstm schema`: the contract of the JSON that other commands write."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import options as o

SCHEMAS = (
    "trace", "record", "inspect", "tokens", "models", "convert", "compare", "golden", "find",
    "hit", "tour", "extract", "dataset", "sweep", "contrast", "memory", "explain",
)  # fmt: skip


def schema(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            callback=o.choice(SCHEMAS),
            autocompletion=o.completion(SCHEMAS),
            help=f"One of {', '.join(SCHEMAS)}.",
        ),
    ] = "trace",
    debug: o.Debug = False,
) -> None:
    """Print a JSON Schema: of run, of a line of its NDJSON, of inspect, tokens and others.

    \b
    Examples:
      lstm schema
      lstm schema inspect > inspect.schema.json
    """
    path = Path(__file__).parent / "schemas" / f"{name}.schema.json"
    sys.stdout.write(path.read_text("utf-8"))
