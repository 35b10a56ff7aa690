"""The standard cell in compiled code: float32, some times as fast as numpy. Needs numba."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from lstm.arrays import Floats, Integers, aligned
from lstm.engines.cache import load_kernel
from lstm.engines.engine import Looked
from lstm.engines.room import Room
from lstm.lengths import starts
from lstm.parameters import CellParameters
from lstm.quantities import GATES, PACKED, PACKED_OF
from lstm.state import State
from lstm.variants import STANDARD, Stepped

if TYPE_CHECKING:
    from numpy.typing import NDArray

# With fewer recurrent weights than this for each, threads at one sequence wait longer for each
# other than they gain. With fewer multiply-adds than this in all, they are not even started in the
# time that they save.
_WORTH_SHARING, _WORTH_THREADS = 2 * 192 * 192, 300_000_000
# Multiply-adds between two looks at whether someone pressed Ctrl-C: some hundredths of a second.
_TURN = 500_000_000
# Turns that one thread fewer takes after one was held up.
_FEWER = 4


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
    recorded: frozenset[str] = frozenset(PACKED)
    name: str = "numba"
    _kernel: Any = field(default_factory=load_kernel)
    _room: Room = field(default_factory=Room)
    _packed: WeakKeyDictionary[CellParameters, Packed] = field(default_factory=WeakKeyDictionary)

    def can_run(self, cell: CellParameters) -> bool:
        """Return whether the cell is the standard one, in float32."""
        return cell.variant is STANDARD and cell.dtype == np.float32

    def recording(self, quantities: Iterable[str]) -> CompiledEngine:
        """Return an engine that records only the packed arrays that these are read from."""
        read = {PACKED_OF.get(quantity) for quantity in quantities}
        return replace(self, recorded=frozenset(PACKED).intersection(read))

    def multiply(self, cell: CellParameters, inputs: Floats) -> Floats:
        """Return W x + b, (..., 4H), for inputs (..., D)."""
        vectors = np.ascontiguousarray(inputs).reshape(-1, cell.input_size)
        products = self._room.empty((len(vectors), len(cell.bias)))
        packed, kernel = self._pack(cell), self._kernel

        def share(low: int, high: int) -> None:
            scratch = aligned((kernel.BLOCK, kernel.PANEL), np.float32)
            address, width = vectors.ctypes.data, cell.input_size
            kernel.multiply(
                packed.weight_ih, address, width, low, high, packed.bias, scratch, products
            )

        threads = self._threads_for(len(vectors) * cell.weight_ih.size)
        _in_shares(share, [len(vectors) * n // threads for n in range(threads + 1)])
        return products.reshape(*inputs.shape[:-1], len(cell.bias))

    def run(
        self,
        cell: CellParameters,
        products: Floats | Looked,
        first: State,
        direction: str,
        lengths: Integers,
    ) -> Stepped:
        """Run over sequences; see `Engine`."""
        table, z = self._table(products, cell)
        num_rows = len(table.places)
        gates = self._packed_array("gates", num_rows, cell)
        states = [self._room.empty((num_rows, cell.hidden_size)) for _ in range(2)]
        record = Stepped(z, gates, *states)
        weights, each = self._pack(cell).weight_hh, np.array(lengths, np.int64)
        carried = aligned((2, *first.h.shape), np.float32)
        carried[0] = first.h
        cell_before = np.array(first.c, np.float32, order="C")
        run = _Run(
            self._kernel, weights, table, record, starts(each), each, carried, cell_before,
            1 if direction == "forward" else -1,
        )  # fmt: skip
        threads = self._threads_for(num_rows * cell.weight_hh.size)
        sharing = min(threads, cell.weight_hh.size // _WORTH_SHARING)
        if len(each) == 1 and sharing > 1:
            run.together(sharing)
        else:
            _in_shares(run.part, run.bounds(threads))
        return record

    def _packed_array(self, name: str, num_rows: int, cell: CellParameters) -> Floats:
        """Return room for a packed array, (R, 4H), or one that says that it is not recorded."""
        shape = (num_rows, len(cell.bias))
        if name in self.recorded:
            return self._room.empty(shape)
        return np.broadcast_to(np.float32(np.nan), shape)

    def _table(self, products: Floats | Looked, cell: CellParameters) -> tuple[Looked, Floats]:
        """Where the kernel reads W x + b, and where it writes the pre-activations: maybe there."""
        if isinstance(products, Looked):
            places = np.array(products.places, np.int64)
            return Looked(products.table, places), self._packed_array(
                "pre_activations", len(places), cell
            )
        return Looked(products, np.arange(len(products))), products

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
    """Some sequences on their way through the kernel; see `run_steps` there."""

    kernel: Any
    weight_hh: Floats
    products: Looked
    record: Stepped
    starts: Integers
    lengths: Integers
    carried: Floats
    first_cell: Floats
    pace: int

    def bounds(self, threads: int) -> list[int]:
        """Cut the sequences into as many parts of about as many rows each."""
        so_far = self.starts + self.lengths
        shares = [len(self.record.cell) * number // threads for number in range(1, threads)]
        return [0, *np.searchsorted(so_far, shares).tolist(), len(self.lengths)]

    def part(self, low: int, high: int) -> None:
        """Take all steps of the sequences from low to high on this thread."""
        for begin, end in self._turns(low, high):
            self._steps(low, high, begin, end, 0, 1, self._barrier(1, begin))

    def together(self, threads: int) -> None:
        """Take all steps of one sequence on several threads, which wait after each step."""
        fewer, still = threads, 0
        for begin, end in self._turns(0, 1):
            sharing = fewer if still else threads
            barrier = self._barrier(sharing, begin)
            counters = barrier[:: self.kernel.APART]
            self._share_turn(begin, end, sharing, barrier, counters)
            still = max(0, still - 1)
            if counters[sharing] > 0:  # one was held up
                fewer, still = sharing - 1, _FEWER

    def _share_turn(
        self, begin: int, end: int, threads: int, barrier: NDArray[np.int64],
        counters: NDArray[np.int64],
    ) -> None:  # fmt: skip
        """Take some steps on several threads; where one fails, none waits for it for ever."""

        def share(thread: int, _: int) -> None:
            try:
                self._steps(0, 1, begin, end, thread, threads, barrier)
            finally:
                counters[thread] = end

        def release() -> None:
            counters[:threads] = end

        _in_shares(share, range(threads + 1), release)

    def _barrier(self, threads: int, begin: int) -> NDArray[np.int64]:
        """Where so many threads meet after each step, before the first."""
        barrier = np.zeros((threads + 1, self.kernel.APART), np.int64)
        barrier[:threads] = begin
        return barrier.reshape(-1)

    def _steps(
        self, low: int, high: int, begin: int, end: int, thread: int, threads: int,
        barrier: NDArray[np.int64],
    ) -> None:  # fmt: skip
        rows = max(2, min(high - low, self.kernel.BLOCK))
        even, odd = self.carried[:, low:high]
        # What is not recorded is written to one row over and over, this thread's own.
        record = (
            array if array.strides[0] else np.empty((1, array.shape[1]), np.float32)
            for array in self.record
        )
        self.kernel.run_steps(
            self.weight_hh, self.products.table.ctypes.data, self.products.places, *record,
            self.starts[low:high], self.lengths[low:high], even.ctypes.data, odd.ctypes.data,
            self.first_cell[low:].ctypes.data, begin, end, self.pace,
            aligned((rows, self.kernel.PANEL), np.float32), thread, threads, barrier,
        )  # fmt: skip

    def _turns(self, low: int, high: int) -> Iterator[tuple[int, int]]:
        num_steps = int(self.lengths[low]) if low < high else 0
        length = max(1, _TURN // max(1, (high - low) * self.weight_hh.size))
        return pairwise([*range(0, num_steps, length), num_steps])


def _in_shares(
    share: Callable[[int, int], None],
    bounds: Sequence[int],
    release: Callable[[], None] = lambda: None,
) -> None:
    """Call share(low, high) for each two neighbours of the bounds, one pair on each thread.

    `release` is called where this thread is interrupted: the others may wait for it.
    """
    mine, *others = pairwise(bounds)
    if not others:
        share(*mine)
        return
    with ThreadPoolExecutor(len(others)) as pool:
        try:
            rest = [pool.submit(share, *pair) for pair in others]
            share(*mine)
        except BaseException:
            release()
            raise
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
    laid = aligned((count, columns, len(GATES) * lanes), np.float32)
    laid[:] = panels.reshape(laid.shape)
    return laid
