"""Words for numbers, in every message and table that counts something."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Write a number with its noun, an `s` behind it unless the number is 1.

    >>> counted(1, "layer"), counted(0, "step"), counted(1234, "unit")
    ('1 layer', '0 steps', '1234 units')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
