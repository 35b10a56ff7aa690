"""`lstm tour`: what an LSTM does, told on the models inside."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as o
from cli.console import CommandLineError, Terminal, write_json
from cli.contradictions import idle

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lstm.analysis.lesson import Chapter

SCHEMA = "lstm.tour/1"

Number = Annotated[
    int | None, typer.Argument(metavar="[CHAPTER]", min=1, help="Only this chapter, from 1.")
]


def tour(
    chapter: Number = None,
    json: o.JsonOnly = False,
    color: o.ColorWhen = None,
    debug: o.Debug = False,
) -> None:
    """Lead a newcomer through a sentence: gates, cells that know something, and why.

    Every number is computed while you look.

    \b
    Examples:
      lstm tour
      lstm tour 4
    """
    if json:
        idle("--json", "JSON has no colours", color=color)
    from lstm.analysis.lesson import chapters
    from weights import load

    told = chapters(load("english"), load("brackets"))
    if chapter is not None and chapter > len(told):
        raise CommandLineError(f"CHAPTER: expected 1 to {len(told)}, found {chapter}.")
    numbered = list(enumerate(told, start=1))
    chosen = numbered if chapter is None else numbered[chapter - 1 : chapter]
    if json:
        records = [{"chapter": number, **each._asdict()} for number, each in chosen]
        write_json({"schema": SCHEMA, "chapters": records})
        return
    from cli.tables import show

    terminal = Terminal.of(sys.stdout, color)
    console = terminal._replace(width=min(terminal.width, WIDTH)).console()
    for number, each in chosen:
        show(console, _chapter(number, each))


# Wide enough for the tables, narrow enough to read.
WIDTH = 100


def _chapter(number: int, chapter: Chapter) -> RenderableType:
    from rich.console import Group
    from rich.table import Column

    from cli.tables import number as of_numbers
    from cli.tables import plain, section, table

    first = chapter.rows[0]
    grid = table(
        *(
            of_numbers(name) if isinstance(value, float) else Column(name, overflow="fold")
            for name, value in zip(chapter.columns, first, strict=True)
        )
    )
    for row in chapter.rows:
        grid.add_row(*(plain(_written(value)) for value in row))
    title = f"{number}  {chapter.title}"
    return section(
        title, Group(plain(chapter.before), plain(""), grid, plain(""), plain(chapter.after))
    )


def _written(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
