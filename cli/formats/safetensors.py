"""Named arrays in a safetensors file, provenance in its metadata."""

from __future__ import annotations

from cli.formats.arrays import ArraysWriter
from weights.containers.safetensors import archive_bytes


class SafetensorsWriter(ArraysWriter):
    """Write the file when all sequences are there."""

    def close(self) -> None:
        self.report.stream.write(archive_bytes(self.arrays, self.provenance))
