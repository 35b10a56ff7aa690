"""How far a long run has come, on a terminal; silent elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from weights.corpus.rows import Told, silent


@contextmanager
def reading() -> Iterator[None]:
    """Show that a corpus is being read, before anything can be said of it."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status("reading the corpus"):
        yield


@contextmanager
def progress(expected: int | None, sequences: int, tokens: int) -> Iterator[Told]:
    """Give a function that is told how many sequences and tokens more are done.

    Args:
        expected: tokens in all, about; None where nobody knows.
        sequences: those that are done already; `tokens` alike.
    """
    if not sys.stderr.isatty():
        yield silent
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TextColumn("{task.fields[sequences]:,} sequences"),
        bars.TextColumn("{task.fields[speed]:,.0f} tokens a second"),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        number = shown.add_task(
            "", total=expected, completed=tokens, sequences=sequences, speed=0.0
        )
        (task,) = shown.tasks

        def tell(sequences: int, more: int) -> None:
            done = task.completed + more
            shown.update(
                number,
                completed=done,
                # An estimate may be too low.
                total=expected and max(expected, done),
                sequences=task.fields["sequences"] + sequences,
                speed=(done - tokens) / (task.elapsed or 1.0),
            )

        yield tell
