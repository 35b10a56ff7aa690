"""Run MXNet's own LSTM and write its weights, by the names of Gluon and of Module.

Run from a checkout, with mxnet, numpy before 1.24 and safetensors:
python tests/golden/make_mxnet.py
What the files hold is told in recording.py.
"""

from __future__ import annotations

import mxnet as mx
import numpy as np
from mxnet import nd
from mxnet.gluon import rnn
from recording import D, H, P, draw, record, write_weights

MADE_WITH = f"mxnet {mx.__version__}"


def main() -> None:
    """Write all files."""
    write("gluon", 1400, rnn.LSTM(H, input_size=D))
    write("module", 1410, rnn.LSTM(H, input_size=D, prefix="lstm_"), of_module=True)
    write("stacked", 1420, rnn.LSTM(H, num_layers=2, input_size=D), cells=2)
    both = rnn.LSTM(H, bidirectional=True, input_size=D)
    write("bidirectional", 1430, both, cells=2, directions=2)
    write("projection", 1450, rnn.LSTM(H, projection_size=P, input_size=D), hidden=P)


def write(
    name: str, seed: int, layer: rnn.LSTM, cells: int = 1, directions: int = 1, hidden: int = H,
    of_module: bool = False,
) -> None:  # fmt: skip
    """Write a layer's parameters and its run."""
    layer.initialize()
    named = layer.collect_params() if of_module else layer._collect_params_with_prefix()
    drawn = {key: draw(seed + n, *p.shape) for n, (key, p) in enumerate(named.items())}
    for key, parameter in named.items():
        parameter.set_data(nd.array(drawn[key]))
    write_weights(f"mxnet_{name}", drawn)

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> tuple[np.ndarray, ...]:
        hs, (h_n, c_n) = layer(nd.array(x), [nd.array(h0), nd.array(c0)])
        return hs.asnumpy(), h_n.asnumpy(), c_n.asnumpy()

    record(f"mxnet_{name}", MADE_WITH, seed + 500, run, cells, directions, hidden)


if __name__ == "__main__":
    main()
