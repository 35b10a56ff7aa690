"""The states of many sequences as rows: one per sequence, step, layer and direction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from lstm.arrays import Floats, Integers
from lstm.errors import LSTMError
from lstm.lengths import batches, starts
from lstm.lookup import Lookup
from lstm.parameters import CellParameters, Parameters
from lstm.state import ModelState
from lstm.trace import Trace
from weights.corpus.lines import Text

# Sequences run together as far as their record takes so many bytes: enough to make a call of the
# engine worth while, and few enough to stay in the cache until they are copied from there.
_BATCH_BYTES = 2**24
# Rows are handed on when they take so many bytes, or stand for so many tokens: that bounds the
# memory of a run, and is a row group of the part.
_BLOCK_BYTES, _BLOCK_TOKENS = 2**24, 2**17
# What stands beside the numbers in a row, compressed: sequence, step, token, id, layer, direction.
_KEY_BYTES = 6

Units = Callable[[int], Sequence[int]]
# Is told how many sequences and tokens more are done.
Told = Callable[[int, int], None]


def silent(sequences: int, tokens: int) -> None:
    """Tell nobody."""


class Cell(NamedTuple):
    """A layer in one direction: by quantity, which of how many numbers are kept (None: all)."""

    layer: int
    direction: str
    units: Mapping[str, tuple[int, ...] | None]
    widths: Mapping[str, int]

    @classmethod
    def of(
        cls,
        parameters: CellParameters,
        layer: int,
        direction: str,
        show: Iterable[str],
        units: Units,
    ) -> Cell:
        """Choose among the units; the layer's input has others, and is kept whole."""
        sizes = {"layer_input": parameters.input_size, "hidden": parameters.output_size}
        widths = {name: sizes.get(name, parameters.hidden_size) for name in show}
        chosen = {
            name: None
            if name == "layer_input" or len(units(width)) == width
            else tuple(units(width))
            for name, width in widths.items()
        }
        kept = {
            name: width if (some := chosen[name]) is None else len(some)
            for name, width in widths.items()
        }
        return cls(layer, direction, chosen, kept)


class Wanted(NamedTuple):
    """What of the states is kept; `steps` gives the numbers of those of so many that are kept."""

    show: tuple[str, ...]
    cells: tuple[Cell, ...]
    steps: Callable[[int], Sequence[int]]
    dtype: str

    @classmethod
    def of(
        cls,
        parameters: Parameters,
        show: tuple[str, ...],
        layers: Sequence[int],
        units: Units,
        steps: Callable[[int], Sequence[int]],
        dtype: str,
    ) -> Wanted:
        """Say what is kept of this model's states."""
        cells = tuple(
            Cell.of(cell, layer, direction, show, units)
            for layer in layers
            for direction, cell in parameters.layers[layer].directions.items()
        )
        return cls(show, cells, steps, dtype)

    def width(self, name: str) -> int:
        """How many numbers of one quantity a step has, over all its rows."""
        return sum(cell.widths[name] for cell in self.cells)

    @property
    def step_bytes(self) -> int:
        """How many bytes all rows of one step take on disk, about."""
        numbers = sum(self.width(name) for name in self.show)
        return numbers * np.dtype(self.dtype).itemsize + len(self.cells) * _KEY_BYTES


class Rows(NamedTuple):
    """Some steps, S of them, in order, each with K rows: one for each layer and direction.

    `sequence`, `step`, `id` and `word` are (S,), the last an index into `words`; each of
    `values` is (S, W), the numbers of the K rows side by side. `num_tokens` counts what was
    run, whether it is kept or not.
    """

    sequence: Integers
    step: Integers
    id: Integers
    word: Integers
    words: tuple[str, ...]
    values: Mapping[str, Floats]
    num_tokens: int


class _Encoded(NamedTuple):
    """A sequence: the ids that are run, and the words of the steps that are kept.

    `num_tokens` counts all of its tokens: what comes after the last kept one need not be run.
    """

    number: int
    ids: Integers
    steps: Integers
    words: tuple[str, ...]
    num_tokens: int


