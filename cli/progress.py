"""How far a long run has come, on a terminal; silent elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weights.corpus.job import Done


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
def progress(size: int | None) -> Iterator[Callable[[Done], None]]:
    """Give a function that is told of each part that is done.

    Args:
        size: of the input in bytes; None where nobody knows.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
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
        task = shown.add_task("", total=size, sequences=0, tokens=0, speed=0.0)

        def tell(done: Done) -> None:
            fields = shown.tasks[0].fields
            tokens = fields["tokens"] + done.part.tokens
            shown.update(
                task,
                completed=max(done.read, shown.tasks[0].completed),
                sequences=fields["sequences"] + done.part.sequences,
                tokens=tokens,
                speed=tokens / (shown.tasks[0].elapsed or 1.0),
            )

        yield tell
