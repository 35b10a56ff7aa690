"""A lesson in six chapters on the models inside; every number in it is computed when it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from lstm.analysis.intervention import Change, Intervention
from lstm.analysis.ledger import Ledger
from lstm.card import NamedUnit
from lstm.cell_trace import DirectionTrace
from lstm.model import Model
from lstm.trace import Trace

WORDS = "John likes black coffee"
PLURAL, SINGULAR = "the boys near the car", "the boy near the cars"
NESTED = "((a))b"
# What each pair of texts differs in, by a word of what the unit is said to tell.
PAIRS = (
    ("question", "do you like black", "you like black"),
    ("past", "she walked to the", "she walks to the"),
    ("plural", PLURAL, SINGULAR),
)


class Chapter(NamedTuple):
    """Some sentences and a table: `rows` has a value for each of `columns`."""

    title: str
    before: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    after: str


def chapters(english: Model, brackets: Model) -> list[Chapter]:
    """Compute the lesson.

    Args:
        english: a next-word model of one layer, with the units that `PAIRS` asks for.
        brackets: the counter of one unit.
    """
    told: Sequence[Callable[[Model], Chapter]] = (_gates, _units, _distractor, _clamp, _ledger)
    return [*(tell(english) for tell in told), _counter(brackets)]


def _gates(model: Model) -> Chapter:
    trace = model.run(WORDS)
    record, guesses = _only(trace), trace.forecast(1).predictions
    rows = tuple(
        (
            word,
            1 - float(record.forget[step].mean()),
            float(record.input[step].mean()),
            float(record.output[step].mean()),
            guesses[step][0].name,
            guesses[step][0].probability,
        )
        for step, word in enumerate(_words(trace))
    )
    size = model.parameters.hidden_size
    return Chapter(
        "What happens at a word",
        f"The model reads one word after the other and keeps {size} numbers, its cells. At each "
        "word the forget gate takes from them, the input gate adds what the word brings, and the "
        "output gate shows some of it; from that the next word is guessed. Each gate is a number "
        f"between 0 and 1 per cell; here is the mean over all {size}.",
        ("word", "forgot", "remembered", "revealed", "next word", "probability"),
        rows,
        f"After {_words(trace)[-1]} it expects {guesses[-1][0].name!r}. <unk> stands for all words "
        "that it does not know.",
    )


def _units(model: Model) -> Chapter:
    rows = []
    for word, one, other in PAIRS:
        unit = _unit(model, word)
        values = [float(_cell(model.run(text), unit)[-1]) for text in (one, other)]
        rows.append((repr(unit.address), unit.tells, one, values[0], other, values[1]))
    return Chapter(
        "Cells that know something",
        "Most cells mean nothing by themselves, but some do. Each of these was found by asking "
        "which cell alone tells two kinds of sentences apart; here is its value after the last "
        "word of a sentence of either kind. l0.c[83] reads: layer 0, cell state c, number 83; with "
        "@2 behind it, after the word 2. All is counted from 0.",
        ("cell", "what it tells", "one text", "its value", "another text", "its value there"),
        tuple(rows),
        "A cell for negation was looked for, too, and not found: the model has no single one.",
    )


def _distractor(model: Model) -> Chapter:
    unit = _unit(model, "plural")
    traces = [model.run(text) for text in (PLURAL, SINGULAR)]
    one, other = (_cell(trace, unit) for trace in traces)
    rows = tuple(
        (first, float(a), second, float(b))
        for first, a, second, b in zip(
            _words(traces[0]), one, _words(traces[1]), other, strict=True
        )
    )
    guesses = [_named(trace) for trace in traces]
    return Chapter(
        "A number that outlives a distraction",
        "In both sentences another noun, of the other number, stands between the subject and the "
        f"verb to come. The cell {unit.address!r} holds on to the subject's.",
        ("word", "its value", "word there", "its value there"),
        rows,
        f"The verb is rightly expected: after the boys {guesses[0]}; after the boy {guesses[1]}.",
    )


def _clamp(model: Model) -> Chapter:
    unit = _unit(model, "plural")
    place = unit.address._replace(steps=1)  # at the subject
    value = float(_cell(model.run(SINGULAR), unit)[1])
    cases: list[tuple[str, tuple[Change, ...]]] = [("nothing is changed", ())]
    cases += [(f"{place}:={value:.2f}, as after 'the boy'", (Change(place, value),))]
    for symbol, steps, what in (
        ("f", 2, "the forget gate shut at 'near'"),
        ("i", slice(1, None), "the input gate shut from 'boys' on"),
    ):
        gate = unit.address._replace(symbol=symbol, steps=steps)
        cases.append((f"{gate}:=0, {what}", (Change(gate, 0.0),)))
    rows = []
    for what, changes in cases:
        trace = replace(model, intervention=Intervention(changes)).run(PLURAL)
        rows.append((what, float(_cell(trace, unit)[-1]), _named(trace)))
    return Chapter(
        "Is it the cause?",
        "That a cell knows the number does not mean that anyone listens. So we change it on the "
        f"way, in {PLURAL!r}, and look at the verb.",
        ("what is changed", "the cell at the end", "what is expected"),
        tuple(rows),
        "With the other number's value in this one cell the model gets the verb wrong; so it does "
        "if the cell's input gate never lets the number in. To forget it once is not enough, as "
        "the words that follow write it again.",
    )


def _ledger(model: Model) -> Chapter:
    unit = _unit(model, "plural")
    trace = model.run(PLURAL)
    ledger = Ledger.of(model, trace, unit.address.layer, "forward")
    last = trace.num_steps - 1
    entry = ledger.entry(last)
    number = _number(unit)
    shares = [float(share) for share in entry.shares[1:, number]]
    rows = tuple(
        (word, float(ledger.written[step, number]), float(entry.survival[step + 1, number]), share)
        for step, (word, share) in enumerate(zip(_words(trace), shares, strict=True))
    )
    most = _words(trace)[int(np.argmax(np.abs(shares)))]
    return Chapter(
        "Who wrote it",
        "A cell is exactly the sum of what each word wrote, times the forget gates since. For "
        f"{unit.address!r}:",
        ("word", "wrote", "left of it", "its share now"),
        rows,
        f"The shares add up to {sum(shares):.2f}, the cell's value; most of it was written at "
        f"{most!r}. This is an account by time of writing, not of causes.",
    )


def _counter(model: Model) -> Chapter:
    trace = model.run(NESTED)
    record = _only(trace)
    rows = tuple(
        (
            word,
            float(record.forget[step, 0]),
            float(record.previous_cell[step, 0]),
            float(record.input[step, 0]),
            float(record.candidate[step, 0]),
            float(record.cell[step, 0]),
        )
        for step, word in enumerate(_words(trace))
    )
    return Chapter(
        "Done in the head",
        "The model brackets has one cell, which counts how deep the brackets are nested. Its "
        "gates are always open; a bracket writes +1 or -1, a letter 0:  c = f x c before + i x g.",
        ("sign", "f", "c before", "i", "g", "c"),
        rows,
        f"After {NESTED!r} the depth is {rows[-1][-1]:.0f}.",
    )


def _unit(model: Model, word: str) -> NamedUnit:
    """The unit that tells best what the word says."""
    found = [
        unit
        for unit in model.card.units
        if f"{word} (+)" in unit.tells or f"{word} (-)" in unit.tells
    ]
    return max(found, key=lambda unit: ("verb" in unit.tells, unit.auc or 0))


def _number(unit: NamedUnit) -> int:
    assert isinstance(unit.address.units, int)  # a named unit is one unit
    return unit.address.units


def _cell(trace: Trace, unit: NamedUnit) -> Any:
    return _only(trace).cell[:, _number(unit)]


def _only(trace: Trace) -> DirectionTrace:
    return trace.layers[0].first


def _words(trace: Trace) -> list[str]:
    return [token.text for token in trace.tokens or ()]


def _named(trace: Trace) -> str:
    best = trace.forecast(3).predictions[-1]
    return ", ".join(f"{one.name} {one.probability:.0%}" for one in best)
