"""How a framework stores its LSTM weights, as data; and what such names look like in a file.

Free of numpy: names and shapes from a header are enough to recognise a layout.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from weights.archive import TensorInfo

# A cell by layer, counted from 0, and direction.
CellAddress = tuple[int, str]


class TensorKind(NamedTuple):
    """One kind of tensor in a layout.

    `pattern` is an expression for the name after its prefix. Its named groups say what the name
    tells: `layer` (a number), `direction`, `gate`; whichever is absent is layer 0, forward, all
    four gates packed. `part` says which matrix it is:

        ih    applied to the input         hx    applied to the concatenation [hidden, input]
        hh    applied to the hidden state  bias  added to the pre-activation

    `optional` kinds may be missing from a file; other kinds must be there.
    """

    pattern: str
    part: str
    optional: bool = False


@dataclass(frozen=True)
class Layout:
    """How one framework, or several alike, name and order the weights.

    Args:
        name: for --layout and for outputs.
        title: for people.
        kinds: the tensors that make up a cell.
        gates: the framework's name of each gate to ours; for packed tensors, in the order of
            the blocks along the rows.
        directions: the framework's mark of a direction to ours.
        rows_are_outputs: W @ x, so that a matrix is (outputs, inputs); False for x @ W.
        refused: expressions for tensors of a variant that is not supported, each with its name.
        first_layers: the numbers that the first layer may have.
        source: where the order of the gates is documented.
    """

    name: str
    title: str
    kinds: tuple[TensorKind, ...]
    gates: Mapping[str, str]
    directions: Mapping[str, str] = field(default_factory=dict)
    rows_are_outputs: bool = True
    refused: Mapping[str, str] = field(default_factory=dict)
    first_layers: tuple[int, ...] = (0,)
    source: str = ""

    @cached_property
    def _expressions(self) -> tuple[tuple[TensorKind, re.Pattern[str]], ...]:
        return tuple(
            (kind, re.compile(rf"(?P<prefix>.*?){kind.pattern}", re.DOTALL)) for kind in self.kinds
        )

    def find(self, tensors: Mapping[str, TensorInfo]) -> dict[str, FoundLSTM]:
        """Return the LSTMs that the names tell of, by their prefix; incomplete ones are left out.

        Args:
            tensors: the header of a file.
        """
        return {p: lstm for p, lstm in self.find_traces(tensors).items() if lstm.is_complete}

    def find_traces(self, tensors: Mapping[str, TensorInfo]) -> dict[str, FoundLSTM]:
        """Return all that any name tells of, by prefix, incomplete ones too."""
        found: dict[str, FoundLSTM] = {}
        for info in tensors.values():
            for kind, expression in self._expressions:
                if match := expression.fullmatch(info.name):
                    prefix = match["prefix"]
                    place = self._place(kind, match.groupdict(), info)
                    found.setdefault(prefix, FoundLSTM(self, prefix)).parts.append(place)
                    break
        return found

    def variant(self, tensors: Mapping[str, TensorInfo], prefix: str) -> tuple[str, str] | None:
        """Return a tensor that belongs to an unsupported variant of this LSTM, and its name."""
        for name in tensors:
            for pattern, variant in self.refused.items():
                if re.fullmatch(re.escape(prefix) + pattern, name):
                    return name, variant
        return None

    def _place(self, kind: TensorKind, groups: dict[str, str | None], info: TensorInfo) -> Part:
        mark, gate = groups.get("direction"), groups.get("gate")
        return Part(
            kind,
            int(groups.get("layer") or 0),
            self.directions[mark] if mark else "forward",
            self.gates[gate] if gate else None,
            info,
        )


class Part(NamedTuple):
    """A tensor and its place: which layer, direction and gate (None: all four, packed)."""

    kind: TensorKind
    layer: int
    direction: str
    gate: str | None
    info: TensorInfo


@dataclass
class FoundLSTM:
    """An LSTM as names and shapes tell of it.

    `prefix` is what stands before the layout's own names; `parts` are its tensors.
    """

    layout: Layout
    prefix: str
    parts: list[Part] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether at least one tensor of every required kind is there."""
        kinds = {part.kind for part in self.parts}
        return all(kind.optional or kind in kinds for kind in self.layout.kinds)

    @cached_property
    def cells(self) -> dict[CellAddress, list[Part]]:
        """The tensors of each cell; layers are counted from 0 whatever the file's first number."""
        first = min(part.layer for part in self.parts)
        first = first if first in self.layout.first_layers else 0
        found: dict[CellAddress, list[Part]] = {}
        for part in sorted(self.parts, key=lambda p: (p.layer, p.direction)):
            found.setdefault((part.layer - first, part.direction), []).append(part)
        return found

    @property
    def names(self) -> set[str]:
        """The names of all its tensors."""
        return {part.info.name for part in self.parts}

    @property
    def num_layers(self) -> int:
        return 1 + max(layer for layer, _ in self.cells)

    @property
    def num_directions(self) -> int:
        return len({direction for _, direction in self.cells})

    def sizes(self, address: CellAddress) -> tuple[int, int]:
        """Return input size D and hidden size H of a cell, as the shapes have it."""
        parts = self.cells[address]
        shapes = {part.kind.part: self._rows_columns(part) for part in parts}
        packed = 4 if parts[0].gate is None else 1
        if "hx" in shapes:
            rows, columns = shapes["hx"]
            return columns - rows // packed, rows // packed
        columns = shapes["ih"][1]
        # the recurrent matrix tells, unless it contradicts itself
        rows, size = shapes["hh"]
        return columns, size if rows == packed * size else shapes["ih"][0] // packed

    def num_biases(self, address: CellAddress) -> int:
        """Return how many biases a cell has per gate: 0, 1 or 2."""
        biases = [part for part in self.cells[address] if part.kind.part == "bias"]
        return len(biases) if biases and biases[0].gate is None else -(-len(biases) // 4)

    def expected_shape(self, part: Part, input_size: int, hidden_size: int) -> tuple[int, ...]:
        """Return the shape that a tensor must have, as the file has it."""
        rows = hidden_size * (4 if part.gate is None else 1)
        columns = {
            "ih": (input_size,),
            "hh": (hidden_size,),
            "hx": (hidden_size + input_size,),
            "bias": (),
        }[part.kind.part]
        shape = (rows, *columns)
        return shape if self.layout.rows_are_outputs else shape[::-1]

    def symbols(self, part: Part) -> str:
        """Return the same shape in letters."""
        rows = "4*hidden_size" if part.gate is None else "hidden_size"
        columns = {
            "ih": "input_size",
            "hh": "hidden_size",
            "hx": "hidden_size + input_size",
            "bias": "",
        }[part.kind.part]
        pair = (rows, columns) if self.layout.rows_are_outputs else (columns, rows)
        return f"({', '.join(pair)})" if columns else f"({rows},)"

    def _rows_columns(self, part: Part) -> tuple[int, int]:
        shape = part.info.shape if self.layout.rows_are_outputs else part.info.shape[::-1]
        return (shape[0], shape[1]) if len(shape) == 2 else (0, 0)
