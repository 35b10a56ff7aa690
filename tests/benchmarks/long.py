"""One long sequence: microseconds a step, beside the peers, and how exact each is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lstm.engines.compiled import CompiledEngine
from lstm.engines.engine import Engine
from lstm.engines.plain import PLAIN
from lstm.parameters import CellParameters
from lstm.sequence import run_cell
from lstm.state import State
from tests.benchmarks.peers import Peer, peers
from tests.benchmarks.timing import medians

SIZES = (8, 64, 256, 650, 1024)
STEPS = 20_000


def cell_of(size: int, input_size: int | None = None, seed: int = 0) -> CellParameters:
    """A random cell, as frameworks initialise it."""
    random, bound = np.random.default_rng(seed), 1 / np.sqrt(size)
    shapes = ((4 * size, input_size or size), (4 * size, size), (4 * size,))
    return CellParameters(*(random.uniform(-bound, bound, s).astype(np.float32) for s in shapes))


def measure(threads: int, steps: int = STEPS, rounds: int = 3) -> Iterator[dict[str, Any]]:
    """Yield one record per size: microseconds a step, and errors against float64."""
    for size in SIZES:
        cell = cell_of(size)
        inputs = np.random.default_rng(1).normal(size=(1, steps, size)).astype(np.float32)
        ways = _ways(cell, inputs, threads)
        seconds = medians(ways, rounds)
        exact = _exact(cell, inputs[0])
        errors = {name: np.abs(way() - exact) for name, way in ways.items()}
        yield {
            "size": size,
            "threads": threads,
            "microseconds": {name: each / steps * 1e6 for name, each in seconds.items()},
            "largest error": {name: float(each.max()) for name, each in errors.items()},
            "mean error": {name: float(each.mean()) for name, each in errors.items()},
        }


def _ways(
    cell: CellParameters, inputs: np.ndarray, threads: int
) -> dict[str, Callable[[], np.ndarray]]:
    """Ours record every gate, cell and hidden state; the peers give the hidden states."""
    start = State(*np.zeros((2, 1, cell.hidden_size), np.float32))
    time_first = np.ascontiguousarray(inputs.transpose(1, 0, 2))

    def ours(engine: Engine) -> Callable[[], np.ndarray]:
        return lambda: run_cell(cell, inputs, start, "forward", engine).hidden[0]

    def theirs(peer: Peer) -> Callable[[], np.ndarray]:
        return lambda: peer.run(time_first, None)[:, 0]

    def loop() -> np.ndarray:
        """The loop that everyone writes: one step after the other, hidden states kept."""
        h, c = start.h[0], start.c[0]
        hidden = np.empty((inputs.shape[1], cell.hidden_size), np.float32)
        for t, x in enumerate(inputs[0]):
            i, f, g, o = np.split(cell.weight_ih @ x + cell.weight_hh @ h + cell.bias, 4)
            c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            h = hidden[t] = np.tanh(c) / (1 + np.exp(-o))
        return hidden

    engines = {"lstm, numba": CompiledEngine(threads), "lstm, numpy": PLAIN}
    return {name: ours(engine) for name, engine in engines.items()} | {
        "numpy loop": loop,
        **{peer.name: theirs(peer) for peer in peers(cell, threads)[:2]},
    }


def _exact(cell: CellParameters, inputs: np.ndarray) -> np.ndarray:
    double = CellParameters(*(array.astype(np.float64) for array in cell.arrays))
    start = State(*np.zeros((2, 1, cell.hidden_size)))
    return run_cell(double, inputs[np.newaxis].astype(np.float64), start, "forward").hidden[0]
