"""Run Flax's own LSTM cells, of linen and of NNX, and write their weights.

Run from a checkout, with flax and safetensors: python tests/golden/make_flax.py
What the files hold is told in recording.py. The carry of Flax is (c, h).
"""

from __future__ import annotations

from typing import Any

import flax
import jax
import numpy as np
from flax import linen, nnx
from flax.traverse_util import flatten_dict, unflatten_dict
from recording import D, H, N, Run, draw, record, write_weights

MADE_WITH = f"flax {flax.__version__}, jax {jax.__version__}"


class Directions(linen.Module):
    """Layers of two directions: the cells are numbered one after the other."""

    layers: int

    @linen.compact
    def __call__(self, x: Any, initial_carry: Any) -> tuple[Any, Any]:
        carries = []
        for layer in range(self.layers):
            rnns = [linen.RNN(linen.OptimizedLSTMCell(H)) for _ in range(2)]
            both = linen.Bidirectional(*rnns, return_carry=True, time_major=True)
            carry, x = both(x, initial_carry=initial_carry[2 * layer : 2 * layer + 2])
            carries.extend(carry)
        return carries, x


def main() -> None:
    """Write all files."""
    write_linen("cell", 300, linen.RNN(linen.LSTMCell(H), return_carry=True, time_major=True))
    optimized = linen.RNN(linen.OptimizedLSTMCell(H), return_carry=True, time_major=True)
    write_linen("optimized_cell", 310, optimized)
    write_linen("bidirectional", 320, Directions(1), 1, 2)
    write_linen("bidirectional_stacked", 360, Directions(2), 2, 2)
    write_nnx("nnx_cell", 330, nnx.LSTMCell(D, H, rngs=nnx.Rngs(0)))
    write_nnx("nnx_optimized_cell", 340, nnx.OptimizedLSTMCell(D, H, rngs=nnx.Rngs(0)))
    write_nnx("nnx_bidirectional", 350, *(nnx.LSTMCell(D, H, rngs=nnx.Rngs(0)) for _ in range(2)))


def write_linen(
    name: str, seed: int, module: linen.Module, layers: int = 1, directions: int = 1
) -> None:
    """Write a module's variables as linen numbers them, and its run."""
    cells = layers * directions

    def carried(h0: np.ndarray, c0: np.ndarray) -> Any:
        start = tuple(zip(c0, h0, strict=True))
        return start if cells > 1 else start[0]

    zeros = np.zeros((cells, N, H), np.float32)
    first = np.zeros((1, N, D), np.float32)
    variables = module.init(jax.random.key(0), first, initial_carry=carried(zeros, zeros))
    flat = flatten_dict(variables, sep="/")
    drawn = {key: draw(seed + n, *array.shape) for n, (key, array) in enumerate(flat.items())}
    write_weights(f"flax_{name}", drawn)

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> tuple[np.ndarray, ...]:
        params = unflatten_dict(drawn, sep="/")
        carry, hs = module.apply(params, x, initial_carry=carried(h0, c0))
        return finished(hs, carry if cells > 1 else (carry,))

    record(f"flax_{name}", MADE_WITH, seed + 500, run, cells, directions)


def write_nnx(name: str, seed: int, *cells: nnx.Module) -> None:
    """Write the state of an RNN of one cell, or of two directions, and its run."""
    rnns = [nnx.RNN(cell, return_carry=True, time_major=True) for cell in cells]
    directions = len(rnns)
    if directions == 2:
        module = nnx.Bidirectional(*rnns, return_carry=True, time_major=True)
    else:
        (module,) = rnns
    weights = dict(nnx.to_flat_state(nnx.state(module, nnx.Param)))
    for n, parameter in enumerate(weights.values()):
        parameter[...] = draw(seed + n, *parameter.shape)
    nnx.update(module, nnx.from_flat_state(weights))
    named = {".".join(map(str, path)): np.asarray(p[...]) for path, p in weights.items()}
    write_weights(f"flax_{name}", named)
    record(
        f"flax_{name}", MADE_WITH, seed + 500, running(module, directions), directions, directions
    )


def running(module: Any, directions: int) -> Run:
    """A run of an NNX layer."""

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> tuple[np.ndarray, ...]:
        start = tuple(zip(c0, h0, strict=True))
        carry, hs = module(x, initial_carry=start if directions == 2 else start[0])
        return finished(hs, carry if directions == 2 else (carry,))

    return run


def finished(hs: Any, carries: Any) -> tuple[np.ndarray, ...]:
    """All hidden states, and the carries as final states, hidden first."""
    return np.asarray(hs), np.stack([h for _, h in carries]), np.stack([c for c, _ in carries])


if __name__ == "__main__":
    main()
