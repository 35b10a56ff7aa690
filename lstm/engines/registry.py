"""The engines by name, and which one pays for the work at hand."""

from __future__ import annotations

from typing import NamedTuple

from lstm.engines.engine import Engine
from lstm.engines.plain import PLAIN
from lstm.errors import LSTMError
from lstm.parameters import CellParameters, Parameters
from lstm.quantities import ENGINE_NAMES

# Seconds, on the slow side of today's machines: a step and a weight in numpy; and until the
# compiled kernel takes its first step, when it is on disk and when it is not.
_STEP, _WEIGHT = 12e-6, 2e-10
_LOADING, _COMPILING = 0.8, 8.0


class Choice(NamedTuple):
    """An engine and, in half a sentence, why it was taken."""

    engine: Engine
    reason: str


def choose(name: str, parameters: Parameters, num_steps: int | None, threads: int) -> Choice:
    """Return the engine of this name; for `auto`, the one that is sooner done.

    Args:
        name: one of ENGINE_NAMES.
        parameters: what will be run.
        num_steps: how many steps, over all sequences; None where nobody knows.
        threads: for the engine that can use them.

    Raises:
        LSTMError: the engine named cannot run this model.
        MissingExtraError: it is not installed.
    """
    if name not in ENGINE_NAMES:
        raise LSTMError(f"engine: expected one of {', '.join(ENGINE_NAMES)}, found {name!r}.")
    if name == "numpy":
        return Choice(PLAIN, "asked for")
    hindrance = _hindrance(parameters)
    if name == "numba":
        if hindrance:
            raise LSTMError(f"engine numba: expected a standard cell in float32, {hindrance}.")
        return Choice(_compiled(threads), "asked for")
    if hindrance:
        return Choice(PLAIN, hindrance)
    if num_steps is None:
        return Choice(PLAIN, "the length of the input is not known beforehand")
    expected, start = _seconds(parameters, num_steps), _LOADING
    if expected > start:  # only then is it worth while to look what is there
        from lstm.engines.cache import is_compiled, is_installed

        if not is_installed():
            return Choice(PLAIN, "numba is not installed")
        start = _LOADING if is_compiled() else _COMPILING
    if expected <= start:
        return Choice(PLAIN, f"about {expected:.2g} s of work, numba's start takes {start:g} s")
    return Choice(_compiled(threads), f"about {expected:.2g} s of work in numpy")


def _compiled(threads: int) -> Engine:
    from lstm.engines.compiled import CompiledEngine

    return CompiledEngine(threads)


def _hindrance(parameters: Parameters) -> str:
    """Say what the compiled engine cannot run, or nothing."""
    for number, layer in enumerate(parameters.layers):
        for cell in layer.directions.values():
            if cell.dtype != "float32":
                return f"found {cell.dtype}"
            if not PLAIN.can_run(cell):
                return f"found another cell in layer {number}"
    return ""


def _seconds(parameters: Parameters, num_steps: int) -> float:
    cells = [cell for layer in parameters.layers for cell in layer.directions.values()]
    return num_steps * sum(_STEP + _WEIGHT * _weights(cell) for cell in cells)


def _weights(cell: CellParameters) -> int:
    return int(cell.weight_ih.size + cell.weight_hh.size)