@dataclass(frozen=True, eq=False)
class Extraction:
    """Runs sequences in batches of like lengths, and puts their rows in order again.

    Args:
        lookup: the model, with what each token brings to the first layer.
        wanted: what is kept.
        told: of each batch when it is done.
    """

    lookup: Lookup
    wanted: Wanted
    told: Told = silent

    def rows(self, texts: Iterable[Text], first: int) -> Iterator[Rows]:
        """Yield the rows of some sequences, the first of which has this number.

        Raises:
            LSTMError: a text does not fit the model; the message says where it stands.
        """
        for block in self._blocks(texts, first):
            if len(block) == 1 and self._is_long(block[0]):
                yield from self._pieces(block[0])
            else:
                yield self._together(block)

    def _blocks(self, texts: Iterable[Text], first: int) -> Iterator[list[_Encoded]]:
        """Cut sequences into blocks that fit into memory; a long sequence stands alone."""
        block: list[_Encoded] = []
        num_bytes = num_tokens = 0
        for number, text in enumerate(texts, start=first):
            sequence = self._encode(number, text)
            num_bytes += len(sequence.steps) * self.wanted.step_bytes
            num_tokens += sequence.num_tokens
            is_full = num_bytes > _BLOCK_BYTES or num_tokens > _BLOCK_TOKENS
            if block and (is_full or self._is_long(sequence) or self._is_long(block[-1])):
                yield block
                block = []
                num_bytes = len(sequence.steps) * self.wanted.step_bytes
                num_tokens = sequence.num_tokens
            block.append(sequence)
        if block:
            yield block

    def _encode(self, number: int, text: Text) -> _Encoded:
        try:
            tokens = self.lookup.model.encode(text.text)
        except LSTMError as error:
            raise error.at(text.place) from None
        kept = self.wanted.steps(len(tokens))
        words = tuple(tokens[step].text for step in kept)
        last = kept[-1] + 1 if kept else 0
        run = tokens if last and self._reads_back else tokens[:last]
        ids = np.array([token.id for token in run], np.int32)
        return _Encoded(number, ids, np.array(kept, np.int32), words, len(tokens))

    def _is_long(self, sequence: _Encoded) -> bool:
        """Whether it is run piece by piece; what is read from the end has to be there whole."""
        return not self._reads_back and len(sequence.ids) > self._piece

    @cached_property
    def _reads_back(self) -> bool:
        return self.lookup.model.parameters.reads_back

    @cached_property
    def _piece(self) -> int:
        """How many tokens run at once."""
        return max(1, _BATCH_BYTES // self.lookup.model.step_bytes)

    def _together(self, block: Sequence[_Encoded]) -> Rows:
        """Run sequences in batches, the longest first, and put each batch where it belongs."""
        ends = list(accumulate((len(sequence.steps) for sequence in block), initial=0))
        values = self._room(ends[-1])
        counts = np.array([len(each.ids) for each in block])
        for batch in batches(counts, self._piece):
            lengths = counts[batch]
            trace = self.lookup.run(np.concatenate([block[n].ids for n in batch]), None, lengths)
            begins = starts(lengths).tolist()
            steps = [begin + block[n].steps for begin, n in zip(begins, batch, strict=True)]
            places = [np.arange(ends[n], ends[n + 1]) for n in batch]
            self._put(trace, np.concatenate(steps), np.concatenate(places), values)
            self.told(len(batch), sum(block[n].num_tokens for n in batch))
        left = [each for each in block if not len(each.ids)]
        self.told(len(left), sum(each.num_tokens for each in left))
        return _rows(block, values)

    def _pieces(self, sequence: _Encoded) -> Iterator[Rows]:
        """Run a long sequence piece by piece, each from the state that the one before left."""
        state: ModelState | None = None
        for start in range(0, len(sequence.ids), self._piece):
            ids = sequence.ids[start : start + self._piece]
            trace = self.lookup.run(ids, state, np.array([len(ids)]))
            state = trace.final
            low, high = np.searchsorted(sequence.steps, (start, start + len(ids)))
            steps = sequence.steps[low:high]
            values = self._room(len(steps))
            self._put(trace, steps - start, np.arange(len(steps)), values)
            piece = sequence._replace(steps=steps, words=sequence.words[low:high])
            is_last = start + self._piece >= len(sequence.ids)
            done = len(ids) if not is_last else sequence.num_tokens - start
            self.told(int(is_last), done)
            yield _rows([piece], values)._replace(num_tokens=done)

    def _room(self, num_steps: int) -> dict[str, Floats]:
        shown = {name: self.wanted.width(name) for name in self.wanted.show}
        return {
            name: np.empty((num_steps, width), self.wanted.dtype) for name, width in shown.items()
        }

    # A number beyond the largest float16 is infinite there.
    @np.errstate(over="ignore", invalid="ignore")
    def _put(
        self, trace: Trace, steps: Integers, places: Integers, values: Mapping[str, Floats]
    ) -> None:
        """Copy the kept units of some steps of a batch, (S,) of its rows, to their places (S,)."""
        are_all = len(steps) == trace.num_steps
        for name, room in values.items():
            column = 0
            for cell in self.wanted.cells:
                directions = {each.direction: each for each in trace.layers[cell.layer].directions}
                array = getattr(directions[cell.direction], name)
                array = array if are_all else array[steps]
                units, width = cell.units[name], cell.widths[name]
                kept = array if units is None else array[..., list(units)]
                room[:, column : column + width][places] = kept
                column += width


def _rows(block: Sequence[_Encoded], values: Mapping[str, Floats]) -> Rows:
    counts = [len(sequence.steps) for sequence in block]
    words: dict[str, int] = {}
    codes = [words.setdefault(word, len(words)) for each in block for word in each.words]
    return Rows(
        np.repeat(np.array([sequence.number for sequence in block], np.int64), counts),
        np.concatenate([sequence.steps for sequence in block]),
        np.concatenate([sequence.ids[sequence.steps] for sequence in block]),
        np.array(codes, np.int32),
        tuple(words),
        values,
        sum(sequence.num_tokens for sequence in block),
    )
