"""The embedding and the head in a file: named in the native layout, looked for in others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lstm.errors import ShapeError
from weights.archive import TensorInfo
from weights.errors import WeightsError
from weights.layouts.detection import every_lstm
from weights.layouts.layout import FoundLSTM
from weights.layouts.native import NATIVE

# Words in a tensor's name by which an embedding or a head is recognised in other layouts.
EMBEDDING_WORDS = ("embedding", "embeddings", "embed", "emb", "encoder", "wte", "lookup")
HEAD_WORDS = (
    "head", "lm_head", "decoder", "fc", "linear", "out", "output", "proj", "dense", "classifier",
    "hidden2tag", "logits",
)  # fmt: skip

# In the order of the fields of `Parts`.
NATIVE_NAMES = {
    "embedding": "embedding.weight",
    "head": "head.weight",
    "head_bias": "head.bias",
    "projection": "head.projection.weight",
    "projection_bias": "head.projection.bias",
}


# The parts with two axes.
TABLES = {
    "embedding.weight": "(vocabulary_size, input_size)",
    "head.weight": "(outcomes, hidden_size)",
    "head.projection.weight": "(width, hidden_size)",
}


class Parts(NamedTuple):
    """The names of the tensors around an LSTM; None where a part is not there.

    `unused` are the tensors that belong to nothing; `assumed` says what was concluded.
    """

    embedding: str | None = None
    head: str | None = None
    head_bias: str | None = None
    projection: str | None = None
    projection_bias: str | None = None
    unused: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


def find_parts(tensors: Mapping[str, TensorInfo], lstm: FoundLSTM) -> Parts:
    """Find what stands around an LSTM in its file, from names and shapes.

    Raises:
        WeightsError: a tensor stands among the LSTM's own and its layout does not know it.
    """
    rest = {name: info for name, info in tensors.items() if name not in lstm.names}
    _refuse_strangers(rest, lstm)
    if lstm.layout is NATIVE:
        return _native(rest)
    others = {name for other in every_lstm(tensors) for name in other.names}
    return _by_look(rest, lstm, others)


def _native(rest: Mapping[str, TensorInfo]) -> Parts:
    if left_over := sorted(set(rest) - set(NATIVE_NAMES.values())):
        raise WeightsError(
            f"{left_over[0]}: expected only tensors of the native layout, found this one."
        )
    names = (name if name in rest else None for name in NATIVE_NAMES.values())
    embedding, head, head_bias, projection, projection_bias = names
    for name, symbols in TABLES.items():
        if name in rest and len(rest[name].shape) != 2:
            raise ShapeError(name, symbols, (), rest[name].shape)
    return Parts(embedding, head, head_bias, projection, projection_bias)


def _refuse_strangers(rest: Mapping[str, TensorInfo], lstm: FoundLSTM) -> None:
    """A tensor among the LSTM's own that its layout does not know would change the numbers."""
    for name in rest:
        own = name.removeprefix(lstm.prefix)
        if name.startswith(lstm.prefix) and not re.search(r"[./]", own):
            raise WeightsError(
                f"{name}: expected only tensors of the layout {lstm.layout.name} beside "
                f"{sorted(lstm.names)[0]}, found this one, which it does not know."
            )


def _by_look(rest: Mapping[str, TensorInfo], lstm: FoundLSTM, others: set[str]) -> Parts:
    input_size, _ = lstm.sizes((0, "forward"))
    _, hidden_size = lstm.sizes((lstm.num_layers - 1, "forward"))
    width = hidden_size * lstm.num_directions
    free = [info for name, info in rest.items() if name not in others]
    embedding = _only(free, EMBEDDING_WORDS, input_size)
    head = _only(free, HEAD_WORDS, width)
    bias = _bias_of(head, rest)
    assumed = [f"embedding: {embedding}, by its name and shape"] if embedding else []
    assumed += [f"head: {head}, by its name and shape"] if head else []
    unused = tuple(sorted(set(rest) - {embedding, head, bias}))
    if unused:
        more = ", ..." if len(unused) > 3 else ""
        assumed.append(f"not used: {len(unused)} tensors ({', '.join(unused[:3])}{more})")
    return Parts(embedding, head, bias, unused=unused, assumed=tuple(assumed))


def _only(free: Sequence[TensorInfo], words: tuple[str, ...], width: int) -> str | None:
    """The one matrix of this width that one of these words describes; None if several."""
    found = [
        info.name
        for info in free
        if len(info.shape) == 2 and info.shape[1] == width and _word(info.name) in words
    ]
    return found[0] if len(found) == 1 else None


def _word(name: str) -> str | None:
    """The telling word nearest to the end: `encoder.fc.weight` is an fc in an encoder."""
    parts = re.split(r"[./]", name.lower())
    known = (part for part in reversed(parts) if part in EMBEDDING_WORDS + HEAD_WORDS)
    return next(known, None)


def _bias_of(head: str | None, rest: Mapping[str, TensorInfo]) -> str | None:
    if head is None:
        return None
    bias = re.sub(r"(weight|kernel)?$", "bias", head, count=1)
    fits = bias in rest and rest[bias].shape == rest[head].shape[:1]
    return bias if fits else None
