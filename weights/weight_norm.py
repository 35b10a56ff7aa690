"""Weight normalisation: a matrix that is stored as its direction v and its lengths g.

PyTorch leaves such a matrix out of the file and keeps two tensors in its place, as `weight_g` and
`weight_v`, or since version 2 as `parametrizations.weight.original0` and `original1`. The product
stands in the archive under the matrix's own name, so that layouts need not know of it. Free of
numpy until a matrix is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from weights.archive import Archive, TensorInfo

if TYPE_CHECKING:
    from lstm.arrays import Floats

_OLD = re.compile(r"(?P<place>(?:.*\.)?)(?P<name>\w*weight\w*)_g", re.DOTALL)
_NEW = re.compile(r"(?P<place>.*)parametrizations\.(?P<name>\w+)\.original0", re.DOTALL)


class Pair(NamedTuple):
    """The two tensors of which a matrix is made."""

    lengths: TensorInfo
    direction: TensorInfo


def fold(archive: Archive) -> Archive:
    """Return the archive with every normalised matrix in place of the two it is made of.

    Args:
        archive: any file.

    Returns:
        The same archive where it has none.

    Source: Salimans and Kingma (2016), w = g v / ||v||, the norm along the axes that g lacks.
    """
    pairs = find_pairs(archive.tensors)
    if not pairs:
        return archive
    parts = {info.name for pair in pairs.values() for info in pair}
    tensors = {name: info for name, info in archive.tensors.items() if name not in parts}
    tensors |= {name: pair.direction._replace(name=name) for name, pair in pairs.items()}

    def fetch(name: str) -> Any:
        return _product(archive, pairs[name]) if name in pairs else archive.raw(name)

    return replace(archive, tensors=tensors, fetch=fetch)


def find_pairs(tensors: Mapping[str, TensorInfo]) -> dict[str, Pair]:
    """Return what is normalised in a file, by the name of the matrix."""
    pairs: dict[str, Pair] = {}
    for name, lengths in tensors.items():
        if match := _NEW.fullmatch(name):
            other = name.removesuffix("0") + "1"
        elif match := _OLD.fullmatch(name):
            other = name.removesuffix("g") + "v"
        else:
            continue
        whole = match["place"] + match["name"]
        if other in tensors and whole not in tensors and _fit(lengths, tensors[other]):
            pairs[whole] = Pair(lengths, tensors[other])
    return pairs


def _fit(lengths: TensorInfo, direction: TensorInfo) -> bool:
    """One length for each row, for each column, or for all."""
    if len(direction.shape) != 2:
        return False
    rows, columns = direction.shape
    return lengths.shape in ((rows, 1), (1, columns), (1, 1), ())


def _product(archive: Archive, pair: Pair) -> Floats:
    """Compute in float64, whatever is stored."""
    import numpy as np

    g, v = (archive.read(info.name, "float64") for info in pair)
    axes = tuple(axis for axis in (0, 1) if g.ndim == 0 or g.shape[axis] == 1)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # a row of zeros is NaN
        return np.asarray(g * v / np.sqrt(np.square(v).sum(axis=axes, keepdims=True)))
