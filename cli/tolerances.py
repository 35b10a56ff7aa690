"""How far apart two numbers may be, as `--atol 1e-6 --atol cell=1e-4` says it."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import TYPE_CHECKING

from cli.console import CommandLineError
from lstm.quantities import BY_NAME, BY_SYMBOL, NAMES

if TYPE_CHECKING:
    from lstm.analysis.divergence import Tolerance, Tolerances

Values = dict[str | None, float]  # by quantity; None is for all others


def parse_tolerances(
    atol: Iterable[str] | None,
    rtol: Iterable[str] | None,
    ulp: Iterable[str] | None,
    equal_nan: bool = False,
) -> Tolerances:
    """Read the three options; where only --ulp is given for a quantity, only it counts.

    Raises:
        CommandLineError: a value is no number, or no quantity has that name.
    """
    from lstm.analysis.divergence import Tolerances

    absolute, relative = _parse("--atol", atol), _parse("--rtol", rtol)
    ulps = _parse("--ulp", ulp)
    names = {name for given in (absolute, relative, ulps) for name in given if name is not None}
    special = {name: _tolerance(name, absolute, relative, ulps) for name in names}
    return Tolerances(_tolerance(None, absolute, relative, ulps), special, equal_nan)


def _tolerance(name: str | None, absolute: Values, relative: Values, ulps: Values) -> Tolerance:
    from lstm.analysis.divergence import Tolerance

    steps = ulps.get(name, ulps.get(None))
    rest = Tolerance() if steps is None else Tolerance(0.0, 0.0)
    return Tolerance(
        absolute.get(name, absolute.get(None, rest.absolute)),
        relative.get(name, relative.get(None, rest.relative)),
        None if steps is None else int(steps),
    )


def _parse(option: str, values: Iterable[str] | None) -> Values:
    found: Values = {}
    for entry in values or ():
        name, _, number = entry.rpartition("=")
        quantity = BY_NAME.get(name) or BY_SYMBOL.get(name)
        if name and quantity is None:
            raise CommandLineError(
                f"{option}: expected a quantity among {', '.join(NAMES)}; found {name!r}."
            )
        found[quantity.name if quantity else None] = _number(option, number)
    return found


def _number(option: str, text: str) -> float:
    try:
        number = float(int(text)) if option == "--ulp" else float(text)
    except ValueError:
        number = -1.0
    if not (number >= 0 and isfinite(number)):
        kind = "a whole number" if option == "--ulp" else "a number"
        raise CommandLineError(f"{option}: expected {kind}, 0 or more, found {text!r}.")
    return number
