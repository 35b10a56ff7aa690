"""Run Sonnet 2's own LSTM and write its weights.

Run from a checkout, with dm-sonnet, tensorflow-cpu, tf_keras and safetensors:
python tests/golden/make_sonnet.py
What the files hold is told in recording.py.
"""

from __future__ import annotations

import numpy as np
import sonnet as snt
import tensorflow as tf
from recording import D, H, P, by_steps, draw, record, write_weights

MADE_WITH = f"sonnet {snt.__version__}, tensorflow {tf.__version__}"


def main() -> None:
    """Write all files."""
    write("lstm", 1100, snt.LSTM(H))
    write("projection", 1110, snt.LSTM(H, projection_size=P), hidden=P)


def write(name: str, seed: int, core: snt.LSTM, hidden: int = H) -> None:
    """Write a core's variables and its run, step by step."""
    core(tf.zeros((1, D)), core.initial_state(1))
    drawn = {}
    for n, variable in enumerate(core.variables):
        drawn[variable.name.partition(":")[0]] = draw(seed + n, *variable.shape)
        variable.assign(draw(seed + n, *variable.shape))
    write_weights(f"sonnet_{name}", drawn)

    def step(x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
        _, state = core(tf.constant(x), snt.LSTMState(tf.constant(h), tf.constant(c)))
        return state.hidden, state.cell

    record(f"sonnet_{name}", MADE_WITH, seed + 5, by_steps(step), hidden=hidden)


if __name__ == "__main__":
    main()
