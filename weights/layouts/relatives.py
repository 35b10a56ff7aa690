"""What is stored much like an LSTM and is none: told by its names, or by what it lacks.

Some of these would pass by their shapes alone, as their matrices can have a multiple of four
blocks; their tensors are kept from every layout. Free of numpy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from weights.archive import TensorInfo
from weights.errors import NotAnLSTMError

Tensors = Mapping[str, TensorInfo]


class Relative(NamedTuple):
    """Another network, and an expression for the names of its tensors."""

    pattern: str
    what: str


RELATIVES = (
    Relative(r"(^|[/._])ugrnn", "a UGRNN, which has two gates"),
    Relative(r"(^|[/._])nas_(rnn|cell)", "a NASCell, which has eight matrices"),
    Relative(r"phased_lstm|(^|[/.])mask_gates/", "a Phased LSTM, whose gates open by a clock"),
    Relative(r"(^|[/._])(g_?lstm_cell/|group\d+/kernel)", "a group LSTM (GLSTMCell)"),
    Relative(r"(^|[/._])(grid\w*|time_freq)_?lstm_cell/", "a grid LSTM"),
    Relative(r"(^|[/._])conv_?\dd_?lstm_cell/", "a convolutional LSTM"),
    Relative(r"(^|[/._])gru\w*/(gates|candidate|w_ru|w_c|i[rzn]|h[rzn])(/|$)", "a GRU"),
    Relative(r"(^|[/._])[ih][rz][/.]kernel$", "a GRU"),
    Relative(r"(update|reset|new)_gate\.(input|hidden)_transform\.", "a GRU"),
    Relative(r"(update|reset)Gate(Weight|Recursion)Matrix$", "a GRU"),
    Relative(r"(^|[/._])gru-builder(_\d+)?/_\d+$", "a GRU"),
    Relative(r"(^|[/._])simple-rnn-builder(_\d+)?/_\d+$", "a plain RNN"),
    Relative(r"(^|[/._])basic_rnn_cell/", "a plain RNN"),
    Relative(r"(^|[/._])(input_to_hidden|hidden_to_hidden)[/.]w$", "a plain RNN"),
    Relative(r"(^|[/._])SimpleCell_\d+[/.][ih][/.]", "a plain RNN"),
    Relative(r"(^|[/._])[sm]lstm_cell\._", "an xLSTM"),
    Relative(r"(^|[/._])([WU]_?)?iou[xh]?([/.]|$)", "a Tree-LSTM"),
    Relative(r"(^|[/._])conv_?lstm_?1d", "a convolutional LSTM"),
    Relative(r"(^|[/._])(in_proj_weight|[qkv]_proj[/._]\w+)$", "attention"),
    Relative(
        r"attention\w*[/.](self[/.])?(query|key|value|q|k|v)(_dense)?[/.]\w+(:0)?$", "attention"
    ),
    Relative(r"(^|[/._])s?ru_?cell[/.]", "an SRU"),
)  # fmt: skip
_KNOWN = tuple((re.compile(r.pattern, re.IGNORECASE), r.what) for r in RELATIVES)

# What this tool writes beside weights, and what takes it.
OURS = {
    "state": "these are the states of an LSTM, not its weights. lstm run takes them with "
    "--initial-state.",
    "trace": "this is a trace, not weights: what lstm run wrote. lstm compare takes it.",
    "golden": "these are golden values, not weights alone: what lstm golden wrote. lstm compare "
    "takes them.",
}
# Expressions that the names of all its tensors match, and names that must be there.
_CELL = r"layers\.\d+\.(forward|reverse)"
_OURS = (
    ("state", re.compile(rf"{_CELL}\.(hidden|cell)"), set[str]()),
    ("trace", re.compile(r"metadata|sequences\.\d+\.layers\..*"), set[str]()),
    (
        "golden",
        re.compile(rf"metadata|inputs|ids|head\.\w+|{_CELL}\.\w+"),
        {"inputs", "metadata"},
    ),
)

# A matrix of a gate as textbooks and Chainer call it, with a letter that a GRU has.
_LETTER = re.compile(
    r"(?P<before>(?:.*[^A-Za-z])?[WU]_?[xh]?)[zrhn](?P<after>(?:_?[xh])?(?:[/.](?:W|weight))?)",
    re.DOTALL,
)

# The same in words, of which only a GRU has the second.
_WORD = re.compile(
    r"(?P<before>.*?)(?:update|reset|new|candidate|output)(?:_gate)?(?P<after>[/.]weight)",
    re.DOTALL,
)

# Queries, keys, values and outputs, of which an LSTM has the last too.
_QUERY = re.compile(r"(?P<before>(?:.*[^A-Za-z])?W_?)[qkvo](?P<after>(?:[/.]weight)?)", re.DOTALL)

# What the two tensors of a dense layer, a table or a convolution are called.
_SIMPLE = re.compile(
    r"(?P<place>.*?)(?P<name>weights?|kernel|bias|biases|embeddings?|[wWbB])(:0)?", re.DOTALL
)


def without_relatives(tensors: Tensors) -> Tensors:
    """Return the tensors that may be an LSTM's; those of none have four axes.

    What this tool wrote has none, though golden values hold a port's weights.
    """
    if _ours(tensors):
        return {}
    return {
        name: info
        for name, info in tensors.items()
        if len(info.shape) < 4 and not (_relative(info) or _by_gates(info, tensors))
    }


def why_not(tensors: Tensors) -> NotAnLSTMError | None:
    """Say what the tensors of a file are, where it is known; None where it is not."""
    if ours := _ours(tensors):
        return NotAnLSTMError(OURS[ours])
    for name in sorted(tensors):
        if what := _relative(tensors[name]) or _by_gates(tensors[name], tensors):
            return NotAnLSTMError(f"{name} is a tensor of {what}: this is not an LSTM.")
    places = [_SIMPLE.fullmatch(name) for name in tensors]
    if not tensors or any(match is None for match in places):
        return None
    matrices = sorted(name for name, info in tensors.items() if len(info.shape) > 1)
    if not matrices or _are_twice(tensors[name] for name in matrices):
        return None
    kinds = {_kind(tensors[name]) for name in matrices}
    what = kinds.pop() if len(kinds) == 1 else "layers of other kinds"
    return NotAnLSTMError(
        f"no tensor is a recurrent matrix: {', '.join(matrices[:3])} "
        f"{'belongs to' if len(matrices) == 1 else 'belong to'} {what}, not to an LSTM."
    )


def _ours(tensors: Tensors) -> str | None:
    """Which of the tool's own files this is, other than weights; None where it is another."""
    for kind, names, needed in _OURS:
        if tensors and needed <= set(tensors) and all(map(names.fullmatch, tensors)):
            return kind
    return None


