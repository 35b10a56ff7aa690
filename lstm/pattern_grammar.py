"""Reads the expressions of a search: text to `Pattern`, by recursive descent."""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from lstm.address import Address
from lstm.errors import LSTMError
from lstm.pattern import (
    Comparison,
    Condition,
    Counter,
    Logic,
    Number,
    Operation,
    Pattern,
    PatternError,
    Word,
)

_LEXEME = re.compile(
    r"""\s*(?:
        (?P<address> l\d+ [\w.]* (?: \[ [^\]]* \]? )? (?: @[\d:]* )? )
      | (?P<number> (?: \d+ (?: \.\d* )? | \.\d+ ) (?: e[+-]?\d+ )? )
      | (?P<quoted> '[^']*' | "[^"]*" )
      | (?P<name> [a-z_]\w* )
      | (?P<sign> <= | >= | != | == | [-+*/<>=()] )
      | (?P<end> \Z )
    )""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
_COMPARISONS = ("=", "==", "!=", "<", "<=", ">", ">=")
_LARGEST = 3.4e38  # of the numbers that a state can be
# What keeps an expression within the depth to which Python, and a database, can follow it.
_MOST_LEXEMES, _DEEPEST = 500, 50


class _Lexeme(NamedTuple):
    kind: str
    text: str
    offset: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


def parse_condition(text: str) -> Pattern[Condition]:
    """Read what a step is to fulfil.

    Raises:
        PatternError: the text does not follow the grammar; it says where.

    >>> parse_condition("l0.c[81] > 0.5 and not token = 'the'").tree.operator
    'and'
    """
    parser = _Parser(text)
    tree = parser.condition(parser.disjunction(), 0)
    return Pattern(text, tree, parser.finish())


def parse_number(text: str) -> Pattern[Number]:
    """Read a number to rank steps by.

    Raises:
        PatternError: the text does not follow the grammar; it says where.

    >>> parse_number("abs(l0.c[81])").places
    {l0.c[81]: 4}
    """
    parser = _Parser(text)
    tree = parser.number(parser.disjunction(), 0)
    return Pattern(text, tree, parser.finish())


class _Parser:
    """Each method reads one level of the grammar, and leaves what follows to its caller.

    Numbers and conditions share the levels, since both may stand in parentheses; which of the two
    belongs at a place is checked there.
    """

    def __init__(self, text: str) -> None:
        self.lexemes = _lexemes(text)
        self.position = 0
        self.depth = 0
        self.places: dict[Address, int] = {}

    @property
    def next(self) -> _Lexeme:
        return self.lexemes[self.position]

    def take(self, *texts: str) -> _Lexeme | None:
        """Read the next lexeme if it is a name or sign among these."""
        found = self.next
        if found.kind not in ("name", "sign") or found.text not in texts:
            return None
        self.position += 1
        return found

    def expect(self, text: str) -> None:
        if not self.take(text):
            self.fail(repr(text))

    def fail(self, expected: str) -> NoReturn:
        raise PatternError(self.next.offset, f"expected {expected}, found {self.next}.")

    def finish(self) -> dict[Address, int]:
        """Check that nothing is left, and return the addresses that were read."""
        if self.next.kind != "end":
            self.fail("a sign, 'and', 'or' or the end")
        return self.places

    def condition(self, found: Number | Condition, offset: int) -> Condition:
        if not isinstance(found, Comparison | Word | Logic):
            raise PatternError(
                offset, "expected a condition, found a number. Compare it, such as l0.c[81] > 0.5."
            )
        return found

    def number(self, found: Number | Condition, offset: int) -> Number:
        if isinstance(found, Comparison | Word | Logic):
            raise PatternError(offset, "expected a number such as l0.c[81], found a condition.")
        return found

    def disjunction(self) -> Number | Condition:
        offset, found = self.next.offset, self.conjunction()
        if self.next.text != "or":
            return found
        operands = [self.condition(found, offset)]
        while self.take("or"):
            offset = self.next.offset
            operands.append(self.condition(self.conjunction(), offset))
        return Logic("or", tuple(operands))

    def conjunction(self) -> Number | Condition:
        offset, found = self.next.offset, self.negation()
        if self.next.text != "and":
            return found
        operands = [self.condition(found, offset)]
        while self.take("and"):
            offset = self.next.offset
            operands.append(self.condition(self.negation(), offset))
        return Logic("and", tuple(operands))

    def negation(self) -> Number | Condition:
        if not self.take("not"):
            return self.comparison()
        self.descend()
        offset, found = self.next.offset, self.negation()
        self.depth -= 1
        return Logic("not", (self.condition(found, offset),))

    def comparison(self) -> Number | Condition:
        """Read `a < b`, or a chain: `a < b <= c` is `a < b and b <= c`."""
        offset, found = self.next.offset, self.sum()
        links: list[Condition] = []
        while sign := self.take(*_COMPARISONS):
            left, offset = self.number(found, offset), self.next.offset
            found = self.number(self.sum(), offset)
            links.append(Comparison(sign.text.replace("==", "="), left, found))
        return found if not links else links[0] if len(links) == 1 else Logic("and", tuple(links))

    def sum(self) -> Number | Condition:
        offset, found = self.next.offset, self.product()
        while sign := self.take("+", "-"):
            left, right = self.number(found, offset), self.next.offset
            found = Operation(sign.text, (left, self.number(self.product(), right)))
        return found

    def product(self) -> Number | Condition:
        offset, found = self.next.offset, self.factor()
        while sign := self.take("*", "/"):
            left, right = self.number(found, offset), self.next.offset
            found = Operation(sign.text, (left, self.number(self.factor(), right)))
        return found

    def factor(self) -> Number | Condition:
        if not self.take("-"):
            return self.atom()
        self.descend()
        offset, found = self.next.offset, self.factor()
        self.depth -= 1
        return Operation("-", (self.number(found, offset),))

    def atom(self) -> Number | Condition:
        start = self.next
        if self.take("("):
            return self.rest()
        if self.take("abs"):
            self.expect("(")
            return Operation("abs", (self.number(self.rest(), start.offset + len("abs(")),))
        if name := self.take("step", "sequence"):
            return Counter(name.text)
        if self.take("token"):
            return self.word()
        if start.kind not in ("address", "number"):
            self.fail("an address such as l0.c[81], a number, step, sequence, token or abs(...)")
        self.position += 1
        return self.address(start) if start.kind == "address" else _constant(start)

    def rest(self) -> Number | Condition:
        """Read up to the parenthesis that closes."""
        self.descend()
        found = self.disjunction()
        self.depth -= 1
        self.expect(")")
        return found

    def descend(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise PatternError(
                self.next.offset, f"expected at most {_DEEPEST} parts in one another, found more."
            )

    def word(self) -> Word:
        sign = self.take("=", "==", "!=") or self.fail("= or != after token")
        quoted = self.next
        if quoted.kind != "quoted":
            self.fail("a word in quotes")
        self.position += 1
        return Word(sign.text.replace("==", "="), quoted.text[1:-1])

    def address(self, lexeme: _Lexeme) -> Address:
        """Read the place of one number at every step."""
        try:
            address = Address.parse(lexeme.text)
        except LSTMError as error:
            raise PatternError(lexeme.offset, error.message) from None
        if address.steps is not None:
            message = f"{address}: expected no step. Write `step = 3` as a condition of its own."
            raise PatternError(lexeme.offset, message)
        if not isinstance(address.units, int):
            example = address._replace(units=0)
            message = f"{address}: expected one unit, such as {example}, found several."
            raise PatternError(lexeme.offset, message)
        self.places.setdefault(address, lexeme.offset)
        return address


def _constant(lexeme: _Lexeme) -> float:
    value = float(lexeme.text)
    if value > _LARGEST:
        raise PatternError(lexeme.offset, f"expected at most {_LARGEST}, found {lexeme.text}.")
    return value


def _lexemes(text: str) -> list[_Lexeme]:
    found: list[_Lexeme] = []
    position = 0
    while not found or found[-1].kind != "end":
        match = _LEXEME.match(text, position)
        if match is None or match.lastgroup is None:
            raise _unreadable(text, position)
        if len(found) == _MOST_LEXEMES:
            message = f"expected at most {_MOST_LEXEMES} words and signs, found more."
            raise PatternError(match.start(match.lastgroup), message)
        kind, position = match.lastgroup, match.end()
        found.append(_Lexeme(kind, match[kind], match.start(kind)))
    return found


def _unreadable(text: str, position: int) -> PatternError:
    """Say which character begins nothing: a quote is one that nothing closes."""
    offset = position + len(text[position:]) - len(text[position:].lstrip())
    if text[offset] in "'\"":
        return PatternError(offset, f"expected a word that a quote closes, found {text[offset:]}.")
    return PatternError(
        offset,
        f"expected an address, a number, a word in quotes or a sign, found {text[offset]!r}.",
    )
