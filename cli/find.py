"""`lstm find`: the steps of a corpus whose states fit a pattern."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as o
from cli.console import (
    CommandLineError,
    ExitCode,
    Terminal,
    note,
    perhaps_unread,
    standard_output,
    utf8,
)
from cli.contradictions import exclusive, idle
from lstm.pattern import PatternError

if TYPE_CHECKING:
    from weights.search.dataset import Dataset
    from weights.search.hits import Search

FORMATS = ("table", "json", "ndjson")
CONTEXT, LIMIT, DIGITS = 4, 20, 2  # where the command line does not say


def find(
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="[EXPRESSION] DATASET",
            show_default=False,
            help="What a step is to fulfil; and a folder that lstm extract wrote.",
            rich_help_panel=o.INPUT,
        ),
    ],
    top: Annotated[
        str | None,
        typer.Option(
            "--top",
            metavar="NUMBER",
            help="Rank by a number, the largest first, such as l0.c[81] or abs(l0.c[81]).",
            rich_help_panel=o.SHOW,
        ),
    ] = None,
    bottom: Annotated[
        str | None,
        typer.Option(
            "--bottom",
            metavar="NUMBER",
            help="Rank by a number, the smallest first.",
            rich_help_panel=o.SHOW,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-k",
            metavar="N",
            min=1,
            help=f"At most so many.  [default: {LIMIT} in a table or a ranking, otherwise all]",
            rich_help_panel=o.SHOW,
        ),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(
            "--context",
            metavar="N",
            min=0,
            max=1000,
            help=f"How many words on either side.  [default: {CONTEXT}]",
            rich_help_panel=o.SHOW,
        ),
    ] = None,
    count: Annotated[
        bool,
        typer.Option("--count", help="Only say how many there are.", rich_help_panel=o.SHOW),
    ] = False,
    digits: o.Digits = None,
    format: Annotated[
        str | None,
        o.one_of(
            FORMATS,
            "--format",
            "-f",
            panel=o.OUTPUT,
            help="One document, or one hit a line, written as it is found.  [default: table]",
        ),
    ] = None,
    json: o.Json = False,
    color: o.ColorWhen = None,
    debug: o.Debug = False,
) -> None:
    """Find the steps whose states fit a pattern, in what lstm extract wrote.

    \b
    An expression compares (= != < <= > >=) numbers: a unit's (l0.c[81], l1.reverse.h[3]),
    step, sequence, + - * / and abs(...) of them; token = 'word' asks for a word; and, or, not
    and parentheses combine. A number with NaN in it fits no comparison but !=.

    \b
    Examples:
      lstm find 'l0.c[81] > 0.5 and l0.f[81] > 0.9' states
      lstm find --top 'abs(l0.c[81])' -k 50 states
      lstm find "token = 'the' and not l0.i[3] < 0.1" states --format ndjson | jq .context
      lstm find 'l0.f[7] < l1.f[7]' states --count

    Exit code: 0 if something is found, 1 if nothing is.
    """
    exclusive(json=json, format=format)
    exclusive(top=top, bottom=bottom)
    chosen = "json" if json else format or "table"
    if count:
        _refuse_beside_count(
            top=top, bottom=bottom, limit=limit, context=context, digits=digits,
            format=format, json=json, color=color,
        )  # fmt: skip
    elif chosen != "table":
        why = "only tables are rounded and have colours"
        idle(f"the format {chosen}", why, digits=digits, color=color)
    dataset, search = _prepared(given, top, bottom)
    if limit is None and (search.rank or chosen == "table"):
        limit = LIMIT
    shown = replace(search, limit=limit, context=CONTEXT if context is None else context)
    if count:
        found = _tell_count(dataset, search)
    elif chosen == "table":
        found = _print(dataset, shown, color, DIGITS if digits is None else digits)
    else:
        found = _write(dataset, shown, chosen)
    if not found:
        raise typer.Exit(ExitCode.NOTHING_FOUND)


def _refuse_beside_count(**given: object) -> None:
    for name, value in given.items():
        exclusive(**{"count": True, name: value})


def _prepared(given: list[str], top: str | None, bottom: str | None) -> tuple[Dataset, Search]:
    """Read what is asked for, and see whether the dataset has it."""
    from lstm.pattern_grammar import parse_condition, parse_number
    from weights.search.dataset import open_dataset
    from weights.search.hits import Search

    ranked = bottom if top is None else top
    expression, folder = _split(given, ranked is not None)
    option = "--bottom" if top is None else "--top"
    with _blaming("EXPRESSION"):
        condition = None if expression is None else parse_condition(utf8(expression, "EXPRESSION"))
    with _blaming(option):
        rank = None if ranked is None else parse_number(utf8(ranked, option))
    dataset = open_dataset(Path(folder))
    if not dataset.is_finished:
        note(f"{folder}: lstm extract has not finished it; what is there is searched.")
    for name, pattern in (("EXPRESSION", condition), (option, rank)):
        if pattern is not None:
            with _blaming(name):
                dataset.check(pattern)
    return dataset, Search(condition, rank, smallest=bottom is not None)


def _split(given: list[str], is_ranked: bool) -> tuple[str | None, str]:
    """Tell the EXPRESSION from the DATASET: a ranking may stand without the first."""
    if len(given) == 2:
        return given[0], given[1]
    if len(given) == 1 and is_ranked:
        return None, given[0]
    raise CommandLineError(
        f"expected EXPRESSION and DATASET, or --top and DATASET; found {' and '.join(given)}. "
        "Put quotes around the expression."
    )


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Say in which of several expressions the mistake is."""
    try:
        yield
    except PatternError as error:
        raise CommandLineError(str(error.at(name))) from error


def _tell_count(dataset: Dataset, search: Search) -> int:
    from weights.search.hits import count

    number = count(dataset, search)
    with perhaps_unread():
        typer.echo(number)
    return number


def _print(dataset: Dataset, search: Search, color: str | None, digits: int) -> int:
    """Print a table; one hit more than is shown tells whether there are more."""
    from cli.hits_table import print_hits
    from weights.search.hits import find

    assert search.limit is not None  # a table has one
    hits = list(find(dataset, replace(search, limit=search.limit + 1)))
    with perhaps_unread():
        print_hits(Terminal.of(sys.stdout, color), search, hits, digits)
    return len(hits)


def _write(dataset: Dataset, search: Search, format: str) -> int:
    from cli.hits_record import write_document, write_lines
    from weights.search.hits import find

    write = write_document if format == "json" else write_lines
    with standard_output() as stream:
        return write(stream, dataset, search, find(dataset, search))
