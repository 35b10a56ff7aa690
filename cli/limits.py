"""How much is run and written at once; more is refused before it fills the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from cli.sources import Source
from lstm.errors import LSTMError

if TYPE_CHECKING:
    from lstm.model import Model

# Of a run, with all its gates and states.
RUN_BYTES = 2_000_000_000
# Of a document that is written in one piece.
DOCUMENT_BYTES = 1_000_000_000
# Of one sequence: rows of a table, screens of a walk, words of which each is accounted for in
# all after it, words of a picture that only counts them.
TABLE_STEPS, WALK_STEPS, LEDGER_STEPS, PICTURE_STEPS = 10_000, 1_000, 4_000, 100_000


def check_steps(what: str, found: int, most: int, hint: str) -> None:
    """Refuse more steps than a command can show.

    Raises:
        LSTMError: there are more; the message says how many it may be, and what to do.
    """
    if found > most:
        raise LSTMError(f"{what}: expected at most {most:,} steps, found {found:,}. {hint}")


def check_ledger(found: int) -> None:
    """Refuse a sequence in which too many words would be accounted for in all after them."""
    check_steps("memory", found, LEDGER_STEPS, "Give less text.")


def check_picture(what: str, found: int) -> None:
    """Refuse a sequence that no picture shows, or that none accounts for."""
    most = LEDGER_STEPS if what in ("ledger", "survival") else PICTURE_STEPS
    check_steps("plot", found, most, "Give less text.")


def check_table(found: int) -> None:
    """Refuse a table that nobody can read."""
    hint = "Choose some with --steps, or choose --format ndjson."
    check_steps("table", found, TABLE_STEPS, hint)


def check_run(model: Model, source: Source) -> None:
    """Refuse a sequence whose run would fill the memory.

    Raises:
        LSTMError: it would; or the text does not fit the model.
    """
    most = RUN_BYTES // model.step_bytes
    text = source.given.get("text")
    # A word has a byte at least, so that a short text need not be cut into words to be counted.
    if text is not None and len(text.encode()) <= most:
        return
    if (found := _count(model, source)) > most:
        raise LSTMError(
            f"expected at most {most:,} steps in a sequence, as a run may take "
            f"{RUN_BYTES / 1e9:g} GB and each takes {model.step_bytes:,} bytes; found {found:,}. "
            "Cut it into lines, with --carry where the state goes on, or use lstm extract."
        )


def admitted(
    model: Model, sources: Iterable[Source], check: Callable[[int], None]
) -> Iterator[Source]:
    """Yield the sequences whose number of steps, if any, passes a check: before they are run.

    Raises:
        LSTMError: from the check; or a text does not fit the model.
    """
    for source in sources:
        try:
            if num_steps := _count(model, source):
                check(num_steps)
        except LSTMError as error:
            raise error.at(source.place) if source.place else error from None
        yield source


def _count(model: Model, source: Source) -> int:
    """How many steps a sequence has."""
    given = next(value for value in source.given.values() if value is not None)
    if isinstance(given, str):
        return len(model.encode(given))
    return len(given) if getattr(given, "ndim", 1) else 0  # of another rank the model speaks
