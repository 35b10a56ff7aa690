"""What `lstm sweep` tells, in a table, as JSON or as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lstm.analysis.sweep import Sweep
    from lstm.model import Model
    from lstm.trace import Trace


class Page(NamedTuple):
    """What is told of a sweep.

    `metric` is the expression, `to` and `source` the options --to and --from, `top` how many
    are shown.
    """

    model: Model
    trace: Trace
    sweep: Sweep
    metric: str
    to: str
    source: str | None
    top: int
