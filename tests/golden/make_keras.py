"""Run Keras' own LSTMs and write their weights, in each kind of file that it writes.

Run from a checkout, with keras, jax, h5py and safetensors: python tests/golden/make_keras.py
What the files hold is told in recording.py.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
from recording import HERE, D, H, Run, draw, record, write_weights

MADE_WITH = f"keras {keras.__version__}, jax {jax.__version__}"
ALL = {"return_sequences": True, "return_state": True}


def main() -> None:
    """Write all files."""
    write("lstm", 100, keras.layers.LSTM(H, **ALL), files=("weights.h5", "h5"))
    write("no_bias", 110, keras.layers.LSTM(H, use_bias=False, **ALL), files=("weights.h5",))
    hard = keras.layers.LSTM(H, recurrent_activation="hard_sigmoid", **ALL)
    write("hard_sigmoid", 120, hard, files=("h5",))
    other = {"activation": "relu", "recurrent_activation": "softsign"}
    write("activations", 170, keras.layers.LSTM(H, **other, **ALL), tensors=False)
    write("stacked", 130, *(keras.layers.LSTM(H, **ALL) for _ in range(2)), files=("h5",))
    both = [keras.layers.Bidirectional(keras.layers.LSTM(H, **ALL)) for _ in range(3)]
    write("bidirectional", 140, both[0], files=("weights.h5", "h5"), directions=2)
    write("bidirectional_stacked", 160, *both[1:], directions=2)
    cells = [keras.layers.LSTMCell(H) for _ in range(2)]
    write("cells", 150, keras.layers.RNN(cells, **ALL), files=("weights.h5",), cells=2)


def write(
    name: str, seed: int, *layers: keras.Layer, files: Sequence[str] = (), directions: int = 1,
    cells: int = 0,
    tensors: bool = True,
) -> None:  # fmt: skip
    """Write a model of these layers as .keras, as `files`, by the paths of its variables; run it.

    Only the sequence goes from layer to layer: the states that `running` wants are dropped here.
    """
    x = y = keras.Input((None, D))
    for layer in layers:
        y = layer(y)[0]
    model = keras.Model(x, y)
    for number, weight in enumerate(model.weights):
        weight.assign(draw(seed + number, *weight.shape))
    for ending in ("keras", *files):
        save = model.save_weights if ending == "weights.h5" else model.save
        save(HERE / f"keras_{name}.{ending}")
    if tensors:
        write_weights(f"keras_{name}", {weight.path: weight.numpy() for weight in model.weights})
    count = cells or len(layers) * directions
    record(f"keras_{name}", MADE_WITH, seed + 50, running(layers), count, directions)


def running(layers: tuple[keras.Layer, ...]) -> Run:
    """A run of all layers, each from its own part of the state."""

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> tuple[np.ndarray, ...]:
        hidden = x.swapaxes(0, 1)
        start = [array for pair in zip(h0, c0, strict=True) for array in pair]
        width = len(start) // len(layers)
        final: list[np.ndarray] = []
        for number, layer in enumerate(layers):
            state = start[number * width : (number + 1) * width]
            if hasattr(getattr(layer, "cell", None), "cells"):
                state = [state[i : i + 2] for i in range(0, width, 2)]
            hidden, *after = layer(hidden, initial_state=state)
            final.extend(np.asarray(a) for a in keras.tree.flatten(after))
        hs = np.asarray(hidden).swapaxes(0, 1)
        return hs, np.stack(final[0::2]), np.stack(final[1::2])

    return run


if __name__ == "__main__":
    main()
