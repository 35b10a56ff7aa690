"""Run the LSTM cells of TensorFlow 1 and write their weights, as variables of a graph.

Run from a checkout, with tensorflow-cpu, tf_keras and safetensors:
python tests/golden/make_tensorflow.py
What the files hold is told in recording.py. Today's TensorFlow still has these cells, in
compat.v1, where tf_keras is installed.
"""

from __future__ import annotations

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow
from recording import D, H, N, P, draw, record, write_weights

tf = tensorflow.compat.v1
rnn_cell = tf.nn.rnn_cell
MADE_WITH = f"tensorflow {tensorflow.__version__}, compat.v1"


def main() -> None:
    """Write all files."""
    tf.disable_eager_execution()
    write("basic", 1000, rnn_cell.BasicLSTMCell(H))
    write("no_forget_bias", 1010, rnn_cell.BasicLSTMCell(H, forget_bias=0.0))
    write("lstm", 1020, rnn_cell.LSTMCell(H))
    write("peepholes", 1030, rnn_cell.LSTMCell(H, use_peepholes=True))
    write("projection", 1040, rnn_cell.LSTMCell(H, num_proj=P), hidden=P)
    clips = {"cell_clip": 0.3, "num_proj": P, "proj_clip": 0.1}
    write("clips", 1050, rnn_cell.LSTMCell(H, use_peepholes=True, **clips), hidden=P)
    cells = rnn_cell.MultiRNNCell([rnn_cell.LSTMCell(H) for _ in range(2)])
    write("stacked", 1060, cells, layers=2)
    both = rnn_cell.LSTMCell(H), rnn_cell.LSTMCell(H)
    write("bidirectional", 1070, *both)


def write(name: str, seed: int, *cells: rnn_cell.RNNCell, layers: int = 1, hidden: int = H) -> None:
    """Write the variables of one cell, or of one for each direction, and its run."""
    directions = len(cells)
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, (None, N, D))
        count = layers * directions
        h0, c0 = (
            tf.placeholder(tf.float32, (count, N, hidden)),
            tf.placeholder(tf.float32, (count, N, H)),
        )
        start = [rnn_cell.LSTMStateTuple(c0[k], h0[k]) for k in range(count)]
        if directions == 2:
            hs, final = tf.nn.bidirectional_dynamic_rnn(*cells, x, None, *start, time_major=True)
            hs = tf.concat(hs, axis=-1)
        else:
            state = tuple(start) if layers > 1 else start[0]
            hs, final = tf.nn.dynamic_rnn(*cells, x, None, state, time_major=True)
        final = final if count > 1 else [final]
        results = [hs, tf.stack([s.h for s in final]), tf.stack([s.c for s in final])]
        drawn = {}
        for n, variable in enumerate(tf.global_variables()):
            drawn[variable.op.name] = draw(seed + n, *variable.shape)
            variable.load(drawn[variable.op.name], session)
        write_weights(f"tensorflow_{name}", drawn)

        def run(*given: np.ndarray) -> tuple[np.ndarray, ...]:
            return session.run(results, dict(zip((x, h0, c0), given, strict=True)))

        record(f"tensorflow_{name}", MADE_WITH, seed + 7, run, count, directions, hidden)


if __name__ == "__main__":
    main()
