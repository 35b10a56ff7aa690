"""The textbook's words for the parts of a sum, and the field's letters beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cli.formats.words import short
from lstm.address import Address
from lstm.analysis.explanation import GATE_OF, Applied, Term
from lstm.analysis.outcome import Score
from lstm.quantities import BY_NAME, BY_SYMBOL

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
    "shown": ("OGOP × tanh(NEWCS)", "o tanh(c)"),
    "projection": ("projection · (OGOP × tanh(NEWCS))", "P (o tanh(c))"),
    "for": ("units that speak for it", "W h > 0"),
    "against": ("units that speak against it", "W h < 0"),
    "cell": ("NEWCS", "c"),
    "one": ("1", ""),
    "rounding": ("rounding", ""),
}
# Groups whose one term is a line of its own, with its two factors.
SINGLE = ("bias", "kept", "written", "shown", "cell", "one", "coupled", "rounding")

Named = tuple[str, str]


class Names(NamedTuple):
    """How the parts of one explanation are called: in the textbook, and by letters.

    `symbol` is that of the quantity; empty for a score. `word` is what was read at the step,
    where the layer reads words; `squash` the activation of the cell state.
    """

    symbol: str
    word: str
    squash: str

    @property
    def gate(self) -> str:
        """The gate whose pre-activation is added up; empty where none is."""
        return GATE_OF.get(self.symbol.removeprefix("z_"), "")

    @property
    def total(self) -> Named:
        """What the sum is."""
        if not self.symbol:
            return "logit", "W h + b"
        if self.gate:
            return "pre-activation", f"z_{BY_NAME[self.gate].symbol}"
        quantity = BY_SYMBOL[{"tanh_c": "c"}.get(self.symbol, self.symbol)]
        return quantity.textbook or quantity.title, quantity.symbol

    def group(self, origin: str) -> Named:
        """What the terms of one origin are together."""
        if origin in SUMS:
            book, letters = SUMS[origin]
            return book.replace("tanh", self.squash), letters.replace("tanh", self.squash)
        if not self.gate:
            return "bias", "b"
        letter = BY_NAME[self.gate].symbol
        weight, bias = WEIGHTS[self.gate]
        read = f" of {self.word}" if self.word else ""
        state = ("NEWCS", "c") if self.gate == "output" else ("CURRCS", "c'")
        other = "i" if letter == "f" else "f"
        return {
            "input": (f"{weight} · INP{read}", f"W_{letter} x"),
            "hidden": (f"{weight} · CURRHS", f"U_{letter} h'"),
            "peephole": (f"peephole · {state[0]}", f"p_{letter} {state[1]}"),
            "bias": (bias, f"b_{letter}"),
            "coupled": (f"-{BY_SYMBOL[other].textbook}", f"-{other}"),
        }[origin]

    def applied(self, one: Applied) -> Named:
        """What is made of a number."""
        if one.function == "clip":
            return f"cut to ±{one.limit:g}", ""
        if one.function == "cell":
            return "NEWCS", "c"
        if one.function == "peephole":
            return "NEWCS with its peephole", "c + p c"
        if self.gate:
            quantity = BY_NAME[self.gate]
            letter = quantity.symbol
            return f"{quantity.textbook} = {one.function}(z_{letter})", letter
        return f"{one.function}(NEWCS)", f"{one.function}(c)"


def names_of(at: Address | Score, model: Model, trace: Trace) -> Names:
    """Find the names for one place."""
    if isinstance(at, Score):
        return Names("", "", "tanh")
    cell = model.parameters.layers[at.layer].directions[at.direction]
    word = ""
    if at.layer == 0 and trace.tokens is not None and isinstance(at.steps, int):
        word = short(trace.tokens[at.steps].text)
    return Names(at.symbol, word, cell.variant.cell_activation)


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
