"""A run as named arrays with provenance, for the formats that hold arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, BinaryIO
from zipfile import ZipFile

import numpy as np

from cli.formats.record import TRACE_SCHEMA, dump, model_record, text_record
from cli.formats.report import Report
from cli.formats.size import check_size, count_numbers
from cli.limits import RUN_BYTES
from cli.selection import widest
from lstm.cell_trace import DirectionTrace
from lstm.trace import Trace


class ArraysWriter(ABC):
    """Collects `sequences.{n}.layers.{k}.{direction}.{quantity}`, each (T, H).

    A subclass writes the file, in `close`, when all sequences are there.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.arrays: dict[str, Any] = {}
        self.texts: list[dict[str, Any]] = []
        self.num_bytes = 0

    def write(self, trace: Trace) -> None:
        """Add one sequence, cut down to what is to be shown."""
        itemsize = self.report.model.parameters.dtype.itemsize
        self.num_bytes += itemsize * count_numbers(trace, self.report)
        check_size("arrays", self.num_bytes, RUN_BYTES)
        for k in self.report.selection.layers.within(len(trace.layers)):
            for direction in trace.layers[k].directions:
                for name in self.report.selection.show:
                    key = f"sequences.{len(self.texts)}.layers.{k}.{direction.direction}.{name}"
                    self.arrays[key] = self._cut(direction, name)
        self.texts.append(text_record(trace))

    @abstractmethod
    def close(self) -> None:
        """Write the collected arrays and their provenance."""

    @property
    def provenance(self) -> dict[str, str]:
        """Say where the numbers come from: schema, model, and what was read, as JSON."""
        provenance = {
            "schema": TRACE_SCHEMA,
            "model": dump(model_record(self.report.model)).decode(),
            "sequences": dump(self.texts).decode(),
        }
        if self.report.selection.units.text is not None:
            size = widest(self.report.model, self.report.selection)
            units = self.report.selection.units.within(size)
            provenance["units"] = dump(units).decode()
        return provenance

    def _cut(self, direction: DirectionTrace, name: str) -> Any:
        array = getattr(direction, name)
        steps = self.report.selection.steps.within(array.shape[0])
        if name == "layer_input":
            return array[steps]
        return array[steps][:, self.report.selection.units.within(array.shape[1])]


def write_npz(stream: BinaryIO, arrays: Mapping[str, Any]) -> None:
    """Write what `numpy.savez` writes, which up to numpy 2.0 stays open where writing fails."""
    with ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
