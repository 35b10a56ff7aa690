"""The embedding and the head in a file: named in the native layout, looked for in others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lstm.errors import ShapeError
from weights.archive import TensorInfo
from weights.errors import WeightsError
from weights.layouts.detection import sound_lstms
from weights.layouts.found import FoundLSTM
from weights.layouts.native import NATIVE

# Words in a tensor's name by which an embedding or a head is recognised in other layouts.
EMBEDDING_WORDS = ("embedding", "embeddings", "embed", "emb", "encoder", "wte", "lookup")
HEAD_WORDS = (
    "head", "lm_head", "decoder", "fc", "linear", "out", "output", "proj", "dense", "classifier",
    "hidden2tag", "logits", "softmax",
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
    head_is_transposed: bool = False


class Named(NamedTuple):
    """The tensors that the user names as embedding and head; None: to be found."""

    embedding: str | None = None
    head: str | None = None


UNNAMED = Named()


def find_parts(tensors: Mapping[str, TensorInfo], lstm: FoundLSTM, named: Named = UNNAMED) -> Parts:
    """Find what stands around an LSTM in its file, from names and shapes.

    Args:
        tensors: the file's header.
        lstm: what was found in it.
        named: what need not be looked for.

    Raises:
        WeightsError: a tensor stands among the LSTM's own and its layout does not know it.
    """
    rest = {name: info for name, info in tensors.items() if name not in lstm.names}
    _refuse_strangers(rest, lstm)
    if lstm.layout.name == NATIVE.name:
        _refuse_names(named)
        return _native(rest)
    others = {name for other in sound_lstms(tensors) for name in other.names}
    for option, name in named._asdict().items():
        if name is not None and name not in rest:
            raise WeightsError(f"--{option}: expected a tensor beside the LSTM, found no {name}.")
    return _by_look(rest, lstm, others, named)


def _refuse_names(named: Named) -> None:
    """A native file says itself what is what."""
    for option, name in named._asdict().items():
        if name is not None:
            raise WeightsError(
                f"--{option}: it has no effect on the layout native, in which it is named "
                f"{NATIVE_NAMES[option]}. Leave it out."
            )


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
    """A tensor among the LSTM's own that its layout does not know would change the numbers.

    Where all a framework's own stand in folders, others may stand beside those.
    """
    native = lstm.layout.name == NATIVE.name
    if not (native or any(_is_at_root(name, lstm) for name in lstm.names)):
        return
    for name in rest:
        if _is_at_root(name, lstm) and not _around(lstm, name):
            raise WeightsError(
                f"{name}: expected only tensors of the layout {lstm.layout.name} beside "
                f"{sorted(lstm.names)[0]}, found this one, which it does not know."
            )


def _around(lstm: FoundLSTM, name: str) -> list[str]:
    """What of a model a tensor is whose name the layout fixes."""
    return [part for part, known in lstm.layout.around.items() if re.fullmatch(known, name)]


def _is_at_root(name: str, lstm: FoundLSTM) -> bool:
    own = name.removeprefix(lstm.prefix)
    return name.startswith(lstm.prefix) and not re.search(r"[./]", own)


def _by_look(
    rest: Mapping[str, TensorInfo], lstm: FoundLSTM, others: set[str], chosen: Named
) -> Parts:
    input_size = lstm.layer_sizes(0).input_size
    width = lstm.layer_sizes(-1).output_size * lstm.num_directions
    turned = not lstm.layout.rows_are_outputs
    named = _named_by_layout(rest, lstm, chosen.head, width, axis=0 if turned else 1)
    free = [info for name, info in rest.items() if name not in others]
    embedding = (
        chosen.embedding or named.get("embedding") or _only(free, EMBEDDING_WORDS, input_size)
    )
    head = (
        chosen.head or named.get("head") or _only(free, HEAD_WORDS, width, axis=0 if turned else 1)
    )
    bias = named.get("head_bias") if head == named.get("head") else None
    bias = bias or _bias_of(head, rest, axis=1 if turned else 0)
    guessed = {"embedding": embedding, "head": head}
    assumed = [
        f"{part}: {name}, by its name and shape"
        for part, name in guessed.items()
        if name is not None and name not in chosen
    ]
    unused = tuple(sorted(set(rest) - {embedding, head, bias}))
    if unused:
        more = ", ..." if len(unused) > 3 else ""
        assumed.append(f"not used: {len(unused)} tensors ({', '.join(unused[:3])}{more})")
    return Parts(
        embedding, head, bias, unused=unused, assumed=tuple(assumed), head_is_transposed=turned
    )


def _named_by_layout(
    rest: Mapping[str, TensorInfo], lstm: FoundLSTM, head: str | None, width: int, axis: int
) -> dict[str, str]:
    """What stands beside the cell under names that the layout fixes, each where it is the only one.

    A head has the right width and its bias one number for each outcome. A `W_v` beside queries and
    keys is a part of attention.
    """
    found: dict[str, list[str]] = {}
    for name in rest:
        for part in _around(lstm, name):
            found.setdefault(part, []).append(name)
    attends = any(re.fullmatch(r"W_?[qk]", name) for name in rest)
    heads = [
        name
        for name in found.pop("head", [])
        if len(rest[name].shape) == 2
        and rest[name].shape[axis] == width
        and not (attends and re.fullmatch(r"W_?v", name))
    ]
    heads = [head] if head in heads else heads
    biases = found.pop("head_bias", [])
    named = {part: names[0] for part, names in found.items() if len(names) == 1}
    if len(heads) == 1:
        named["head"] = heads[0]
        fitting = [name for name in biases if rest[name].size == rest[heads[0]].shape[1 - axis]]
        own = [name for name in fitting if name == f"b{heads[0][1:]}"] or fitting
        if len(own) == 1:
            named["head_bias"] = own[0]
    return named


def _only(
    free: Sequence[TensorInfo], words: tuple[str, ...], width: int, axis: int = 1
) -> str | None:
    """The one matrix of this width that one of these words describes; None if several."""
    found = [
        info.name
        for info in free
        if len(info.shape) == 2 and info.shape[axis] == width and _word(info.name) in words
    ]
    return found[0] if len(found) == 1 else None


def _word(name: str) -> str | None:
    """The telling word nearest to the end: `encoder.fc.weight` is an fc in an encoder."""
    parts = [re.sub(r"_(\d+|w)$", "", part) for part in re.split(r"[./]", name.lower())]
    known = (part for part in reversed(parts) if part in EMBEDDING_WORDS + HEAD_WORDS)
    return next(known, None)


def _bias_of(head: str | None, rest: Mapping[str, TensorInfo], axis: int) -> str | None:
    """The vector beside a head's matrix: one number for each of its outcomes."""
    if head is None:
        return None
    outcomes = (rest[head].shape[axis],)
    for weight, bias in _BIASES:
        name = re.sub(rf"{weight}(?=(:0|[./](raw_)?value)?$)", bias, head, count=1)
        if name != head and name in rest and rest[name].shape == outcomes:
            return name
    return None


# How a weight's name ends, and its bias's.
_BIASES = (
    ("weight", "bias"), ("kernel", "bias"), ("weights", "biases"), ("vars/0", "vars/1"),
    ("(?<![a-zA-Z0-9])w", "b"), ("(?<=_)w", "b"), ("W", "b"), ("$", ".bias"), ("$", "bias"),
)  # fmt: skip
