"""Golden values as a side of a comparison: what `lstm golden` wrote as JSON or as .npz."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from lstm.analysis.recording import Place, Recording, Series
from lstm.arrays import Floats
from lstm.quantities import BY_NAME
from weights.trace_arrays import TraceFile, number_format, numbers

SCHEMA = "lstm.golden/1"
_CELL = re.compile(r"layers\.(\d+)\.(forward|reverse)\.([a-z_]+)")


def is_golden(names: list[str]) -> bool:
    """Whether arrays of these names are golden values.

    >>> is_golden(["inputs", "metadata", "layers.0.forward.cell"]), is_golden(["inputs"])
    (True, False)
    """
    return {"inputs", "metadata"} <= set(names) and any(map(_CELL.fullmatch, names))


def from_golden_arrays(arrays: Mapping[str, Floats], metadata: Mapping[str, Any]) -> TraceFile:
    """Take what is expected, what was read and the state before the first step.

    Args:
        arrays: `inputs` and `layers.0.forward.cell`, ... as the archive names them.
        metadata: what is said of them.
    """
    series: dict[Place, Series] = {}
    initial = {}
    for name, array in arrays.items():
        if match := _CELL.fullmatch(name):
            layer, direction, quantity = match.groups()
            if layer == "0":
                inputs = Series.whole(numbers("inputs", arrays["inputs"]))
                series.setdefault(Place(0, direction, "layer_input"), inputs)
            if quantity in BY_NAME:
                series[Place(int(layer), direction, quantity)] = Series.whole(numbers(name, array))
            elif quantity.startswith("initial_"):
                state = quantity.removeprefix("initial_")
                initial[f"layers.{layer}.{direction}.{state}"] = numbers(name, array, (1,))
    tokens, ids = (
        None if metadata.get(key) is None else tuple(metadata[key]) for key in ("tokens", "ids")
    )
    recording = Recording(series, metadata.get("text"), tokens, ids)
    return TraceFile((recording,), metadata["model"], initial=initial)


def from_golden_document(document: Mapping[str, Any]) -> TraceFile:
    """Take the same from the JSON document, with what JSON cannot hold put back."""
    dtype = number_format(document["model"]["dtype"])
    arrays = {"inputs": np.array(document["inputs"], dtype, ndmin=2)}
    for cell in document["cells"]:
        place = f"layers.{cell['layer']}.{cell['direction']}"
        for name in ("initial_hidden", "initial_cell"):
            arrays[f"{place}.{name}"] = np.array(cell[name], dtype)
        for name, rows in cell["expected"].items():
            arrays[f"{place}.{name}"] = np.array(rows, dtype, ndmin=2)
    for bad in document.get("nonfinite", []):
        if bad["array"] in arrays:  # what stands in the weights is not compared
            arrays[bad["array"]][tuple(bad["index"])] = float(bad["value"])
    return from_golden_arrays(arrays, document)
