"""Tensors that hold several things at once, cut into what they hold.

Karpathy's gist keeps a whole LSTM in one matrix, Deeplearning4j's GravesLSTM its peepholes beside
the recurrent matrix. The pieces stand in the archive under the tensor's name and the slice, as
numpy writes it, so that layouts need not know of more than names. Free of numpy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from weights.archive import Archive, TensorInfo

_WHOLE = re.compile(r"(?:.*[._/])?WLSTM", re.DOTALL | re.IGNORECASE)
_RECURRENT = re.compile(r"(?:.*[^A-Za-z])?RW", re.DOTALL)


class Piece(NamedTuple):
    """A part of a tensor: where it comes from, and what it looks like."""

    whole: str
    at: tuple[int | slice, ...]
    info: TensorInfo


def cut(archive: Archive) -> Archive:
    """Return the archive with the pieces in place of the tensors that hold several things.

    Args:
        archive: any file.

    Returns:
        The same archive where it has none.

    Source: https://gist.github.com/karpathy/587454dc0146a6ae21fc, WLSTM (1 + D + H, 4H), the bias
    above input and hidden state; deeplearning4j, nn/layers/recurrent/LSTMHelpers.java, RW
    (H, 4H + 3), the columns of the forget, the output and the input gate's peephole at the end.
    """
    pieces = find_pieces(archive.tensors)
    if not pieces:
        return archive
    wholes = {piece.whole for piece in pieces.values()}
    tensors = {name: info for name, info in archive.tensors.items() if name not in wholes}
    tensors |= {name: piece.info for name, piece in pieces.items()}

    def fetch(name: str) -> Any:
        piece = pieces.get(name)
        return archive.raw(name) if piece is None else archive.raw(piece.whole)[piece.at]

    return replace(archive, tensors=tensors, fetch=fetch)


def find_pieces(tensors: Mapping[str, TensorInfo]) -> dict[str, Piece]:
    """Return what the tensors are cut into, by name."""
    found: dict[str, Piece] = {}
    for name, info in tensors.items():
        if len(info.shape) != 2:
            continue
        rows, columns = info.shape
        made: dict[str, tuple[tuple[int | slice, ...], tuple[int, ...]]] = {}
        if _WHOLE.fullmatch(name) and columns % 4 == 0 and rows > 1 + columns // 4:
            made["0"] = (0,), (columns,)
            made["1:"] = (slice(1, None),), (rows - 1, columns)
        elif _RECURRENT.fullmatch(name) and columns == 4 * rows + 3:
            made[":, :-3"] = (slice(None), slice(-3)), (rows, columns - 3)
            made |= {f":, {n}": ((slice(None), n), (rows,)) for n in (-3, -2, -1)}
        for place, (index, shape) in made.items():
            piece = f"{name}[{place}]"
            found[piece] = Piece(name, index, TensorInfo(piece, info.dtype, shape))
    return found
