"""The tables of `lstm inspect`."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from rich.console import Console

from cli.tables import meanings, measured, number, pairs, plain, reading, section, show, table
from lstm.wording import counted

BARS = "▁▂▃▄▅▆▇█"
GATE_LETTERS = {"input": "i", "forget": "f", "candidate": "g", "output": "o"}


def print_record(console: Console, record: dict[str, Any]) -> None:
    """Print what is known of a file: each LSTM in it, then its tensors."""
    for lstm in record["lstms"]:
        title = f"{record['source']}: {lstm['prefix']}" if lstm["prefix"] else record["source"]
        show(console, section(title, pairs(_facts(lstm))))
        show(console, section("Cells", _cells(lstm)))
        if lstm["units"]:
            rows = ((unit["address"], unit["tells"], unit["auc"]) for unit in lstm["units"])
            show(console, section("Named units", meanings(rows)))
        if "stats" in lstm:
            _print_statistics(console, lstm["stats"])
    if record["metadata"]:
        show(console, section("Metadata", pairs(record["metadata"].items())))
    title = f"Tensors ({counted(len(record['tensors']), 'tensor')}, {record['bytes']:,} bytes)"
    show(console, section(title, _tensors(record)))


def _facts(lstm: dict[str, Any]) -> list[tuple[str, object]]:
    """What an LSTM person wants to know first; lines without content are left out."""
    layers = counted(lstm["layers"], "layer")
    directions = [cell["direction"] for cell in lstm["cells"]]
    ways = reading(directions, lstm["directions"], lstm["independent"])
    biases = {0: "none", 1: "one per gate", 2: "two per gate, added"}[lstm["biases"]]
    facts: list[tuple[str, object]] = [
        ("LSTM", f"{layers}, {ways}" + (", residual" if lstm["residual"] else "")),
        ("sizes", f"input {lstm['input_size']}, hidden {lstm['hidden_size']}"),
        ("projection", lstm["projection_size"] or "none"),
        ("biases", biases),
        ("gate order", lstm["gate_order"]),
        ("numbers", f"{lstm['dtype']}, {lstm['parameters']:,} parameters"),
        ("layout", f"{lstm['layout']} ({lstm['layout_title']})"),
        *(("", sentence) for sentence in lstm["evidence"]),
        ("embedding", _embedding(lstm["embedding"])),
        ("vocabulary", _vocabulary(lstm["vocabulary"])),
        ("head", _head(lstm["head"])),
        ("options", ", ".join(f"{key} {value}" for key, value in lstm["options"].items())),
        ("what it is", lstm["description"]),
        ("licence", lstm["licence"]),
        ("made from", lstm["trained_on"]),
        ("quality", measured(lstm["quality"])),
        *(("assumed", sentence) for sentence in lstm["assumed"]),
    ]
    return [(name, fact) for name, fact in facts if fact]


def _embedding(record: dict[str, Any] | None) -> str:
    if record is None:
        return "none"
    return f"{record['tensor']}, {record['vocabulary_size']:,} tokens of {record['size']} numbers"


def _vocabulary(record: dict[str, Any] | None) -> str:
    if record is None:
        return "none"
    special = [f"{role} {record[role]}" for role in ("unknown", "start", "end") if record[role]]
    return ", ".join(
        [f"{record['size']:,} tokens, {record['tokenizer']}, {record['where']}", *special]
    )


def _head(record: dict[str, Any] | None) -> str:
    if record is None:
        return "none"
    what = (
        f"{len(record['labels'])} labels"
        if record["labels"]
        else f"{record['outcomes']:,} outcomes"
    )
    parts = [record["tensor"], what, "with bias" if record["bias"] else "without bias"]
    parts += ["tied to the embedding"] if record["tied"] else []
    parts += [f"after a projection {tuple(record['projection'])}"] if record["projection"] else []
    return ", ".join(parts)


def _cells(lstm: dict[str, Any]) -> Any:
    columns = map(number, ("input", "hidden", "parameters", "per gate"))
    made = table(number("layer"), "direction", *columns)
    for cell in lstm["cells"]:
        # A cell with a projection or peepholes has parameters that belong to no single gate.
        is_even = cell["parameters"] == len(GATE_LETTERS) * cell["parameters_per_gate"]
        per_gate = f"{cell['parameters_per_gate']:,}" if is_even else "-"
        counts = (f"{cell['parameters']:,}", per_gate)
        sizes = (cell["layer"], cell["direction"], cell["input_size"], cell["hidden_size"])
        made.add_row(*(plain(value) for value in (*sizes, *counts)))
    return made


def _print_statistics(console: Console, stats: dict[str, Any]) -> None:
    for title, part in (
        ("Input weights", "weight_ih"),
        ("Recurrent weights (radius: the spectral radius)", "weight_hh"), ("Biases", "bias"),
    ):  # fmt: skip
        show(console, section(title, _distributions(stats["gates"], part)))
    forget = (_forget_bias(gate) for gate in stats["gates"] if gate["gate"] == "forget")
    show(console, section("Forget bias", pairs(forget)))
    rows = [
        (f"{bad['tensor']}{bad['first']}", f"{bad['what']}, the first of {bad['count']}")
        for bad in stats["nonfinite"]
    ]
    found = pairs(rows) if rows else plain("none", "dim")
    show(console, section("Not finite", found))


def _forget_bias(gate: dict[str, Any]) -> tuple[str, str]:
    """How open the forget gate is by its bias alone."""
    where, bias = f"layer {gate['layer']} {gate['direction']}", gate["bias"]
    if bias is None:
        return where, "not finite"
    return where, f"{bias['mean']:.3f} in the mean, {bias['minimum']:.3f} to {bias['maximum']:.3f}"


def _distributions(gates: list[dict[str, Any]], part: str) -> Any:
    radius = [number("radius")] if part == "weight_hh" else []
    columns = map(number, ("low", "high", "mean", "spread"))
    made = table(number("layer"), "direction", "gate", *columns, "histogram", *radius)
    for gate in gates:
        name = f"{GATE_LETTERS[gate['gate']]} {gate['gate']}"
        cells = [gate["layer"], gate["direction"], name, *_numbers(gate[part])]
        if radius:
            cells.append(
                "-" if gate["spectral_radius"] is None else f"{gate['spectral_radius']:.3f}"
            )
        made.add_row(*(plain(cell) for cell in cells))
    return made


def _numbers(spread: dict[str, Any] | None) -> list[str]:
    if spread is None:
        return ["-"] * 5
    texts = [f"{spread[key]:.3f}" for key in ("minimum", "maximum", "mean", "deviation")]
    top = max(spread["histogram"])
    bars = (BARS[round(count / top * (len(BARS) - 1))] for count in spread["histogram"])
    return [*texts, "".join(bars)]


def _tensors(record: dict[str, Any]) -> Any:
    """All tensors, grouped by what stands before their last name."""
    made = table("tensor", "dtype", "shape", "part of")
    tensors = sorted(record["tensors"], key=lambda t: _natural(t["name"]))
    for group, members in groupby(tensors, key=lambda t: _group(t["name"])):
        if group:
            made.add_row(plain(group, "bold"))
        for tensor in members:
            name = tensor["name"][len(group) :]
            owner = (
                plain(tensor["belongs_to"]) if tensor["belongs_to"] else plain("nothing", "yellow")
            )
            shape = str(tuple(tensor["shape"]))
            made.add_row(
                plain(f"  {name}" if group else name), plain(tensor["dtype"]), plain(shape), owner
            )
    return made


def _group(name: str) -> str:
    """Everything up to the last separator: `encoder.lstm.` of `encoder.lstm.weight_ih_l0`."""
    return name[: max(name.rfind("."), name.rfind("/")) + 1]


def _natural(name: str) -> tuple[str, list[str | int]]:
    """Order numbers in names by their value: layer 2 before layer 10."""
    parts = re.split(r"(\d+)", name)
    return _group(name), [int(part) if part.isdigit() else part for part in parts]
