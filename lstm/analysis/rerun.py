"""Run parameters again with something changed: the cells, the way of a step, or the inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np

from lstm.analysis.recording import Place, Recording, Series
from lstm.arrays import Floats
from lstm.model import CellPlace, Model, connect
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.quantities import NAMES
from lstm.sequence import run_cell
from lstm.state import ModelState, State
from lstm.trace import Trace


class Stored(NamedTuple):
    """What a file holds that its parameters do not show.

    `order` are the gates in the order of the file's blocks, in letters; `forget_bias` is what
    the parameters' bias holds of the forget gate and the file's does not; `names` are those of
    the file's biases, `biases` by layer and direction those biases, each (4H,) in the order
    i, f, g, o.
    """

    order: str = "ifgo"
    forget_bias: float = 0.0
    names: tuple[str, ...] = ("the bias",)
    biases: Mapping[CellPlace, tuple[Floats, ...]] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Subject:
    """The right parameters, what they read, and what is known of the port.

    Args:
        parameters: the weights, in the order i, f, g, o.
        inputs: what the first layer reads, (T, D) for each sequence.
        starts: the state in which each sequence starts.
        port_steps: how many steps the port recorded of each sequence.
        stored: what the file holds.
        paddings: vectors (D,) that may be read as padding, by what they are.
    """

    parameters: Parameters
    inputs: tuple[Floats, ...]
    starts: tuple[ModelState, ...]
    port_steps: tuple[int, ...]
    stored: Stored = Stored()
    paddings: Mapping[str, Floats] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(
        cls, model: Model, traces: Sequence[Trace], port: Sequence[Recording], stored: Stored
    ) -> Subject:
        """Take parameters, inputs and states from what the model itself ran.

        Args:
            model: the right one.
            traces: its runs of what the port read, one per sequence.
            port: what the port recorded.
            stored: what the model's file holds.
        """
        paddings = {"zeros": np.zeros(model.parameters.input_size, model.parameters.dtype)}
        if model.embedding is not None and model.embedding.weight[0].any():
            paddings["token 0"] = model.embedding.weight[0]
        return cls(
            model.parameters,
            tuple(trace.layers[0].first.layer_input for trace in traces),
            tuple(trace.initial for trace in traces),
            tuple(one.num_steps for one in port),
            stored,
            paddings,
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


def run_layers(
    subject: Subject,
    one: OneDirection = one_direction,
    change: Callable[[CellPlace, CellParameters], CellParameters] = lambda _, cell: cell,
) -> tuple[Recording, ...]:
    """Run every sequence through the stack, with another way of one direction or other cells.

    Args:
        subject: the parameters and inputs.
        one: how one cell reads one sequence.
        change: what becomes of a cell, given its layer and direction.
    """
    layers = (
        LayerParameters(**{
            name: change((number, name), cell) for name, cell in layer.directions.items()
        })
        for number, layer in enumerate(subject.parameters.layers)
    )  # fmt: skip
    changed = replace(subject.parameters, layers=tuple(layers))
    return tuple(
        Recording(_series(changed, inputs, start, one))
        for inputs, start in zip(subject.inputs, subject.starts, strict=True)
    )


@np.errstate(over="ignore", invalid="ignore")
def _series(
    parameters: Parameters, inputs: Floats, start: ModelState, one: OneDirection
) -> dict[Place, Series]:
    series: dict[Place, Series] = {}

    def run(place: CellPlace, cell: CellParameters, read: Floats, added: Floats | None) -> Floats:
        record = one(cell, read, start[place], place[1])
        if added is not None:
            record["layer_output"] = record["hidden"] + added
        series.update({Place(*place, name): Series.whole(v) for name, v in record.items()})
        return record["layer_output"]

    connect(parameters, inputs.astype(parameters.dtype), run)
    return series


def by_cell(
    subject: Subject, change: Callable[[CellParameters], CellParameters]
) -> tuple[Recording, ...]:
    """Run every sequence with every cell changed in the same way."""
    return run_layers(subject, change=lambda _, cell: change(cell))
