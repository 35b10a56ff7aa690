"""What the weights of a cell look like, gate by gate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm.arrays import Floats
from lstm.parameters import CellParameters
from lstm.quantities import GATES

BINS = 12


@dataclass(frozen=True, slots=True)
class Distribution:
    """The finite numbers of an array: range, mean, standard deviation, and a histogram.

    `histogram` counts the numbers in equal bins from minimum to maximum.

    >>> Distribution.of(np.array([0.0, 1.0])).mean
    0.5
    """

    minimum: float
    maximum: float
    mean: float
    deviation: float
    histogram: tuple[int, ...]

    @classmethod
    def of(cls, array: Floats) -> Distribution | None:
        """Describe an array of any shape; None where it has no finite number."""
        finite = array[np.isfinite(array)].astype(np.float64)
        if not finite.size:
            return None
        low, high = float(finite.min()), float(finite.max())
        counts, _ = np.histogram(_shares(finite, low, high), BINS, (0, 1))
        return cls(low, high, float(finite.mean()), float(finite.std()), tuple(counts.tolist()))


def _shares(values: Floats, low: float, high: float) -> Floats:
    """Where values lie between low (0) and high (1); in the middle where these are equal.

    Halves, as the difference of two large numbers may be too large to be one.
    """
    span = high / 2 - low / 2
    if span == 0:  # equal, or as close as two numbers can be
        return np.where(values > low, 1.0, 0.0 if high > low else 0.5)
    return np.asarray((values / 2 - low / 2) / span)


@dataclass(frozen=True, slots=True)
class GateStatistics:
    """One gate of one cell.

    `weight_ih`, `weight_hh` and `bias` are described each by itself. `spectral_radius` is the
    largest magnitude among the eigenvalues of the gate's (H, H) block of weight_hh: above 1, a
    hidden state can grow through this gate's pre-activation from step to step. Where the hidden
    state is projected, the block is taken with the projection. None where it holds numbers that
    are not finite.
    """

    gate: str
    weight_ih: Distribution | None
    weight_hh: Distribution | None
    bias: Distribution | None
    spectral_radius: float | None


@np.errstate(over="ignore", invalid="ignore")
def gate_statistics(cell: CellParameters) -> tuple[GateStatistics, ...]:
    """Describe the four gates of a cell, in the order i, f, g, o.

    >>> cell = CellParameters(np.zeros((4, 1)), np.full((4, 1), -2.0), np.ones(4))
    >>> gate_statistics(cell)[1].spectral_radius, gate_statistics(cell)[1].bias.mean
    (2.0, 1.0)
    """
    size = cell.output_size
    return tuple(
        GateStatistics(
            gate,
            Distribution.of(cell.gate_weight(gate)[:, size:]),
            Distribution.of(recurrent := cell.gate_weight(gate)[:, :size]),
            Distribution.of(cell.gate_bias(gate)),
            _spectral_radius(_to_itself(recurrent, cell.variant.projection)),
        )
        for gate in GATES
    )


def _to_itself(recurrent: Floats, projection: Floats | None) -> Floats:
    """What leads from H units to H pre-activations."""
    return recurrent if projection is None else np.asarray(recurrent @ projection)


def _spectral_radius(matrix: Floats) -> float | None:
    if not np.isfinite(matrix).all():
        return None
    return float(np.abs(np.linalg.eigvals(matrix.astype(np.float64))).max())
