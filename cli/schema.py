"""`lstm schema`: the contract of the JSON that other commands write."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated

import typer

from cli import options as o
from cli.console import standard_output

SCHEMAS = ("trace", "record", "inspect", "tokens", "models")


def schema(
    name: Annotated[
        str,
        typer.Argument(metavar="|".join(SCHEMAS), callback=o.choice(SCHEMAS), help="Which one."),
    ] = "trace",
    debug: o.Debug = False,
) -> None:
    """Print a JSON Schema: of run, of a line of its NDJSON, of inspect, tokens or models.

    \b
    Examples:
      lstm schema
      lstm schema inspect > inspect.schema.json
    """
    text = files("cli").joinpath("schemas", f"{name}.schema.json").read_bytes()
    standard_output().write(text)
