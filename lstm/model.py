"""Embedding, then layer after layer, then the head: text, ids or vectors in, a trace out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lstm.arrays import Floats, Integers, side_by_side
from lstm.card import Card
from lstm.cell_trace import DirectionTrace
from lstm.embedding import Embedding
from lstm.engines.engine import Engine, Looked
from lstm.engines.plain import PLAIN
from lstm.errors import LSTMError, MissingPartError, ShapeError
from lstm.head import Head
from lstm.parameters import CellParameters, Parameters
from lstm.sequence import run_cell
from lstm.state import ModelState
from lstm.tokenizers.tokenizer import Token, Tokenizer
from lstm.trace import LayerTrace, Trace

if TYPE_CHECKING:
    from lstm.analysis.intervention import Change, Intervention

# A cell by its layer, counted from 0, and its direction.
CellPlace = tuple[int, str]


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A frozen LSTM, ready to run. Only the parameters are required.

    Raises:
        ShapeError: embedding or head are not as wide as the layers they meet.
        LSTMError: the vocabulary has more tokens than the embedding has rows.
    """

    parameters: Parameters
    embedding: Embedding | None = None
    head: Head | None = None
    tokenizer: Tokenizer | None = None
    card: Card = Card()
    engine: Engine = PLAIN
    intervention: Intervention | None = None

    def __post_init__(self) -> None:
        if self.embedding is not None:
            self._check_embedding(self.embedding)
        if self.head is not None and self.head.input_size != self.parameters.output_size:
            expected = (self.head.num_outcomes, self.parameters.output_size)
            found = (self.head.num_outcomes, self.head.input_size)
            raise ShapeError("head", "(outcomes, directions*hidden_size)", expected, found)

    def _check_embedding(self, embedding: Embedding) -> None:
        rows, width = embedding.weight.shape
        if width != self.parameters.input_size:
            expected = (rows, self.parameters.input_size)
            raise ShapeError("embedding", "(vocabulary_size, input_size)", expected, (rows, width))
        if self.tokenizer is not None and len(self.tokenizer.vocabulary) > rows:
            raise LSTMError(
                f"vocabulary: expected at most {rows} tokens, one per row of the embedding, "
                f"found {len(self.tokenizer.vocabulary)}."
            )

    @property
    def step_bytes(self) -> int:
        """How many bytes a trace takes for each step: input, pre-activations, gates, states."""
        cells = [cell for layer in self.parameters.layers for cell in layer.directions.values()]
        numbers = sum(cell.input_size + 9 * cell.hidden_size + cell.output_size for cell in cells)
        return numbers * self.parameters.dtype.itemsize

    @property
    def changes(self) -> tuple[Change, ...]:
        """What is set to other values on the way."""
        return () if self.intervention is None else self.intervention.changes

    def window(self, start: int, num_steps: int) -> Model:
        """Return the model as it is in so many steps of a longer run, counted from the first."""
        if self.intervention is None:
            return self
        return replace(self, intervention=self.intervention.window(start, num_steps))

    # What is not finite shows in the trace, by its address; a warning would tell less.
    @np.errstate(over="ignore", invalid="ignore")
    def run(
        self,
        text: str | None = None,
        *,
        ids: Sequence[int] | Integers | None = None,
        vectors: Floats | None = None,
        initial_state: ModelState | Mapping[str, Floats] | None = None,
    ) -> Trace:
        """Run one text, one list of token ids, or the vectors of one or more sequences.

        The numbers of a sequence do not depend on which others are in the call.

        Args:
            text: cut into words by the model's tokenizer.
            ids: (T,) whole numbers, looked up in the model's embedding.
            vectors: (T, D), or (N, T, D) for N sequences of one length, used as they are.
            initial_state: a trace's `final`, or arrays under its names; zeros otherwise.

        Returns:
            The trace; its arrays have a leading axis N where vectors had one.

        Raises:
            TypeError: not exactly one of text, ids and vectors is given.
            LSTMError: the input does not fit the model, or a part it needs is missing.
        """
        if sum(given is not None for given in (text, ids, vectors)) != 1:
            raise TypeError("run() takes one of text, ids and vectors")
        state = self._state(initial_state)
        if vectors is not None:
            return self._run_vectors(vectors, state)
        tokens = self.encode(text) if text is not None else self.decode(ids)
        inputs = self._embed([token.id for token in tokens])
        layers = self._run_layers(inputs[np.newaxis], state)
        return Trace(layers, tokens, text, self.head).sequences[0]

    def encode(self, text: str) -> tuple[Token, ...]:
        """Cut a text into tokens with their ids.

        Raises:
            MissingPartError: the model has no vocabulary.
            UnknownTokenError: a word is not in it and nothing stands for such words.
        """
        if self.tokenizer is None:
            hint = "Name one with --tokenizer, or give --ids or --vectors."
            raise MissingPartError("vocabulary", "a text", hint)
        return self.tokenizer.encode(text)

    def decode(self, ids: Sequence[int] | Integers | None) -> tuple[Token, ...]:
        """Name the tokens at these ids; where there is no vocabulary, by their numbers."""
        numbers = self._table().check([] if ids is None else ids)
        names = self.tokenizer.vocabulary.tokens if self.tokenizer else ()
        return tuple(
            Token(name, name, number, 0, 0)
            for number in numbers.tolist()
            for name in [names[number] if number < len(names) else str(number)]
        )

    def _state(self, given: ModelState | Mapping[str, Floats] | None) -> ModelState:
        if given is None:
            return ModelState.zeros(self.parameters)
        arrays = given.arrays() if isinstance(given, ModelState) else given
        return ModelState.from_arrays(arrays, self.parameters)

    def _embed(self, ids: Sequence[int] | Integers) -> Floats:
        return self._table()(ids)

    def _table(self) -> Embedding:
        if self.embedding is None:
            raise MissingPartError("embedding", "a text or ids", "Give --vectors.")
        return self.embedding

    def run_batch(
        self,
        ids: Integers,
        initial_state: ModelState | None = None,
        products: Mapping[str, Looked] | None = None,
        lengths: Integers | None = None,
    ) -> Trace:
        """Run N sequences; each has the bits that it has alone.

        Args:
            ids: (N, T), rows of the embedding; or (R,), those of one sequence after another.
            initial_state: one state for all, or N; zeros otherwise.
            products: by direction, where the first layer's W x + b are looked up.
            lengths: (N,), for sequences of several lengths; the longest comes first.

        Returns:
            The trace, arrays (N, T, ...) or (R, ...), without tokens.
        """
        if lengths is not None and (len(ids) != lengths.sum() or (np.diff(lengths) > 0).any()):
            raise LSTMError(f"lengths: expected those of {len(ids)} ids in all, the longest first.")
        inputs = self._embed(ids.reshape(-1)).reshape(*ids.shape, self.parameters.input_size)
        layers = self._run_layers(inputs, self._state(initial_state), products, lengths)
        return Trace(layers, head=self.head)

    def _run_vectors(self, vectors: Floats, state: ModelState) -> Trace:
        array = np.asarray(vectors)
        width = self.parameters.input_size
        if array.dtype.kind not in "fiu":
            raise LSTMError(f"vectors: expected real numbers, found {array.dtype}.")
        if array.ndim not in (2, 3) or array.shape[-1] != width:
            symbols = "(steps, input_size) or (sequences, steps, input_size)"
            raise ShapeError("vectors", symbols, ("T", width), array.shape)
        inputs = array.astype(self.parameters.dtype)  # always a copy: the trace keeps it
        if array.ndim == 2:
            return Trace(self._run_layers(inputs[np.newaxis], state), head=self.head).sequences[0]
        return Trace(self._run_layers(inputs, state), head=self.head)

    def _run_layers(
        self,
        inputs: Floats,
        state: ModelState,
        products: Mapping[str, Looked] | None = None,
        lengths: Integers | None = None,
    ) -> tuple[LayerTrace, ...]:
        """Run the stack; `products` tells by direction where the first layer's W x + b are."""
        count = len(inputs if lengths is None else lengths)
        if state.num_sequences not in (None, count):
            raise LSTMError(
                f"state: expected one state, or one for each of {count} sequence(s), "
                f"found {state.num_sequences}."
            )
        if self.intervention is not None:
            num_steps = inputs.shape[1] if lengths is None else int(lengths.max(initial=0))
            self.intervention.check(self.parameters, num_steps)
        records: list[list[DirectionTrace]] = [[] for _ in self.parameters.layers]

        def run(
            place: CellPlace, cell: CellParameters, read: Floats, added: Floats | None
        ) -> Floats:
            number, direction = place
            known = products.get(direction) if products and number == 0 else None
            edit = None if self.intervention is None else self.intervention.at(*place)
            record = run_cell(
                cell, read, state[place], direction, self.engine, known, edit, lengths
            )
            records[number].append(record if added is None else record._replace(added=added))
            return records[number][-1].layer_output

        connect(self.parameters, np.ascontiguousarray(inputs, self.parameters.dtype), run)
        return tuple(map(LayerTrace.of, records))


class CellRun(Protocol):
    """What one cell makes of what it reads.

    Given its layer and direction, its weights, what it reads, (..., T, D), and what a residual
    connection adds to its hidden states, (..., T, P) or None, it returns what it hands on,
    (..., T, P).
    """

    def __call__(
        self, place: CellPlace, cell: CellParameters, read: Floats, added: Floats | None, /
    ) -> Floats: ...


def connect(parameters: Parameters, inputs: Floats, run: CellRun) -> None:
    """Run every cell on what it reads, layer by layer: how the cells of a stack are connected.

    Args:
        parameters: the stack.
        inputs: (..., T, D), what the first layer reads.
        run: what runs a cell.
    """
    below: dict[str, Floats] = {}
    for number, layer in enumerate(parameters.layers):
        outputs: dict[str, Floats] = {}
        for direction, cell in layer.directions.items():
            own = parameters.independent and number > 0
            read = np.ascontiguousarray(below[direction] if own else inputs)
            added = None
            if parameters.residual and number > 0:
                start = 0 if own else sum(output.shape[-1] for output in outputs.values())
                added = read[..., start : start + cell.output_size]
            outputs[direction] = run((number, direction), cell, read, added)
        below, inputs = outputs, side_by_side(list(outputs.values()))
