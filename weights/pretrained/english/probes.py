"""Which single cell tells what: every cell of the layer against the labels of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from agreement import SUBJECT_WORDS, Sentence
from corpus import Words
from properties import Property, Rule

READABLE = 0.85  # the least AUC of a unit that gets a name


class Labelled(NamedTuple):
    """Steps with their cells, (steps, units), and a yes or a no for each."""

    cells: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Reading:
    """How well one cell tells a property; `sign` is -1 where a low value means yes.

    `yes` and `no` are the means of the cell over the two classes.
    """

    told: Property
    unit: int
    auc: float
    sign: int
    yes: float
    no: float

    @property
    def middle(self) -> float:
        """The value halfway between the two classes."""
        return (self.yes + self.no) / 2

    @property
    def scale(self) -> float:
        """How far either class lies from the middle."""
        return abs(self.yes - self.no) / 2

    @property
    def tells(self) -> str:
        """The property in words, with the meaning of both ends."""
        centred = self.yes * self.no < 0  # the classes lie on the two sides of zero
        high, low = ("+", "-") if centred else ("higher", "lower")
        yes, no = (high, low)[:: self.sign]
        return self.told.phrase.format(f"{self.told.yes} ({yes})", f"{self.told.no} ({no})")


def labelled(rule: Rule, sentences: Sequence[Words], cells: Sequence[np.ndarray]) -> Labelled:
    """Return the steps that a rule speaks of."""
    labels = [rule(words) for words in sentences]
    kept = [[label is not None for label in line] for line in labels]
    rows = [states[mask] for states, mask in zip(cells, kept, strict=True)]
    said = [label for line in labels for label in line if label is not None]
    return Labelled(np.concatenate(rows), np.array(said))


def across_distractors(templates: Sequence[Sentence], cells: Sequence[np.ndarray]) -> Labelled:
    """Return the steps at the words of the distractors: is the subject plural?"""
    rows = [c[SUBJECT_WORDS : len(s.prefix)] for s, c in zip(templates, cells, strict=True)]
    said = [s.plural for s in templates for _ in s.distractor]
    return Labelled(np.concatenate(rows), np.array(said))


def auc(values: np.ndarray, labels: np.ndarray) -> float:
    """Return the chance that a value of a yes is above one of a no; ties count half."""
    no = np.sort(values[~labels])
    yes = values[labels]
    below = np.searchsorted(no, yes, "left") + np.searchsorted(no, yes, "right")
    return float(below.mean() / 2 / len(no))


def best(choose: Labelled) -> int:
    """Return the unit whose cell tells the labels best, in either direction."""
    found = [abs(auc(column, choose.labels) - 0.5) for column in choose.cells.T]
    return int(np.argmax(found))


def read(told: Property, unit: int, choose: Labelled, test: Labelled) -> Reading:
    """Measure a unit on one set, in the direction that it has on another."""
    sign = 1 if auc(choose.cells[:, unit], choose.labels) >= 0.5 else -1
    values = test.cells[:, unit]
    yes, no = (float(values[which].mean()) for which in (test.labels, ~test.labels))
    return Reading(told, unit, auc(sign * values, test.labels), sign, yes, no)


def named(readings: Sequence[Reading]) -> list[Reading]:
    """Return the readable units, best first; a unit keeps the one property it tells best."""
    best: dict[int, Reading] = {}
    for reading in sorted(readings, key=lambda reading: -reading.auc):
        if reading.auc >= READABLE:
            best.setdefault(reading.unit, reading)
    return list(best.values())
