"""What a picture is made of: plain numbers with their labels, before anything is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lstm.arrays import Floats


class Heat(NamedTuple):
    """A field of numbers, (rows, steps), one row below the other; words by words without names.

    `limit` is where the scale ends: at plus and minus it around zero, or from 0 on. The steps
    count from `first`, -1 being what was there before the text. `height` is that of a row in
    pixels. Where `is_rooted` colours follow the square root, so that small parts can be seen.
    """

    title: str
    rows: tuple[str, ...]
    values: Floats
    limit: float
    diverging: bool
    measure: str
    row_title: str | None = None
    first: int = 0
    height: int = 11
    is_rooted: bool = False


class Lines(NamedTuple):
    """Quantities over the steps, each (steps,), around zero."""

    title: str
    series: dict[str, Floats]
    measure: str


class Bars(NamedTuple):
    """A number from 0 on of some words, in each of two texts."""

    title: str
    words: tuple[str, ...]
    series: dict[str, Sequence[float]]
    measure: str


class Points(NamedTuple):
    """One point a unit: the share of steps at which a gate is shut, and open."""

    title: str
    units: tuple[int, ...]
    shut: Floats
    opened: Floats


Part = Heat | Lines | Bars | Points


class Picture(NamedTuple):
    """Rows of parts, with a heading and the words of the steps."""

    title: str
    subtitle: str
    words: tuple[str, ...]
    rows: tuple[tuple[Part, ...], ...]
