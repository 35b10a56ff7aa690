"""The textbook's words for the parts of a sum, and the field's letters beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cli.formats.words import label
from lstm.address import Address
from lstm.analysis.explanation import GATE_OF
from lstm.analysis.outcome import Score
from lstm.analysis.terms import Applied, Term
from lstm.quantities import BY_NAME, BY_SYMBOL
from lstm.variants import STANDARD, Variant

if TYPE_CHECKING:
    from lstm.model import Model
    from lstm.trace import Trace

# The matrix and the bias of each gate; each matrix is applied to [CURRHS, INP].
WEIGHTS = {
    "forget": ("WFG", "BFG"),
    "input": ("WIPG", "BIPG"),
    "candidate": ("WCS", "BCS"),
    "output": ("WOPG", "BOPG"),
}
SUMS = {
    "kept": ("FGOP × CURRCS", "f c'"),
    "written": ("IPGOP × CNDCS", "i g"),
    "for": ("units that speak for it", "W h > 0"),
    "against": ("units that speak against it", "W h < 0"),
    "hidden_state": ("NEWHS", "h"),
    "residual": ("what the layer reads", "x"),
    "one": ("1", ""),
    "rounding": ("rounding", ""),
}
# Groups whose one term is a line of its own, with its two factors.
SINGLE = (
    "bias",
    "kept",
    "written",
    "shown",
    "hidden_state",
    "residual",
    "one",
    "coupled",
    "rounding",
)

Named = tuple[str, str]


class Names(NamedTuple):
    """How the parts of one explanation are called: in the textbook, and by letters.

    `symbol` is that of the quantity; empty for a score. `word` is what was read at the step,
    where the layer reads words; `variant` says how the cell differs from the textbook's.
    """

    symbol: str
    word: str
    variant: Variant

    @property
    def gate(self) -> str:
        """The gate whose pre-activation is added up; empty where none is."""
        gate = GATE_OF.get(self.symbol.removeprefix("z_"), "")
        is_coupled = gate == self.variant.coupled and self.symbol in GATE_OF
        return "" if is_coupled else gate

    @property
    def seen(self) -> tuple[str, str]:
        """What of the cell state shows: in the textbook's words, and by letters."""
        stretched = self.variant.peephole_shown is not None
        return ("NEWCS + peephole", "c + p c") if stretched else ("NEWCS", "c")

    @property
    def total(self) -> Named:
        """What the sum is."""
        if not self.symbol:
            return "logit", "W h + b"
        if self.gate:
            return "pre-activation", f"z_{BY_NAME[self.gate].symbol}"
        quantity = BY_SYMBOL["c" if self.symbol == "tanh_c" else self.symbol]
        return quantity.textbook or quantity.title, quantity.symbol

    def group(self, origin: str) -> Named:
        """What the terms of one origin are together."""
        if origin in ("shown", "projection"):
            book, letters = (f"{self.variant.cell_activation}({seen})" for seen in self.seen)
            if origin == "shown":
                return f"OGOP × {book}", f"o {letters}"
            return f"projection · (OGOP × {book})", f"P (o {letters})"
        if origin in SUMS:
            return SUMS[origin]
        if origin == "coupled":
            other = "i" if self.symbol == "f" else "f"
            return f"-{BY_SYMBOL[other].textbook}", f"-{other}"
        if not self.gate:
            return "bias", "b"
        letter = BY_NAME[self.gate].symbol
        weight, bias = WEIGHTS[self.gate]
        read = f" of {self.word}" if self.word else ""
        state = ("NEWCS", "c") if self.gate == "output" else ("CURRCS", "c'")
        return {
            "input": (f"{weight} · INP{read}", f"W_{letter} x"),
            "hidden": (f"{weight} · CURRHS", f"U_{letter} h'"),
            "peephole": (f"peephole · {state[0]}", f"p_{letter} {state[1]}"),
            "bias": (bias, f"b_{letter}"),
        }[origin]

    def applied(self, one: Applied) -> Named:
        """What is made of a number."""
        if one.function == "clip":
            return f"cut to ±{one.limit:g}", ""
        if one.function == "cell":
            return "NEWCS", "c"
        if one.function == "peephole":
            return self.seen
        if self.gate:
            quantity = BY_NAME[self.gate]
            letter = quantity.symbol
            return f"{quantity.textbook} = {one.function}(z_{letter})", letter
        seen = ("NEWCS", "c") if self.symbol == "tanh_c" else self.seen
        return f"{one.function}({seen[0]})", f"{one.function}({seen[1]})"


def names_of(at: Address | Score, model: Model, trace: Trace) -> Names:
    """Find the names for one place."""
    if isinstance(at, Score):
        return Names("", "", STANDARD)
    cell = model.parameters.layers[at.layer].directions[at.direction]
    word = ""
    if at.layer == 0 and trace.tokens is not None and isinstance(at.steps, int):
        word = label(trace.tokens[at.steps]).plain
    return Names(at.symbol, word, cell.variant)


def rest_of(origin: str, count: int) -> str:
    """Say what is left out of a group."""
    what = "input" if origin == "input" else "unit"
    return f"  the rest: {count} {what}{'' if count == 1 else 's'}"


def term_of(term: Term) -> str:
    """Name a term by whose value it is; before the first step there is none."""
    if term.address is None:
        return "  a constant"
    if term.address.steps is None:
        return f"  {term.address!r} at the start"
    return f"  {term.address!r}"
