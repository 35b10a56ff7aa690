"""The stepper: one screen per step, led by the keyboard. Imported only when it is wanted."""

from __future__ import annotations

import os
import re
import select
import sys
from collections.abc import Iterator
from typing import ClassVar

from rich.console import Group, RenderableType
from rich.table import Column
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Footer, Input, Static

from cli.console import ExitCode, printable
from cli.formats.heatmap import written
from cli.formats.sentence import coloured
from cli.formats.summary import gate_table, percent
from cli.formats.words import Words
from cli.naming import named
from cli.tables import heat, pairs, plain, section, table
from lstm.address import Address
from lstm.cell_trace import DirectionTrace
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.quantities import BY_NAME
from lstm.trace import Trace

COLUMNS = ("forget", "input", "candidate", "output", "previous_cell", "cell", "hidden")
AROUND = 30  # how many words before and after the current one stand on the screen
MOST_UNITS, TOP_K, DIGITS = 10, 5, 2


class Stepper(App[None]):
    """Shows one step of a trace at a time.

    Args:
        model: what ran; its card names units.
        trace: what it did, with at least one step.
    """

    CSS = "Screen { background: ansi_default; } #find { display: none; dock: bottom; }"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[Binding]] = [
        Binding("right,n,space", "move(1)", "next"),
        Binding("left,p", "move(-1)", "back"),
        Binding("home", "move(-1000000000)", "first", show=False),
        Binding("end", "move(1000000000)", "last", show=False),
        Binding("down,j", "unit(1)", "unit +"),
        Binding("up,k", "unit(-1)", "unit -"),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("l", "cell", "layer"),
        Binding("slash", "find", "find a unit"),
        Binding("escape", "leave_search", "leave the search", show=False),
        Binding("q", "quit", "quit"),
    ]

    def __init__(self, model: Model, trace: Trace) -> None:
        super().__init__(ansi_color=True)
        self.model, self.record_of_run = model, trace
        self.cells = [
            (number, record) for number, layer in enumerate(trace.layers)
            for record in layer.directions
        ]  # fmt: skip
        self.forecast = trace.forecast(TOP_K) if trace.head else None
        self.step, self.cell = 0, 0
        self.unit = next(iter(self._named()), 0)

    def compose(self) -> ComposeResult:
        yield VerticalScroll(Static(id="page"), can_focus=False)
        yield Input(placeholder="a number, an address or a word of a meaning", id="find")
        yield Footer()

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(1.0, self._leave_a_terminal_that_is_gone)

    def _leave_a_terminal_that_is_gone(self) -> None:
        """Textual would go on reading from it, for ever and without a pause."""
        if self.is_headless:
            return
        poll = select.poll()
        poll.register(sys.stdin, select.POLLHUP)
        if any(event & select.POLLHUP for _, event in poll.poll(0)):
            os._exit(ExitCode.DONE)  # nothing is left to be put back in order

    def on_resize(self) -> None:
        self._draw()

    # What keys do

    def action_move(self, by: int) -> None:
        self.step = min(max(self.step + by, 0), self.record_of_run.num_steps - 1)
        self._draw()

    def action_unit(self, by: int) -> None:
        self.unit = (self.unit + by) % self._record.cell.shape[1]
        self._draw()

    def action_page(self, by: int) -> None:
        shown = self.query_one(VerticalScroll)
        shown.scroll_relative(y=by * shown.size.height, animate=False)

    def action_cell(self) -> None:
        self.cell = (self.cell + 1) % len(self.cells)
        self.unit = min(self.unit, self._record.cell.shape[1] - 1)
        self._draw()

    def action_find(self) -> None:
        field = self.query_one("#find", Input)
        field.value, field.display = "", True
        field.focus()

    def action_leave_search(self) -> None:
        self.query_one("#find", Input).display = False
        self.set_focus(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.action_leave_search()
        found = next(self._found(event.value.strip()), None)
        if found is None:
            self.notify(f"No unit is numbered or named {printable(event.value)}.", markup=False)
            return
        self.cell, self.unit = found
        self._draw()

    # What is found and shown

    @property
    def _record(self) -> DirectionTrace:
        return self.cells[self.cell][1]

    @property
    def _address(self) -> Address:
        layer, record = self.cells[self.cell]
        return Address(layer, record.direction, "c", self.unit)

    def _named(self) -> dict[int, str]:
        """The units of this layer and direction that tell something."""
        here = (self.cells[self.cell][0], self._record.direction)
        units = [unit for unit in self.model.card.units if unit.address[:2] == here]
        return {u.address.units: u.tells for u in units if isinstance(u.address.units, int)}

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield layers and units by number, by address, or by a word of what they tell."""
        if re.fullmatch(r"\d+", text):
            addresses = [self._address._replace(units=int(text))]
        else:
            units = self.model.card.units
            told = [u.address for u in units if text.lower() in u.tells.lower()]
            addresses = _address(text) or (told if text else [])
        for address in addresses:
            for place, (layer, record) in enumerate(self.cells):
                unit, here = address.units, (layer, record.direction)
                if here == address[:2] and isinstance(unit, int) and unit < record.cell.shape[1]:
                    yield place, unit

    def _draw(self) -> None:
        self.query_one("#page", Static).update(Group(*self._parts()))

    def _parts(self) -> Iterator[RenderableType]:
        trace, step = self.record_of_run, self.step
        around = range(max(step - AROUND, 0), min(step + AROUND + 1, trace.num_steps))
        width = max(self.size.width - 2, 20)
        if self.model.changes:
            yield Text(f"{printable(named(self.model))}\n", "dim")
        yield coloured(trace, around, self._address, DIGITS, width, at=step)
        words = Words(trace, [step])
        title = f"Step {step} (of 0 to {trace.num_steps - 1}): what the gates did"
        yield section(title, gate_table(words, self._record, True))
        if self.forecast:
            best = self.forecast.predictions[step]
            expected = "  ".join(f"{printable(o.name)} {percent(o.probability)}" for o in best)
            yield section("What comes next", plain(expected))
        yield section("This unit, and those that changed most", *self._units())

    def _units(self) -> Iterator[RenderableType]:
        record, step, named = self._record, self.step, self._named()
        symbols = [BY_NAME[name].symbol if name in BY_NAME else "c'" for name in COLUMNS]
        numbers = (Column(s, justify="right", no_wrap=True, min_width=5) for s in symbols)
        made = table(Column("unit", min_width=4), *numbers)
        changes = abs(record.cell[step] - record.previous_cell[step]).tolist()
        others = sorted(range(len(changes)), key=lambda unit: -changes[unit])
        chosen = [unit for unit in others[: MOST_UNITS + 1] if unit != self.unit][:MOST_UNITS]
        for unit in (self.unit, *chosen):
            cells = [self._value(name, unit) for name in COLUMNS]
            made.add_row(plain(unit, "bold" if unit == self.unit else ""), *cells)
        if self.unit in named:
            yield plain(f"{self.unit}: {named[self.unit]}")
        yield made
        if told := [(str(unit), named[unit]) for unit in chosen if unit in named]:
            yield Text()
            yield pairs(told)

    def _value(self, name: str, unit: int) -> Text:
        """One number on the colour that it has in a heat map."""
        row = getattr(self._record, name)[self.step]
        if unit >= len(row):  # a projection leaves fewer hidden states than units
            return Text("-")
        is_gate = name in BY_NAME and BY_NAME[name].low == 0
        scale = 1.0 if name in BY_NAME and BY_NAME[name].high else 2.0
        return heat(written(float(row[unit]), DIGITS), float(row[unit]), scale, not is_gate)


def _address(text: str) -> list[Address]:
    try:
        return [Address.parse(text)]
    except LSTMError:
        return []
