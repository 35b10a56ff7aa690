"""An LSTM as the names and shapes in a file tell of it. Free of numpy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from weights.layouts.layout import Layout, TensorKind

# A cell by layer, counted from 0, and direction.
CellAddress = tuple[int, str]


class Part(NamedTuple):
    """A tensor and its place: which layer, direction and gate (None: all of them, packed).

    `slot` is the place of the direction on a first axis, which `shape` leaves out.
    """

    kind: TensorKind
    layer: int
    direction: str
    gate: str | None
    name: str
    shape: tuple[int, ...]
    slot: int | None = None


class Sizes(NamedTuple):
    """The sizes of a cell: D, H, and P, which is H where nothing is projected."""

    input_size: int
    hidden_size: int
    output_size: int


@dataclass(eq=False, repr=False)
class FoundLSTM:
    """An LSTM as names and shapes tell of it.

    `prefix` is what stands before the layout's own names; `parts` are its tensors; `assumed` is
    what was concluded to put it together; `apart` tells that each direction is a stack by itself.
    """

    layout: Layout
    prefix: str
    parts: list[Part] = field(default_factory=list)
    assumed: tuple[str, ...] = ()
    apart: bool = False

    def with_layout(self, layout: Layout) -> FoundLSTM:
        """Return the same tensors, read as another layout of the same names."""
        kinds = dict(zip(self.layout.kinds, layout.kinds, strict=True))
        parts = [part._replace(kind=kinds[part.kind]) for part in self.parts]
        return replace(self, layout=layout, parts=parts)

    @property
    def independent(self) -> bool:
        """Whether two directions never meet; without a layer above another they cannot."""
        given = self.apart or self.layout.independent
        return given and self.num_directions > 1 and self.num_layers > 1

    @property
    def residual(self) -> bool:
        """Whether what a layer reads is added to what it hands on, from layer 1 on."""
        return self.layout.residual and self.num_layers > 1

    @property
    def is_complete(self) -> bool:
        """Whether at least one tensor of every required kind is there."""
        kinds = {part.kind for part in self.parts}
        return all(kind.optional or kind in kinds for kind in self.layout.kinds)

    @cached_property
    def cells(self) -> dict[CellAddress, list[Part]]:
        """The tensors of each cell; layers are counted from 0 whatever the file's first number."""
        real = [part for part in self.parts if part.kind.part != "alias"]
        first = min(part.layer for part in real)
        first = first if first in self.layout.first_layers else 0
        found: dict[CellAddress, list[Part]] = {}
        for part in sorted(real, key=lambda p: (p.layer, p.direction)):
            found.setdefault((part.layer - first, part.direction), []).append(part)
        return found

    @property
    def names(self) -> set[str]:
        """The names of all its tensors."""
        return {part.name for part in self.parts}

    @property
    def num_layers(self) -> int:
        return 1 + max(layer for layer, _ in self.cells)

    @property
    def num_directions(self) -> int:
        """How many directions a layer has; the first tells, where the file is sound."""
        return len(self.directions(min(layer for layer, _ in self.cells)))

    def directions(self, layer: int) -> tuple[str, ...]:
        """Return the directions of a layer, forward first."""
        return tuple(direction for number, direction in self.cells if number == layer)

    def layer_sizes(self, layer: int) -> Sizes:
        """Return the sizes of a layer's cells; a negative number counts from the top."""
        number = layer % self.num_layers
        return self.sizes((number, self.directions(number)[0]))

    def sizes(self, address: CellAddress) -> Sizes:
        """Return the sizes of a cell, as the shapes have it."""
        of = {part.kind.part: part for part in self.cells[address]}
        main = of.get("ih") or of.get("hx") or of.get("xh")
        if main is None:
            return Sizes(0, 0, 0)
        rows, columns = self._outputs_inputs(main)
        hidden = rows // self._blocks(main)
        if self.layout.blocks_along_inputs:
            hidden, columns = rows, columns // self._blocks(main)
        elif "hh" in of and "projection" not in of:
            # The recurrent matrix tells, unless it contradicts itself.
            rows, width = self._outputs_inputs(of["hh"])
            hidden = width if rows == width * self._blocks(of["hh"]) else hidden
        output = self._outputs_inputs(of["projection"])[0] if "projection" in of else hidden
        return Sizes(columns if "ih" in of else columns - output, hidden, output)

    def num_biases(self, address: CellAddress) -> int:
        """Return how many biases a cell has per gate: 0, 1 or 2."""
        cell = self.cells[address]
        pairs = sum(2 for part in cell if part.kind.part == "bias_pair")
        biases = [part for part in cell if part.kind.part == "bias"]
        per_gate = Counter(part.gate for part in biases)
        return pairs + max(per_gate.values(), default=0)

    def expected(self, part: Part, sizes: Sizes) -> tuple[tuple[int, ...], str]:
        """Return the shape that a tensor must have, as the file has it, in numbers and letters."""
        n, letters = self._blocks(part), "" if self._blocks(part) == 1 else f"{self._blocks(part)}*"
        d, h, p = sizes
        width = "hidden_size" if h == p else "projection_size"
        rows, columns, row, column = {
            "ih": (n * h, d, f"{letters}hidden_size", "input_size"),
            "hh": (n * h, p, f"{letters}hidden_size", width),
            "hx": (n * h, p + d, f"{letters}hidden_size", f"{width} + input_size"),
            "xh": (n * h, d + p, f"{letters}hidden_size", f"input_size + {width}"),
            "projection": (p, h, "projection_size", "hidden_size"),
            "bias_pair": (2 * n * h, 0, f"{2 * n}*hidden_size", ""),
        }.get(part.kind.part, (n * h, 0, f"{letters}hidden_size", ""))
        if not column:
            return (rows,), f"({row},)"
        if self.layout.blocks_along_inputs:
            return (n * columns, h), f"({letters}{column}, hidden_size)"
        if self.layout.has_output_rows(part.kind):
            return (rows, columns), f"({row}, {column})"
        return (columns, rows), f"({column}, {row})"

    def _blocks(self, part: Part) -> int:
        """How many gates a tensor holds."""
        if (
            part.gate is not None
            or part.kind.part in ("projection", "shown")
            or part.kind.part.startswith("cell_")
        ):
            return 1
        return len(part.kind.order or self.layout.order)

    def _outputs_inputs(self, part: Part) -> tuple[int, int]:
        if len(part.shape) != 2:
            return 0, 0
        shape = part.shape if self.layout.has_output_rows(part.kind) else part.shape[::-1]
        return shape[0], shape[1]
