"""What a port may have got wrong: every known mistake, as one that can be made and looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import permutations
from typing import NamedTuple

from lstm.analysis.mistakes import (
    backwards,
    cleared,
    concatenated,
    flipped,
    padded,
    read_by,
    relabelled,
    reordered,
    reshaped,
    swapped,
    swapped_at_start,
    transposed,
    unturned,
    with_activation,
    with_bias,
    with_forget_bias,
)
from lstm.analysis.rerun import Subject, by_cell, by_step
from lstm.wording import counted

SIGMOIDS = ("sigmoid", "hard-sigmoid", "keras3-hard-sigmoid")
MATRICES = {
    "input": ("weight_ih",),
    "recurrent": ("weight_hh",),
    "input and recurrent": ("weight_ih", "weight_hh"),
}
MOST_PADDING = 32  # steps that are tried where the number of the port's own steps does not tell


class Hypothesis(NamedTuple):
    """A mistake that a port may have made.

    `name` is short and stays the same, `says` is a sentence for people, `make` gives what runs
    where this mistake is made, `about` names what it is about: two mistakes about the same are
    not made together.
    """

    name: str
    says: str
    make: Callable[[Subject], Subject]
    about: frozenset[str]


def every_hypothesis(subject: Subject, most_padding: int = MOST_PADDING) -> Iterator[Hypothesis]:
    """Yield all mistakes that are possible with these parameters and inputs.

    They come in the order in which a port makes them: what it does to the file's arrays, how it
    tells the gates apart, how it computes, what it reads.
    """
    for family in FAMILIES:
        yield from family(subject)
    yield from paddings(subject, most_padding)


def _about(*parts: str) -> frozenset[str]:
    return frozenset(parts)


def gate_orders(subject: Subject) -> Iterator[Hypothesis]:
    """The blocks of the gates are taken for others: of four, 23 orders are not the file's."""
    right, added = subject.stored.order, subject.stored.forget_bias
    for wrong in map("".join, permutations(right)):
        if wrong != right:
            change = partial(reordered, right=right, wrong=wrong, forget_bias=added)
            yield Hypothesis(
                f"gate order {wrong}",
                f"the blocks of the gates, in the order {_spaced(right)}, are read as if in the "
                f"order {_spaced(wrong)}",
                partial(by_cell, change=change),
                _about("order"),
            )


def _spaced(letters: str) -> str:
    return " ".join(letters)


def transposed_matrices(subject: Subject) -> Iterator[Hypothesis]:
    """A square matrix is used as it lies, where it should have been transposed."""
    square = _square_matrices(subject)
    for name, matrices in MATRICES.items():
        if square.issuperset(matrices):
            yield Hypothesis(
                f"transposed {name}",
                f"the {name} matrix of each gate is transposed",
                partial(by_cell, change=partial(transposed, names=matrices)),
                _about(*matrices),
            )


def _square_matrices(subject: Subject) -> set[str]:
    """The matrices whose blocks are square in some cell."""
    cells = [layer.first for layer in subject.parameters.layers]
    return {
        name
        for name in ("weight_ih", "weight_hh")
        for cell in cells
        if getattr(cell, name).shape[1] == cell.hidden_size
    }


def reshaped_matrices(subject: Subject) -> Iterator[Hypothesis]:
    """The numbers of a matrix are poured into the transposed shape without being moved."""
    rows = f"{len(subject.stored.order)}H"
    for shapes, outputs_first in (
        (f"({rows}, K) as (K, {rows})", True), (f"(K, {rows}) as ({rows}, K)", False),
    ):  # fmt: skip
        for name, matrices in MATRICES.items():
            change = partial(
                reshaped, names=matrices, order=subject.stored.order, outputs_first=outputs_first
            )
            yield Hypothesis(
                f"reshaped {name}, {shapes}",
                f"the packed {name} matrix is reshaped from {shapes.replace('as', 'to')}, where it "
                "should be transposed",
                partial(by_cell, change=change),
                _about(*matrices),
            )


def biases(subject: Subject) -> Iterator[Hypothesis]:
    """One of the file's biases is missing, or is added twice; or all of them."""
    names = subject.stored.names
    terms: list[tuple[int | None, str, frozenset[str]]] = [
        (number, name, _about(name)) for number, name in enumerate(names)
    ]
    if len(names) > 1:
        terms.append((None, "every bias", _about(*names)))
    for number, name, about in terms:
        for times, verb in ((-1, "missing"), (1, "added twice")):
            yield Hypothesis(
                f"{name} {verb}",
                f"{name} is {verb}",
                partial(with_bias, number=number, times=times),
                about,
            )


