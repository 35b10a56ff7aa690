"""Where two records of the same run part: the first place, the largest difference, the growth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from lstm.address import Address
from lstm.analysis.recording import Place, Recording, Series
from lstm.analysis.structure import Structure, structure
from lstm.arrays import Floats, Integers
from lstm.quantities import DIRECTIONS, NAMES

Booleans = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


class Tolerance(NamedTuple):
    """How far two numbers may be apart.

    a and b agree where |a - b| <= absolute + relative * max(|a|, |b|), and also where no more
    than `ulps` float32 numbers lie between them.
    """

    absolute: float = 1e-5
    relative: float = 1e-5
    ulps: int | None = None


@dataclass(frozen=True)
class Tolerances:
    """A tolerance for all quantities, and others for some by name.

    >>> Tolerances(Tolerance(1e-5), {"cell": Tolerance(1e-6)})["cell"].absolute
    1e-06
    """

    default: Tolerance = Tolerance()
    special: Mapping[str, Tolerance] = field(default_factory=lambda: MappingProxyType({}))
    equal_nan: bool = False

    def __getitem__(self, quantity: str) -> Tolerance:
        return self.special.get(quantity, self.default)


TOLERANCES = Tolerances()


class Difference(NamedTuple):
    """Two numbers at one place.

    `absolute` is |left - right|, `relative` that over the larger magnitude; both are infinite
    where one number is no number. `ulps` counts the float32 steps between them, None where one
    is no number. `beyond` of the `width` units at this step are beyond the tolerance.
    """

    sequence: int
    place: Place
    step: int
    unit: int
    left: float
    right: float
    absolute: float
    relative: float
    ulps: int | None
    beyond: int
    width: int

    @property
    def address(self) -> Address:
        return self.place.address(self.unit, self.step)


class QuantityDifference(NamedTuple):
    """One quantity over all sequences, layers, directions, steps and units.

    `growth` holds the largest difference at each step, (T,), float64; nan where none was
    compared. `beyond` of `compared` numbers are beyond the tolerance.
    """

    name: str
    compared: int
    beyond: int
    largest: Difference | None
    growth: Floats


@dataclass(frozen=True)
class Comparison:
    """What two records have in common and where they part.

    `first` is the first divergence beyond tolerance in the order of the data.
    """

    first: Difference | None
    quantities: tuple[QuantityDifference, ...]
    structure: Structure

    @property
    def same(self) -> bool:
        return self.first is None and not self.structure.differs


class Pair(NamedTuple):
    """The numbers of both sides at one place, as far as both have them, each array (T, W)."""

    sequence: int
    place: Place
    steps: Integers
    units: Integers
    left: Floats
    right: Floats
    absolute: Floats
    beyond: Booleans

    def at(self, row: int, column: int) -> Difference:
        """Describe one pair of numbers."""
        left, right = self.left[row, column], self.right[row, column]
        absolute = float(self.absolute[row, column])
        comparable = bool(np.isfinite(absolute)) or not (np.isnan(left) or np.isnan(right))
        return Difference(
            self.sequence,
            self.place,
            int(self.steps[row]),
            int(self.units[column]),
            float(left),
            float(right),
            absolute,
            _relative(absolute, float(left), float(right)),
            int(ulp_distance(left, right)) if comparable else None,
            int(self.beyond[row].sum()),
            len(self.units),
        )


def compare(
    left: Sequence[Recording],
    right: Sequence[Recording],
    tolerances: Tolerances = TOLERANCES,
    whole: bool = False,
) -> Comparison:
    """Compare two records sequence by sequence, in the order in which an LSTM computes.

    One direction: step by step, at each step layer by layer. Two directions, whose layers need
    the whole layer below: layer by layer, in each the steps in reading order. At each place: the
    layer's input, the pre-activations, the gates, i * g, f * c', c, tanh(c), h. Where one side
    is float32, both are compared so.

    Args:
        left: one record per sequence.
        right: the same sequences.
        tolerances: how far apart two numbers may be.
        whole: whether both sides hold all layers, so that a missing one is a difference.

    Raises:
        LSTMError: there is nothing that both sides have.
    """
    found = structure(left, right, whole)
    pairs = list(_pairs(left, right, tolerances))
    stacked = not any(pair.place.direction != DIRECTIONS[0] for pair in pairs)
    return Comparison(_first(pairs, stacked), tuple(_by_quantity(pairs)), found)


def numbers_agree(
    left: Sequence[Recording], right: Sequence[Recording], tolerances: Tolerances
) -> bool:
    """Whether all numbers that both sides have agree; stops at the first that do not."""
    return not any(pair.beyond.any() for pair in _pairs(left, right, tolerances))


def ulp_distance(left: Floats, right: Floats) -> Integers:
    """Count the float32 numbers from one to the other, int64 of the same shape.

    >>> int(ulp_distance(np.float32(1), np.nextafter(np.float32(1), np.float32(2))))
    1
    >>> int(ulp_distance(np.float32(-0.0), np.float32(0.0)))
    0
    """
    return np.asarray(np.abs(_ordered(left) - _ordered(right)))


@np.errstate(over="ignore")
def _ordered(values: Floats) -> Integers:
    """Number the float32 values from the lowest to the highest, zero being 0."""
    bits = np.asarray(values, np.float32).view(np.int32).astype(np.int64)
    return np.asarray(np.where(bits < 0, -(bits & 0x7FFFFFFF), bits))


def _relative(absolute: float, left: float, right: float) -> float:
    scale = max(abs(left), abs(right))
    return 0.0 if absolute == 0 else absolute / scale if np.isfinite(absolute) else np.inf


def _pairs(
    left: Sequence[Recording], right: Sequence[Recording], tolerances: Tolerances
) -> Iterator[Pair]:
    for number, (one, other) in enumerate(zip(left, right, strict=False)):
        for place, series in one.series.items():
            if place in other.series:
                yield _pair(number, place, series, other.series[place], tolerances)


def _pair(number: int, place: Place, one: Series, other: Series, tolerances: Tolerances) -> Pair:
    steps, rows, other_rows = np.intersect1d(one.steps, other.steps, return_indices=True)
    units, columns, other_columns = np.intersect1d(one.units, other.units, return_indices=True)
    left, right = one.values[rows][:, columns], other.values[other_rows][:, other_columns]
    dtype = min(left.dtype, right.dtype)
    with np.errstate(over="ignore"):
        left, right = left.astype(dtype), right.astype(dtype)
    absolute = _distance(left, right, tolerances.equal_nan)
    beyond = _beyond(left, right, absolute, tolerances[place.quantity])
    return Pair(number, place, steps, units, left, right, absolute, beyond)


def _distance(left: Floats, right: Floats, equal_nan: bool) -> Floats:
    """|left - right| in float64; infinite where one is no number."""
    a, b = left.astype(np.float64), right.astype(np.float64)
    with np.errstate(invalid="ignore"):
        distance = np.where(a == b, 0.0, np.abs(a - b))
    alike = np.isnan(a) & np.isnan(b) & equal_nan
    return np.where(alike, 0.0, np.where(np.isnan(distance), np.inf, distance))


def _beyond(left: Floats, right: Floats, absolute: Floats, tolerance: Tolerance) -> Booleans:
    scale = np.maximum(np.abs(left.astype(np.float64)), np.abs(right.astype(np.float64)))
    with np.errstate(invalid="ignore"):
        beyond = absolute > tolerance.absolute + tolerance.relative * scale
    if tolerance.ulps is not None:
        beyond &= ulp_distance(left, right) > tolerance.ulps
    return np.asarray((beyond | ~np.isfinite(absolute)) & (absolute > 0))


def _first(pairs: Iterable[Pair], stacked: bool) -> Difference | None:
    """The first difference in the order of the data; of its units, the one most apart."""
    ranked = [(_rank(pair, row, stacked), pair, row) for pair in pairs for row in _earliest(pair)]
    if not ranked:
        return None
    _, pair, row = min(ranked, key=lambda entry: entry[0])
    apart = np.where(pair.beyond[row], pair.absolute[row], -1)
    return pair.at(row, int(np.argmax(apart)))


def _earliest(pair: Pair) -> list[int]:
    """The row that is read first among those beyond tolerance; none where all agree."""
    rows = np.flatnonzero(pair.beyond.any(axis=1)).tolist()
    return rows[:1] if pair.place.direction == DIRECTIONS[0] else rows[-1:]


def _rank(pair: Pair, row: int, stacked: bool) -> tuple[int, ...]:
    layer, direction, quantity = pair.place
    step, last = int(pair.steps[row]), int(pair.steps[-1])
    position = step if direction == DIRECTIONS[0] else last - step
    order = (position, layer) if stacked else (layer, position)
    return (pair.sequence, *order, DIRECTIONS.index(direction), NAMES.index(quantity))


def _by_quantity(pairs: Sequence[Pair]) -> Iterator[QuantityDifference]:
    for name in NAMES:
        own = [pair for pair in pairs if pair.place.quantity == name]
        if own:
            yield QuantityDifference(
                name,
                sum(pair.absolute.size for pair in own),
                sum(int(pair.beyond.sum()) for pair in own),
                _largest(own),
                _growth(own),
            )


def _largest(pairs: Iterable[Pair]) -> Difference | None:
    """The largest difference, the first of equals."""
    filled = [pair for pair in pairs if pair.absolute.size]
    if not filled:
        return None
    pair = max(filled, key=lambda pair: float(pair.absolute.max()))
    row, column = np.unravel_index(int(np.argmax(pair.absolute)), pair.absolute.shape)
    return pair.at(int(row), int(column))


def _growth(pairs: Sequence[Pair]) -> Floats:
    """The largest difference at each step."""
    steps = 1 + max((int(pair.steps[-1]) for pair in pairs if pair.steps.size), default=-1)
    growth = np.full(steps, np.nan)
    for pair in pairs:
        if pair.absolute.size:
            growth[pair.steps] = np.fmax(growth[pair.steps], pair.absolute.max(axis=1))
    return growth
