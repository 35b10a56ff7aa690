"""The compiled kernel: the standard cell in float32, many steps in one call.

Every sum is taken in one order (blocks of 64 columns, each a chain of fused multiply-adds, added
up from the first block to the last), whatever stands beside it in a batch and however many
threads share the units. So a sequence has the same bits in every company.

Addresses stand where an array may be read-only or a view.
"""

from __future__ import annotations

import sys

from numba import config, float32, int64, njit, types, void

from lstm.engines.instructions import (
    GATES,
    PANEL,
    ROWS,
    ask_for,
    count_up,
    counted,
    finish,
    place,
    tile,
)
from lstm.engines.vectors import LANES

# Vectors whose sums for one panel stay in the second-level cache.
BLOCK = 96
# Numbers between two counters, so that no two share a cache line.
APART = 8

_OPTIONS = {"error_model": "numpy", "nogil": True, "cache": bool(config.CACHE_DIR)}
_BYTES = 4
# Columns in one chain: few enough to keep the rounding small and a panel's in the first cache.
_CHAIN = 64
# Looks at another thread's counter, in all, before it is taken to be held up: ten milliseconds and
# more, as new pages of memory may take some.
_SPINS = 40_000_000
# Sequences between asking for a token's W x + b and using it; even.
_SOON = 6

_many_rows = tile(ROWS, 1)
_one_row = tile(1, 1)
_one_row_two_panels = tile(1, 2)
_finish_one, _finish_two = finish(1), finish(2)
if sys.platform == "win32":
    _let_others_run = types.ExternalFunction("SwitchToThread", types.intc())
else:
    _let_others_run = types.ExternalFunction("sched_yield", types.intc())

_vector, _matrix, _cube = float32[::1], float32[:, ::1], float32[:, :, ::1]
_numbers = int64[::1]


@njit(**_OPTIONS)
def _accumulate(sums, panel, columns, count, vectors, stride, rows):
    """Begin the sums of `count` panels (two for one row only) with `rows` vectors."""
    width = count * PANEL
    for k in range(0, columns, _CHAIN):
        some = min(_CHAIN, columns - k)
        w = panel + _BYTES * k * PANEL
        x = vectors + _BYTES * k
        if count == 2:
            _one_row_two_panels(sums, 0, w, columns * PANEL, x, 0, some, k)
            continue
        n = 0
        while n + ROWS <= rows:
            here, there = sums + _BYTES * n * width, x + _BYTES * n * stride
            _many_rows(here, width, w, 0, there, stride, some, k)
            n += ROWS
        while n < rows:
            _one_row(sums + _BYTES * n * width, 0, w, 0, x + _BYTES * n * stride, 0, some, k)
            n += 1


@njit(void(_cube, int64, int64, int64, int64, _vector, _matrix, _matrix), **_OPTIONS)
def multiply(panels, vectors, stride, first, last, bias, scratch, products):
    """Write W x + b for the vectors numbered from first to last.

    Args:
        panels: (P, D, PANEL), the weights as `pack` lays them.
        vectors: the address of the first vector; they lie `stride` numbers apart.
        first, last: which ones.
        bias: (4H,).
        scratch: (BLOCK, PANEL), what is in it does not matter.
        products: (R, 4H).
    """
    size, columns = bias.shape[0] // GATES, panels.shape[1]
    sums = scratch.ctypes.data
    for start in range(first, last, BLOCK):
        rows = min(BLOCK, last - start)
        x = vectors + _BYTES * start * stride
        for p in range(panels.shape[0]):
            panel = panels.ctypes.data + _BYTES * p * columns * PANEL
            _accumulate(sums, panel, columns, 1, x, stride, rows)
            unit = p * LANES
            biases = bias.ctypes.data + _BYTES * unit
            out = products.ctypes.data + _BYTES * (start * GATES * size + unit)
            for n in range(rows):
                here = out + _BYTES * n * GATES * size
                place(sums + _BYTES * n * PANEL, biases, here, size, min(LANES, size - unit))


@njit(**_OPTIONS)
def _wait(barrier, thread, threads, turn, spins):
    """Return when every thread has taken `turn` steps; and how often this one ever looked.

    Where another program has one of the cores, each step waits until it gives way. So the first
    thread has the others leave after the next step, whose number stands behind the counters.
    """
    counters = barrier.ctypes.data
    count_up(counters + 8 * APART * thread)
    for other in range(threads):
        while counted(counters + 8 * APART * other) < turn:
            spins += 1
            if spins > _SPINS:
                if thread == 0 and barrier[APART * threads] == 0:
                    barrier[APART * threads] = turn + 1
                _let_others_run()  # the other one may be waiting for this very core
    return spins


@njit(**_OPTIONS)
def _leaves(barrier, threads, turn):
    """Return whether this was the last step that the threads share."""
    last = counted(barrier.ctypes.data + 8 * APART * threads)
    return 0 < last <= turn


