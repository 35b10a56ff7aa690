"""How much is run and written at once; more is refused before it fills the memory."""

from __future__ import annotations

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
# all after it.
TABLE_STEPS, WALK_STEPS, LEDGER_STEPS = 10_000, 1_000, 4_000


def check_steps(what: str, found: int, most: int, hint: str) -> None:
    """Refuse more steps than a command can show.

    Raises:
        LSTMError: there are more; the message says how many it may be, and what to do.
    """
    if found > most:
        raise LSTMError(f"{what}: expected at most {most:,} steps, found {found:,}. {hint}")


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
    given = next(value for value in source.given.values() if value is not None)
    # A word has a byte at least, so that a short text need not be cut into words to be counted.
    if isinstance(given, str):
        found = len(given.encode())
        found = len(model.encode(given)) if found > most else found
    else:
        found = len(given) if getattr(given, "ndim", 1) else 0  # of another rank the model speaks
    if found > most:
        raise LSTMError(
            f"expected at most {most:,} steps in a sequence, as a run may take "
            f"{RUN_BYTES / 1e9:g} GB and each takes {model.step_bytes:,} bytes; found {found:,}. "
            "Cut it into lines, with --carry where the state goes on, or use lstm extract."
        )
