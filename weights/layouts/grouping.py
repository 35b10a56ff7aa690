"""Put together what a file stores apart: two directions, and the layers of a stack.

Many frameworks know one cell at a time; a stack is then several of them whose names differ in a
number, and two directions are two whose names differ in a word. Free of numpy.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from lstm.quantities import DIRECTIONS
from weights.layouts.found import FoundLSTM, Part

_FORWARD = ("forward", "fwd", "fw", "l2r")
_REVERSE = ("backward", "reverse", "bwd", "bw", "r2l")
_WORD = re.compile(
    rf"(?:(?<=^)|(?<=[._/]))({'|'.join(_FORWARD + _REVERSE)})(?=[._/0-9]|$)", re.IGNORECASE
)


def group(found: list[FoundLSTM]) -> list[FoundLSTM]:
    """Join the cells of one layout into LSTMs where their names and sizes say so."""
    return _stacks(_pairs(found))


def _pairs(found: list[FoundLSTM]) -> list[FoundLSTM]:
    """Join two that differ only in a word for the direction."""
    by_name: dict[str, dict[str, FoundLSTM]] = {}
    for lstm in found:
        direction, name = _direction(lstm.prefix)
        by_name.setdefault(name, {})[direction] = lstm
    joined = []
    for directions in by_name.values():
        forward, reverse = directions.get("forward"), directions.get("reverse")
        if forward and reverse and forward.num_directions == reverse.num_directions == 1:
            parts = [*forward.parts, *_turned(reverse)]
            joined.append(FoundLSTM(forward.layout, forward.prefix, parts))
            joined += [directions["only"]] if "only" in directions else []
        else:
            joined += (_alone(lstm) for lstm in directions.values())
    return joined


def _alone(lstm: FoundLSTM) -> FoundLSTM:
    """Turn a cell that a word for the reverse direction names, where no other is beside it."""
    if _direction(lstm.prefix)[0] != "reverse" or lstm.num_directions > 1:
        return lstm
    said = f"direction: {lstm.prefix.rstrip('._/')} reads in reverse, as its name says"
    return replace(lstm, parts=_turned(lstm), assumed=(*lstm.assumed, said))


def _turned(lstm: FoundLSTM) -> list[Part]:
    return [part._replace(direction="reverse") for part in lstm.parts]


def _direction(prefix: str) -> tuple[str, str]:
    """The direction that a prefix tells, and the prefix without it and without numbers after it."""
    match = _WORD.search(prefix)
    if match is None:
        return "only", prefix
    direction = "forward" if match[1].lower() in _FORWARD else "reverse"
    return direction, f"{prefix[: match.start()]}*{prefix[match.end() :]}"


def _stacks(found: list[FoundLSTM]) -> list[FoundLSTM]:
    """Join those whose names differ in numbers only, and where each fits on the one below."""
    by_name: dict[str, list[FoundLSTM]] = {}
    for lstm in found:
        by_name.setdefault(re.sub(r"[._]?\d+", "", lstm.prefix), []).append(lstm)
    joined: list[FoundLSTM] = []
    for members in (part for whole in by_name.values() for part in _apart(whole)):
        members.sort(key=lambda lstm: _numbers(lstm.prefix))
        pairs = _number_pairs(members)
        if members[0].layout.pairs_by_number == "always":
            members = pairs or members
        if len(members) > 1 and _fit(members):
            joined.append(_stack(members))
        elif len(pairs) > 1 and _fit(pairs):
            joined.append(_stack(pairs))
        else:
            joined += pairs if len(pairs) == 1 else members
    return joined


def _number_pairs(members: list[FoundLSTM]) -> list[FoundLSTM]:
    """Join each with the next, where the layout may number directions; else return none."""
    how, twos = members[0].layout.pairs_by_number, _two_by_two(members)
    if not how or len(twos[-1]) == 1 or any(lstm.num_directions > 1 for lstm in members):
        return []
    if how == "always":
        return [_pair(two, "as --layout says") for two in twos]
    if not all(map(_alike, twos)):
        return []
    return [_pair(two, "as they do not fit on top of each other") for two in twos]


def _apart(members: list[FoundLSTM]) -> list[list[FoundLSTM]]:
    """Split where two numbers count different things: `rnn_0/cell_1` is a layer of `rnn_0`."""
    numbers = [_numbers(lstm.prefix) for lstm in members]
    if len({len(one) for one in numbers}) == 1:
        for values in zip(*numbers, strict=True):
            if 1 < len(set(values)) < len(members):
                parts = (
                    [x for x, v in zip(members, values, strict=True) if v == value]
                    for value in sorted(set(values))
                )
                return [group for part in parts for group in _apart(part)]
    return [members]


def _numbers(prefix: str) -> list[int]:
    """The numbers in a name; `lstm` comes before `lstm_1`."""
    return [int(number) for number in re.findall(r"\d+", prefix)]


def _fit(members: list[FoundLSTM]) -> bool:
    """Whether each reads as many numbers as the one below it gives."""
    directions = members[0].num_directions
    alike = all(member.num_directions == directions for member in members)
    return alike and (_reads(members, directions) or _are_apart(members))


def _are_apart(members: list[FoundLSTM]) -> bool:
    """Whether each direction is a stack by itself, as in `fw/cell_0`, `bw/cell_0`, `fw/cell_1`.

    Where it is the layers that have two directions, as in `layer_1/fw`, and read less than both
    give, it is not known what they read.
    """
    words = [_WORD.search(member.prefix) for member in members]
    before = {word and word.string[: word.start()] for word in words}
    return members[0].num_directions == 2 and len(before) == 1 and _reads(members, 1)


def _reads(members: list[FoundLSTM], times: int) -> bool:
    """Whether each reads so many times what a cell of the one below gives."""
    return all(
        above.layer_sizes(0).input_size == times * below.layer_sizes(-1).output_size
        for below, above in pairwise(members)
    )


def _alike(members: list[FoundLSTM]) -> bool:
    return len({lstm.layer_sizes(0) for lstm in members}) == 1


def _two_by_two(members: list[FoundLSTM]) -> list[list[FoundLSTM]]:
    return [members[n : n + 2] for n in range(0, len(members), 2)]


def _pair(members: list[FoundLSTM], why: str) -> FoundLSTM:
    forward, reverse = members
    names = f"{forward.prefix.rstrip('._/')} forward, {reverse.prefix.rstrip('._/')} reverse"
    assumed = f"directions: {names}, {why}"
    parts = [*forward.parts, *_turned(reverse)]
    return FoundLSTM(forward.layout, forward.prefix, parts, (assumed,))


def _stack(members: list[FoundLSTM]) -> FoundLSTM:
    parts, layer = [], 0
    for member in members:
        first = min(part.layer for part in member.parts)
        parts += [part._replace(layer=part.layer - first + layer) for part in member.parts]
        layer += member.num_layers
    layout = members[0].layout
    names = ", ".join(member.prefix.rstrip("._/") for member in members)
    assumed = [f"layers: {names}, on top of each other in the order of their numbers"]
    if (
        layout.alike
        and len(members[0].cells) == 1
        and layer == len(members) == 2
        and _alike(members)
    ):
        assumed[0] += f"; two directions look the same (--layout {layout.alike})"
    if layout.in_turn and re.search(layout.in_turn, members[0].prefix):
        parts = [part._replace(direction=DIRECTIONS[part.layer % 2]) for part in parts]
        assumed.append(
            f"directions: {names} read forward and reverse in turn, as AllenNLP's "
            "StackedAlternatingLstm does"
        )
    if apart := _are_apart(members):
        assumed.append("directions: each reads only its own below, as names and sizes say")
    earlier = dict.fromkeys(line for member in members for line in member.assumed)
    return FoundLSTM(layout, members[0].prefix, parts, (*assumed, *earlier), apart)
