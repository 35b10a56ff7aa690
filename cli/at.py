"""The place that `--at` names: one unit of a layer, or one score of the head, at one step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cli.accounts import find_outcome
from cli.console import CommandLineError
from lstm.address import Address
from lstm.analysis.outcome import Outcome, Score
from lstm.errors import LSTMError

if TYPE_CHECKING:
    from lstm.model import Model
    from lstm.trace import Trace

_LAYER = r"l\d+\..*"  # what begins so is meant as an address
_WORD = r"(?P<name>.+?)(?:@(?P<step>\d+))?"


def parse_at(text: str) -> Address | Score:
    """Read `l0.f[42]@3`, `logit(are)@3`, or a word that the head scores, `are@3`.

    Raises:
        CommandLineError: it is none of these, or names not exactly one unit and at most one step.
    """
    if not re.fullmatch(_LAYER, text):
        try:
            return Score.parse(text)
        except LSTMError:
            return _word(text)
    try:
        address = Address.parse(text)
    except LSTMError as error:
        raise CommandLineError(f"--at: {error}") from None
    if not isinstance(address.units, int) or isinstance(address.steps, slice):
        raise CommandLineError(
            f"--at: expected one unit at one step, such as l0.f[42]@3, found {text!r}."
        )
    return address


def _word(text: str) -> Score:
    match = re.fullmatch(_WORD, text)
    if match is None:
        raise CommandLineError(
            f"--at: expected l0.f[42]@3, logit(WORD)@3 or a next word, found {text!r}."
        )
    return Score(match["name"], None if match["step"] is None else int(match["step"]))


def placed(at: Address, model: Model, trace: Trace) -> Address:
    """Check that the place is there, and take the last step where none is named.

    Raises:
        CommandLineError: there is no such layer, direction, unit or step.
    """
    layers = model.parameters.layers
    if at.layer >= len(layers):
        raise CommandLineError(f"--at: expected layers 0 to {len(layers) - 1}, found {at.layer}.")
    if at.direction not in layers[at.layer].directions:
        raise CommandLineError(f"--at: the model reads forward only, found {at.direction}.")
    record = getattr(trace.layers[at.layer], at.direction)
    size = getattr(record, at.quantity).shape[-1]
    assert isinstance(at.units, int)
    if at.units >= size:
        raise CommandLineError(f"--at: expected units 0 to {size - 1}, found {at.units}.")
    step = None if isinstance(at.steps, slice) else at.steps
    return at._replace(steps=_step(step, trace))


def scored(at: Score, model: Model, trace: Trace) -> tuple[Outcome, int]:
    """Find the outcome and the step, the last where none is named.

    Raises:
        CommandLineError: the head does not score it, or there is no such step.
    """
    try:
        outcome = find_outcome(model, "--at", at.name)
    except CommandLineError as error:
        raise CommandLineError(f"{error} An address is written l0.f[42]@3.") from None
    return outcome, _step(at.step, trace)


def _step(step: int | None, trace: Trace) -> int:
    last = trace.num_steps - 1
    if step is not None and step > last:
        raise CommandLineError(f"--at: expected steps 0 to {last}, found {step}.")
    return last if step is None else step
