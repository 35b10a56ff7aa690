"""What the scripts of this folder share: sizes, random numbers, and the record of a run.

Nothing of this project is imported. Beside each weight file NAME.ENDING, written by the framework
itself, stands a NAME.npz with what the framework computed with it; files of several endings share
one record. It holds

    made_with  the framework and its version, `keras 3.15.1`, and all else that the numbers hang on
    x          (T, N, D)  the input, time first, exact in float32
    h0, c0     (layers * directions, N, H)  the state at the start: never zero
    hs, cs     (T, N, directions * H)  the top layer's hidden states and cell states at every step
               (no cs for several layers of two directions)
    h_n, c_n   the final states, shaped as h0 and c0

Numbers are float32 or float64, as the framework gave them. With a projection, h is P wide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
N, H, D, T, P = 2, 5, 3, 4, 2  # sequences, hidden size, input size, steps, projection size

Arrays = dict[str, Any]
# From x and (h0, c0) to hs, h_n, c_n, shaped as above.
Run = Callable[[np.ndarray, np.ndarray, np.ndarray], Sequence[np.ndarray]]


def draw(seed: int, *shape: int, scale: float = 0.6) -> np.ndarray:
    """Random float32 numbers: weights, biases too, that no gate saturates on."""
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype(np.float32)


def given(seed: int, cells: int, hidden: int = H) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An input, and a state of so many cells: hidden states within -1 and 1, as all are."""
    h0 = np.tanh(draw(seed + 1, cells, N, hidden, scale=1))
    return draw(seed, T, N, D, scale=1), h0, draw(seed + 2, cells, N, H, scale=1)


def record(
    name: str, made_with: str, seed: int, run: Run, cells: int = 1, directions: int = 1,
    hidden: int = H,
) -> None:  # fmt: skip
    """Run a framework's layer and write what it was given and what came out.

    A layer gives its final cell state only. At the end of the first t steps that is the forward
    direction's at step t, and the reverse direction's of the last steps is that of the first of
    them: so every cell state is had from the framework itself. Not for several layers of two
    directions, where each needs the whole sequence below: there is no `cs` then.
    """
    x, h0, c0 = given(seed, cells, hidden)
    hs, h_n, c_n = run(x, h0, c0)
    assert hs.shape == (T, N, directions * hidden)
    arrays = {"x": x, "h0": h0, "c0": c0, "hs": hs, "h_n": h_n, "c_n": c_n}
    if directions == 1 or cells == 2:
        parts = [[run(x[: t + 1], h0, c0)[2][-directions] for t in range(T)]]
        if directions == 2:
            parts.append([run(x[t:], h0, c0)[2][-1] for t in range(T)])
        arrays["cs"] = np.concatenate(parts, axis=-1)
        assert arrays["cs"].shape == (T, N, directions * H)
    ready = {key: np.asarray(array) for key, array in arrays.items()}
    assert all(array.dtype in (np.float32, np.float64) for array in ready.values())
    np.savez_compressed(HERE / f"{name}.npz", made_with=made_with, **ready)


def by_steps(step: Callable[[np.ndarray, Any, Any], tuple[Any, Any]]) -> Run:
    """A run of one cell that goes step by step, from x_t, h and c to the new h and c."""

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> Sequence[np.ndarray]:
        h, c = h0[0], c0[0]
        hs = []
        for x_t in x:
            h, c = step(x_t, h, c)
            hs.append(np.asarray(h))
        return np.stack(hs), np.asarray(h)[np.newaxis], np.asarray(c)[np.newaxis]

    return run


def write_weights(name: str, arrays: Arrays) -> None:
    """Write tensors under the framework's own names."""
    from safetensors.numpy import save_file

    ready = {key: np.ascontiguousarray(array) for key, array in arrays.items()}
    save_file(ready, HERE / f"{name}.safetensors")
