"""Run Equinox' own LSTM cell and write its weights.

Run from a checkout, with equinox and safetensors: python tests/golden/make_equinox.py
What the files hold is told in recording.py.
"""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np
from recording import D, H, by_steps, draw, record, write_weights

MADE_WITH = f"equinox {eqx.__version__}, jax {jax.__version__}"


def main() -> None:
    """Write all files."""
    write("cell", 600, use_bias=True)
    write("no_bias", 610, use_bias=False)


def write(name: str, seed: int, use_bias: bool) -> None:
    """Write a cell and its run, step by step."""
    cell = eqx.nn.LSTMCell(D, H, use_bias=use_bias, key=jax.random.key(0))
    names = ("weight_ih", "weight_hh", *(("bias",) if use_bias else ()))
    drawn = {key: draw(seed + n, *getattr(cell, key).shape) for n, key in enumerate(names)}
    cell = eqx.tree_at(lambda c: [getattr(c, key) for key in names], cell, list(drawn.values()))
    write_weights(f"equinox_{name}", drawn)

    def step(x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[jax.Array, jax.Array]:
        return jax.vmap(lambda x, h, c: cell(x, (h, c)))(x, h, c)

    record(f"equinox_{name}", MADE_WITH, seed + 5, by_steps(step))


if __name__ == "__main__":
    main()
