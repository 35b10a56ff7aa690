"""What each value counts for: one after the other is set to another, and a metric is watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lstm.address import Address
from lstm.analysis.intervention import Change, Intervention, span_of, taken
from lstm.analysis.metric import Metric
from lstm.analysis.recording import Recording
from lstm.arrays import Floats, Integers
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.trace import Trace

MEAN = "mean"
MOST_STEPS = 10_000_000  # of all runs: some minutes

# As many runs are done at once as take about this many bytes.
LARGEST_BATCH = 2**26


class Tried(NamedTuple):
    """A metric as it is, and after each of several changes, (N,) float64."""

    before: float
    after: Floats


class Sweep(NamedTuple):
    """The effect of each of some units at each of some steps.

    Args:
        over: what was set, every step and unit of it by itself.
        steps: (S,), the steps of the rows below.
        units: (U,), the units of the columns.
        values: (S, U), what was there.
        put: (S, U), what was put there.
        before: the metric of the run as it is.
        after: (S, U), the metric after each change, float64.
    """

    over: Address
    steps: tuple[int, ...]
    units: tuple[int, ...]
    values: Floats
    put: Floats
    before: float
    after: Floats

    @property
    @np.errstate(over="ignore", invalid="ignore")
    def effects(self) -> Floats:
        """By how much each change moves the metric, (S, U)."""
        return np.asarray(self.after - self.before)

    @property
    def ranking(self) -> list[tuple[int, int]]:
        """Every row and column, the largest effect first, what is no number last."""
        sizes = np.nan_to_num(np.abs(self.effects), nan=-1)
        order = np.argsort(-sizes, axis=None, kind="stable")
        return [(int(n) // len(self.units), int(n) % len(self.units)) for n in order]

    def address(self, row: int, column: int) -> Address:
        return self.over._replace(units=self.units[column], steps=self.steps[row])


def sweep(
    model: Model, trace: Trace, over: Address, metric: Metric, to: float | str | Recording
) -> Sweep:
    """Set each value at an address by itself, and measure what that does.

    Args:
        model: what ran.
        trace: its run of one sequence, at least one step.
        over: of something that can be set; its spans say which units and steps.
        metric: what is measured, in full after the last step.
        to: a number; MEAN, what the unit has on average over the sequence; or another run, from
            which the value at the same place is taken.

    Raises:
        LSTMError: the model or the other run has no such place, or the metric asks for what is
            not there.
    """
    check_size(model, over, trace.num_steps)
    record = getattr(trace.layers[over.layer], over.direction)
    whole: Floats = getattr(record, over.quantity)
    steps, units = (
        np.arange(count)[span_of(span)]
        for count, span in zip(whole.shape, (over.steps, over.units), strict=True)
    )
    values = whole[np.ix_(steps, units)]
    if isinstance(to, Recording):
        there = over._replace(units=_span(units), steps=_span(steps))
        put = np.asarray(Change.patch(repr(there), to).value, values.dtype)
        Intervention((Change(there, put),)).check(model.parameters, trace.num_steps)
    else:
        mean = whole[:, units].mean(axis=0, dtype=np.float64)
        put = np.broadcast_to(mean if to == MEAN else float(to), values.shape)
        put = put.astype(values.dtype)
    changes = [
        Change(over._replace(units=unit, steps=step), float(put[row, column]))
        for row, step in enumerate(steps.tolist())
        for column, unit in enumerate(units.tolist())
    ]
    before, after = one_by_one(model, trace, changes, metric)
    numbers = (tuple(steps.tolist()), tuple(units.tolist()))
    return Sweep(over, *numbers, values, put, before, after.reshape(values.shape))


def check_size(model: Model, over: Address, num_steps: int) -> None:
    """Refuse a sweep over so many steps that would run for hours.

    Raises:
        LSTMError: it would; or there is nothing at this address.
    """
    rows, columns = taken(over, model.parameters, num_steps)
    num_runs = rows * columns
    if num_runs * num_steps > MOST_STEPS:
        raise LSTMError(
            f"sweep: expected at most {MOST_STEPS:,} steps in all runs, found {num_runs:,} runs "
            f"of {num_steps:,} steps. Choose fewer values with --over, or give less text."
        )


def _span(numbers: Integers) -> slice:
    return slice(int(numbers[0]), int(numbers[-1]) + 1)


@np.errstate(over="ignore", invalid="ignore")
def one_by_one(
    model: Model, trace: Trace, changes: Sequence[Change], metric: Metric, step: int = -1
) -> Tried:
    """Run a sequence again with each of many changes by itself, and measure every run.

    The runs stand side by side in batches, each beside one in which nothing is changed, so that
    all of them are computed in the same way: a change to what is there already has no effect
    at all.

    Args:
        model: what ran; what it changes on the way is changed here too.
        trace: its run of one sequence.
        changes: each of one unit at one step.
        metric: what is measured, after `step` where it does not say.

    Raises:
        LSTMError: there is no such place, or the metric asks for what is not there.
    """
    inputs = trace.layers[0].first.layer_input
    size = max(LARGEST_BATCH // _bytes_per_run(model, trace), 1)
    before = 0.0
    after: list[Floats] = []
    for start in range(0, max(len(changes), 1), size):
        batch = changes[start : start + size]
        own = (change._replace(sequence=n) for n, change in enumerate(batch, start=1))
        changed = Intervention((*model.changes, *own))
        runs = replace(model, intervention=changed).run(
            vectors=np.broadcast_to(inputs, (1 + len(batch), *inputs.shape)),
            initial_state=trace.initial,
        )
        measured = metric.measure(runs, step)
        before = float(measured[0])
        after.append(measured[1:])
    return Tried(before, np.concatenate(after))


def _bytes_per_run(model: Model, trace: Trace) -> int:
    """What a run of this sequence takes, about: its record, and scores in float64."""
    arrays = [
        record.cell.size * 14 + record.layer_input.size + record.hidden.size
        for layer in trace.layers
        for record in layer.directions
    ]
    outcomes = 0 if model.head is None else 3 * model.head.num_outcomes
    return 8 * (sum(arrays) + outcomes)
