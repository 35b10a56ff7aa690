"""The tables of `lstm memory`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from cli import matrix as m
from cli.accounts import Account, Asked, read_accounts, read_logit
from cli.console import Terminal, printable
from cli.formats.heatmap import written
from cli.formats.summary import percent
from cli.naming import named, tells
from cli.tables import number, pairs, plain, section, table
from lstm.address import Address
from lstm.analysis.ledger import expected_half_life, half_life
from lstm.analysis.saturation import GATED, OPEN, SHUT, Saturation, counters
from lstm.quantities import BY_NAME

if TYPE_CHECKING:
    from lstm.model import Model
    from lstm.trace import Trace

DIGITS = 2
HALF = 0.5  # a word that has half of the memory has the strongest colour
MOST = 5  # so many units at either end of the half-lives, and so many in a list

LEFT = "How much is left of what each word wrote, in percent"
NO_CAUSE = (
    "An account by time of writing, not a cause: what a word writes depends on what was read "
    "before it."
)


class Page(NamedTuple):
    """What is printed of what, and where."""

    model: Model
    trace: Trace
    asked: Asked
    terminal: Terminal
    digits: int | None

    def shares(self, end: float) -> m.Scale:
        """Shares with their sign; they add up."""
        digits = DIGITS if self.digits is None else self.digits
        return m.Scale(lambda x: written(x, digits), end, True, True)

    def parts(self, end: float, adds: bool) -> m.Scale:
        """Parts of a whole, in percent."""
        return m.Scale(lambda x: _hundredths(x, self.digits or 0), end, False, adds)

    def matrix(self, title: str, grid: m.Grid, scale: m.Scale, **ends: m.Strips) -> Group:
        """A section with a matrix, and with what stands first and last beside it."""
        are_chosen = self.asked.steps.text is not None
        return section(title, *m.matrix(grid, scale, self.terminal, are_chosen, **ends))


def tables(page: Page) -> Iterator[RenderableType]:
    """Yield the parts of the page, each under its heading."""
    read = printable(page.trace.text or f"{page.trace.num_steps} steps")
    yield Text(f"{read}\n{printable(named(page.model))}\n", style="bold")
    if page.asked.word is not None:
        yield from _score(page, page.asked.word)
    else:
        for account in read_accounts(page.model, page.trace, page.asked):
            yield from (_units if page.asked.unit else _whole)(page, account)
    yield Text(f"{NO_CAUSE}\n", style="dim")


def _whole(page: Page, account: Account) -> Iterator[RenderableType]:
    """The matrix over all units, what is left of each word, half-lives and gates."""
    memory, where = account.memory, _where(page, account)
    numbers = m.Grid(
        page.trace, account.direction, _has_initial(account), memory.steps,
        memory.composition.tolist(),
    )  # fmt: skip
    title = f"What the {BY_NAME[page.asked.of].title} consists of, in percent{where}"
    yield page.matrix(title, numbers, page.parts(HALF, adds=True))
    left = numbers._replace(numbers=memory.survival.tolist())
    yield page.matrix(f"{LEFT}{where}", left, page.parts(1.0, adds=False))
    yield section(f"Half-lives, in steps{where}", _half_lives(page, account))
    yield section(f"Gates over all steps{where}", *_gates(account))
    yield _footer(memory.residual, page.asked.of, account)


def _units(page: Page, account: Account) -> Iterator[RenderableType]:
    """One unit after the other: its signed shares, and what is left of them."""
    memory, asked = account.memory, page.asked.unit
    assert asked is not None
    for place, unit in enumerate(memory.units):
        address = asked._replace(units=unit, steps=None)
        shares = memory.shares[..., place]
        numbers = m.Grid(
            page.trace, account.direction, _has_initial(account), memory.steps, shares.tolist()
        )
        values = memory.values[:, place].tolist()
        total = m.Strip(f"= {address.symbol}", values, is_heat=False)
        if known := tells(page.model, address):
            yield Text(f"{address!r}: {printable(known)}\n")
        title = f"{address!r}: what each word wrote of it"
        yield page.matrix(title, numbers, page.shares(float(abs(shares).max())), last=(total,))
        left = numbers._replace(numbers=memory.unit_survival[..., place].tolist())
        yield page.matrix(f"{address!r}: {LEFT[0].lower()}{LEFT[1:]}", left, page.parts(1.0, False))
    if account.ledger.cell.variant.projection is None or asked.symbol == "c":
        yield section("Half-lives, in steps", _half_life_table(page, account, memory.units))
        yield section("Gates over all steps", _unit_gates(account))
    yield _footer(memory.residual, asked.quantity, account)


def _score(page: Page, word: str) -> Iterator[RenderableType]:
    """The shares of one score: the head's constant, each word, and their sum."""
    account = read_logit(page.model, page.trace, page.asked)
    direction = m.BOTH if page.model.parameters.num_directions == 2 else "forward"
    starts = not page.trace.initial.is_zero
    numbers = m.Grid(page.trace, direction, starts, account.steps, account.shares.tolist())
    bias = m.Strip("bias", [account.outcome.constant] * len(account.steps))
    total = m.Strip("= logit", account.logits.tolist(), is_heat=False)
    passed = () if account.passed is None else (m.Strip("passed", account.passed.tolist()),)
    scale = page.shares(float(abs(account.shares).max()))
    title = f"What each word wrote of logit({word})"
    yield page.matrix(title, numbers, scale, first=(bias, *passed), last=(total,))
    lines = [_residual(account.residual, "score")]
    if passed:
        lines.append("passed: what the residual connection adds of the layer below, at that step.")
    yield Text("\n".join(lines), style="dim")


