"""A number to watch while something is changed: `logit(are) - logit(is)`, `l0.c[81]@3`.

    number      logit(WORD), p(WORD), log p(WORD): the head's score of an outcome, its
                probability, and the natural logarithm of that; the address of one unit; a number
    all         + - * and parentheses

Each is taken after the last step, or where `@STEP` stands behind it. A WORD that holds a
parenthesis stands in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

import numpy as np

from lstm.address import Address
from lstm.arrays import Floats
from lstm.errors import LSTMError, MissingPartError
from lstm.head import Head, log_softmax
from lstm.trace import Trace

_LEXEME = re.compile(
    r"""\s*(?:
        (?P<score> (?P<kind> logit | log\s*p | p ) \s* \(
            \s* (?P<word> '[^']*' | "[^"]*" | [^()\s] [^()]*? ) \s* \) (?: @ (?P<step> \d+ ) )? )
      | (?P<address> l\d+ [\w.]* (?: \[ [^\]]* \]? )? (?: @[\d:]* )? )
      | (?P<number> (?: \d+ (?: \.\d* )? | \.\d+ ) (?: e[+-]?\d+ )? )
      | (?P<sign> [-+*()] )
      | (?P<end> \Z )
    )""",
    re.VERBOSE | re.ASCII,
)
_EXPECTED = "logit(WORD), p(WORD), log p(WORD), an address such as l0.c[81]@3, or a number"
# What keeps a metric within the depth to which Python can follow it.
_MOST_LEXEMES = 100


class MetricError(LSTMError):
    """A metric that cannot be read, or asks for what is not there."""

    def __init__(self, offset: int, message: str) -> None:
        self.offset = offset
        super().__init__(f"at offset {offset}: {message}")


class Score(NamedTuple):
    """What the head says of an outcome: `logit`, `p` or `logp`; and where it was written."""

    kind: str
    name: str
    step: int | None = None
    offset: int = 0


class Place(NamedTuple):
    """One unit, and where its address was written."""

    address: Address
    offset: int


class Operation(NamedTuple):
    """+, - or * over two numbers."""

    operator: str
    left: Number
    right: Number


Number = float | Score | Place | Operation

_OPERATORS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
}


class Metric(NamedTuple):
    """An expression as it is written, and what it means.

    >>> Metric.parse("2 * p(are)@3").tree.right
    Score(kind='p', name='are', step=3, offset=4)
    """

    text: str
    tree: Number

    @classmethod
    def parse(cls, text: str) -> Metric:
        """Read an expression.

        Raises:
            MetricError: the text does not follow the grammar; it says where.
        """
        return cls(text, _Parser(text).whole())

    @classmethod
    def log_odds(cls, one: str, other: str) -> Metric:
        """Make `logit(one) - logit(other)`: how many times more probable, as a logarithm."""
        scores = (Score("logit", one), Score("logit", other))
        return cls(f"logit({one}) - logit({other})", Operation("-", *scores))

    def measure(self, trace: Trace, step: int = -1) -> Floats:
        """Take the number from a run.

        Args:
            trace: of N sequences of one length, at least one step.
            step: after which step, where the expression does not say; -1 is the last.

        Returns:
            (N,), float64.

        Raises:
            MissingPartError: the expression asks for a score, and the model has no head.
            MetricError: it asks for an outcome, a layer, a unit or a step that is not there.
        """
        return np.broadcast_to(_Reader(trace, step).value(self.tree), _num_sequences(trace))


def _num_sequences(trace: Trace) -> int:
    return len(trace.layers[0].first.cell)


@dataclass
class _Reader:
    """Takes numbers from a run; what the head says after a step is computed once."""

    trace: Trace
    step: int
    logits: dict[int, Floats] = field(default_factory=dict)

    def value(self, number: Number) -> Floats:
        if isinstance(number, Operation):
            left, right = self.value(number.left), self.value(number.right)
            return _OPERATORS[number.operator](left, right)
        if isinstance(number, Score):
            return self._score(number)
        return self._unit(number) if isinstance(number, Place) else np.asarray(number, np.float64)

    def _score(self, score: Score) -> Floats:
        head = self.trace.head
        if head is None:
            raise MissingPartError("head", f"{score.kind}({score.name})", "Measure an address.")
        outcome = _outcome(head, score)
        step = self._at(score.step, score.offset)
        if step not in self.logits:
            self.logits[step] = head.logits(self.trace.output[:, step])
        if score.kind == "logit":
            return self.logits[step][:, outcome].astype(np.float64)
        logs = log_softmax(self.logits[step])[:, outcome]
        return logs if score.kind == "logp" else np.exp(logs)

    def _unit(self, place: Place) -> Floats:
        address, offset = place
        layers = self.trace.layers[address.layer : address.layer + 1]
        record = getattr(layers[0], address.direction) if layers else None
        if record is None:
            raise MetricError(offset, f"{address}: the model has no such layer and direction.")
        values: Floats = getattr(record, address.quantity)
        unit, last = address.units, values.shape[-1] - 1
        if not isinstance(unit, int) or unit > last:
            raise MetricError(offset, f"{address}: unit: expected 0 to {last}, found {unit}.")
        step = self._at(address.steps if isinstance(address.steps, int) else None, offset)
        return values[:, step, unit].astype(np.float64)

    def _at(self, step: int | None, offset: int) -> int:
        last = self.trace.num_steps - 1
        if step is None:
            return range(last + 1)[self.step]
        if step > last:
            raise MetricError(offset, f"step: expected 0 to {last}, found {step}.")
        return step


def _outcome(head: Head, score: Score) -> int:
    try:
        return head.outcome(score.name)
    except LSTMError as error:
        raise MetricError(score.offset, error.message) from None


class _Parser:
    """Each method reads one level of the grammar, and leaves what follows to its caller."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.count = 0
        self.found = self._scan(0)

    def whole(self) -> Number:
        tree = self._sum()
        if self.found.lastgroup != "end":
            self._fail("+, -, * or the end")
        return tree

    def _scan(self, position: int) -> re.Match[str]:
        """Find the next lexeme; its kind is its `lastgroup`."""
        match = _LEXEME.match(self.text, position)
        rest = self.text[position:].lstrip()
        offset = len(self.text) - len(rest)
        if match is None:
            raise MetricError(offset, f"expected {_EXPECTED}, found {rest.split()[0]!r}.")
        self.count += 1
        if self.count > _MOST_LEXEMES:
            raise MetricError(offset, f"expected at most {_MOST_LEXEMES} words and signs.")
        return match

    @property
    def _offset(self) -> int:
        return self.found.end() - len(self.found[0].lstrip())

    def _take(self, *signs: str) -> str | None:
        """Read the next lexeme if it is one of these signs."""
        sign = self.found["sign"]
        if sign not in signs:
            return None
        self.found = self._scan(self.found.end())
        return sign

    def _fail(self, expected: str) -> NoReturn:
        found = self.found[0].strip()
        said = repr(found) if found else "the end"
        raise MetricError(self._offset, f"expected {expected}, found {said}.")

    def _sum(self) -> Number:
        tree = self._product()
        while sign := self._take("+", "-"):
            tree = Operation(sign, tree, self._product())
        return tree

    def _product(self) -> Number:
        tree = self._factor()
        while sign := self._take("*"):
            tree = Operation(sign, tree, self._factor())
        return tree

    def _factor(self) -> Number:
        if self._take("-"):
            return Operation("*", -1.0, self._factor())
        if self._take("("):
            tree = self._sum()
            if not self._take(")"):
                self._fail("')'")
            return tree
        read = {"score": self._score, "address": self._place, "number": self._constant}
        if (kind := self.found.lastgroup) not in read:
            self._fail(_EXPECTED)
        tree = read[kind]()
        self.found = self._scan(self.found.end())
        return tree

    def _constant(self) -> Number:
        return float(self.found["number"])

    def _score(self) -> Number:
        kind, word, step = (self.found[name] for name in ("kind", "word", "step"))
        if word[0] in "'\"" and word[0] == word[-1] and len(word) > 1:
            word = word[1:-1]
        name = "logp" if kind.startswith("log") and kind != "logit" else kind
        return Score(name, word, None if step is None else int(step), self._offset)

    def _place(self) -> Number:
        try:
            address = Address.parse(self.found["address"])
        except LSTMError as error:
            raise MetricError(self._offset, error.message) from None
        several = "unit" if not isinstance(address.units, int) else "step"
        if several == "unit" or isinstance(address.steps, slice):
            unit = 0 if several == "unit" else address.units
            example = address._replace(units=unit, steps=3)
            raise MetricError(
                self._offset,
                f"{address}: expected one {several}, as in {example}, found several.",
            )
        return Place(address, self._offset)
