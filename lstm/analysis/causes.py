"""Why a port differs: what each known mistake would have given, and whether it is what we see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import permutations
from typing import NamedTuple

from lstm.analysis.divergence import TOLERANCES, Tolerances, compare
from lstm.analysis.mistakes import (
    backwards,
    cleared,
    concatenated,
    flipped,
    padded,
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
from lstm.analysis.recording import Recording
from lstm.analysis.rerun import Subject, by_cell, by_step, run_layers

SIGMOIDS = ("sigmoid", "hard-sigmoid", "keras3-hard-sigmoid")
MATRICES = {
    "input": ("weight_ih",),
    "recurrent": ("weight_hh",),
    "input and recurrent": ("weight_ih", "weight_hh"),
}
MOST_PADDING = 32  # steps that are tried where the number of the port's own steps does not tell


class Hypothesis(NamedTuple):
    """A mistake that a port may have made.

    `name` is short and stays the same, `says` is a sentence for people, `run` gives what a port
    with this mistake records of each sequence.
    """

    name: str
    says: str
    run: Callable[[Subject], tuple[Recording, ...]]


class Finding(NamedTuple):
    """How many hypotheses were tried, and those under which all steps agree."""

    tried: int
    found: tuple[Hypothesis, ...]


def find_causes(
    subject: Subject,
    port: Sequence[Recording],
    tolerances: Tolerances = TOLERANCES,
    choose: Callable[[Recording], Recording] = lambda recording: recording,
) -> Finding:
    """Try every hypothesis, each by itself, against what the port recorded.

    Args:
        subject: the right parameters and what was read.
        port: what the port recorded of each sequence.
        tolerances: how far apart two numbers may be.
        choose: what of a recording is compared; `port` is cut down to that already.

    Returns:
        All hypotheses under which every number of every step agrees; several where the record
        cannot tell them apart.
    """
    hypotheses = list(every_hypothesis(subject))
    found = [one for one in hypotheses if _agrees(one, subject, port, tolerances, choose)]
    return Finding(len(hypotheses), tuple(found))


def _agrees(
    one: Hypothesis,
    subject: Subject,
    port: Sequence[Recording],
    tolerances: Tolerances,
    choose: Callable[[Recording], Recording],
) -> bool:
    made = [choose(recording) for recording in one.run(subject)]
    return compare(made, port, tolerances).same


def every_hypothesis(subject: Subject) -> Iterator[Hypothesis]:
    """Yield all mistakes that are possible with these parameters and inputs."""
    for family in FAMILIES:
        yield from family(subject)


def gate_orders(subject: Subject) -> Iterator[Hypothesis]:
    """The blocks of the four gates are taken for others: 23 orders that are not the file's."""
    right, added = subject.stored.order, subject.stored.forget_bias
    for wrong in map("".join, permutations("ifgo")):
        if wrong != right:
            change = partial(reordered, right=right, wrong=wrong, forget_bias=added)
            yield Hypothesis(
                f"gate order {wrong}",
                f"the blocks of the gates, in the order {_spaced(right)}, are read as if in the "
                f"order {_spaced(wrong)}",
                partial(by_cell, change=change),
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
    for shapes, outputs_first in (("(4H, K) as (K, 4H)", True), ("(K, 4H) as (4H, K)", False)):
        for name, matrices in MATRICES.items():
            change = partial(
                reshaped, names=matrices, order=subject.stored.order, outputs_first=outputs_first
            )
            yield Hypothesis(
                f"reshaped {name}, {shapes}",
                f"the packed {name} matrix is reshaped from {shapes.replace('as', 'to')}, where it "
                "should be transposed",
                partial(by_cell, change=change),
            )


def biases(subject: Subject) -> Iterator[Hypothesis]:
    """One of the file's biases is missing, or is added twice; or all of them."""
    numbers: list[int | None] = [*range(len(subject.stored.names))]
    names = list(subject.stored.names)
    if len(names) > 1:
        numbers, names = [*numbers, None], [*names, "every bias"]
    for number, name in zip(numbers, names, strict=True):
        for times, verb in ((-1, "missing"), (1, "added twice")):
            yield Hypothesis(
                f"{name} {verb}",
                f"{name} is {verb}",
                partial(with_bias, number=number, times=times),
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
        )


def sigmoids(subject: Subject) -> Iterator[Hypothesis]:
    """The gates are squashed by another sigmoid."""
    for name in SIGMOIDS:
        if name != subject.parameters.layers[0].first.variant.gate_activation:
            yield Hypothesis(
                f"gate activation {name}",
                f"the activation of the gates is {name}",
                partial(by_cell, change=partial(with_activation, name=name)),
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
        )


def times(subject: Subject) -> Iterator[Hypothesis]:
    """The sequence is read from the wrong end, or recorded so."""
    end = "the input is read from its end"
    yield Hypothesis("reversed time", end, backwards)
    yield Hypothesis(
        "reversed time, recorded in place",
        f"{end}, and each step stands where its input does",
        partial(backwards, in_place=True),
    )
    if subject.parameters.reads_back:
        yield Hypothesis(
            "reverse direction not flipped back",
            "the reverse direction's steps stand in the order in which they were read",
            partial(run_layers, one=flipped),
        )
        yield Hypothesis(
            "reverse direction not reversed",
            "the reverse direction reads from the start",
            partial(run_layers, one=unturned),
        )


def states(subject: Subject) -> Iterator[Hypothesis]:
    """The hidden and the cell state are taken for each other, or are not handed on."""
    yield Hypothesis(
        "hidden and cell swapped",
        "the hidden and the cell state stand in each other's place",
        relabelled,
    )
    yield Hypothesis(
        "state not handed on",
        "every step starts from zeros, as if it were the first",
        partial(run_layers, one=partial(by_step, between=cleared)),
    )
    if any(layer.first.variant.projection is not None for layer in subject.parameters.layers):
        return  # the two are not of one width
    yield Hypothesis(
        "hidden and cell swapped between steps",
        "the hidden and the cell state are handed to the next step in each other's place",
        partial(run_layers, one=partial(by_step, between=swapped)),
    )
    if not all(start.is_zero for start in subject.starts):
        yield Hypothesis(
            "hidden and cell swapped at the start",
            "the initial hidden and cell state are taken for each other",
            partial(run_layers, one=swapped_at_start),
        )


def paddings(subject: Subject) -> Iterator[Hypothesis]:
    """Zeros, or the vectors of a padding token, are read before or after the sequence."""
    reads_back = subject.parameters.reads_back or not subject.is_same_length
    for what, vector in subject.paddings.items():
        # What stands after the sequence changes nothing before it, if nothing reads from the end.
        for before, where in ((True, "before"), (False, "after"))[: 2 if reads_back else 1]:
            for count in subject.extra_steps(MOST_PADDING):
                steps = "1 step" if count == 1 else f"{count} steps"
                yield Hypothesis(
                    f"padding, {steps} {where} ({what})",
                    f"{steps} of padding ({what}) {where} the sequence are read as input",
                    partial(padded, vector=vector, before=before, count=count),
                )


FAMILIES = (
    gate_orders,
    transposed_matrices,
    reshaped_matrices,
    biases,
    forget_biases,
    sigmoids,
    concatenations,
    times,
    states,
    paddings,
)
