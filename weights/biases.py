"""What parameters do not show of their file: its single biases, and the order of its gates."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np

from lstm.analysis.rerun import Stored
from lstm.arrays import Floats
from lstm.quantities import GATES, LETTERS
from weights.archive import Archive
from weights.containers.registry import open_any
from weights.layouts.detection import detect
from weights.layouts.found import CellAddress, FoundLSTM
from weights.metadata import declared_layout
from weights.options import CellOptions, apply, told_variant
from weights.pretrained.registry import find
from weights.reader import Blocks, blocks_of

BIASES = ("bias", "bias_pair", "norm_bias")
NO_OPTIONS = CellOptions()


def read_stored(
    source: str | os.PathLike[str],
    dtype: str,
    layout: str | None = None,
    prefix: str | None = None,
    options: CellOptions = NO_OPTIONS,
) -> Stored:
    """Read a file's biases one by one.

    Args:
        source: as `weights.load` takes it; so are layout, prefix and the options.
        dtype: `float32` or `float64`.

    Raises:
        LSTMError: as `weights.load` raises it.
    """
    archive = open_any(find(source))
    found = detect(archive.tensors, layout or declared_layout(archive.metadata), prefix)
    told = {**found.layout.variant, **told_variant(archive, found)}
    found = found.with_layout(apply(replace(found.layout, variant=told), options))
    named = {at: _biases(archive, found, at, dtype) for at in found.cells}
    first = next(iter(named.values()))
    packed = "(?P<gate>" not in found.layout.kinds[0].pattern
    every_gate = sorted(found.layout.order) == sorted(LETTERS)
    return Stored(
        found.layout.order if packed and every_gate else LETTERS,
        found.layout.forget_bias,
        tuple(first),
        {at: tuple(biases.values()) for at, biases in named.items() if len(biases) == len(first)},
    )


def _biases(archive: Archive, lstm: FoundLSTM, at: CellAddress, dtype: str) -> dict[str, Floats]:
    """The biases of one cell, by the names of their tensors."""
    zero = np.zeros(lstm.sizes(at).hidden_size, dtype)
    terms: dict[str, Blocks] = {}
    own = [part for part in lstm.cells[at] if part.kind.part in BIASES]
    # As the layout lists them: the first of one cell is then the same kind as that of another.
    for part in sorted(own, key=lambda part: lstm.layout.kinds.index(part.kind)):
        array = archive.read(part.name, dtype)
        for number, (gate, block) in enumerate(blocks_of(array, lstm.layout, part)):
            name = part.name if part.gate is None else "the bias"
            if part.kind.part == "bias_pair":
                name = f"{name}, {'first' if number < len(GATES) else 'second'} half"
            terms.setdefault(name, {})[gate] = block
    return {
        name: np.concatenate([blocks.get(gate, zero) for gate in GATES])
        for name, blocks in terms.items()
    }
