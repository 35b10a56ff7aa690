"""Put together what a file stores apart: two directions, and the layers of a stack.

Many frameworks know one cell at a time; a stack is then several of them whose names differ in a
number, and two directions are two whose names differ in a word. Free of numpy.
"""

from __future__ import annotations

import re
from itertools import pairwise

from weights.layouts.found import FoundLSTM

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
            turned = [part._replace(direction="reverse") for part in reverse.parts]
            joined.append(FoundLSTM(forward.layout, forward.prefix, [*forward.parts, *turned]))
            joined += [directions["only"]] if "only" in directions else []
        else:
            joined += (_forward(lstm) for lstm in directions.values())
    return joined


def _forward(lstm: FoundLSTM) -> FoundLSTM:
    """Say of a reverse cell without a forward one that it reads forward here."""
    if _direction(lstm.prefix)[0] != "reverse":
        return lstm
    said = f"direction: {lstm.prefix.rstrip('._/')} reads forward, as no other does beside it"
    return FoundLSTM(lstm.layout, lstm.prefix, lstm.parts, (*lstm.assumed, said))


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
        how = members[0].layout.pairs_by_number
        if how == "always" and len(members) % 2 == 0:
            members = [_pair(pair, "as --layout says") for pair in _two_by_two(members)]
        if len(members) > 1 and _fit(members):
            joined.append(_stack(members))
        elif len(members) == 2 and how == "unless they fit" and _alike(members):
            joined.append(_pair(members, "as they do not fit on top of each other"))
        else:
            joined += members
    return joined


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
    for below, above in pairwise(members):
        if below.num_directions != above.num_directions:
            return False
        top = below.sizes((below.num_layers - 1, "forward"))
        if above.sizes((0, "forward")).input_size != below.num_directions * top.output_size:
            return False
    return True


def _alike(members: list[FoundLSTM]) -> bool:
    return len({lstm.sizes((0, "forward")) for lstm in members}) == 1


def _two_by_two(members: list[FoundLSTM]) -> list[list[FoundLSTM]]:
    return [members[n : n + 2] for n in range(0, len(members), 2)]


def _pair(members: list[FoundLSTM], why: str) -> FoundLSTM:
    forward, reverse = members
    turned = [part._replace(direction="reverse") for part in reverse.parts]
    names = f"{forward.prefix.rstrip('._/')} forward, {reverse.prefix.rstrip('._/')} reverse"
    assumed = f"directions: {names}, {why}"
    return FoundLSTM(forward.layout, forward.prefix, [*forward.parts, *turned], (assumed,))


def _stack(members: list[FoundLSTM]) -> FoundLSTM:
    parts, layer = [], 0
    for member in members:
        first = min(part.layer for part in member.parts)
        parts += [part._replace(layer=part.layer - first + layer) for part in member.parts]
        layer += member.num_layers
    names = ", ".join(member.prefix.rstrip("._/") for member in members)
    assumed = f"layers: {names}, on top of each other in the order of their numbers"
    if members[0].layout.alike and layer == len(members) == 2 and _alike(members):
        assumed += f"; two directions look the same (--layout {members[0].layout.alike})"
    earlier = dict.fromkeys(line for member in members for line in member.assumed)
    return FoundLSTM(members[0].layout, members[0].prefix, parts, (assumed, *earlier))
