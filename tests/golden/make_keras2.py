"""Run the LSTMs of Keras 2, as tf_keras has them today, and write their weights.

Run from a checkout, with tensorflow-cpu, tf_keras and safetensors:
python tests/golden/make_keras2.py
What the files hold is told in recording.py. The hard sigmoid is the one of before Keras 3.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras as keras
from recording import HERE, D, H, draw, record, write_weights

MADE_WITH = f"tf_keras {keras.__version__}, tensorflow {tf.__version__}"
ALL = {"return_sequences": True, "return_state": True}


def main() -> None:
    """Write all files."""
    write("lstm", 1300, keras.layers.LSTM(H, **ALL))
    write("hard_sigmoid", 1310, keras.layers.LSTM(H, recurrent_activation="hard_sigmoid", **ALL))
    both = keras.layers.Bidirectional(keras.layers.LSTM(H, **ALL))
    write("bidirectional", 1320, both, directions=2)


def write(name: str, seed: int, layer: keras.layers.Layer, directions: int = 1) -> None:
    """Write a model of one layer as .h5, as .keras and by its variables' names, and its run."""
    x = keras.Input((None, D))
    model = keras.Model(x, layer(x)[0])
    for number, weight in enumerate(model.weights):
        weight.assign(draw(seed + number, *weight.shape))
    for ending in ("h5", "keras"):
        model.save(HERE / f"keras2_{name}.{ending}")
    write_weights(f"keras2_{name}", {weight.name: weight.numpy() for weight in model.weights})

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> tuple[np.ndarray, ...]:
        start = [tf.constant(a) for pair in zip(h0, c0, strict=True) for a in pair]
        hs, *final = layer(tf.constant(x.swapaxes(0, 1)), initial_state=start)
        hs, *final = (array.numpy() for array in (hs, *final))
        return hs.swapaxes(0, 1), np.stack(final[0::2]), np.stack(final[1::2])

    record(f"keras2_{name}", MADE_WITH, seed + 500, run, directions, directions)


if __name__ == "__main__":
    main()
