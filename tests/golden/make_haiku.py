"""Run Haiku's own LSTM, alone and in a stack, and write its weights.

Run from a checkout, with dm-haiku, jax and safetensors: python tests/golden/make_haiku.py
What the files hold is told in recording.py.
"""

from __future__ import annotations

import haiku as hk
import jax
import numpy as np
from recording import D, H, N, draw, record, write_weights

MADE_WITH = f"haiku {hk.__version__}, jax {jax.__version__}"


def main() -> None:
    """Write all files."""
    write("lstm", 400, 1)
    write("stacked", 410, 2)


def write(name: str, seed: int, layers: int) -> None:
    """Write a stack without residual or skip connections, and its run."""

    def stack(x: np.ndarray, start: tuple[hk.LSTMState, ...]) -> tuple[jax.Array, tuple]:
        core = hk.DeepRNN([hk.LSTM(H) for _ in range(layers)])
        return hk.dynamic_unroll(core, x, start)

    unroll = hk.without_apply_rng(hk.transform(stack))
    zeros = tuple(hk.LSTMState(*np.zeros((2, N, H), np.float32)) for _ in range(layers))
    shapes = unroll.init(jax.random.key(0), np.zeros((1, N, D), np.float32), zeros)
    flat = {f"{module}/{key}": array for module, p in shapes.items() for key, array in p.items()}
    drawn = {key: draw(seed + n, *array.shape) for n, (key, array) in enumerate(flat.items())}
    write_weights(f"haiku_{name}", drawn)
    params = {module: {key: drawn[f"{module}/{key}"] for key in p} for module, p in shapes.items()}

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> tuple[np.ndarray, ...]:
        start = tuple(hk.LSTMState(h, c) for h, c in zip(h0, c0, strict=True))
        hs, final = unroll.apply(params, x, start)
        return (
            np.asarray(hs),
            np.stack([s.hidden for s in final]),
            np.stack([s.cell for s in final]),
        )

    record(f"haiku_{name}", MADE_WITH, seed + 5, run, layers)


if __name__ == "__main__":
    main()
