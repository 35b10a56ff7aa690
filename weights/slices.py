"""Tensors that hold several things at once, cut into what they hold.

Karpathy's gist keeps a whole LSTM in one matrix, Deeplearning4j's GravesLSTM its peepholes beside
the recurrent matrix, MATLAB's bilstmLayer two directions on top of each other. The pieces stand in
the archive under the tensor's name and the slice, as numpy writes it, so that layouts need not know
of more than names. Free of numpy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from weights.archive import Archive, TensorInfo

_WHOLE = re.compile(r"(?:.*[._/])?WLSTM", re.DOTALL | re.IGNORECASE)
_MATLAB = re.compile(
    r"(?P<before>(?:.*[^A-Za-z])?)(?:InputWeights|RecurrentWeights|Bias)", re.DOTALL
)
_RECURRENT = re.compile(r"(?:.*[^A-Za-z])?[fb]?RW[FB]?", re.DOTALL)

# By the place in a tensor: the index that gives a piece, and its shape.
Places = dict[str, tuple[tuple[int | slice, ...], tuple[int, ...]]]


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
    (H, 4H + 3), the columns of the forget, the output and the input gate's peephole at the end;
    MATLAB, bilstmLayer, 8H rows, the forward direction's first.
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
        made: Places = {}
        if _MATLAB.fullmatch(name) and _has_two_directions(tensors, name):
            half = info.shape[0] // 2
            made = {
                f":{half}": ((slice(half),), (half, *info.shape[1:])),
                f"{half}:": ((slice(half, None),), (half, *info.shape[1:])),
            }
        elif len(info.shape) == 2:
            made = _cut_matrix(name, *info.shape)
        for place, (index, shape) in made.items():
            piece = f"{name}[{place}]"
            found[piece] = Piece(name, index, TensorInfo(piece, info.dtype, shape))
    return found


def _cut_matrix(name: str, rows: int, columns: int) -> Places:
    """The pieces of a matrix that has a bias above it, or peepholes beside it."""
    if _WHOLE.fullmatch(name) and columns % 4 == 0 and rows > 1 + columns // 4:
        return {
            "0": ((0,), (columns,)),
            "1:": ((slice(1, None),), (rows - 1, columns)),
        }
    if _RECURRENT.fullmatch(name) and columns == 4 * rows + 3:
        peepholes: Places = {f":, {n}": ((slice(None), n), (rows,)) for n in (-3, -2, -1)}
        return {":, :-3": ((slice(None), slice(-3)), (rows, columns - 3)), **peepholes}
    return {}


def _has_two_directions(tensors: Mapping[str, TensorInfo], name: str) -> bool:
    """Whether the recurrent matrix beside a tensor of MATLAB has eight blocks, not four."""
    recurrent = tensors.get(_MATLAB.sub(r"\g<before>RecurrentWeights", name))
    if recurrent is None or len(recurrent.shape) != 2:
        return False
    return tensors[name].shape[:1] == recurrent.shape[:1] == (8 * recurrent.shape[1],)
