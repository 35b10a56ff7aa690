"""A table in long form: one row per record, one column per unit."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from cli.formats.record import NULL, dump
from cli.formats.report import Report
from lstm.trace import Trace
from weights.trace_records import FORMULA

KEYS = ("sequence", "step", "token", "id", "layer", "direction")


class CSVWriter:
    """Write each sequence as soon as it is done.

    A column is named for its quantity and unit: `hidden[0]`, `cell[12]`. A layer that has fewer
    units than another leaves the rest empty.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.sequence = 0
        self.units = {name: _units(name, report) for name in report.selection.show}
        columns = [f"{name}[{unit}]" for name, units in self.units.items() for unit in units]
        self._line([*KEYS, *columns])

    def write(self, trace: Trace) -> None:
        for row in self.report.selection.rows(trace):
            keys = [self.sequence, *(harmless(row[key]) for key in KEYS[1:])]
            self._line(keys, *(self._cells(name, row[name]) for name in self.units))
        self.report.stream.flush()
        self.sequence += 1

    def close(self) -> None:
        """Nothing ends a table in text form."""

    def _cells(self, name: str, values: Any) -> bytes:
        missing = len(self.units[name]) - len(values)
        return _shortest(values) + b"," * (missing if len(values) else missing - 1)

    def _line(self, cells: list[Any], *more: bytes) -> None:
        """Write a line; `more` are cells as they stand there, with commas between them."""
        line = StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)  # which so quotes line ends
        first = line.getvalue().removesuffix("\n").encode("utf-8", "surrogateescape")
        self.report.stream.write(b",".join((first, *more)) + b"\n")


def harmless(cell: Any) -> Any:
    """Put an apostrophe before a word that a spreadsheet would compute.

    The reader of traces takes it off.
    """
    is_formula = isinstance(cell, str) and len(cell) > 1 and FORMULA.match(cell)
    return f"'{cell}" if is_formula else cell


def _units(name: str, report: Report) -> list[int]:
    """The units of a quantity in the widest layer."""
    layers = report.model.parameters.layers
    if name == "layer_input":
        return list(range(max(layer.input_size for layer in layers)))
    return report.selection.units.within(max(layer.hidden_size for layer in layers))


def _shortest(values: Any) -> bytes:
    """The shortest texts that give back the same numbers; nan and inf by name."""
    data = dump(values)[1:-1]
    return data if NULL not in data else ",".join(map(str, values)).encode()
