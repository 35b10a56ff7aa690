"""What `lstm convert --json` writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lstm.model import Model
from weights.conversion import Difference, Origin
from weights.files import name_as_text

SCHEMA = "lstm.convert/1"


def conversion_record(
    source: str,
    origin: Origin,
    sha256: str,
    model: Model,
    target: Path,
    layout: str,
    difference: Difference,
) -> dict[str, Any]:
    """Say what was read, what was written, and how far the two differ."""
    parameters = model.parameters
    top = parameters.layers[-1].first
    parts = {"embedding": model.embedding, "head": model.head, "vocabulary": model.tokenizer}
    there = [name for name, part in parts.items() if part is not None]
    return {
        "schema": SCHEMA,
        "source": name_as_text(source),
        "sha256": sha256,
        "read": {**origin._asdict(), "assumed": list(model.card.assumed)},
        "layers": parameters.num_layers,
        "directions": parameters.num_directions,
        "input_size": parameters.input_size,
        "hidden_size": parameters.hidden_size,
        "projection_size": None if top.variant.projection is None else top.output_size,
        "dtype": str(parameters.dtype),
        "file": name_as_text(target),
        "bytes": target.stat().st_size,
        "layout": layout,
        "left_out": [] if layout == "native" else there,
        "largest_difference": difference._asdict(),
    }