def _relative(info: TensorInfo) -> str | None:
    if len(info.shape) > 3 and re.search(r"recurrent_kernel(:0)?$", info.name):
        return "a convolutional LSTM"
    return next((what for known, what in _KNOWN if known.search(info.name)), None)


def _by_gates(info: TensorInfo, tensors: Tensors) -> str | None:
    """What a matrix belongs to that stands beside those of other gates than an LSTM's."""
    word = _WORD.fullmatch(info.name)
    if word and f"{word['before']}reset_gate{word['after']}" in tensors:
        return "a GRU"
    query = _QUERY.fullmatch(info.name)
    if query and {f"{query['before']}{x}{query['after']}" for x in "qk"} <= tensors.keys():
        return "attention"
    match = _LETTER.fullmatch(info.name)
    if match is None:
        return None
    before, after = match["before"], match["after"]
    update, reset, own = (f"{before}{letter}{after}" in tensors for letter in "zri")
    if update and reset and not own:
        return "a GRU"
    alone = not (update or reset or own) and info.name.endswith(("W_hh", "Whh"))
    return "a plain RNN" if alone and len(set(info.shape)) == 1 else None


def _are_twice(matrices: Iterable[TensorInfo]) -> bool:
    """Whether two matrices stand at one place, so that one of them may be recurrent."""
    places = [match["place"] for m in matrices if (match := _SIMPLE.fullmatch(m.name))]
    return len(set(places)) < len(places)


def _kind(info: TensorInfo) -> str:
    if len(info.shape) > 2:
        return "a convolution"
    return "an embedding" if "embed" in info.name.lower() else "a dense (linear) layer"
