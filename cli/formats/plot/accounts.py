"""The memory's account as a picture: words by words, or by age where words are many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from cli.formats.plot.cell import Cell, largest
from cli.formats.plot.parts import Heat, Part
from lstm.arrays import Floats

# A square of more words than this is empty but for a line from corner to corner.
MOST_WORDS = 64
# Where words are many they are taken together by how long ago they were read: from so many steps.
AGES = (0, 1, 2, 3, 4, 6, 9, 17, 33, 65, 129, 257, 513)
LATER = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
TALL = 20  # a row of an age, in pixels

# A step, and one number for the initial state and each word, (T + 1,).
Rows = Iterable[tuple[int, Floats]]


def ledger(cell: Cell) -> Iterator[tuple[Part, ...]]:
    """What each step's memory consists of; with a sign where it is that of one unit."""
    units, account = cell.units(None), cell.ledger()
    is_one = len(units) == 1
    rows = (
        (entry.step, entry.shares[:, units[0]] if is_one else _parts(entry.shares[:, units]))
        for entry in account.entries()
    )
    title = f"Who wrote the memory{f' of unit {units[0]}' if is_one else ''}{cell.where}"
    if cell.record.num_steps > MOST_WORDS:
        names, values = _by_age(cell, rows)
        heat = Heat(title, names, values, 1.0, is_one, "share", "words ago", height=TALL)
    else:
        values = _square(cell, rows)
        first = -1 if values[:, 0].any() else 0
        heat = Heat(title, (), values[:, first + 1 :], 1.0, is_one, "share", "after", first)
    yield (heat._replace(limit=largest(values) if is_one else 1.0, is_rooted=not is_one),)


def survival(cell: Cell) -> Iterator[tuple[Part, ...]]:
    """How much is left of what each word wrote, after each step or so many words later."""
    units = cell.units(None)
    rows = (
        (entry.step, entry.survival[:, units].mean(axis=1)) for entry in cell.ledger().entries()
    )
    title = f"How much of each word is left, mean over {len(units)} units{cell.where}"
    if cell.record.num_steps > MOST_WORDS:
        names, values = _later(cell, rows)
        heat = Heat(title, names, values, 1.0, False, "left", "words later", height=TALL)
    else:
        heat = Heat(title, (), _square(cell, rows)[:, 1:], 1.0, False, "left", "after")
    yield (heat._replace(is_rooted=True),)


def _parts(shares: Floats) -> Floats:
    """The part that each writer has in all of the units, (T + 1,)."""
    sizes = np.abs(shares).sum(axis=1)
    return np.asarray(sizes / (sizes.sum() or 1))


def _square(cell: Cell, rows: Rows) -> Floats:
    """Words by words: one row after each step, one column for each that wrote."""
    values = np.zeros((cell.record.num_steps, cell.record.num_steps + 1))
    for step, numbers in rows:
        values[step] = numbers
    return values


def _from_the_last(cell: Cell, step: int, numbers: Floats) -> Floats:
    """The numbers of the words that are read, the last one first."""
    own = numbers[1:]
    return own[step::-1] if cell.record.direction == "forward" else own[step:]


def _by_age(cell: Cell, rows: Rows) -> tuple[tuple[str, ...], Floats]:
    """Add up by age: names, and (ages, T); the initial state, if it is in it, stands last."""
    num_steps = cell.record.num_steps
    starts = [start for start in AGES if start < num_steps]
    names = [
        str(start) if end == start + 1 else f"{start}-{end - 1}"
        for start, end in zip(starts, [*starts[1:], num_steps], strict=True)
    ]
    values = np.zeros((len(names) + 1, num_steps))
    for step, numbers in rows:
        known = _from_the_last(cell, step, numbers)
        aged = np.pad(known, (0, num_steps - len(known)))
        values[:-1, step] = np.add.reduceat(aged, starts)
        values[-1, step] = numbers[0]
    if values[-1].any():
        return (*names, "before"), values
    return tuple(names), values[:-1]


def _later(cell: Cell, rows: Rows) -> tuple[tuple[str, ...], Floats]:
    """Look at what is left of each word so many steps later: names, and (ages, T)."""
    num_steps = cell.record.num_steps
    after = [age for age in LATER if age < num_steps]
    values = np.full((len(after), num_steps), np.nan)
    forward = cell.record.direction == "forward"
    for step, numbers in rows:
        known = _from_the_last(cell, step, numbers)
        for row, age in enumerate(after):
            if age < len(known):
                values[row, step - age if forward else step + age] = known[age]
    return tuple(map(str, after)), values
