"""Every named quantity of a run, at every step, layer and direction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from lstm.arrays import Floats, side_by_side
from lstm.cell_trace import DirectionTrace
from lstm.errors import LSTMError, MissingPartError
from lstm.head import Forecast, Head, forecast
from lstm.state import ModelState
from lstm.tokenizers.tokenizer import Token


class LayerTrace(NamedTuple):
    """What one layer did, forward, reverse or both."""

    forward: DirectionTrace | None = None
    reverse: DirectionTrace | None = None

    @classmethod
    def of(cls, records: Iterable[DirectionTrace]) -> LayerTrace:
        """Put records in the places of their directions."""
        return cls(**{record.direction: record for record in records})

    @property
    def directions(self) -> tuple[DirectionTrace, ...]:
        return tuple(record for record in (self.forward, self.reverse) if record is not None)

    @property
    def first(self) -> DirectionTrace:
        """The forward record, or the reverse one where it stands alone."""
        return self.directions[0]

    @property
    def hidden(self) -> Floats:
        """The hidden states, (T, H), or (T, 2H) with the reverse direction to the right."""
        return self._side_by_side("hidden")

    @property
    def output(self) -> Floats:
        """What the layer hands on, side by side: its hidden states, and what is added to them."""
        return self._side_by_side("layer_output")

    @property
    def cell(self) -> Floats:
        """The cell states, side by side as `hidden` has them."""
        return self._side_by_side("cell")

    def _side_by_side(self, name: str) -> Floats:
        return side_by_side([getattr(direction, name) for direction in self.directions])


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """The record of one run.

    Args:
        layers: one record per layer, the first reads the input.
        tokens: the T tokens, or None where vectors were given.
        text: the text as typed, or None.
        head: the model's head, or None; `forecast` and `logits` read it.
    """

    layers: tuple[LayerTrace, ...]
    tokens: tuple[Token, ...] | None = None
    text: str | None = None
    head: Head | None = None

    @property
    def hidden(self) -> Floats:
        """The top layer's hidden states, (T, H), or (T, 2H) for two directions."""
        return self.layers[-1].hidden

    @property
    def cell(self) -> Floats:
        """The top layer's cell states, (T, H), or (T, 2H) for two directions."""
        return self.layers[-1].cell

    @property
    def output(self) -> Floats:
        """What the top layer hands on to a head: `hidden`, unless a connection adds to it."""
        return self.layers[-1].output

    @property
    def num_steps(self) -> int:
        return self.layers[0].first.num_steps

    @property
    def initial(self) -> ModelState:
        """The state in which the run started."""
        return self._states("initial")

    @property
    def final(self) -> ModelState:
        """The state to continue from: give it as `initial_state` to the next run."""
        return self._states("final")

    @property
    def sequences(self) -> tuple[Trace, ...]:
        """The runs one by one: N traces where N sequences were given, else this one."""
        count = self.layers[0].first.num_sequences
        return (self,) if count is None else tuple(map(self._sequence, range(count)))

    @property
    def unknown(self) -> tuple[int, ...]:
        """The steps at which the unknown token stands for a word outside the vocabulary."""
        return tuple(n for n, token in enumerate(self.tokens or ()) if not token.known)

    @property
    def logits(self) -> Floats:
        """The head's scores after each step, (T, outcomes).

        Raises:
            MissingPartError: the model has no head.
        """
        return self._need_head().logits(self.output)

    def forecast(self, k: int = 5) -> Forecast:
        """Return what the head says after each step: the k best outcomes and the surprisal.

        Raises:
            MissingPartError: the model has no head.
        """
        self.need_one_sequence()
        head = self._need_head()
        reads_on = head.predicts_tokens and not any(layer.reverse for layer in self.layers)
        ids = [token.id for token in self.tokens] if self.tokens and reads_on else None
        # A residual connection adds what was read, and before the first step nothing was.
        top = self.layers[-1].first
        first = None if self.initial.is_zero or top.added is not None else top.initial.h
        return forecast(head, self.output, k, ids, first)

    def rows(self, show: Sequence[str] = ("hidden", "cell")) -> Iterator[dict[str, Any]]:
        """Yield one plain record per step, layer and direction, in this order.

        Args:
            show: names from `lstm.quantities`, each a key of the record with a (H,) array.
        """
        self.need_one_sequence()
        cells = [
            (layer, direction.direction, {name: getattr(direction, name) for name in show})
            for layer, record in enumerate(self.layers)
            for direction in record.directions
        ]
        for step in range(self.num_steps):
            token = self.tokens[step] if self.tokens else None
            for layer, direction, arrays in cells:
                yield {
                    "step": step,
                    "token": token.text if token else None,
                    "id": token.id if token else None,
                    "layer": layer,
                    "direction": direction,
                    **{name: array[step] for name, array in arrays.items()},
                }

    def _sequence(self, n: int) -> Trace:
        layers = tuple(
            LayerTrace.of(direction.sequence(n) for direction in layer.directions)
            for layer in self.layers
        )
        return replace(self, layers=layers)

    def _states(self, which: str) -> ModelState:
        return ModelState(
            {
                (number, direction.direction): getattr(direction, which)
                for number, layer in enumerate(self.layers)
                for direction in layer.directions
            }
        )

    def need_one_sequence(self) -> None:
        """Check that this is the record of one sequence, not of several side by side.

        Raises:
            LSTMError: it holds several.
        """
        count = self.layers[0].first.num_sequences
        if count is not None:
            raise LSTMError(
                f"trace: expected one sequence, found {count}. "
                "Take them one by one from `sequences`."
            )

    def _need_head(self) -> Head:
        if self.head is None:
            hint = "Ask for its hidden and cell states instead."
            raise MissingPartError("head", "a prediction", hint)
        return self.head
