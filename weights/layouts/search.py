"""Where the names in a file are those of a layout.

Free of numpy: names and shapes from a header are enough to recognise a layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from lstm.quantities import DIRECTIONS
from weights.archive import TensorInfo
from weights.layouts.found import FoundLSTM, Part
from weights.layouts.layout import Layout, TensorKind

# Gains and biases of a norm inside a cell, by the names of many programs: `layernorm_h.weight`,
# `ln_ih.bias`, `kernel_norm/gamma`. A layout that reads norms has kinds for them.
_GATES = r"(?:[ifgcohx]|[ih][ih]|ho|hc|[ih]2h|cell|forget|gates?|kernel|recurrent)"
NORMS = (
    rf"(?:(?:(?:layer_?)?norm|ln)_?{_GATES}|{_GATES}_(?:layer_?)?(?:norm|ln))"
    r"[./](?:weight|bias|gamma|beta|scale)(?::0)?"
)


def find_lstms(layout: Layout, tensors: Mapping[str, TensorInfo]) -> list[FoundLSTM]:
    """Return the LSTMs that the names tell of, one per prefix; incomplete ones are left out.

    Args:
        layout: whose names to look for.
        tensors: the header of a file.
    """
    return [lstm for lstm in find_traces(layout, tensors) if lstm.is_complete]


def find_traces(layout: Layout, tensors: Mapping[str, TensorInfo]) -> list[FoundLSTM]:
    """Return all that any name tells of, one per prefix, incomplete ones too."""
    found: dict[str, FoundLSTM] = {}
    for info in tensors.values():
        if layout.within and not re.search(layout.within, info.name, re.IGNORECASE):
            continue
        for kind in layout.kinds:
            match = _expression(kind.pattern).fullmatch(info.name)
            if match and _counts_as(layout, kind, match.groupdict().get("tensor")):
                prefix = match["prefix"]
                if prefix not in found:
                    found[prefix] = FoundLSTM(_under(layout, prefix), prefix)
                found[prefix].parts.extend(_places(layout, kind, match.groupdict(), info))
                break
    return list(found.values())


def find_variant(lstm: FoundLSTM, tensors: Mapping[str, TensorInfo]) -> tuple[str, str] | None:
    """Return a tensor that belongs to an unsupported variant of an LSTM, and the variant's name."""
    refused = {NORMS: "layer normalisation", **lstm.layout.refused}
    expressions = [(re.compile(pattern), variant) for pattern, variant in refused.items()]
    for name in tensors:
        if name.startswith(lstm.prefix):
            own = name.removeprefix(lstm.prefix)
            for expression, variant in expressions:
                if expression.fullmatch(own):
                    return name, variant
    return None


@cache  # each takes its time, and few names get as far as the last one of a layout
def _expression(pattern: str) -> re.Pattern[str]:
    """Compile the expression for a whole name, with whatever stands before the pattern."""
    return re.compile(rf"(?P<prefix>.*?){pattern}", re.DOTALL)


def _counts_as(layout: Layout, kind: TensorKind, number: str | None) -> bool:
    """Whether the number of a tensor, if names have one, is that of this kind."""
    return number is None or layout.kinds.index(kind) == int(number) % len(layout.kinds)


def _under(layout: Layout, prefix: str) -> Layout:
    if not layout.assumed_bare or "/" in prefix:
        return layout
    return replace(layout, assumed={**layout.assumed, **layout.assumed_bare})


def _places(
    layout: Layout, kind: TensorKind, groups: Mapping[str, str | None], info: TensorInfo
) -> Iterator[Part]:
    mark, gate, number = (groups.get(name) for name in ("direction", "gate", "tensor"))
    layer = int(groups.get("layer") or 0) if number is None else int(number) // len(layout.kinds)
    part = Part(
        kind,
        layer,
        layout.directions[mark] if mark else "forward",
        layout.gates[gate] if gate else None,
        info.name,
        info.shape,
    )
    if not layout.by_direction:
        yield part
        return
    directions = (part.direction,) if mark else DIRECTIONS
    for slot, direction in enumerate(directions[: info.shape[0] if info.shape else 0]):
        yield part._replace(direction=direction, shape=info.shape[1:], slot=slot)
