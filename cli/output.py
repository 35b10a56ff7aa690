"""From traces to a stream or a file, in one of the formats."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cli.console import CommandLineError, Terminal, note, standard_output
from cli.formats.registry import Format
from cli.formats.report import Report
from cli.selection import Selection
from lstm.address import Address
from lstm.model import Model
from lstm.trace import Trace

TOP_K, DIGITS = 5, 2  # where the command line does not say


class Output(NamedTuple):
    """What the command line asks to write; see `cli.options`."""

    format: Format
    path: Path | None
    color: str | None
    selection: Selection
    top_k: int | None
    digits: int | None
    summary: bool
    color_by: tuple[Address, ...] = ()


def write_traces(output: Output, model: Model, traces: Iterable[Trace]) -> None:
    """Write every sequence as it comes; a file appears when all of them are in it.

    Raises:
        CommandLineError: the format is binary and would go to a terminal.
        LSTMError: from running, on the sequence that caused it.
    """
    if output.format.is_binary and output.path is None and sys.stdout.isatty():
        raise CommandLineError(
            f"--format {output.format.name}: a terminal cannot show it. Name a file with --output."
        )
    tell_assumptions(model)
    with opened(output.path) as stream:
        remaining = iter(traces)
        begun = list(islice(remaining, 1))  # what is wrong from the start is said before a header
        terminal = Terminal.of(None if output.path else sys.stdout, output.color)
        writer = output.format.make(
            Report(
                model,
                output.selection,
                stream,
                terminal,
                TOP_K if output.top_k is None else output.top_k,
                DIGITS if output.digits is None else output.digits,
                output.summary,
                output.color_by,
            )
        )
        for trace in chain(begun, remaining):
            writer.write(trace)
        writer.close()
        stream.flush()


def tell_assumptions(model: Model) -> None:
    """Say on standard error what the file did not tell and had to be assumed."""
    for assumption in model.card.assumed:
        note(f"assumed: {assumption}")


@contextmanager
def opened(path: Path | None) -> Iterator[BinaryIO]:
    """Open standard output, or a file that appears only when it is complete."""
    if path is None:
        with standard_output() as stream:
            yield stream
        return
    from weights.atomic import replacing

    with replacing(path) as file:
        yield file
