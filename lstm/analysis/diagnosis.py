"""Why a port differs: which known mistake, or which two, give what it recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

from lstm.analysis.causes import Hypothesis, every_hypothesis
from lstm.analysis.divergence import TOLERANCES, Tolerances, compare, numbers_agree
from lstm.analysis.recording import Recording
from lstm.analysis.rerun import Subject
from lstm.parameters import LayerParameters, Parameters
from lstm.quantities import DIRECTIONS

PADDING_IN_PAIRS = 4  # steps of padding that are tried together with another mistake
PROBED_STEPS = 2


class Explanation(NamedTuple):
    """One mistake, or several that are made together."""

    mistakes: tuple[Hypothesis, ...]

    @property
    def name(self) -> str:
        return " + ".join(one.name for one in self.mistakes)

    @property
    def says(self) -> str:
        return ", and ".join(one.says for one in self.mistakes)


class Finding(NamedTuple):
    """How many mistakes were tried, alone and two at a time, and those that explain every step."""

    tried: int
    pairs: int
    found: tuple[Explanation, ...]


@dataclass(frozen=True)
class Search:
    """What a port recorded, and how to tell whether a mistake gives the same.

    Args:
        subject: the right parameters and what was read.
        port: what the port recorded of each sequence.
        tolerances: how far apart two numbers may be.
        choose: what of a recording is compared; `port` is cut down to that already.
    """

    subject: Subject
    port: Sequence[Recording]
    tolerances: Tolerances = TOLERANCES
    choose: Callable[[Recording], Recording] = lambda recording: recording

    def find(self) -> Finding:
        """Try every mistake by itself; where none explains the port, every two.

        Returns:
            All explanations under which every number of every step agrees, none of them with
            more mistakes than another; several where the record cannot tell them apart.
        """
        single = list(every_hypothesis(self.subject))
        if found := tuple(self._explaining((one,) for one in single)):
            return Finding(len(single), 0, found)
        pairs = list(_pairs(every_hypothesis(self.subject, PADDING_IN_PAIRS)))
        return Finding(len(single), len(pairs), tuple(self._explaining(pairs)))

    def _explaining(self, all_mistakes: Iterable[tuple[Hypothesis, ...]]) -> Iterator[Explanation]:
        """Yield those that agree: first at the first steps, which is fast, then everywhere."""
        begun: tuple[Hypothesis | None, Subject] = (None, self._probe.subject)
        for first, *others in all_mistakes:
            if begun[0] is not first:  # what two pairs have in common is made once
                begun = (first, first.make(self._probe.subject))
            if self._probe.agrees(_made(begun[1], others), self.tolerances):
                mistakes = (first, *others)
                made = map(self.choose, _made(self.subject, mistakes).run())
                if compare(list(made), self.port, self.tolerances).same:
                    yield Explanation(mistakes)

    @cached_property
    def _probe(self) -> Probe:
        return Probe.of(self.subject, self.port)


def _made(subject: Subject, mistakes: Iterable[Hypothesis]) -> Subject:
    for one in mistakes:
        subject = one.make(subject)
    return subject


def _pairs(hypotheses: Iterable[Hypothesis]) -> Iterator[tuple[Hypothesis, Hypothesis]]:
    """Yield every two mistakes that are about different things."""
    for one, other in combinations(hypotheses, 2):
        if not one.about & other.about:
            yield one, other


class Probe(NamedTuple):
    """The little of a search that tells fast that a mistake is not the one.

    `window` are the steps of `port` that are looked at.
    """

    subject: Subject
    port: tuple[Recording, ...]
    window: slice

    @classmethod
    def of(cls, subject: Subject, port: Sequence[Recording]) -> Probe:
        """Take the first steps of the first sequence, of the lowest layer if it is recorded."""
        first = port[0]
        lowest = {
            place: series
            for place, series in first.series.items()
            if place[:2] == (0, DIRECTIONS[0]) and place.quantity != "layer_input"
        }
        if lowest:
            first = Recording(lowest)
            cell = subject.parameters.layers[0].forward
            subject = replace(subject, parameters=Parameters((LayerParameters(cell),)))
        begins = min((int(one.steps.min(initial=0)) for one in first.series.values()), default=0)
        window = slice(begins, begins + PROBED_STEPS)
        cut = first.choose(None, None, range(window.start, window.stop))
        return cls(_first_sequence(subject), (cut,), window)

    def agrees(self, subject: Subject, tolerances: Tolerances) -> bool:
        """Whether what was recorded at these steps is what a subject gives there."""
        return numbers_agree(subject.run(self.window), self.port, tolerances)


def _first_sequence(subject: Subject) -> Subject:
    return replace(
        subject,
        inputs=subject.inputs[:1],
        starts=subject.starts[:1],
        port_steps=subject.port_steps[:1],
        rows=subject.rows[:1],
    )
