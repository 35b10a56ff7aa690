"""An opened file of weights, of whatever kind: what it says, and its arrays on request."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from weights.errors import NonFiniteError, UnreadableFileError, UnsupportedDtypeError
from weights.files import Content, unchanged

if TYPE_CHECKING:
    from lstm.arrays import Floats

# The formats of the numbers that a cell can be made of.
FLOAT_DTYPES = ("F64", "F32", "F16", "BF16")
MAX_NAME = 4096  # letters; int() refuses longer numbers than that, in a name too
MAX_AXES = 32  # of an array, in every version of numpy
MAX_SIZE = 2**48  # numbers of a tensor, an axis of none counted as one: more has no machine


class TensorInfo(NamedTuple):
    """What a header tells of one tensor: its number format, such as F32, and its shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


@dataclass(frozen=True, eq=False, repr=False)
class Archive:
    """An opened file: what its header says, and the arrays on request.

    `fetch` gives an array by its name; `opened` is what the system said of the file then; `variant`
    is what the file says of the cell, as fields of `lstm.variants.Variant`, and `variants` what it
    says of each folder of names; with `finite`, NaN and infinity are refused when they are read;
    `shards` hold the numbers of an index.
    """

    path: Path
    tensors: dict[str, TensorInfo]
    metadata: dict[str, str]
    fetch: Callable[[str], Any]
    opened: os.stat_result
    variant: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    finite: bool = False
    shards: tuple[Archive, ...] = ()

    def __post_init__(self) -> None:
        for name, info in self.tensors.items():
            if len(name) > MAX_NAME:
                raise UnreadableFileError(
                    f"{name[:40]}...: expected a name of at most {MAX_NAME} letters, found "
                    f"{len(name)}."
                )
            if len(info.shape) > MAX_AXES:
                raise UnreadableFileError(
                    f"{name}: expected at most {MAX_AXES} axes, found {len(info.shape)}."
                )
            if prod(max(size, 1) for size in info.shape) > MAX_SIZE:
                raise UnreadableFileError(
                    f"{name}: expected a shape of at most {MAX_SIZE} numbers, found {info.shape}."
                )

    def read(self, name: str, dtype: str) -> Floats:
        """Return one tensor as a read-only array of the given float type.

        Raises:
            UnsupportedDtypeError: the tensor is not stored as F64, F32, F16 or BF16.
            NonFiniteError: a number is NaN or infinite, and only finite ones are wanted.
        """
        info = self.tensors[name]
        if info.dtype not in FLOAT_DTYPES:
            raise UnsupportedDtypeError(name, info.dtype, FLOAT_DTYPES)
        array = _as(dtype, self.raw(name), name, self.finite)
        array.flags.writeable = False
        return array

    def raw(self, name: str) -> Any:
        """Return one tensor as it is stored."""
        return self.fetch(name)

    def with_variant(self, variant: Mapping[str, Any]) -> Archive:
        """Return the same file, which also says how its cell differs from the standard one."""
        return replace(self, variant=variant)

    @property
    def widest_dtype(self) -> str:
        """`float64` where a tensor is stored so, else `float32`, which holds all the others."""
        stored = {info.dtype for info in self.tensors.values()}
        return "float64" if "F64" in stored else "float32"

    @property
    def content(self) -> Content:
        """Gives the hash of the file's bytes when it is called."""
        return Content.of(self.path, self.opened)

    def check_unchanged(self) -> None:
        """Check that nothing has written to the file, or its shards, since it was opened.

        Raises:
            UnreadableFileError: one is another now, or has another length or date.
        """
        for each in (self, *self.shards):
            unchanged(each.path, each.opened)


def _as(dtype: str, stored: Floats, name: str, finite: bool) -> Floats:
    """Return numbers in another format; those that it cannot hold become infinite."""
    import numpy as np

    with np.errstate(over="ignore"):
        array: Floats = stored.astype(dtype)
    if finite and array.size and not np.isfinite((array.min(), array.max())).all():
        bad = ~np.isfinite(array)
        first = tuple(int(n) for n in np.argwhere(bad)[0])
        raise NonFiniteError(name, first, float(stored[first]), int(bad.sum()), dtype)
    return array
