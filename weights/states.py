"""States in safetensors files: `layers.0.forward.hidden`, `layers.0.forward.cell`, ..."""

from __future__ import annotations

import os

from lstm.errors import LSTMError
from lstm.parameters import Parameters
from lstm.state import ModelState
from weights.atomic import replacing
from weights.containers.safetensors import archive_bytes, open_archive


def read_state(path: str | os.PathLike[str], parameters: Parameters) -> ModelState:
    """Read a state; its arrays are (H,) for all sequences, or (N, H), one each.

    Raises:
        LSTMError: the file cannot be read, or does not fit the parameters.
    """
    archive = open_archive(path)
    try:
        dtype = str(parameters.dtype)
        arrays = {name: archive.read(name, dtype) for name in archive.tensors}
        return ModelState.from_arrays(arrays, parameters)
    except LSTMError as error:
        raise error.at(str(path)) from None


def write_state(path: str | os.PathLike[str], state: ModelState) -> None:
    """Write a state, whole or not at all."""
    with replacing(path) as file:
        file.write(archive_bytes(state.arrays(), {"format": "lstm.state/1"}))
