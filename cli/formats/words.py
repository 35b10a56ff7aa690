"""The first columns of every table: the step, and the word as typed and as read."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.table import Column
from rich.text import Text

from cli.console import printable
from cli.tables import number, plain
from lstm.tokenizers.tokenizer import Token
from lstm.trace import Trace

LONGEST = 24


class Words:
    """The steps that are shown, each with its label; vectors have no words."""

    def __init__(self, trace: Trace, steps: Sequence[int]) -> None:
        self.steps = steps
        self.labels = [label(trace.tokens[n]) for n in steps] if trace.tokens else None

    @property
    def headers(self) -> list[Column]:
        """Their headings; a word takes more lines where there is no room, so that numbers have."""
        step = number("step")
        return [step] if self.labels is None else [step, Column("word", overflow="fold")]

    @property
    def width(self) -> int:
        """How many columns of a terminal they take, gaps included."""
        step = 1 + max(len("step"), *(len(str(n)) for n in self.steps))
        if self.labels is None:
            return step
        return step + 1 + max(len("word"), *(one.cell_len for one in self.labels))

    def cells(self, row: int) -> list[Text]:
        """Return the first cells of a row."""
        step = plain(self.steps[row], "dim")
        return [step] if self.labels is None else [step, self.labels[row]]


def label(token: Token) -> Text:
    """Write a token: `John (john)` where the model reads something else than what was typed."""
    made = Text(short(token.text))
    if not token.known:
        return made.append(f" ({short(token.read)})", "bold red")
    if token.read != token.text:
        made.append(f" ({short(token.read)})", "dim")
    return made


def short(word: str, longest: int = LONGEST) -> str:
    """Return a word that cannot break a table: no control characters, and not too wide."""
    shown = printable(word)
    shown = "␣" if shown == " " else shown
    return shown if cell_len(shown) <= longest else set_cell_size(shown, longest - 1) + "…"
