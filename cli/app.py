"""Mounts the commands; the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import gc

# Much of a short run is imports, which make many objects and leave no garbage: look seldom.
gc.set_threshold(100_000, 20, 20)

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Annotated

import typer

from cli.command import CommandGroup
from cli.console import CommandLineError, ExitCode, error, perhaps_unread
from lstm.errors import LSTMError
from weights.corpus.threads import use_one_thread

app = typer.Typer(
    name="lstm",
    cls=CommandGroup,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)


def _print_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"lstm {version('lstm-cli')}")
        raise typer.Exit


@app.callback()
def lstm(
    context: typer.Context,
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
      cat lines.txt | lstm run --format ndjson | jq -c .hidden

    Exit codes: 0 done, 1 a comparison differs or a search finds nothing, 2 the command line is at
    fault, 3 an input is unreadable, malformed or unsupported, 130 interrupted, 143 asked to end.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run() -> int:
    """Run the command line and return its exit code.

    An error that a user can mend is one line, a bug stays a traceback.
    """
    _prepare_streams()
    use_one_thread()  # before numpy is imported
    code = ExitCode.DONE
    try:
        with perhaps_unread():
            code = app(standalone_mode=False)
    except SystemExit as done:  # typer leaves so after a completion, and a signal
        return done.code if isinstance(done.code, int) else ExitCode.DONE
    except (typer.TyperException, CommandLineError) as problem:
        return _explain(problem, _format(problem), ExitCode.USAGE)
    except LSTMError as problem:
        return _explain(problem, str(problem), ExitCode.INPUT)
    except OSError as problem:
        where = f"{problem.filename or 'standard output'}: "
        return _explain(problem, f"{where}{problem.strerror or problem}.", ExitCode.INPUT)
    # After an interruption typer gives back 130; after --version and the like, 0.
    return code if isinstance(code, int) else ExitCode.DONE


def _prepare_streams() -> None:
    """Open what was closed, on nothing; and write UTF-8 whatever the locale says."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  # open until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _format(problem: Exception) -> str:
    return problem.format_message() if isinstance(problem, typer.TyperException) else str(problem)


def _explain(problem: Exception, message: str, code: ExitCode) -> int:
    if "--debug" in sys.argv:
        raise problem
    with suppress(OSError):  # the error is told also where nobody reads what came before it
        sys.stdout.flush()
    error(message)
    return code