@njit(**_OPTIONS)
def _row(starts, lengths, number, turn, pace):
    """Return which row a sequence reads in its turn."""
    return starts[number] + (turn if pace > 0 else lengths[number] - 1 - turn)


@njit(inline="always", **_OPTIONS)
def _finish(
    block, rows, count, p, turn, pace, sums, table, places, z, gates, cells, hidden, starts,
    lengths, first_cell, new_h,
):  # fmt: skip
    """Finish a step of `count` panels from the p-th on, for `rows` sequences from `block` on."""
    size = cells.shape[1]
    z_width = GATES * size if z.shape[0] > 1 else 0
    gates_width = GATES * size if gates.shape[0] > 1 else 0
    for first in range(0, rows * count, 2):
        for n in range(first + _SOON, min(first + _SOON + 2, rows)):
            row = _row(starts, lengths, block + n, turn, pace)
            ask_for(table + _BYTES * (places[row] * GATES * size + p * LANES), size)
        # Two at once: the next row, or of one row the next panel.
        some = min(2, rows * count - first)
        for way in range(some):
            n, unit = first + way, p * LANES
            if count == 2:
                n, unit = 0, unit + way * LANES
            row = _row(starts, lengths, block + n, turn, pace)
            c, before = first_cell, block + n
            if turn > 0:
                c, before = cells.ctypes.data, row - pace
            here = (
                sums + _BYTES * (first + way) * PANEL,
                table + _BYTES * (places[row] * GATES * size + unit),
                z.ctypes.data + _BYTES * (row * z_width + unit),
                gates.ctypes.data + _BYTES * (row * gates_width + unit),
                c + _BYTES * (before * size + unit),
                cells.ctypes.data + _BYTES * (row * size + unit),
                hidden.ctypes.data + _BYTES * (row * size + unit),
                new_h + _BYTES * ((block + n) * size + unit),
                min(LANES, size - unit),
            )
            if way == 0:
                one = here
        if some == 1:
            _finish_one(size, *one)
        else:
            _finish_two(size, *one, *here)


@njit(
    void(_cube, int64, _numbers, _matrix, _matrix, _matrix, _matrix, _numbers, _numbers, int64,
         int64, int64, int64, int64, int64, _matrix, int64, int64, _numbers),
    **_OPTIONS,
)  # fmt: skip
def run_steps(
    panels, table, places, z, gates, cells, hidden, starts, lengths, even, odd, first_cell, start,
    stop, pace, scratch, thread, threads, barrier,
):  # fmt: skip
    """Take the steps from start to stop of N sequences, one thread's share of the units.

    Args:
        panels: (P, H, PANEL), the recurrent weights as `pack` lays them.
        table, places: the address of W x + b, (K, 4H), and (R,), which row each step reads.
        z, gates, cells, hidden: (R, 4H) twice, (R, H) twice; written. The table may be z. The
            first two may have one row, for what nobody will read.
        starts, lengths: (N,), the rows of each sequence; the longest comes first.
        even, odd: the addresses of the hidden states, (N, H), that the steps of even and of odd
            number read and the others write.
        first_cell: the address of the cell states before the run's first step, (N, H).
        start, stop, pace: counted in the order of reading; pace -1 reads from the end.
        scratch: (BLOCK, PANEL), this thread's own.
        thread, threads: whose share. The first takes all of it once the others have left.
        barrier: APART numbers for each thread, the first of which counts the steps that it has
            taken, `start` before; and as many, the first of which is 0, and once the others are
            to leave the step after which they do.
    """
    size, columns = cells.shape[1], panels.shape[1]
    sums = scratch.ctypes.data
    low = panels.shape[0] * thread // threads
    high = panels.shape[0] * (thread + 1) // threads
    spins = 0
    for block in range(0, starts.shape[0], BLOCK):
        rows = min(BLOCK, starts.shape[0] - block)
        for turn in range(start, stop):
            while rows > 0 and lengths[block + rows - 1] <= turn:
                rows -= 1
            if rows == 0:
                break
            h, new_h = (even, odd) if turn % 2 == 0 else (odd, even)
            wide = 2 if rows == 1 else 1
            done = low
            while done < high:
                count = wide if done + wide <= high else 1
                # Back and forth: what the last step read last is still in the cache.
                p = done if turn % 2 == 0 else high + low - done - count
                panel = panels.ctypes.data + _BYTES * p * columns * PANEL
                _accumulate(sums, panel, columns, count, h + _BYTES * block * size, size, rows)
                _finish(
                    block, rows, count, p, turn, pace, sums, table, places, z, gates, cells,
                    hidden, starts, lengths, first_cell, new_h,
                )  # fmt: skip
                done += count
            if threads > 1:
                spins = _wait(barrier, thread, threads, turn + 1, spins)
                if _leaves(barrier, threads, turn + 1):
                    if thread > 0:
                        return
                    low, high, threads = 0, panels.shape[0], 1
