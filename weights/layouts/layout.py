"""How a framework stores its LSTM weights, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

LETTERS = {"i": "input", "f": "forget", "g": "candidate", "o": "output"}
# What the letters of an order stand for; a highway has a gate and a projected input of its own.
BLOCKS = {**LETTERS, "r": "highway", "p": "highway_input"}
# Stands before a field of `lstm.variants.Variant` in which the reverse cells differ.
REVERSE = "reverse."
NOTHING: Mapping[str, Any] = MappingProxyType({})


class TensorKind(NamedTuple):
    """One kind of tensor in a layout.

    `pattern` is an expression for the name after its prefix. Its named groups say what the name
    tells: `layer` (a number), `direction`, `gate`; whichever is absent is layer 0, forward, all
    gates packed. In place of a layer, `tensor` is a number that counts the tensors of all layers,
    in the order of the layout's kinds. `part` says what the tensor is:

        ih, hh       applied to the input, to the hidden state
        hx, xh       applied to the concatenation [hidden, input], [input, hidden]
        bias         added to the pre-activation; several are summed
        bias_pair    two of them in one vector, one after the other
        peephole     by which the cell state is multiplied; packed i, o, f where `order` says so
        shown        Sonnet 1's peephole, on the way from the cell to the hidden state
        projection   of the hidden state
        norm_gain, norm_bias              of a gate's layer normalisation
        cell_norm_gain, cell_norm_bias    of the cell's
        alias        another name of a tensor that is there already

    `optional` kinds may be missing from a file; other kinds must be there. `order` and
    `rows_are_outputs` are the layout's where they are not given. `written` is the name under
    which a tensor is written, with {layer}, {direction} and {gate} in it as far as it tells them;
    the layout's `places` stand before it.
    """

    pattern: str
    part: str
    optional: bool = False
    order: str = ""
    rows_are_outputs: bool | None = None
    written: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Layout:
    """How one framework, or several alike, name and order the weights.

    Args:
        name: for --layout and for outputs.
        title: for people.
        kinds: the tensors that make up a cell.
        order: the gates in the order of their blocks in a packed tensor, in letters.
        gates: for tensors of one gate, the framework's name of each gate to ours.
        directions: the framework's mark of a direction to ours.
        rows_are_outputs: W @ x, so that a matrix is (outputs, inputs); False for x @ W.
        by_direction: tensors have a first axis of one or two directions; `directions` then
            marks a single one that is not forward.
        interleaved: row 4k+j belongs to gate j of unit k; otherwise gates are blocks.
        blocks_along_inputs: gates are stacked along the axis of the inputs.
        reread: each gate's block holds the bytes of a matrix of the transposed shape.
        forget_bias: what the framework adds to the forget gate at run time.
        variant: how its cell differs from the standard one, for `lstm.variants.Variant`; with
            `reverse.` before a field where the reverse cells differ from the forward ones.
        independent: the two directions of a stack never meet.
        residual: from layer 1 on, a layer hands on its hidden states plus what it read.
        instead_of: the name of a more general layout, whose place it takes where both fit.
        assumed: what its files do not tell: the option that tells it, and what is assumed.
        assumed_bare: what besides is not told where no path with a slash stands before the names.
        within: an expression that must be found in a name, where the names alone say too little.
        common: its names are so common that they tell nothing beside an LSTM of another layout.
        by_name_only: never found out, only named with --layout, as it looks like another.
        pairs_by_number: two cells whose names differ in a number are two directions, `always` or
            `unless they fit` on top of each other.
        alike: the layout that reads them as two directions where they fit all the same.
        in_turn: an expression found in the names of cells which, stacked, read forward and
            reverse in turn.
        refused: expressions for tensors of a variant that is not supported, each with its name.
        around: expressions for the names of the embedding, the head and its bias, and of what else
            of the model stands beside the cell, where the layout fixes them.
        first_layers: the numbers that the first layer may have.
        places: what stands before the name of a written tensor, with {layer} in it: `only` where
            a layer has one direction, `forward` and `reverse` where it has two.
        unbiased: the layout in which a forget bias is written from which this one's cannot be
            taken off exactly.
        source: where the order of the gates is documented.
    """

    name: str
    title: str
    kinds: tuple[TensorKind, ...]
    order: str = "ifgo"
    gates: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    directions: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    rows_are_outputs: bool = True
    by_direction: bool = False
    interleaved: bool = False
    blocks_along_inputs: bool = False
    reread: bool = False
    forget_bias: float = 0.0
    variant: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    independent: bool = False
    residual: bool = False
    instead_of: str = ""
    assumed: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    assumed_bare: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    within: str = ""
    common: bool = False
    by_name_only: bool = False
    pairs_by_number: str = ""
    alike: str = ""
    in_turn: str = ""
    refused: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    around: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    first_layers: tuple[int, ...] = (0,)
    places: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    unbiased: str = ""
    source: str = ""

    @property
    def is_written(self) -> bool:
        """Whether files can be written in this layout."""
        return all(kind.written or kind.optional for kind in self.kinds)

    @property
    def has_two_directions(self) -> bool:
        """Whether it has names for a second direction."""
        return self.by_direction or bool(self.directions) or "reverse" in self.places

    def gates_of(self, kind: TensorKind) -> tuple[str | None, ...]:
        """Return the gates for which a file has a tensor of this kind; (None,): one for all."""
        found = re.search(r"\(\?P<gate>(.*?)\)", kind.pattern)
        if found is None:
            return (None,)
        marks = (mark for mark in self.gates if re.fullmatch(found[1], mark))
        return tuple(dict.fromkeys(self.gates[mark] for mark in marks))

    def variant_of(self, direction: str) -> dict[str, Any]:
        """Return how the cells of one direction differ from the standard one."""
        own = {name: v for name, v in self.variant.items() if not name.startswith(REVERSE)}
        if direction == "reverse":
            own |= {n.removeprefix(REVERSE): v for n, v in self.variant.items() if n not in own}
        return own

    def order_of(self, kind: TensorKind) -> tuple[str, ...]:
        """Return the gates in the order of a packed tensor's blocks."""
        return tuple(BLOCKS[letter] for letter in kind.order or self.order)

    def has_output_rows(self, kind: TensorKind) -> bool:
        """Whether a matrix of this kind is (outputs, inputs)."""
        given = kind.rows_are_outputs
        return self.rows_are_outputs if given is None else given
