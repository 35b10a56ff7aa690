"""Run MLX's own LSTM and write its weights.

Run from a checkout, with mlx (on Linux mlx[cpu]) and numpy: python tests/golden/make_mlx.py
What the files hold is told in recording.py.
"""

from __future__ import annotations

import mlx.core as mx
import numpy as np
from mlx import nn
from mlx.utils import tree_flatten
from recording import HERE, D, H, draw, record

MADE_WITH = f"mlx {mx.__version__}"


def main() -> None:
    """Write all files."""
    write("lstm", 500, nn.LSTM(D, H))
    write("no_bias", 510, nn.LSTM(D, H, bias=False))
    write("stacked", 520, nn.LSTM(D, H), nn.LSTM(H, H))


def write(name: str, seed: int, *layers: nn.LSTM) -> None:
    """Write layers as a model that is a list of them, or one alone, and their run."""
    model = nn.Module()
    model.layers = list(layers)
    shapes = tree_flatten((model if len(layers) > 1 else layers[0]).parameters())
    drawn = [(key, mx.array(draw(seed + n, *a.shape))) for n, (key, a) in enumerate(shapes)]
    (model if len(layers) > 1 else layers[0]).load_weights(drawn)
    mx.save_safetensors(str(HERE / f"mlx_{name}.safetensors"), dict(drawn))

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> tuple[np.ndarray, ...]:
        hidden, finals = mx.array(x.swapaxes(0, 1)), []  # sequences stand first
        for layer, h, c in zip(layers, h0, c0, strict=True):
            hidden, cell = layer(hidden, hidden=mx.array(h), cell=mx.array(c))
            finals.append((np.array(hidden)[:, -1], np.array(cell)[:, -1]))
        h_n, c_n = (np.stack(part) for part in zip(*finals, strict=True))
        return np.array(hidden).swapaxes(0, 1), h_n, c_n

    record(f"mlx_{name}", MADE_WITH, seed + 8, run, len(layers))


if __name__ == "__main__":
    main()
