"""Run tinygrad's own LSTM cell and write its weights.

Run from a checkout, with tinygrad, numpy and safetensors: python tests/golden/make_tinygrad.py
What the files hold is told in recording.py. Without a compiler, DEV=PYTHON runs it too.
"""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
from recording import D, H, by_steps, draw, record, write_weights
from tinygrad import Tensor, nn

MADE_WITH = f"tinygrad {version('tinygrad')}"


def main() -> None:
    """Write all files."""
    write("cell", 1500, nn.LSTMCell(D, H))


def write(name: str, seed: int, cell: nn.LSTMCell) -> None:
    """Write a cell and its run, step by step."""
    shapes = nn.state.get_state_dict(cell)
    drawn = {key: draw(seed + n, *tensor.shape) for n, (key, tensor) in enumerate(shapes.items())}
    nn.state.load_state_dict(cell, {key: Tensor(array) for key, array in drawn.items()})
    write_weights(f"tinygrad_{name}", drawn)

    def step(x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        new_h, new_c = cell(Tensor(x), (Tensor(h), Tensor(c)))
        return new_h.numpy(), new_c.numpy()

    record(f"tinygrad_{name}", MADE_WITH, seed + 5, by_steps(step))


if __name__ == "__main__":
    main()
