"""One JSON document, schema `lstm.golden/1`."""

from __future__ import annotations

from typing import Any

import numpy as np

from cli.formats.golden.record import GoldenReport, provenance
from cli.formats.record import dump
from weights.golden import Golden, GoldenCell, GoldenHead


def write(report: GoldenReport) -> None:
    """Write the document; what is not finite is null, and listed with its place."""
    golden = report.golden
    head = provenance(report)
    del head["options"]  # they stand with their cells
    record = {**head, "inputs": golden.inputs, "cells": [_cell(cell) for cell in golden.cells]}
    if golden.head is not None:
        record["head"] = _head(golden.head)
    if bad := _nonfinite(golden):
        record["nonfinite"] = bad
    report.stream.write(dump(record) + b"\n")


def _cell(cell: GoldenCell) -> dict[str, Any]:
    return {
        "layer": cell.layer,
        "direction": cell.direction,
        "input_size": cell.parameters.input_size,
        "hidden_size": cell.parameters.hidden_size,
        "output_size": cell.parameters.output_size,
        "options": cell.options,
        "weights": cell.weights,
        "initial_hidden": cell.initial["initial_hidden"],
        "initial_cell": cell.initial["initial_cell"],
        "expected": cell.expected,
    }


def _head(head: GoldenHead) -> dict[str, Any]:
    return {
        "input_size": head.input_size,
        "projection_size": head.projection_size,
        "weights": head.weights,
        "expected": head.expected,
    }


def _nonfinite(golden: Golden) -> list[dict[str, Any]]:
    """List the numbers that JSON cannot hold: the array as npz names it, the index, the value."""
    return [
        {"array": name, "index": index, "value": str(array[tuple(index)])}
        for name, array in golden.arrays.items()
        for index in np.argwhere(~np.isfinite(array)).tolist()
    ]