def forget_biases(subject: Subject) -> Iterator[Hypothesis]:
    """The forget gate's bias is 1 more, as some frameworks add it at run time, or 1 less."""
    added = subject.stored.forget_bias
    amounts = dict.fromkeys((1.0, -1.0, *((-added, added) if added else ())))
    for amount in amounts:
        yield Hypothesis(
            f"forget bias {amount:+g}",
            f"the forget gate's bias is {abs(amount):g} {'more' if amount > 0 else 'less'}",
            partial(by_cell, change=partial(with_forget_bias, amount=amount)),
            _about("forget bias"),
        )


def sigmoids(subject: Subject) -> Iterator[Hypothesis]:
    """The gates are squashed by another sigmoid."""
    for name in SIGMOIDS:
        if name != subject.parameters.layers[0].first.variant.gate_activation:
            yield Hypothesis(
                f"gate activation {name}",
                f"the activation of the gates is {name}",
                partial(by_cell, change=partial(with_activation, name=name)),
                _about("gate activation"),
            )


def concatenations(subject: Subject) -> Iterator[Hypothesis]:
    """The columns of one matrix over both are taken for [x, h] where they are [h, x], or so."""
    cells = [layer.first for layer in subject.parameters.layers]
    alike = all(cell.input_size == cell.output_size for cell in cells)
    for first, other in (("h", "x"),) if alike else (("h", "x"), ("x", "h")):
        yield Hypothesis(
            f"concatenation [{other}, {first}]",
            f"the matrix over [{first}, {other}] is multiplied with [{other}, {first}]",
            partial(by_cell, change=partial(concatenated, first=first)),
            _about("concatenation"),
        )


def times(subject: Subject) -> Iterator[Hypothesis]:
    """The sequence is read from the wrong end, or recorded so."""
    end = "the input is read from its end"
    yield Hypothesis("reversed time", end, backwards, _about("time"))
    yield Hypothesis(
        "reversed time, recorded in place",
        f"{end}, and each step stands where its input does",
        partial(backwards, in_place=True),
        _about("time"),
    )
    if subject.parameters.reads_back:
        yield Hypothesis(
            "reverse direction not flipped back",
            "the reverse direction's steps stand in the order in which they were read",
            partial(read_by, way=flipped),
            _about("way"),
        )
        yield Hypothesis(
            "reverse direction not reversed",
            "the reverse direction reads from the start",
            partial(read_by, way=unturned),
            _about("way"),
        )


def states(subject: Subject) -> Iterator[Hypothesis]:
    """The hidden and the cell state are taken for each other, or are not handed on."""
    yield Hypothesis(
        "hidden and cell swapped",
        "the hidden and the cell state stand in each other's place",
        relabelled,
        _about("labels"),
    )
    if len(subject.inputs) > 1:
        kept = "is kept" if not subject.carry else "is not kept"
        yield Hypothesis(
            f"state {kept} between sequences",
            f"the state {kept} from each sequence to the next",
            partial(replace, carry=not subject.carry),
            _about("carry"),
        )
    yield Hypothesis(
        "state not handed on",
        "every step starts from zeros, as if it were the first",
        partial(read_by, way=partial(by_step, between=cleared)),
        _about("way"),
    )
    if any(layer.first.variant.projection is not None for layer in subject.parameters.layers):
        return  # the two are not of one width
    yield Hypothesis(
        "hidden and cell swapped between steps",
        "the hidden and the cell state are handed to the next step in each other's place",
        partial(read_by, way=partial(by_step, between=swapped)),
        _about("way"),
    )
    if not all(start.is_zero for start in subject.starts):
        yield Hypothesis(
            "hidden and cell swapped at the start",
            "the initial hidden and cell state are taken for each other",
            partial(read_by, way=swapped_at_start),
            _about("way"),
        )


def paddings(subject: Subject, most: int) -> Iterator[Hypothesis]:
    """Zeros, or the vectors of a padding token, are read before or after the sequence."""
    reads_back = subject.parameters.reads_back or not subject.is_same_length
    for what, vector in subject.paddings.items():
        # What stands after the sequence changes nothing before it, if nothing reads from the end.
        for before, where in ((True, "before"), (False, "after"))[: 2 if reads_back else 1]:
            for count in subject.extra_steps(most):
                steps = counted(count, "step")
                yield Hypothesis(
                    f"padding, {steps} {where} ({what})",
                    f"{steps} of padding ({what}) {where} the sequence are read as input",
                    partial(padded, vector=vector, before=before, count=count),
                    _about("padding"),
                )


FAMILIES = (
    biases,
    reshaped_matrices,
    concatenations,
    transposed_matrices,
    gate_orders,
    forget_biases,
    sigmoids,
    times,
    states,
)
