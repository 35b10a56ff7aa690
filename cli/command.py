"""What all commands have in common: when they are imported, and their help."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
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

    def make_parser(self, ctx: Any) -> Any:
        """Make a parser that refuses an option given twice, also as `-x` or `--no-x`."""
        parser = super().make_parser(ctx)
        parse = parser.parse_args

        def parse_once(args: list[str]) -> Any:
            values, rest, order = parse(args)
            for parameter in order:
                if order.count(parameter) > 1 and not getattr(parameter, "multiple", False):
                    names = " and ".join((*parameter.opts, *parameter.secondary_opts))
                    raise typer.BadParameter("expected once, found twice.", param_hint=names)
            return values, rest, order

        parser.parse_args = parse_once  # type: ignore[method-assign]
        return parser

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

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; of one that is not there, typer says which is named alike."""
        self.commands = dict.fromkeys(self.list_commands(ctx))  # type: ignore[assignment]
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # typer's signature
        return [entry.name for entry in COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  # typer's signature
        for entry in COMMANDS:
            if entry.name == cmd_name:
                alone = typer.Typer(add_completion=False, rich_markup_mode=None)
                alone.command(entry.name, cls=Command, short_help=entry.summary)(entry.imported())
                return typer.main.get_command(alone)
        return None


class Entry(NamedTuple):
    """A command: its name, which is that of its file and function, and its line in the list."""

    name: str
    summary: str

    def imported(self) -> Callable[..., None]:
        """Import the function behind the command."""
        function: Callable[..., None] = getattr(import_module(f"cli.{self.name}"), self.name)
        return function


COMMANDS = (
    Entry("run", "Run a text and show every state and gate."),
    Entry("tour", "Learn on a sentence what an LSTM does."),
    Entry("inspect", "Show what a weight file holds."),
    Entry("convert", "Write weights into another layout, or one file."),
    Entry("compare", "Find where two runs differ, and why."),
    Entry("extract", "Write the states of a whole corpus, as Parquet."),
    Entry("find", "Search the states of a corpus for a pattern."),
    Entry("sweep", "Show what each unit at each step counts for."),
    Entry("contrast", "Show what differs inside between two texts."),
    Entry("explain", "Show how a number came about, step by step."),
    Entry("memory", "Show which word wrote what is remembered."),
    Entry("generate", "Let the model go on by itself."),
    Entry("plot", "Draw a run: states, gates, memory, two texts."),
    Entry("step", "Step through a text with the keyboard."),
    Entry("golden", "Write what a port is checked against."),
    Entry("tokens", "Show what a text becomes, without running it."),
    Entry("models", "List the models inside."),
    Entry("schema", "Print the JSON Schema of an output."),
)
