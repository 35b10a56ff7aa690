"""The array types of this package, and the two habits every frozen array keeps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]
    Integers: TypeAlias = NDArray[np.integer[Any]]
    Booleans: TypeAlias = NDArray[np.bool_]
else:  # numpy.typing takes longer to import than most of this package
    Floats = Integers = Booleans = np.ndarray

_LINE = 64  # bytes of a cache line
FLOAT_TYPES = (np.dtype(np.float32), np.dtype(np.float64))


def frozen(array: Floats) -> Floats:
    """Return the array C-contiguous and read-only; a caller's own writeable array is copied.

    >>> frozen(np.zeros(3)).flags.writeable
    False
    """
    if not (array.flags.c_contiguous and not array.flags.writeable):
        array = np.array(array, order="C")
        array.flags.writeable = False
    return array


def side_by_side(arrays: Sequence[Floats]) -> Floats:
    """Join (..., W) arrays along their last axis; one by itself stays what it is.

    >>> side_by_side([np.zeros((3, 2)), np.zeros((3, 4))]).shape
    (3, 6)
    """
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=-1)


def matvec(matrix: Floats, vectors: Floats) -> Floats:
    """Multiply one matrix with each of many vectors, every product on its own.

    One product over the whole block would be a matrix product, whose rounding depends on how
    many vectors stand in the block. Done vector by vector (the loop runs inside numpy), a
    vector's result has the same bits whoever its neighbours are.

    Args:
        matrix: (M, K).
        vectors: (..., K).

    Returns:
        (..., M), the dtype of the operands.

    >>> matvec(np.array([[1.0, 2.0]]), np.array([[1.0, 1.0], [3.0, 4.0]])).tolist()
    [[3.0], [11.0]]
    """
    return np.asarray(np.matmul(matrix, vectors[..., np.newaxis])[..., 0])


def aligned(shape: tuple[int, ...], dtype: DTypeLike) -> Floats:
    """Return an array that begins where a cache line does; what is in it does not matter.

    Vectors that cross the border between two lines are read and written at half the speed.

    >>> aligned((3, 5), np.float32).ctypes.data % 64
    0
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(size + _LINE, np.uint8)
    first = -room.ctypes.data % _LINE
    array: Floats = room[first : first + size].view(dtype).reshape(shape)
    return array