def _has_initial(account: Account) -> bool:
    return bool(account.ledger.trace.initial.c.any())


def _where(page: Page, account: Account) -> str:
    """Which layer and direction, where there is more than one."""
    parameters = page.model.parameters
    parts = [f"layer {account.layer}"] if parameters.num_layers > 1 else []
    parts += [account.direction] if parameters.num_directions > 1 else []
    return f", {' '.join(parts)}" if parts else ""


def _hundredths(share: float, digits: int) -> str:
    """A share in percent, as wide as 100; what is not nothing is not written as 0."""
    if digits == 0:
        return percent(share).removesuffix("%").rjust(3)
    return written(100 * share, digits).rjust(4 + digits)


def _half_lives(page: Page, account: Account) -> Table:
    """Named units first, then the longest and the shortest memories."""
    observed = half_life(account.ledger.kept)
    order = observed.argsort(kind="stable").tolist()
    place = (account.layer, account.direction)
    named = [
        int(known.address.units)
        for known in page.model.card.units
        if (known.address.layer, known.address.direction) == place
        and isinstance(known.address.units, int)
    ]
    rest = [unit for unit in order if unit not in named]
    chosen = rest if len(rest) <= 2 * MOST else [*rest[:MOST], *rest[-MOST:]]
    return _half_life_table(page, account, [*named, *reversed(chosen)])


def _half_life_table(page: Page, account: Account, units: Sequence[int]) -> Table:
    observed = half_life(account.ledger.kept)
    by_bias = expected_half_life(account.ledger.cell)
    made = table("unit", number("observed"), number("by the bias alone"), Column("what it tells"))
    for unit in units:
        address = Address(account.layer, account.direction, "c", unit)
        times = (_steps(float(times[unit])) for times in (observed, by_bias))
        made.add_row(
            plain(repr(address)), *map(plain, times), plain(tells(page.model, address) or "")
        )
    return made


def _steps(half: float) -> str:
    return f"{half:.1f}" if isfinite(half) else "-" if half != half else "never"


def _gates(account: Account) -> Iterator[RenderableType]:
    """How often each gate is nearly shut or open, and which units it always is in."""
    trace = account.ledger.trace
    saturation = Saturation.of(trace)
    made = table(
        "gate", number(f"below {SHUT}"), number(f"above {OPEN}"), "always below", "always above"
    )
    for gate in GATED:
        shares = (saturation.shut[gate].mean(), saturation.opened[gate].mean())
        units = (saturation.always_shut(gate), saturation.always_open(gate))
        name = f"{BY_NAME[gate].title} {BY_NAME[gate].symbol}"
        cells = (name, *(percent(float(share)) for share in shares), *map(_listed, units))
        made.add_row(*map(plain, cells))
    yield made
    yield pairs((("counters", f"{_listed(counters(trace))} (never forget, and add up)"),))


def _unit_gates(account: Account) -> Table:
    """How often the gates of single units are nearly shut or open."""
    saturation = Saturation.of(account.ledger.trace)
    made = table("unit", "gate", number(f"below {SHUT}"), number(f"above {OPEN}"))
    for unit in account.memory.units:
        address = Address(account.layer, account.direction, "c", unit)
        for gate in GATED:
            shares = (saturation.shut[gate][unit], saturation.opened[gate][unit])
            name = f"{BY_NAME[gate].title} {BY_NAME[gate].symbol}"
            cells = (repr(address), name, *(percent(float(share)) for share in shares))
            made.add_row(*map(plain, cells))
    return made


def _listed(units: Sequence[int]) -> str:
    """How many units, and the first of them."""
    if not units:
        return "none"
    first = ", ".join(map(str, units[:MOST]))
    return f"{len(units)}: {first}{', ...' if len(units) > MOST else ''}"


def _footer(residual: float, of: str, account: Account) -> RenderableType:
    lines = [_residual(residual, BY_NAME[of].title)]
    variant = account.ledger.cell.variant
    if variant.cell_clip is not None or variant.projection_clip is not None:
        lines.append("Where a state is clipped, all its shares are taken to shrink alike.")
    if account.ledger.changes is not None:
        lines.append("A state that is set to another value counts as written at that step.")
    return Text("\n".join([*lines, ""]), style="dim")


def _residual(residual: float, of: str) -> str:
    return f"Residual: the shares miss the {of} by at most {residual:.1e} of their sizes."
