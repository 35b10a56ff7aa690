"""From a pattern to a query in SQL. Nothing that was typed is in its text: all of it is bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lstm.address import Address
from lstm.pattern import Comparison, Condition, Counter, Logic, Number, Operation, Word

_SIGNS = {sign: f" {sign} " for sign in ("=", "<", "<=", ">", ">=", "+", "-", "*", "/")}


@dataclass
class Parameters:
    """The values of a query's parameters; `bind` gives the name by which SQL calls one.

    >>> Parameters().bind("'; DROP TABLE")
    '$p0'
    """

    values: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: object) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"


@dataclass(frozen=True)
class Writer:
    """Writes what is asked of a row; `columns` says what each address is called there."""

    columns: Mapping[Address, str]
    parameters: Parameters

    def condition(self, tree: Condition) -> str:
        if isinstance(tree, Logic):
            operands = [f"({self.condition(operand)})" for operand in tree.operands]
            if tree.operator == "not":
                return f"NOT {operands[0]}"
            return (" AND " if tree.operator == "and" else " OR ").join(operands)
        if isinstance(tree, Word):
            same = "IS NOT DISTINCT FROM" if tree.operator == "=" else "IS DISTINCT FROM"
            return f"token {same} {self.parameters.bind(tree.word)}"
        return self._comparison(tree)

    def _comparison(self, tree: Comparison) -> str:
        """Compare as IEEE 754 does: to DuckDB, NaN is the largest number and equal to itself."""
        kind = "DOUBLE" if _counts(tree.left) or _counts(tree.right) else "FLOAT"
        left, right = self.number(tree.left, kind), self.number(tree.right, kind)
        if tree.operator == "!=":
            return f"{left} <> {right} OR isnan({left})"
        largest = right if tree.operator in ("<", "<=") else left
        return f"{left}{_SIGNS[tree.operator]}{right} AND NOT isnan({largest})"

    def number(self, tree: Number, kind: str = "FLOAT") -> str:
        """Write a number that is computed in FLOAT, as states are stored, or in DOUBLE."""
        if isinstance(tree, Operation):
            operands = [self.number(operand, kind) for operand in tree.operands]
            if tree.operator == "abs":
                return f"abs({operands[0]})"
            sign = _SIGNS[tree.operator]
            return f"({sign.join(operands) if len(operands) > 1 else sign + operands[0]})"
        if isinstance(tree, Counter):
            return f"CAST({'step' if tree.name == 'step' else 'sequence'} AS {kind})"
        name = self.columns[tree] if isinstance(tree, Address) else self.parameters.bind(tree)
        return f"CAST({name} AS {kind})"


def _counts(tree: Number) -> bool:
    """Whether a number is one of steps or sequences, which float32 does not hold exactly."""
    if isinstance(tree, Operation):
        return any(map(_counts, tree.operands))
    return isinstance(tree, Counter)
