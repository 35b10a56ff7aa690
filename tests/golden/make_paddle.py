"""Run PaddlePaddle's own LSTM and write its weights.

Run from a checkout, with paddlepaddle and safetensors: python tests/golden/make_paddle.py
What the files hold is told in recording.py. Every tensor has two names there.
"""

from __future__ import annotations

import numpy as np
import paddle
from paddle import nn
from recording import D, H, P, draw, record, write_weights

MADE_WITH = f"paddle {paddle.__version__}"


def main() -> None:
    """Write all files."""
    write("lstm", 900, nn.LSTM(D, H, time_major=True))
    write("stacked", 910, nn.LSTM(D, H, num_layers=2, time_major=True), cells=2)
    both = nn.LSTM(D, H, direction="bidirect", time_major=True)
    write("bidirectional", 930, both, cells=2, directions=2)
    stack = nn.LSTM(D, H, num_layers=2, direction="bidirect", time_major=True)
    write("bidirectional_stacked", 970, stack, cells=4, directions=2)
    write("projection", 950, nn.LSTM(D, H, proj_size=P, time_major=True), hidden=P)


def write(
    name: str, seed: int, layer: nn.LSTM, cells: int = 1, directions: int = 1, hidden: int = H
) -> None:
    """Write a layer and its run."""
    for n, parameter in enumerate(layer.parameters()):
        parameter.set_value(draw(seed + n, *parameter.shape))
    weights = {key: tensor.numpy() for key, tensor in layer.state_dict().items()}
    write_weights(f"paddle_{name}", weights)
    layer.eval()

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> tuple[np.ndarray, ...]:
        hs, (h_n, c_n) = layer(paddle.to_tensor(x), (paddle.to_tensor(h0), paddle.to_tensor(c0)))
        return hs.numpy(), h_n.numpy(), c_n.numpy()

    record(f"paddle_{name}", MADE_WITH, seed + 15, run, cells, directions, hidden)


if __name__ == "__main__":
    main()
