"""What a search asks of a step: `l0.c[81] > 0.5 and not token = 'the'`.

    condition   and, or, not, parentheses; comparisons = != < <= > >=, which may stand in a chain;
                token = 'word', token != 'word'
    number      an address of one unit, a number, step, sequence; + - * /, abs(...)

`not` binds tighter than `and`, `and` tighter than `or`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

from lstm.address import Address
from lstm.errors import LSTMError


class Counter(NamedTuple):
    """The number of a step or of a sequence, from 0."""

    name: str


class Operation(NamedTuple):
    """A sign, +, -, * or /, over two numbers; - over one; or abs."""

    operator: str
    operands: tuple[Number, ...]


class Comparison(NamedTuple):
    """Two numbers and =, !=, <, <=, > or >= between them."""

    operator: str
    left: Number
    right: Number


class Word(NamedTuple):
    """The step's token is, or is not, a word: = or !=."""

    operator: str
    word: str


class Logic(NamedTuple):
    """`and` or `or` over two or more conditions, `not` over one."""

    operator: str
    operands: tuple[Condition, ...]


Number = float | Address | Counter | Operation
Condition = Comparison | Word | Logic
Tree = TypeVar("Tree", Number, Condition)


class Pattern(NamedTuple, Generic[Tree]):
    """A condition or a number as it was written.

    Args:
        text: what was written.
        tree: what it means.
        places: each address in it, in order, with the offset at which it stands first.
    """

    text: str
    tree: Tree
    places: Mapping[Address, int]


class PatternError(LSTMError):
    """An expression that cannot be read, or asks for what is not there."""

    def __init__(self, offset: int, message: str) -> None:
        self.offset = offset
        super().__init__(f"at offset {offset}: {message}")
