"""From two sources to what differs between them, and to the cause of it."""

from __future__ import annotations

from typing import NamedTuple

from cli.console import CommandLineError
from cli.sides import Choice, Reading, Side, open_sides, run_side
from lstm.analysis.diagnosis import Finding, Search
from lstm.analysis.divergence import Comparison, Tolerances, compare
from lstm.analysis.recording import Recording
from lstm.analysis.rerun import Stored, Subject
from weights.biases import read_stored
from weights.options import CellOptions
from weights.trace_names import PortNames

A, B = 0, 1
LETTERS = ("A", "B")


class Outcome(NamedTuple):
    """Both sides, and what was found when they were compared."""

    sides: tuple[Side, Side]
    recordings: tuple[tuple[Recording, ...], tuple[Recording, ...]]
    comparison: Comparison
    tolerances: Tolerances


class Cause(NamedTuple):
    """Which side does not do what the weights say (A or B), and the mistakes that explain it.

    `right` tells whether the other side does.
    """

    suspect: str
    right: bool
    finding: Finding


class Comparing(NamedTuple):
    """What the command line asks to compare."""

    sources: tuple[str, str]
    weights: str | None
    names: PortNames
    tolerances: Tolerances
    choice: Choice
    reading: Reading

    def run(self) -> Outcome:
        """Read both sides and compare them.

        Raises:
            CommandLineError: an option has no effect.
            LSTMError: a side cannot be read, or they have nothing in common.
        """
        sides = open_sides(*self.sources, self.names, self.reading)
        self._refuse_idle_options(sides)
        recordings = (self._chosen(sides[A]), self._chosen(sides[B]))
        whole = all(side.model is not None for side in sides)
        comparison = compare(*recordings, self.tolerances, whole)
        return Outcome(sides, recordings, comparison, self.tolerances)

    def _chosen(self, side: Side) -> tuple[Recording, ...]:
        return tuple(self.choice.of(recording) for recording in side.recordings)

    def _refuse_idle_options(self, sides: tuple[Side, Side]) -> None:
        weights = self.weights is not None or any(side.model for side in sides)
        if not weights and (given := self.reading.given):
            raise CommandLineError(
                f"{given[0]}: A and B are traces, which are not run. Leave it out, or name the "
                "weights with --weights."
            )
        if self.weights is not None and all(side.model for side in sides):
            raise CommandLineError(
                "--weights: A and B are weights themselves; a cause is looked for in a trace. "
                "Leave it out."
            )
        if self.names.is_given and not any(side.is_foreign for side in sides):
            raise CommandLineError(
                "--map, --raw, --time-first: neither A nor B is a port's file with such names. "
                "Leave it out."
            )

    def find_cause(self, outcome: Outcome) -> Cause | None:
        """Look for the mistake in the side that does not do what the weights say.

        Returns:
            None where nothing differs, or where there are no weights to measure by, or no trace.
        """
        right = self._right(outcome)
        if outcome.comparison.same or right is None or right.model is None:
            return None
        plain = self._chosen(right)
        agree = [compare(plain, side, self.tolerances).same for side in outcome.recordings]
        suspect = A if agree[B] or outcome.sides[B].model else B
        port = outcome.recordings[suspect]
        stored = self._stored(right, str(right.model.parameters.dtype))
        subject = Subject.of(right.model, right.traces, port, stored, self.reading.carry)
        search = Search(subject, port, self.tolerances, self.choice.of)
        return Cause(LETTERS[suspect], agree[1 - suspect], search.find())

    def _right(self, outcome: Outcome) -> Side | None:
        """The weights to measure by, run on what both sides read."""
        traces = [side for side in outcome.sides if side.model is None]
        if not traces:
            return None
        if self.weights is None:
            return next((side for side in outcome.sides if side.model is not None), None)
        return run_side(self.weights, traces, self.reading)

    def _stored(self, right: Side, dtype: str) -> Stored:
        """What the file of the right weights holds, read with the same options."""
        options = self.reading.options
        cell = CellOptions(**{name: options[name] for name in CellOptions._fields})
        return read_stored(right.source, dtype, options["layout"], options["prefix"], cell)
