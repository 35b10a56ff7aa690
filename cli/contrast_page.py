"""What `lstm contrast` tells, in a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lstm.analysis.contrast import Contrast, Patches, UnitDifference
    from lstm.model import Model
    from lstm.trace import Trace


class Page(NamedTuple):
    """What is told of two texts; `units` are those that are shown."""

    model: Model
    traces: tuple[Trace, Trace]
    align: str
    contrast: Contrast
    units: Sequence[UnitDifference]
    patches: Patches | None
