"""Write one self-contained file: weights, embedding, head, tokenizer, provenance."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from lstm.arrays import Floats
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.parameters import CellParameters
from lstm.quantities import GATES
from weights.atomic import replacing
from weights.containers.safetensors import archive_bytes
from weights.layouts.layout import NOTHING, REVERSE
from weights.metadata import STACK_OPTIONS, Metadata, write_metadata
from weights.parts import NATIVE_NAMES

_GATE_NAMES = {
    "input": "input_gate",
    "forget": "forget_gate",
    "candidate": "candidate",
    "output": "output_gate",
}


def save(path: str | os.PathLike[str], model: Model, *, dtype: str | None = None) -> None:
    """Write a model in the native layout, whole or not at all.

    Args:
        path: the file, by convention `*.safetensors`.
        model: what `load` gives back from it.
        dtype: `float16`, `float32` or `float64`; otherwise that of the parameters. A narrower
            one rounds.

    Raises:
        LSTMError: a number does not fit into the dtype, or the dtype is another.
        OSError: the file cannot be written.
    """
    data = native_bytes(model, dtype)
    with replacing(path) as file:
        file.write(data)


def native_bytes(
    model: Model, dtype: str | None = None, extra: Mapping[str, str] = NOTHING
) -> bytes:
    """Return the file that `save` writes; `extra` are further entries of the metadata.

    Raises:
        LSTMError: a number does not fit into the dtype, or the dtype is another.
    """
    if dtype not in (None, "float16", "float32", "float64"):
        raise LSTMError(f"dtype: expected float16, float32 or float64, found {dtype!r}.")
    arrays = {**_cells(model), **_parts(model)}
    written = {name: _cast(name, array, dtype) for name, array in arrays.items()}
    entries = {**write_metadata(_metadata(model)), **extra}
    return archive_bytes(written, entries)


def _cells(model: Model) -> dict[str, Floats]:
    arrays: dict[str, Floats] = {}
    for number, layer in enumerate(model.parameters.layers):
        for direction, cell in layer.directions.items():
            for gate in GATES:
                name = f"layers.{number}.{direction}.{_GATE_NAMES[gate]}"
                arrays[f"{name}.weight"] = cell.gate_weight(gate)
                arrays[f"{name}.bias"] = cell.gate_bias(gate)
            arrays.update(_variant_arrays(f"layers.{number}.{direction}", cell))
    return arrays


def _variant_arrays(place: str, cell: CellParameters) -> dict[str, Floats]:
    """What a cell has beyond the standard one, under the names of the native layout."""
    variant, size = cell.variant, cell.hidden_size
    arrays = {
        f"{place}.projection": variant.projection,
        f"{place}.shown": variant.peephole_shown,
        f"{place}.cell_norm.weight": variant.norm_cell_gain,
        f"{place}.cell_norm.bias": variant.norm_cell_bias,
        f"{place}.input_gate.peephole": variant.peephole_input,
        f"{place}.forget_gate.peephole": variant.peephole_forget,
        f"{place}.output_gate.peephole": variant.peephole_output,
    }
    if variant.highway_ih is not None and variant.highway_hh is not None:
        passed_on, projected = np.split(variant.highway_ih, 2)
        arrays[f"{place}.highway_gate.weight"] = np.hstack([variant.highway_hh, passed_on])
        arrays[f"{place}.highway_input.weight"] = projected
    if variant.highway_bias is not None:
        names = (f"{place}.highway_gate.bias", f"{place}.highway_input.bias")
        arrays.update(zip(names, np.split(variant.highway_bias, 2), strict=True))
    if variant.norm_gain is not None:
        for block, gate in enumerate(GATES):
            gain = variant.norm_gain[block * size : (block + 1) * size]
            arrays[f"{place}.{_GATE_NAMES[gate]}.norm"] = gain
    return {name: array for name, array in arrays.items() if array is not None}


def _parts(model: Model) -> dict[str, Floats]:
    head = model.head
    arrays = {
        "embedding": model.embedding.weight if model.embedding else None,
        "head": head.weight if head and not _is_tied(model) else None,
        "head_bias": head.bias if head else None,
        "projection": head.projection if head else None,
        "projection_bias": head.projection_bias if head else None,
    }
    return {NATIVE_NAMES[part]: array for part, array in arrays.items() if array is not None}


def _is_tied(model: Model) -> bool:
    return bool(model.head and model.embedding and model.head.weight is model.embedding.weight)


def _metadata(model: Model) -> Metadata:
    labels = model.head.names if model.head and not model.head.predicts_tokens else None
    return Metadata(
        tokenizer=model.tokenizer,
        labels=labels,
        tied=_is_tied(model),
        cell=_cell_options(model),
        stack={n: True for n in STACK_OPTIONS if getattr(model.parameters, n)},
        predicts_tokens=model.head.predicts_tokens if model.head else None,
        description=model.card.description,
        licence=model.card.licence,
        source=model.card.origin,
        units=model.card.units,
        quality=model.card.quality,
    )


def _cell_options(model: Model) -> dict[str, str | float]:
    """The options of the cells, which the file holds once for all layers."""
    layers = model.parameters.layers
    every = [[cell.variant.options for cell in layer.directions.values()] for layer in layers]
    if any(options != every[0] for options in every):
        raise LSTMError("save: expected the same options for every layer, found different ones.")
    forward, reverse = every[0][0], every[0][-1]
    variants = [cell.variant for cell in layers[0].directions.values()]
    differing = {
        name: getattr(variants[-1], name)
        for name in {**forward, **reverse}
        if forward.get(name) != reverse.get(name)
    }
    if lacking := [name for name, value in differing.items() if value is None]:
        raise LSTMError(
            f"save: expected {lacking[0]} in both directions or in none, found it in one."
        )
    return {**forward, **{f"{REVERSE}{name}": value for name, value in differing.items()}}


def _cast(name: str, array: Floats, dtype: str | None) -> Floats:
    with np.errstate(over="ignore"):
        cast = array.astype(dtype or array.dtype)
    if not np.array_equal(np.isfinite(cast), np.isfinite(array)):
        largest = float(np.abs(array[np.isfinite(array)]).max())
        raise LSTMError(f"{name}: expected numbers within {dtype}, found {largest:.6g}.")
    return cast
