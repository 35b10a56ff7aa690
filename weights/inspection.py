"""What a file holds, from its header alone; and on request what its numbers look like."""

from __future__ import annotations

from dataclasses import asdict, replace
from math import prod
from typing import Any

from weights.archive import Archive, TensorInfo
from weights.documents import parse
from weights.files import name_as_text
from weights.layouts.detection import detect, every_lstm, evidence, is_packed
from weights.layouts.found import CellAddress, FoundLSTM
from weights.layouts.native import NATIVE
from weights.metadata import Metadata, declared_layout, read_metadata
from weights.options import CellOptions, assumptions, told_variant
from weights.parts import Parts, find_parts
from weights.vocabulary import beside, read_tokenizer

SCHEMA = "lstm.inspect/1"


def find_all(archive: Archive, layout: str | None, prefix: str | None) -> list[FoundLSTM]:
    """Return the LSTMs in a file: the one asked for, or all that are sound.

    Raises:
        LSTMError: there is none; the message says why.
    """
    layout = layout or declared_layout(archive.metadata)
    found = every_lstm(archive.tensors) if layout is None else []
    if layout is not None or prefix is not None or len(found) < 2:
        return [detect(archive.tensors, layout, prefix)]
    return found


def describe_file(archive: Archive, source: str) -> dict[str, Any]:
    """Say what a file is, without any LSTM in it."""
    return {
        "schema": SCHEMA,
        "source": name_as_text(source),
        "bytes": archive.path.stat().st_size,
        "parameters": sum(info.size for info in archive.tensors.values()),
        "lstms": [],
        "reason": None,
        "tensors": [_tensor(info, None) for info in archive.tensors.values()],
        "metadata": {} if _is_ours(archive) else archive.metadata,
    }


def describe(archive: Archive, source: str, found: list[FoundLSTM]) -> dict[str, Any]:
    """Say what a file is, with the LSTMs in it and all that stands around them."""
    record = describe_file(archive, source)
    parts = {lstm.prefix: find_parts(archive.tensors, lstm) for lstm in found}
    owners = _owners(found, parts)
    record["lstms"] = [_lstm(archive, lstm, parts[lstm.prefix]) for lstm in found]
    record["tensors"] = [_tensor(info, owners.get(name)) for name, info in archive.tensors.items()]
    archive.check_unchanged()
    return record


def statistics(archive: Archive, lstm: FoundLSTM) -> dict[str, Any]:
    """Read the numbers of an LSTM and describe them gate by gate.

    Not-a-number and infinities are listed with the tensor and the index of the first of each.
    """
    from lstm.analysis.statistics import gate_statistics
    from weights.reader import read_parameters

    parameters = read_parameters(archive, lstm, archive.widest_dtype)
    cells = [
        {"layer": number, "direction": direction, **asdict(gate)}
        for number, layer in enumerate(parameters.layers)
        for direction, cell in layer.directions.items()
        for gate in gate_statistics(cell)
    ]
    return {"gates": cells, "nonfinite": _nonfinite(archive, lstm)}


def _lstm(archive: Archive, lstm: FoundLSTM, parts: Parts) -> dict[str, Any]:
    native = lstm.layout.name == NATIVE.name
    metadata = read_metadata(archive.metadata) if native else Metadata()
    vocabulary, assumed = _vocabulary(archive, metadata)
    said = told_variant(archive, lstm)
    dtypes = sorted({archive.tensors[name].dtype for name in lstm.names})
    return {
        "layout": lstm.layout.name,
        "layout_title": lstm.layout.title,
        "evidence": evidence(lstm),
        "prefix": lstm.prefix,
        "layers": lstm.num_layers,
        "directions": lstm.num_directions,
        **_connections(lstm, metadata),
        "input_size": lstm.layer_sizes(0).input_size,
        "hidden_size": lstm.layer_sizes(-1).hidden_size,
        "projection_size": _projection_size(lstm),
        "biases": lstm.num_biases(next(iter(lstm.cells))),
        "gate_order": _gate_order(lstm),
        "dtype": dtypes[0] if len(dtypes) == 1 else ", ".join(dtypes),
        "parameters": sum(prod(part.shape) for cell in lstm.cells.values() for part in cell),
        "cells": [_cell(lstm, address) for address in lstm.cells],
        "embedding": _embedding(archive, parts),
        "head": _head(archive, parts, metadata),
        "vocabulary": vocabulary,
        "units": [
            {"address": repr(unit.address), "tells": unit.tells, "auc": unit.auc}
            for unit in metadata.units
        ],
        "options": _options(archive) if native else dict(said),
        "description": metadata.description,
        "licence": metadata.licence,
        "trained_on": metadata.source,
        "quality": dict(metadata.quality),
        "assumed": [
            *lstm.assumed,
            *assumptions(lstm, CellOptions(), said),
            *parts.assumed,
            *assumed,
        ],
    }


