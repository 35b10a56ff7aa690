"""The standard cell in compiled code: float32, some times as fast as numpy. Needs numba."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from lstm.arrays import Floats
from lstm.engines.cache import load_kernel
from lstm.engines.engine import Looked
from lstm.parameters import CellParameters
from lstm.quantities import GATES
from lstm.state import State
from lstm.variants import STANDARD, Stepped

if TYPE_CHECKING:
    from numpy.typing import NDArray

# With fewer recurrent weights than this, two threads at one sequence wait longer than they gain:
# one core's own cache holds them all. With fewer multiply-adds than this in all, threads are not
# even started in the time that they save.
_WORTH_SHARING, _WORTH_THREADS = 4 * 512 * 512, 300_000_000
# Multiply-adds between two looks at whether someone pressed Ctrl-C: some hundredths of a second.
_TURN = 500_000_000


class Packed(NamedTuple):
    """A cell's weights in the order in which the kernel reads them."""

    weight_ih: Floats
    weight_hh: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class CompiledEngine:
    """Runs the kernel on one or more threads; their number changes no bit.

    Raises:
        MissingExtraError: numba is not installed.
    """

    threads: int = 1
    name: str = "numba"
    _kernel: Any = field(default_factory=load_kernel)
    _packed: WeakKeyDictionary[CellParameters, Packed] = field(default_factory=WeakKeyDictionary)

    def can_run(self, cell: CellParameters) -> bool:
        """Return whether the cell is the standard one, in float32."""
        return cell.variant is STANDARD and cell.dtype == np.float32

    def multiply(self, cell: CellParameters, inputs: Floats) -> Floats:
        """Return W x + b, (..., 4H), for inputs (..., D)."""
        vectors = np.ascontiguousarray(inputs).reshape(-1, cell.input_size)
        products = np.empty((len(vectors), len(cell.bias)), np.float32)
        packed, kernel = self._pack(cell), self._kernel

        def share(low: int, high: int) -> None:
            scratch = np.empty((kernel.BLOCK, kernel.PANEL), np.float32)
            address, width = vectors.ctypes.data, cell.input_size
            kernel.multiply(
                packed.weight_ih, address, width, low, high, packed.bias, scratch, products
            )

        threads = self._threads_for(len(vectors) * cell.weight_ih.size)
        _in_shares(share, len(vectors), threads)
        return products.reshape(*inputs.shape[:-1], len(cell.bias))

    def run(
        self, cell: CellParameters, products: Floats | Looked, first: State, direction: str
    ) -> Stepped:
        """Run over sequences; see `Engine`."""
        table, z = _table(products)
        count, num_steps = table.places.shape
        cells = np.empty((count, num_steps, cell.hidden_size), np.float32)
        record = Stepped(z, np.empty_like(z), cells, np.empty_like(cells))
        start = State(*(np.array(array, np.float32, order="C") for array in first))
        run = _Run(self._kernel, self._pack(cell).weight_hh, table, record, start, direction)
        threads = self._threads_for(count * num_steps * cell.weight_hh.size)
        if count == 1 and threads > 1 and cell.weight_hh.size >= _WORTH_SHARING:
            run.together(threads)
        else:
            _in_shares(lambda low, high: run.part(low, high).alone(), count, threads)
        return record

    def _threads_for(self, multiply_adds: int) -> int:
        return self.threads if multiply_adds >= _WORTH_THREADS else 1

    def _pack(self, cell: CellParameters) -> Packed:
        packed = self._packed.get(cell)
        if packed is None:
            lanes = self._kernel.LANES
            weights = (_panels(cell.weight_ih, lanes), _panels(cell.weight_hh, lanes))
            packed = self._packed[cell] = Packed(*weights, cell.bias.copy())
        return packed


@dataclass(frozen=True)
class _Run:
    """Some sequences on their way through the kernel."""

    kernel: Any
    weight_hh: Floats
    products: Looked
    record: Stepped
    start: State
    direction: str

    def part(self, low: int, high: int) -> _Run:
        """Return the run of the sequences from low to high."""
        record = Stepped(*(array[low:high] for array in self.record))
        start = State(*(array[low:high] for array in self.start))
        products = self.products._replace(places=self.products.places[low:high])
        return replace(self, products=products, record=record, start=start)

    def alone(self) -> None:
        """Take all steps on this thread."""
        for begin, end in self._turns():
            self._steps(begin, end, 0, 1, np.zeros(self.kernel.APART, np.int64))

    def together(self, threads: int) -> None:
        """Take all steps on several threads, which share the units and wait after each step."""
        barrier = np.zeros(threads * self.kernel.APART, np.int64)
        for begin, end in self._turns():

            def share(thread: int, _: int, begin: int = begin, end: int = end) -> None:
                self._steps(begin, end, thread, threads, barrier)

            _in_shares(share, threads, threads)

    def _steps(
        self, begin: int, end: int, thread: int, threads: int, barrier: NDArray[np.int64]
    ) -> None:
        scratch = np.empty((max(2, len(self.record.cell)), self.kernel.PANEL), np.float32)
        pace = 1 if self.direction == "forward" else -1
        self.kernel.run_steps(
            self.weight_hh, self.products.table.ctypes.data, self.products.places, *self.record,
            *self.start, begin, end, pace, scratch,
            thread, threads, barrier,
        )  # fmt: skip

    def _turns(self) -> Iterator[tuple[int, int]]:
        count, num_steps, _ = self.record.cell.shape
        length = max(1, _TURN // max(1, count * self.weight_hh.size))
        return pairwise([*range(0, num_steps, length), num_steps])


def _table(products: Floats | Looked) -> tuple[Looked, Floats]:
    """Where the kernel reads W x + b, and where it writes the pre-activations: maybe there."""
    if isinstance(products, Looked):
        places = np.array(products.places, np.int64, order="C")
        return Looked(products.table, places), np.empty(
            (*places.shape, products.table.shape[1]), np.float32
        )
    places = np.arange(products.shape[0] * products.shape[1]).reshape(products.shape[:2])
    return Looked(products, places), products


def _in_shares(share: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call share(low, high) for equal parts of 0 to count, one on each thread."""
    threads = max(1, min(threads, count))
    bounds = [count * number // threads for number in range(threads + 1)]
    if threads == 1:
        share(0, count)
        return
    with ThreadPoolExecutor(threads - 1) as pool:
        rest = [pool.submit(share, *pair) for pair in pairwise(bounds[1:])]
        share(bounds[0], bounds[1])
        for part in rest:
            part.result()


def _panels(weight: Floats, lanes: int) -> Floats:
    """Lay (4H, K) out as (P, K, 4, lanes): a panel is `lanes` units with all four gates."""
    rows, columns = weight.shape
    size = rows // len(GATES)
    count = -(-size // lanes)
    padded = np.zeros((len(GATES), count * lanes, columns), weight.dtype)
    padded[:, :size] = weight.reshape(len(GATES), size, columns)
    panels = padded.reshape(len(GATES), count, lanes, columns).transpose(1, 3, 0, 2)
    return np.ascontiguousarray(panels).reshape(count, columns, -1)
