"""Numbers on their way into a picture: as a table, or a field of them as shapes of one colour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from cli.formats.plot.parts import Heat
from lstm.arrays import Floats, Integers

SHADES = 255  # of a colour: as many as a screen can show


class Run(NamedTuple):
    """Steps beside each other that have the same colour: from `start` on, before `end`."""

    row: int
    start: int
    end: int
    shade: int


def table(row: str, names: Iterable[object], values: Iterable[Floats], first: int = 0) -> str:
    """Write one line per number as CSV, which Altair and a page read sooner than records.

    Where the rows are words (`after`), what was not yet written there is left out.
    """
    lines = (
        f"{step},{name},{plain(x) if np.isfinite(x) else ''}"
        for name, numbers in zip(names, values, strict=True)
        for step, x in enumerate(numbers.tolist(), start=first)
        if row != "after" or x != 0
    )
    return "\n".join((f"step,{row},value", *lines))


def shapes(heat: Heat, width: int, height: int) -> str:
    """Draw the cells, `width` by `height` pixels each, as one path of SVG per colour; as CSV.

    A drawing program takes its time for every mark, and there may be 100,000 cells. The colours
    are those of single marks, to half a level of what a screen can show.
    """
    paths: dict[int, list[str]] = {}
    for run in _runs(_shades(heat)):
        path = f"M{run.start * width} {run.row * height}h{(run.end - run.start) * width}"
        paths.setdefault(run.shade, []).append(f"{path}v{height}H{run.start * width}z")
    lines = (f"{plain(_value(heat, shade))},{''.join(parts)}" for shade, parts in paths.items())
    return "\n".join(("value,path", *lines))


def plain(number: float) -> float:
    """Return a number with the six digits that a picture can show."""
    return float(f"{number:.6g}")


def _shades(heat: Heat) -> Integers:
    """Which shade each number has, -SHADES to SHADES; beyond them where nothing is drawn."""
    is_drawn = np.isfinite(heat.values) & (True if heat.rows else heat.values != 0)
    parts = np.clip(np.where(is_drawn, heat.values, 0) / heat.limit, -1, 1)
    if heat.is_rooted:
        parts = np.sqrt(np.clip(parts, 0, 1))
    return np.where(is_drawn, np.rint(parts * SHADES), SHADES + 1).astype(int)


def _value(heat: Heat, shade: int) -> float:
    """A number that has this shade."""
    part = shade / SHADES
    return (part * part if heat.is_rooted else part) * heat.limit


def _runs(shades: Integers) -> Iterator[Run]:
    """Yield what is drawn, row by row."""
    for row, own in enumerate(shades):
        starts = np.flatnonzero(np.diff(own, prepend=SHADES + 2)).tolist()
        for start, end in zip(starts, [*starts[1:], len(own)], strict=True):
            if own[start] <= SHADES:
                yield Run(row, start, end, int(own[start]))
