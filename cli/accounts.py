"""What `lstm memory` asks of the ledger, and what it is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from cli.console import CommandLineError
from cli.selection import Spans
from lstm.address import Address
from lstm.errors import LSTMError

if TYPE_CHECKING:
    from lstm.analysis.ledger import Ledger
    from lstm.analysis.memory import LogitAccount, Memory
    from lstm.analysis.outcome import Outcome
    from lstm.model import Model
    from lstm.trace import Trace

STATES = {"c": "cell", "h": "hidden"}


class Asked(NamedTuple):
    """What to account for: `of` cells, hidden states or, with a word, a score of the head.

    `unit` names one layer, direction and unit, or a span of units.
    """

    of: str
    word: str | None
    unit: Address | None
    layers: Spans
    direction: str | None
    steps: Spans

    def places(self, model: Model) -> Iterator[tuple[int, str]]:
        """Yield each layer and direction that is asked for."""
        for layer in self.layers.within(model.parameters.num_layers):
            for direction in model.parameters.layers[layer].directions:
                if self.unit is not None:
                    if (layer, direction) == self.unit[:2]:
                        yield layer, direction
                elif self.direction in (None, direction):
                    yield layer, direction


class Account(NamedTuple):
    """The ledger of one layer and direction, and what was read off."""

    layer: int
    ledger: Ledger
    memory: Memory

    @property
    def direction(self) -> str:
        return self.ledger.trace.direction


def parse_unit(text: str | None) -> Address | None:
    """Read --unit: the address of a cell state or a hidden state, `l0.c[81]`.

    Raises:
        CommandLineError: it is none, or names no unit.
    """
    if text is None:
        return None
    try:
        address = Address.parse(text)
    except LSTMError as error:
        raise CommandLineError(f"--unit: {error}") from None
    if address.symbol not in STATES or address.units is None:
        raise CommandLineError(
            f"--unit: expected a unit of a cell or hidden state, such as l0.c[81], found {text!r}."
        )
    return address


def parse_of(text: str) -> tuple[str, str | None]:
    """Read --of: `cell`, `hidden`, or `logit(WORD)` and its word.

    Raises:
        CommandLineError: it is none of these, or names a step.
    """
    if text in STATES.values():
        return text, None
    from lstm.analysis.outcome import Score

    try:
        score = Score.parse(text)
    except LSTMError:
        score = None
    if score is None or score.step is not None:
        raise CommandLineError(f"--of: expected cell, hidden or logit(WORD), found {text!r}.")
    return "logit", score.name


def find_outcome(model: Model, option: str, word: str) -> Outcome:
    """Find a word among those that the head scores.

    Raises:
        CommandLineError: the model has no head, or the head does not score it.
    """
    from lstm.analysis.outcome import Outcome

    if model.head is None:
        raise CommandLineError(f"{option}: the model has no head, so it scores no words.")
    try:
        return Outcome.of(model.head, word)
    except LSTMError as error:
        raise CommandLineError(f"{option}: {error}") from None


def read_accounts(model: Model, trace: Trace, asked: Asked) -> list[Account]:
    """Read off what is asked of each layer and direction.

    Raises:
        CommandLineError: there is no such step, unit, layer or direction.
        LSTMError: a cell has no such account; the ledger says why.
    """
    from lstm.analysis.ledger import Ledger
    from lstm.analysis.memory import Memory

    accounts = []
    for layer, direction in _checked(model, trace, asked):
        ledger = Ledger.of(model, trace, layer, direction)
        of = asked.of if asked.unit is None else asked.unit.quantity
        units = _units(asked.unit, getattr(ledger.trace, of).shape[-1])
        steps = asked.steps.within(trace.num_steps)
        accounts.append(Account(layer, ledger, Memory.read(ledger, steps, of, units)))
    return accounts


def read_logit(model: Model, trace: Trace, asked: Asked) -> LogitAccount:
    """Read off who wrote what of one score."""
    from lstm.analysis.memory import LogitAccount

    assert asked.word is not None
    asked.steps.check(trace.num_steps, "steps")
    outcome = find_outcome(model, "--of", asked.word)
    return LogitAccount.read(model, trace, outcome, asked.steps.within(trace.num_steps))


def _checked(model: Model, trace: Trace, asked: Asked) -> list[tuple[int, str]]:
    """The layers and directions that are asked for, where there are such."""
    asked.steps.check(trace.num_steps, "steps")
    asked.layers.check(model.parameters.num_layers, "layers")
    places = list(asked.places(model))
    if not places:
        wanted = asked.direction if asked.unit is None else repr(asked.unit)
        option = "--direction" if asked.unit is None else "--unit"
        raise CommandLineError(
            f"{option}: expected one of {model.parameters.num_layers} layer(s) and "
            f"{model.parameters.num_directions} direction(s), found {wanted}."
        )
    return places


def _units(unit: Address | None, size: int) -> list[int]:
    if unit is None or unit.units is None:
        return []
    span = slice(unit.units, unit.units + 1) if isinstance(unit.units, int) else unit.units
    if units := list(range(size)[span]):
        return units
    raise CommandLineError(f"--unit: expected units 0 to {size - 1}, found {unit!r}.")
