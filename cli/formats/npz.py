"""Named arrays in numpy's archive; `metadata` holds the provenance as JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from cli.formats.arrays import ArraysWriter, write_npz
from cli.formats.record import dump


class NPZWriter(ArraysWriter):
    """Write the archive when all sequences are there."""

    def close(self) -> None:
        metadata = np.array(dump(self.provenance).decode())
        arrays: dict[str, Any] = {**self.arrays, "metadata": metadata}
        write_npz(self.report.stream, arrays)
