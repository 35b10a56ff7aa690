"""Datasets as `lstm extract` writes them, from the traces of small models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lstm.quantities import NAMES
from lstm.trace import Trace


def write_dataset(
    folder: Path,
    traces: Sequence[Trace],
    show: Sequence[str] = NAMES,
    units: Sequence[int] | None = None,
    dtype: Any = np.float32,
    parts: int = 2,
    **manifest: Any,
) -> Path:
    """Write one row per sequence, step, layer and direction, in so many part files."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [(n, row) for n, trace in enumerate(traces) for row in trace.rows(show)]
    for part in range(parts):
        first, last = (len(traces) * (part + end) // parts for end in (0, 1))
        chosen = [(n, row) for n, row in rows if first <= n < last]
        pq.write_table(_table(chosen, show, units, dtype), folder / f"part-{part:05}.parquet")
    document = {
        "schema": "lstm.dataset/1",
        "units": "all" if units is None else list(units),
        "show": list(show),
        "finished": True,
        **manifest,
    }
    (folder / "_manifest.json").write_text(json.dumps(document), "utf-8")
    return folder


def _table(
    rows: Sequence[tuple[int, dict[str, Any]]],
    show: Sequence[str],
    units: Sequence[int] | None,
    dtype: Any,
) -> pa.Table:
    def column(name: str, kind: pa.DataType) -> pa.Array:
        return pa.array([row[name] for _, row in rows], kind)

    return pa.table(
        {
            "sequence": pa.array([n for n, _ in rows], pa.int64()),
            "step": column("step", pa.int32()),
            "token": column("token", pa.string()).dictionary_encode(),
            "id": column("id", pa.int32()),
            "layer": column("layer", pa.int16()),
            "direction": column("direction", pa.string()).dictionary_encode(),
            **{name: _values([row[name] for _, row in rows], name, units, dtype) for name in show},
        }
    )


def _values(rows: Sequence[Any], name: str, units: Sequence[int] | None, dtype: Any) -> pa.Array:
    """A list a row, of fixed size where all have one; a layer's input is kept whole."""
    kind = pa.from_numpy_dtype(dtype)
    lists = [
        np.asarray(
            row
            if units is None or name == "layer_input"
            else [row[k] for k in units if k < len(row)],
            dtype,
        )
        for row in rows
    ]
    widths = {len(one) for one in lists}
    return pa.array(lists, pa.list_(kind, widths.pop()) if len(widths) == 1 else pa.list_(kind))
