"""Two texts side by side as tables: step by step, unit by unit, word by word."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Column
from rich.text import Text

from cli.console import printable
from cli.contrast_page import Page
from cli.formats.heatmap import written
from cli.formats.summary import percent
from cli.formats.words import short
from cli.naming import named
from cli.sweep_tables import digits_for, legend
from cli.tables import heat, number, pairs, plain, section, table
from lstm.analysis.contrast import Patches, UnitDifference
from lstm.wording import counted

LONGEST = 16  # a longer word is cut
NAMES = ("A", "B")
DISTANCES = "|Δc|, |Δh|: how far the states of B are from those of A, over all units."


def tables(page: Page) -> Iterator[RenderableType]:
    """Yield what is printed, part by part."""
    texts = [printable(trace.text or "") for trace in page.traces]
    facts = [*zip(NAMES, texts, strict=True), ("model", named(page.model))]
    yield section("Two texts", pairs(facts))
    yield section("Step by step", _steps(page), Text(_parting(page)), Text(DISTANCES, "dim"))
    if not page.units:
        yield Text("Inside they differ nowhere.\n")
        return
    of = sum(layer.hidden_size * len(layer.directions) for layer in page.model.parameters.layers)
    heading = f"What carries the difference ({len(page.units)} of {of} units, {_after(page)})"
    yield section(heading, _units(page), *_patching(page))
    yield from legend(page.model, [unit.address for unit in page.units])
    if page.contrast.words:
        outcomes = "What comes next" if _predicts_tokens(page) else "Labels"
        yield section(f"{outcomes}, {_after(page)}", _words(page))


def _after(page: Page) -> str:
    last = page.contrast.pairs[-1]
    if last.first == last.second:
        return f"after step {last.first}"
    return f"after step {last.first} of A and {last.second} of B"


def _steps(page: Page) -> RenderableType:
    """How far the states are from each other, step by step."""
    found = page.contrast.pairs
    apart = any(pair.first != pair.second for pair in found)
    steps = [number("step A"), number("step B")] if apart else [number("step")]
    words = (Column(name, no_wrap=True) for name in NAMES)
    made = table(*steps, *words, number("|Δc|"), number("|Δh|"), "most in")
    ends = (max(pair.cell for pair in found), max(pair.hidden for pair in found))
    for pair in found:
        numbers = (pair.first, pair.second) if apart else (pair.first,)
        style = "" if pair.same_token else "bold"
        made.add_row(
            *(plain(n, "dim") for n in numbers),
            *(
                plain(_word(page, side, step), style)
                for side, step in enumerate((pair.first, pair.second))
            ),
            *(
                heat(written(distance, 2), distance, end, diverging=False)
                for distance, end in zip((pair.cell, pair.hidden), ends, strict=True)
            ),
            plain(pair.largest or ""),
        )
    return made


def _word(page: Page, side: int, step: int) -> str:
    tokens = page.traces[side].tokens
    return short(tokens[step].text, LONGEST) if tokens else ""


def _parting(page: Page) -> str:
    """Say where they part, and what has nothing beside it."""
    found = page.contrast
    said = ["Side by side they read the same."]
    if pair := found.parting:
        step = str(pair.first)
        if pair.first != pair.second:
            step += f" of A and {pair.second} of B"
        words = [_word(page, side, step) for side, step in enumerate((pair.first, pair.second))]
        said = [f"They part at step {step}: {' / '.join(words)}."]
    lengths = [trace.num_steps for trace in page.traces]
    for name, other, length in zip(NAMES, NAMES[::-1], lengths, strict=True):
        if more := length - len(found.pairs):
            end = "last" if page.align == "start" else "first"
            alone = "one has nothing beside it" if more == 1 else f"{more} have none beside them"
            said.append(f"{name} has {counted(more, 'word')} more than {other}: its {end} {alone}.")
    return " ".join(said)


def _units(page: Page) -> RenderableType:
    """What both texts have in a unit, and what a patch of its cell state does."""
    columns = ["c in A", "c in B", "Δc", "h in A", "h in B", "Δh"]
    columns += ["metric", "effect"] if page.patches else []
    made = table("unit", *(number(column) for column in columns))
    end = max(unit.size for unit in page.units)
    for row, unit in enumerate(page.units):
        made.add_row(plain(unit.address), *_states(unit, end), *_effect(page, row))
    return made


def _states(unit: UnitDifference, end: float) -> Iterator[Text]:
    for states, difference in zip((unit.cell, unit.hidden), unit.differences, strict=True):
        if states is None or difference is None:
            yield from (plain("-") for _ in range(3))
        else:
            yield from (plain(written(float(state), 2)) for state in states)
            yield heat(written(difference, 2), difference, end)


def _effect(page: Page, row: int) -> Iterator[Text]:
    if page.patches is None:
        return
    end, after = _largest_effect(page.patches), float(page.patches.after[row])
    effect, digits = after - page.patches.first, digits_for(end)
    yield plain(written(after, digits))
    yield heat(written(effect, digits), effect, end)


def _largest_effect(patches: Patches) -> float:
    return max(abs(float(after) - patches.first) for after in patches.after)


def _patching(page: Page) -> Iterator[Text]:
    """Say what the last two columns are."""
    if page.patches is None:
        return
    patches = page.patches
    digits = digits_for(_largest_effect(patches))
    first, second = (written(value, digits) for value in (patches.first, patches.second))
    yield Text(
        f"metric: {printable(patches.metric.text)}, {first} in A, {second} in B; "
        "here in A with this one c from B.",
        "dim",
    )


def _predicts_tokens(page: Page) -> bool:
    return page.model.head is not None and page.model.head.predicts_tokens


def _words(page: Page) -> RenderableType:
    """The next words whose probability differs most."""
    heading = "next" if _predicts_tokens(page) else "label"
    made = table(heading, *map(number, NAMES), number("points"))
    words = page.contrast.words
    end = max(abs(word.change) for word in words)
    for word in words:
        points = f"{100 * word.change:+.1f}"
        shares = (plain(percent(share)) for share in word.probabilities)
        made.add_row(plain(short(word.name, LONGEST)), *shares, heat(points, word.change, end))
    return made
