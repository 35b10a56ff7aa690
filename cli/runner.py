"""Run a model over sequences, with the state that each starts from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from cli.console import utf8
from cli.limits import check_run
from cli.sources import Source
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.state import ModelState
from lstm.trace import Trace
from weights.states import read_state, write_state


@dataclass(eq=False, repr=False)
class Runner:
    """Runs sequence after sequence.

    Args:
        model: what runs.
        initial_state: a state to start from, or a file of it, for all sequences or one each.
        warm_up: a text that is read first, without being recorded.
        carry: each sequence goes on from the state the one before it left.
        keep_final: remember the final states, for `write_final`.
    """

    model: Model
    initial_state: Path | ModelState | None = None
    warm_up: str | None = None
    carry: bool = False
    keep_final: bool = False
    finals: list[ModelState] = field(default_factory=list)

    def run(self, sources: Iterable[Source]) -> Iterator[Trace]:
        """Yield one trace per sequence.

        Raises:
            LSTMError: a sequence does not fit the model; the message says which.
        """
        start = self._start()
        count = start.num_sequences
        if count is None:
            start = self._warm(start)
        elif self.carry:
            raise LSTMError(
                f"--initial-state: expected one state to carry on from, found {count}. "
                "Leave --carry out."
            )
        for number, source in enumerate(sources if count is None else _exactly(count, sources)):
            state = start if count is None else self._warm(start.sequence(number))
            trace = self._run_one(self.model, source, state)
            self._remember(trace.final)
            if self.carry:
                start = trace.final
            yield trace

    def write_final(self, path: Path) -> None:
        """Write the state after the last step: (H,), or (N, H) for N separate sequences."""
        if not self.finals:
            raise LSTMError("--final-state: expected at least one sequence, found none.")
        write_state(path, ModelState.stack(self.finals))

    def _start(self) -> ModelState:
        if self.initial_state is None:
            return ModelState.zeros(self.model.parameters)
        if isinstance(self.initial_state, ModelState):
            return self.initial_state
        return read_state(self.initial_state, self.model.parameters)

    def _warm(self, state: ModelState) -> ModelState:
        if self.warm_up is None:
            return state
        text = utf8(self.warm_up, "--warm-up")
        plain = replace(self.model, intervention=None)  # steps are those of what comes after
        return self._run_one(plain, Source({"text": text}, "--warm-up"), state).final

    def _remember(self, final: ModelState) -> None:
        """Keep the final states that `write_final` needs: all, or with carry the last."""
        if self.carry:
            self.finals.clear()
        if self.keep_final:
            self.finals.append(final)

    @staticmethod
    def _run_one(model: Model, source: Source, state: ModelState) -> Trace:
        try:
            check_run(model, source)
            return model.run(**source.given, initial_state=state)
        except LSTMError as error:
            raise error.at(source.place) if source.place else error from None


def _exactly(count: int, sources: Iterable[Source]) -> list[Source]:
    """Take one sequence for each state, all of them before anything is run and written."""
    taken = list(islice(sources, count + 1))
    if len(taken) != count:
        found = "more" if len(taken) > count else len(taken)
        raise LSTMError(
            f"--initial-state: expected one sequence for each of its {count} states, found {found}."
        )
    return taken
