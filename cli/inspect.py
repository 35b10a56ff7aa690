"""`lstm inspect`: what a weight file holds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options as o
from cli.console import ExitCode, Terminal, perhaps_unread, write_json
from cli.contradictions import exclusive, idle
from lstm.errors import LSTMError
from weights.archive import Archive
from weights.containers.registry import open_any
from weights.inspection import describe, describe_file, find_all, statistics
from weights.pretrained.registry import NAMES as MODEL_NAMES
from weights.pretrained.registry import find

if TYPE_CHECKING:
    from weights.selftest import Outcome


def inspect(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A safetensors file, or a model inside.",
            autocompletion=o.completion(MODEL_NAMES),
            rich_help_panel=o.INPUT,
        ),
    ],
    layout: o.LayoutName = None,
    prefix: o.Prefix = None,
    stats: Annotated[
        bool,
        typer.Option(
            "--stats",
            help="Read the numbers too: their range and spread per gate, and what is not finite.",
            rich_help_panel=o.SHOW,
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Run the self-test that lstm convert wrote into the file.",
            rich_help_panel=o.SHOW,
        ),
    ] = False,
    json: o.JsonOnly = False,
    color: o.ColorWhen = None,
    debug: o.Debug = False,
) -> None:
    """Show what a weight file holds: layers, sizes, layout and its evidence, all tensors.

    Only the header is read, so that a file of any size answers at once.

    \b
    Examples:
      lstm inspect weights.safetensors
      lstm inspect weights.safetensors --stats
      lstm inspect converted.safetensors --verify
      lstm inspect english --json | jq '.lstms[0].units'
    """
    for option in ({"stats": stats}, {"layout": layout}, {"prefix": prefix}):
        exclusive(verify=verify, **option)
    if json:
        idle("--json", "JSON has no colours", color=color)
    elif verify:
        idle("--verify", "its answer has no colours", color=color)
    outcome = _verify(file) if verify else None
    with perhaps_unread():
        if outcome is None or json:
            _describe(file, layout, prefix, stats, outcome, json, color)
        else:
            typer.echo(_told(outcome))
    if outcome is not None and not outcome.passed:
        raise typer.Exit(ExitCode.DIFFERS)


def _describe(
    file: str,
    layout: str | None,
    prefix: str | None,
    stats: bool,
    outcome: Outcome | None,
    json: bool,
    color: str | None,
) -> None:
    """Write what is known of a file, and then why it is no LSTM, where it is none."""
    archive = open_any(find(file))
    problem: LSTMError | None = None
    try:
        record = _examine(archive, file, layout, prefix, stats)
    except LSTMError as error:
        problem = error.at(file)
        record = {**describe_file(archive, file), "reason": error.message}
    if outcome is not None:
        record["selftest"] = {**outcome._asdict(), "passed": outcome.passed}
    _write(record, json, color)
    if problem is not None:
        raise problem


def _verify(file: str) -> Outcome:
    from weights.selftest import verify

    return verify(str(find(file)))


def _told(outcome: Outcome) -> str:
    """Say whether the file's numbers are still those that it was written with."""
    if outcome.passed and outcome.same_bits:
        return "self-test passed: every number of the run is the same, to the last bit"
    bits = " (not bit for bit: another machine adds up in another order)"
    return (
        f"self-test {'passed' if outcome.passed else 'failed'}: states differ by up to "
        f"{outcome.difference:.3g}{bits if outcome.passed and outcome.same_bits is False else ''}"
    )


def _examine(
    archive: Archive, source: str, layout: str | None, prefix: str | None, stats: bool
) -> dict[str, Any]:
    found = find_all(archive, layout, prefix)
    record = describe(archive, source, found)
    if stats:
        for lstm, entry in zip(found, record["lstms"], strict=True):
            entry["stats"] = statistics(archive, lstm)
    return record


def _write(record: dict[str, Any], json: bool, color: str | None) -> None:
    if json:
        write_json(record)
        return
    from cli.inspection_tables import print_record

    print_record(Terminal.of(sys.stdout, color).console(), record)
