"""Run parameters again with something changed: cells, inputs, the way of a step, the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np

from lstm.analysis.recording import Place, Recording, Series
from lstm.arrays import Floats, Integers
from lstm.model import CellPlace, Model, connect
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.quantities import LETTERS, NAMES
from lstm.sequence import run_cell
from lstm.state import ModelState, State
from lstm.trace import Trace


class Stored(NamedTuple):
    """What a file holds that its parameters do not show.

    `order` are the gates in the order of the file's blocks, in letters, without one that is
    computed from another; `forget_bias` is what
    the parameters' bias holds of the forget gate and the file's does not; `names` are those of
    the file's biases, `biases` by layer and direction those biases, each (4H,) in the order
    i, f, g, o.
    """

    order: str = LETTERS
    forget_bias: float = 0.0
    names: tuple[str, ...] = ("the bias",)
    biases: Mapping[CellPlace, tuple[Floats, ...]] = MappingProxyType({})


class OneDirection(Protocol):
    """How one cell reads one sequence (T, D): every quantity by its name, each (T, W)."""

    def __call__(
        self, cell: CellParameters, inputs: Floats, start: State, direction: str
    ) -> dict[str, Floats]: ...


def one_direction(
    cell: CellParameters, inputs: Floats, start: State, direction: str
) -> dict[str, Floats]:
    """Run a cell as it should be run."""
    record = run_cell(cell, inputs[np.newaxis], start, direction).sequence(0)
    return {name: getattr(record, name) for name in NAMES}


def by_step(
    cell: CellParameters,
    inputs: Floats,
    start: State,
    direction: str,
    between: Callable[[State], State] = lambda state: state,
) -> dict[str, Floats]:
    """Run a cell step by step, doing something to the state from each step to the next."""
    steps = range(len(inputs))
    records: dict[int, dict[str, Floats]] = {}
    state = start
    for step in steps if direction == "forward" else reversed(steps):
        record = run_cell(cell, inputs[np.newaxis, step : step + 1], state, direction).sequence(0)
        records[step] = {name: getattr(record, name) for name in NAMES}
        state = between(record.final)
    if not records:
        return one_direction(cell, inputs, start, direction)
    return {name: np.concatenate([records[step][name] for step in steps]) for name in NAMES}


@dataclass(frozen=True, eq=False)
class Subject:
    """Parameters, what they read and how, and what is recorded of it.

    It starts as the right ones; each mistake makes another of it, so that several can be made
    one after the other.

    Args:
        parameters: the weights, in the order i, f, g, o.
        inputs: what the first layer reads, (T, D) for each sequence.
        starts: the state in which each sequence starts.
        port_steps: how many steps the port recorded of each sequence.
        rows: for each sequence, which steps of the run are recorded, in the order of the record.
        stored: what the file holds.
        paddings: vectors (D,) that may be read as padding, by what they are.
        way: how one cell reads one sequence.
        carry: whether each sequence goes on from the state that the one before it left.
        labels: quantities that are recorded as another: the right name, and the one given.
    """

    parameters: Parameters
    inputs: tuple[Floats, ...]
    starts: tuple[ModelState, ...]
    port_steps: tuple[int, ...]
    rows: tuple[Integers, ...]
    stored: Stored = Stored()
    paddings: Mapping[str, Floats] = field(default_factory=lambda: MappingProxyType({}))
    way: OneDirection = one_direction
    carry: bool = False
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(
        cls,
        model: Model,
        traces: Sequence[Trace],
        port: Sequence[Recording],
        stored: Stored,
        carry: bool = False,
    ) -> Subject:
        """Take parameters, inputs and states from what the model itself ran.

        Args:
            model: the right one.
            traces: its runs of what the port read, one per sequence.
            port: what the port recorded.
            stored: what the model's file holds.
            carry: whether each sequence went on from the state of the one before it.
        """
        paddings = {"zeros": np.zeros(model.parameters.input_size, model.parameters.dtype)}
        if model.embedding is not None and model.embedding.weight[0].any():
            paddings["token 0"] = model.embedding.weight[0]
        inputs = tuple(trace.layers[0].first.layer_input for trace in traces)
        return cls(
            model.parameters,
            tuple(array.astype(model.parameters.dtype) for array in inputs),
            tuple(trace.initial for trace in traces),
            tuple(one.num_steps for one in port),
            tuple(np.arange(len(array)) for array in inputs),
            stored,
            paddings,
            carry=carry,
        )

    def bias_terms(self, place: CellPlace) -> tuple[Floats, ...]:
        """Return the biases of one cell as the file has them; its only one where it says none."""
        layer, direction = place
        cell = self.parameters.layers[layer].directions[direction]
        return self.stored.biases.get(place, (cell.bias,))

    @property
    def is_same_length(self) -> bool:
        """Whether the port recorded as many steps as there are inputs."""
        return self.port_steps == tuple(len(inputs) for inputs in self.inputs)

    def extra_steps(self, most: int) -> Sequence[int]:
        """Return how many steps of padding are possible: what the port has more, else any."""
        if self.is_same_length:
            return range(1, most + 1)
        more = {n - len(x) for n, x in zip(self.port_steps, self.inputs, strict=False)}
        return [count for count in more if count > 0] if len(more) == 1 else []

    def with_cells(self, change: Callable[[CellPlace, CellParameters], CellParameters]) -> Subject:
        """Change every cell, given its layer and direction."""
        layers = (
            {name: change((number, name), cell) for name, cell in layer.directions.items()}
            for number, layer in enumerate(self.parameters.layers)
        )
        layers_of_these = tuple(LayerParameters(**cells) for cells in layers)
        return replace(self, parameters=replace(self.parameters, layers=layers_of_these))

    def run(self, window: slice = slice(None)) -> tuple[Recording, ...]:
        """Run every sequence through the stack.

        Args:
            window: which steps of the record are wanted. Where no cell reads from the end, no
                more is run than they need.
        """
        recordings: list[Recording] = []
        final: ModelState | None = None
        for inputs, start, rows in zip(self.inputs, self.starts, self.rows, strict=True):
            first = final if self.carry and final is not None else start
            recording, final = self._run_one(inputs, first, rows, window)
            recordings.append(recording)
        return tuple(recordings)

    @np.errstate(over="ignore", invalid="ignore")
    def _run_one(
        self, inputs: Floats, start: ModelState, rows: Integers, window: slice
    ) -> tuple[Recording, ModelState]:
        rows, steps = rows[window], np.arange(len(rows))[window]
        if not self.parameters.reads_back:
            inputs = inputs[: rows.max(initial=-1) + 1]
        series: dict[Place, Series] = {}
        finals: dict[CellPlace, State] = {}

        def run(
            place: CellPlace, cell: CellParameters, read: Floats, added: Floats | None
        ) -> Floats:
            record = self.way(cell, read, start[place], direction=place[1])
            if added is not None:
                record["layer_output"] = record["hidden"] + added
            for name, values in record.items():
                units = np.arange(values.shape[1])
                label = self.labels.get(name, name)
                series[Place(*place, label)] = Series(values[rows], steps, units)
            finals[place] = _last(record, start[place], direction=place[1])
            return record["layer_output"]

        connect(self.parameters, inputs, run)
        return Recording(series), ModelState(finals)


def _last(record: Mapping[str, Floats], start: State, direction: str) -> State:
    """The state after the step that is read last; without steps, the one before them."""
    if not len(record["cell"]):
        return start
    row = -1 if direction == "forward" else 0
    return State(h=record["hidden"][row], c=record["cell"][row])


def by_cell(subject: Subject, change: Callable[[CellParameters], CellParameters]) -> Subject:
    """Change every cell in the same way."""
    return subject.with_cells(lambda _, cell: change(cell))
