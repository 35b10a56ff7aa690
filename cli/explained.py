"""What `lstm explain` is asked for and finds: one number, or a walk through the steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from cli.naming import tells
from lstm.address import Address
from lstm.analysis.outcome import Outcome, Score, Standing
from lstm.analysis.walk import Change, Passage

if TYPE_CHECKING:
    from lstm.analysis.terms import Explanation
    from lstm.head import Forecast
    from lstm.model import Model
    from lstm.trace import Trace

NAMED_IN_A_SENTENCE = 3  # so many units, the largest


class Sheet(NamedTuple):
    """One number to be explained, and how: at most `top` terms a group, so many digits."""

    model: Model
    trace: Trace
    at: Address | Score
    explanation: Explanation
    top: int
    digits: int

    @property
    def step(self) -> int:
        step = self.at.steps if isinstance(self.at, Address) else self.at.step
        assert isinstance(step, int)
        return step

    @property
    def standing(self) -> Standing:
        """How a score stands among all."""
        assert isinstance(self.at, Score)
        assert self.trace.head is not None  # or there would be no score
        outcome = Outcome.of(self.trace.head, self.at.name)
        return Standing.of(self.trace.logits[self.step], outcome.id)


class Walk(NamedTuple):
    """Which layers and steps of a trace are walked through, and how much is said of each."""

    model: Model
    trace: Trace
    layers: Sequence[int]
    steps: Sequence[int]
    top: int
    digits: int

    def passages(self, step: int) -> Iterator[tuple[int, Passage]]:
        """Yield what one step did, layer by layer and direction by direction."""
        for layer in self.layers:
            cells = self.model.parameters.layers[layer].directions.values()
            for cell, record in zip(cells, self.trace.layers[layer].directions, strict=True):
                yield layer, Passage(record, step, cell.variant.projection is not None)

    def changes(self, layer: int, passage: Passage) -> list[tuple[Address, Change]]:
        """Return the units that changed most: named ones, then as many others."""
        named: list[tuple[Address, Change]] = []
        others: list[tuple[Address, Change]] = []
        for change in passage.changes():
            at = Address(layer, passage.trace.direction, "c", change.unit, passage.step)
            (named if tells(self.model, at) else others).append((at, change))
        return [*named[: self.top], *others[: self.top]]

    @property
    def forecast(self) -> Forecast | None:
        """What the head expects after each step, where there is a head."""
        return None if self.trace.head is None else self.trace.forecast(self.top)
