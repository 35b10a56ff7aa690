"""Numbers and words of ours as C has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np

from lstm.arrays import Floats, Integers

PER_LINE = 6
# Where a space keeps a comment from ending, from seeming to open another, and from a trigraph.
_TROUBLE = re.compile(r"(?<=\*)(?=/)|(?<=/)(?=\*)|(?<=\?)(?=\?)")


def quoted(text: str) -> str:
    r"""Return a text that can stand in a C comment: ASCII, in quotes, on one line.

    >>> print(quoted('naïve */ "x"\n??/'))
    "na\u00efve * / \"x\"\n? ?/"
    """
    return _TROUBLE.sub(" ", json.dumps(text))


def type_of(array: Floats | Integers, bits: bool) -> str:
    """Return the C type of an array's numbers."""
    if array.dtype.kind == "i":
        return "int32_t"
    if bits:
        return f"uint{8 * array.dtype.itemsize}_t"
    return "float" if array.dtype == np.float32 else "double"


def literals(array: Floats | Integers, bits: bool) -> Iterator[str]:
    """Yield the numbers of an array as C reads them, in the array's order."""
    if array.dtype.kind == "i":
        yield from map(str, array.ravel().tolist())
    elif bits:
        digits = 2 * array.dtype.itemsize
        patterns = array.ravel().view(f"u{array.dtype.itemsize}")
        suffix = "u" if digits == 8 else "ull"
        yield from (f"0x{pattern:0{digits}x}{suffix}" for pattern in patterns.tolist())
    else:
        suffix = "f" if array.dtype == np.float32 else ""
        yield from (real(number, suffix) for number in array.ravel().tolist())


def real(number: float, suffix: str = "") -> str:
    """Return a number as a hexadecimal literal, which is exact, or as a macro of <math.h>.

    >>> real(-0.15625, "f"), real(float("-inf"))
    ('-0x1.4p-3f', '-INFINITY')
    """
    if number != number:
        return "NAN"
    if number in (float("inf"), float("-inf")):
        return "INFINITY" if number > 0 else "-INFINITY"
    digits, _, exponent = number.hex().partition("p")
    return f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits}p{exponent}{suffix}"


def rows(array: Floats | Integers, bits: bool) -> Iterator[str]:
    """Yield the lines between an array's braces; each row of a matrix starts a new one."""
    width = array.shape[-1]
    numbers = list(literals(array, bits))
    for start in range(0, len(numbers), width):
        row = numbers[start : start + width]
        for first in range(0, width, PER_LINE):
            yield "    " + ", ".join(row[first : first + PER_LINE]) + ","
