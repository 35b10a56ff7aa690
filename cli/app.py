"""Mounts the commands; the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cli.console import CommandLineError, ExitCode, error
from cli.generate import generate
from cli.help import GroupedCommand
from cli.inspect import inspect
from cli.models import models
from cli.run import run
from cli.schema import schema
from cli.tokens import tokens
from lstm.errors import LSTMError

COMMANDS = (run, inspect, generate, tokens, models, schema)

app = typer.Typer(
    name="lstm",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)
for command in COMMANDS:
    app.command(cls=GroupedCommand)(command)


def _print_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"lstm {version('lstm-cli')}")
        raise typer.Exit


@app.callback()
def lstm(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Run frozen LSTMs and show everything inside.

    \b
    Examples:
      lstm run "John likes black coffee"
      lstm inspect weights.safetensors
      cat lines.txt | lstm run --format ndjson | jq .hidden

    Exit codes: 0 done, 1 a comparison differs, 2 the command line is at fault, 3 an input is
    unreadable, malformed or unsupported, 130 interrupted.
    """


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(_run())


def _run() -> int:
    """Run the command; an error that a user can mend is one line, a bug stays a traceback."""
    try:
        app(standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        return _leave_a_broken_pipe()
    except (typer.TyperException, CommandLineError) as problem:
        return _explain(problem, _format(problem), ExitCode.USAGE)
    except LSTMError as problem:
        return _explain(problem, str(problem), ExitCode.INPUT)
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        return _explain(problem, f"{where}{problem.strerror or problem}.", ExitCode.INPUT)
    return ExitCode.DONE


def _format(problem: Exception) -> str:
    return problem.format_message() if isinstance(problem, typer.TyperException) else str(problem)


def _explain(problem: Exception, message: str, code: ExitCode) -> int:
    if "--debug" in sys.argv:
        raise problem
    error(message)
    return code


def _leave_a_broken_pipe() -> int:
    """Whoever read our output has stopped; so do we, without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.DONE
