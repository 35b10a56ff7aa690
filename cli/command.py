"""What all commands have in common: when they are imported, and their help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import typer
import typer.core
import typer.main

# Where an option names no group of its own.
GENERAL = "General"


class Command(typer.core.TyperCommand):
    """A command whose help lists each group of options under its heading, as plain text.

    Typer's own panels are drawn with Rich, whose tables take longer to import than all else; a
    help page should be there at once.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an option that is given twice, also as `--no-x` or `-x`: only one would count."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in order:
            if order.count(parameter) > 1 and not getattr(parameter, "multiple", False):
                names = " and ".join((*parameter.opts, *parameter.secondary_opts))
                raise typer.BadParameter("expected once, found twice.", param_hint=names)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                heading = getattr(parameter, "rich_help_panel", None) or GENERAL
                groups.setdefault(heading, []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)


class CommandGroup(typer.core.TyperGroup):
    """The commands by name; each is imported when it is called, so that all start fast."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # typer's signature
        return [entry.name for entry in COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  # typer's signature
        for entry in COMMANDS:
            if entry.name == cmd_name:
                alone = typer.Typer(add_completion=False, rich_markup_mode=None)
                alone.command(entry.name, cls=Command, short_help=entry.summary)(entry.imported())
                return typer.main.get_command(alone)
        return None


def _run() -> Callable[..., None]:
    from cli.run import run

    return run


def _inspect() -> Callable[..., None]:
    from cli.inspect import inspect

    return inspect


def _generate() -> Callable[..., None]:
    from cli.generate import generate

    return generate


def _plot() -> Callable[..., None]:
    from cli.plot import plot

    return plot


def _step() -> Callable[..., None]:
    from cli.step import step

    return step


def _golden() -> Callable[..., None]:
    from cli.golden import golden

    return golden


def _tokens() -> Callable[..., None]:
    from cli.tokens import tokens

    return tokens


def _models() -> Callable[..., None]:
    from cli.models import models

    return models


def _schema() -> Callable[..., None]:
    from cli.schema import schema

    return schema


def _convert() -> Callable[..., None]:
    from cli.convert import convert

    return convert


def _compare() -> Callable[..., None]:
    from cli.compare import compare

    return compare


def _find() -> Callable[..., None]:
    from cli.find import find

    return find


def _tour() -> Callable[..., None]:
    from cli.tour import tour

    return tour


def _extract() -> Callable[..., None]:
    from cli.extract import extract

    return extract


def _sweep() -> Callable[..., None]:
    from cli.sweep import sweep

    return sweep


def _contrast() -> Callable[..., None]:
    from cli.contrast import contrast

    return contrast


def _explain() -> Callable[..., None]:
    from cli.explain import explain

    return explain


def _memory() -> Callable[..., None]:
    from cli.memory import memory

    return memory


class Entry(NamedTuple):
    """A command: its name, what a list of commands says of it, and how it is imported."""

    name: str
    summary: str
    imported: Callable[[], Callable[..., None]]


COMMANDS = (
    Entry("run", "Run a text and show every state and gate.", _run),
    Entry("tour", "Learn on a sentence what an LSTM does.", _tour),
    Entry("inspect", "Show what a weight file holds.", _inspect),
    Entry("convert", "Write weights into another layout, or one file.", _convert),
    Entry("compare", "Find where two runs differ, and why.", _compare),
    Entry("extract", "Write the states of a whole corpus, as Parquet.", _extract),
    Entry("find", "Search the states of a corpus for a pattern.", _find),
    Entry("sweep", "Show what each unit at each step counts for.", _sweep),
    Entry("contrast", "Show what differs inside between two texts.", _contrast),
    Entry("explain", "Show how a number came about, step by step.", _explain),
    Entry("memory", "Show which word wrote what is remembered.", _memory),
    Entry("generate", "Let the model go on by itself.", _generate),
    Entry("plot", "Draw a run: states, gates, memory, two texts.", _plot),
    Entry("step", "Step through a text with the keyboard.", _step),
    Entry("golden", "Write what a port is checked against.", _golden),
    Entry("tokens", "Show what a text becomes, without running it.", _tokens),
    Entry("models", "List the models inside.", _models),
    Entry("schema", "Print the JSON Schema of an output.", _schema),
)