def _connections(lstm: FoundLSTM, metadata: Metadata) -> dict[str, bool]:
    """How its cells are connected, as its layout and the file itself have it."""
    lstm = lstm.with_layout(replace(lstm.layout, **metadata.stack))
    return {"independent": lstm.independent, "residual": lstm.residual}


def _cell(lstm: FoundLSTM, address: CellAddress) -> dict[str, Any]:
    layer, direction = address
    input_size, hidden_size, output_size = lstm.sizes(address)
    biases = lstm.num_biases(address)
    total = sum(prod(part.shape) for part in lstm.cells[address])
    return {
        "layer": layer,
        "direction": direction,
        "input_size": input_size,
        "hidden_size": hidden_size,
        "biases": biases,
        "parameters": total,
        "parameters_per_gate": hidden_size * (input_size + output_size + biases),
    }


def _gate_order(lstm: FoundLSTM) -> str:
    """The order of the blocks in the file, in letters, or that there are none."""
    if not is_packed(lstm):
        return "one tensor per gate"
    rows = ", row by row" if lstm.layout.interleaved else ""
    return " ".join(lstm.layout.order) + rows


def _projection_size(lstm: FoundLSTM) -> int | None:
    """The width of a projected hidden state, or None where it is not projected."""
    sizes = lstm.layer_sizes(-1)
    return None if sizes.output_size == sizes.hidden_size else sizes.output_size


def _embedding(archive: Archive, parts: Parts) -> dict[str, Any] | None:
    if parts.embedding is None:
        return None
    rows, width = archive.tensors[parts.embedding].shape
    return {"tensor": parts.embedding, "vocabulary_size": rows, "size": width}


def _head(archive: Archive, parts: Parts, metadata: Metadata) -> dict[str, Any] | None:
    name = parts.embedding if metadata.tied else parts.head
    if name is None:
        return None
    projection = archive.tensors[parts.projection].shape if parts.projection else None
    outcomes = int(parts.head_is_transposed and not metadata.tied)  # the axis that counts them
    return {
        "tensor": name,
        "tied": metadata.tied,
        "outcomes": archive.tensors[name].shape[outcomes],
        "labels": None if metadata.labels is None else list(metadata.labels),
        "bias": parts.head_bias is not None,
        "projection": None if projection is None else list(projection),
    }


def _vocabulary(archive: Archive, metadata: Metadata) -> tuple[dict[str, Any] | None, list[str]]:
    """The tokenizer in the file, or the one beside it, and what was assumed of it."""
    tokenizer, assumed, where = metadata.tokenizer, [], "in the file"
    if tokenizer is None and (path := beside(archive.path)):
        tokenizer, guesses = read_tokenizer(path)
        where, assumed = path.name, list(guesses)
    if tokenizer is None:
        return None, assumed
    words = tokenizer.vocabulary
    record = {"tokenizer": tokenizer.kind, "size": len(words), "where": where}
    return {**record, "unknown": words.unknown, "start": words.start, "end": words.end}, assumed


def _options(archive: Archive) -> dict[str, Any]:
    options: dict[str, Any] = parse(archive.metadata.get("cell", "{}"))
    return options


def _owners(found: list[FoundLSTM], parts: dict[str, Parts]) -> dict[str, str]:
    """What each tensor belongs to, by its name."""
    owners: dict[str, str] = {}
    for lstm in found:
        around = parts[lstm.prefix]
        head = (around.head, around.head_bias, around.projection, around.projection_bias)
        owners.update(dict.fromkeys((name for name in head if name), "head"))
        owners.update({around.embedding: "embedding"} if around.embedding else {})
        owners.update(dict.fromkeys(lstm.names, "lstm"))
    return owners


def _tensor(info: TensorInfo, owner: str | None) -> dict[str, Any]:
    return {
        "name": info.name,
        "dtype": info.dtype,
        "shape": list(info.shape),
        "belongs_to": owner,
    }


def _is_ours(archive: Archive) -> bool:
    return archive.metadata.get("format", "").startswith("lstm.")


def _nonfinite(archive: Archive, lstm: FoundLSTM) -> list[dict[str, Any]]:
    """Tensors with numbers that are not finite: how many of each, and where the first is."""
    import numpy as np

    found = []
    for name in sorted(lstm.names):
        array = archive.read(name, archive.widest_dtype)
        for what, where in (("nan", np.isnan(array)), ("infinity", np.isinf(array))):
            if count := int(where.sum()):
                first = [int(n) for n in np.argwhere(where)[0]]
                found.append({"tensor": name, "what": what, "count": count, "first": first})
    return found
