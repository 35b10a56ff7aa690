"""Memory that is used again: the system takes longer to clear new pages than a step takes."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass, field

import numpy as np

from lstm.arrays import Floats, aligned

# Blocks of fewer bytes than the first are had at once anyway. Those that wait to be used again are
# so many of one size and have so many bytes in all; a long sequence's record needs hundreds of MB.
_SMALLEST, _WAITING, _LARGEST = 2**16, 8, 2**30
_BYTES = 4


@dataclass(frozen=True, eq=False)
class Room:
    """Hands out float32 arrays; the memory of one that nobody holds any more is handed out again.

    >>> room = Room()
    >>> first = room.empty((2, 2**14))
    >>> place = first.ctypes.data
    >>> del first
    >>> room.empty((2**15,)).ctypes.data == place
    True
    """

    _free: dict[int, list[Floats]] = field(default_factory=dict)

    def empty(self, shape: tuple[int, ...]) -> Floats:
        """Return an array of this shape; what is in it does not matter."""
        count = math.prod(shape)
        if not _SMALLEST <= _BYTES * count <= _LARGEST:
            return aligned(shape, np.float32)
        size = 1 << (count - 1).bit_length()  # one of a power of two fits more of those who come
        free = self._free.setdefault(size, [])
        try:
            block = free.pop()
        except IndexError:
            block = aligned((size,), np.float32)
        array = np.frombuffer(block.data, np.float32, count)
        # Views keep this array alive, and it the block: it goes when the last of them is gone.
        weakref.finalize(array, self._give_back, block).atexit = False
        return array.reshape(shape)

    def _give_back(self, block: Floats) -> None:
        free = self._free[block.size]
        waiting = sum(each.nbytes for blocks in [*self._free.values()] for each in blocks)
        if len(free) < _WAITING and waiting + block.nbytes <= _LARGEST:
            free.append(block)
