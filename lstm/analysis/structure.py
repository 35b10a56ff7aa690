"""What two records do not have in common: sequences, steps, units, layers, quantities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lstm.analysis.recording import Place, Recording, Series
from lstm.errors import LSTMError
from lstm.quantities import NAMES
from lstm.wording import counted


class Structure(NamedTuple):
    """How two records differ in shape.

    `differs` are sentences: other numbers of sequences, steps or units, which are differences.
    `only_left` and `only_right` name what the other side does not tell: quantities, or layers
    with all they hold. `chosen` says which units are compared where one side holds a choice.
    """

    differs: tuple[str, ...]
    only_left: tuple[str, ...]
    only_right: tuple[str, ...]
    chosen: tuple[str, ...] = ()


def structure(
    left: Sequence[Recording], right: Sequence[Recording], whole: bool = False
) -> Structure:
    """Compare the shapes of two records.

    Args:
        left: one record per sequence.
        right: the same sequences.
        whole: whether a layer that only one side has is a difference.

    Raises:
        LSTMError: there is nothing that both have.
    """
    ours, theirs = _places(left), _places(right)
    if not (ours & theirs and left and right):
        raise LSTMError(
            f"nothing to compare: A holds {_listed(ours)}, B {_listed(theirs)}. Name what "
            "belongs together with --map, or write more into the trace with --show."
        )
    differs = dict.fromkeys(_sentences(left, right))
    if whole and (only := _whole_cells(ours, theirs) + _whole_cells(theirs, ours)):
        differs[f"only one side has {', '.join(only)}"] = None
    chosen = dict.fromkeys(_choices(left, right))
    only_left, only_right = _only(ours, theirs), _only(theirs, ours)
    return Structure(tuple(differs), only_left, only_right, tuple(chosen))


def _places(recordings: Sequence[Recording]) -> set[Place]:
    return {place for one in recordings for place in one.series}


def _listed(places: set[Place]) -> str:
    names = sorted(repr(place.address()) for place in places)
    return ", ".join(names[:4]) + (", ..." if names[4:] else "") or "nothing"


def _sentences(left: Sequence[Recording], right: Sequence[Recording]) -> Iterator[str]:
    if len(left) != len(right):
        yield f"A has {counted(len(left), 'sequence')}, B has {len(right)}"
    for number, place, one, other in _shared(left, right):
        if set(one.steps.tolist()) != set(other.steps.tolist()):
            counts = f"A has {counted(len(one.steps), 'step')}, B has {len(other.steps)}"
            yield f"sequence {number}: {counts}" if len(left) > 1 else counts
        if len(one.units) != len(other.units) and not (one.chosen or other.chosen):
            where = f"layer {place.layer}" + ("" if _is_state(place) else ", input")
            yield f"{where}: A has {counted(len(one.units), 'unit')}, B has {len(other.units)}"


def _is_state(place: Place) -> bool:
    return place.quantity != "layer_input"


def _choices(left: Sequence[Recording], right: Sequence[Recording]) -> Iterator[str]:
    for _, place, one, other in _shared(left, right):
        common = set(one.units.tolist()) & set(other.units.tolist())
        most = max(len(one.units), len(other.units))
        if len(common) < most and (one.chosen or other.chosen):
            yield f"layer {place.layer}: {len(common)} of {most} units are compared"


def _shared(
    left: Sequence[Recording], right: Sequence[Recording]
) -> Iterator[tuple[int, Place, Series, Series]]:
    for number, (one, other) in enumerate(zip(left, right, strict=False)):
        for place, series in one.series.items():
            if place in other.series:
                yield number, place, series, other.series[place]


def _whole_cells(ours: set[Place], theirs: set[Place]) -> tuple[str, ...]:
    """The layers and directions of which the other side tells nothing."""
    cells = {place[:2] for place in ours} - {place[:2] for place in theirs}
    return tuple(f"layer {layer} {direction}" for layer, direction in sorted(cells))


def _only(ours: set[Place], theirs: set[Place]) -> tuple[str, ...]:
    """What only one side tells: whole layers, quantities it has nowhere, and single places."""
    cells = _whole_cells(ours, theirs)
    other_cells = {place[:2] for place in theirs}
    missing = {place for place in ours - theirs if place[:2] in other_cells}
    nowhere = {place.quantity for place in missing} - {place.quantity for place in theirs}
    quantities = [name for name in NAMES if name in nowhere]
    single = sorted(repr(p.address()) for p in missing if p.quantity not in nowhere)
    return (*cells, *quantities, *single)
