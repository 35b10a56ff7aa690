"""`lstm models`: what is inside."""

from __future__ import annotations

import sys
from typing import Any

from cli import options as o
from cli.console import Terminal, write_json
from cli.contradictions import idle
from lstm.wording import counted
from weights.pretrained.registry import DEFAULT, NAMES, path_of

SCHEMA = "lstm.models/1"


def models(json: o.JsonOnly = False, color: o.ColorWhen = None, debug: o.Debug = False) -> None:
    """List the models that come with the tool, with size, licence, origin and quality.

    \b
    Examples:
      lstm models
      lstm run "( a ( b" --weights brackets
    """
    if json:
        idle("--json", "JSON has no colours", color=color)
    records = [_record(name) for name in NAMES]
    if json:
        write_json({"schema": SCHEMA, "models": records})
        return
    from cli.tables import pairs, section, show

    console = Terminal.of(sys.stdout, color).console()
    for record in records:
        title = f"{record['name']} (the default)" if record["name"] == DEFAULT else record["name"]
        show(console, section(title, pairs(_lines(record))))


def _record(name: str) -> dict[str, Any]:
    """What the header of a model's file says about it."""
    from weights.containers.safetensors import open_archive
    from weights.layouts.detection import detect
    from weights.metadata import read_metadata

    archive = open_archive(path_of(name))
    found = detect(archive.tensors, "native")
    metadata = read_metadata(archive.metadata)
    input_size, hidden_size, _ = found.layer_sizes(0)
    return {
        "name": name,
        "description": metadata.description,
        "bytes": archive.path.stat().st_size,
        "layers": found.num_layers,
        "directions": found.num_directions,
        "input_size": input_size,
        "hidden_size": hidden_size,
        "vocabulary_size": len(metadata.tokenizer.vocabulary) if metadata.tokenizer else None,
        "licence": metadata.licence,
        "trained_on": metadata.source,
        "quality": dict(metadata.quality),
    }


def _lines(record: dict[str, Any]) -> list[tuple[str, object]]:
    from cli.tables import measured

    layers = counted(record["layers"], "layer")
    rows = [
        ("", record["description"]),
        ("size", f"{layers} of {record['hidden_size']}, {record['vocabulary_size']:,} tokens, "
                 f"{record['bytes'] / 1000:.0f} kB"),
        ("licence", record["licence"]),
        ("made from", record["trained_on"]),
        ("quality", measured(record["quality"])),
    ]  # fmt: skip
    return [(name, value) for name, value in rows if value]
