"""What commands have in common that look closely at one sequence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cli.sources import Request
from lstm.errors import LSTMError

if TYPE_CHECKING:
    from lstm.model import Model
    from lstm.trace import Trace


def run_single(
    model: Model,
    request: Request,
    initial_state: Path | None,
    warm_up: str | None,
    check: Callable[[int], None],
) -> Trace:
    """Run the one sequence that is asked for, when its number of steps passes the check.

    Raises:
        LSTMError: there are several or none, or there is nothing in it; or from the check.
    """
    from cli.limits import admitted
    from cli.runner import Runner

    sources = list(request.sources())
    if len(sources) != 1:
        raise LSTMError(
            f"input: expected one sequence, found {len(sources)}. Give them one by one."
        )
    (trace,) = Runner(model, initial_state, warm_up).run(admitted(model, sources, check))
    if not trace.num_steps:
        raise LSTMError("input: expected at least one word or vector, found none.")
    return trace
