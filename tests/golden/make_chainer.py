"""Run Chainer's own LSTMs and write their weights, names from chainer.serializers.

Run from a checkout, with chainer and numpy before 1.24: python tests/golden/make_chainer.py
What the files hold is told in recording.py.
"""

from __future__ import annotations

import chainer
import numpy as np
from chainer import links
from chainer.serializers import DictionarySerializer
from recording import D, H, N, Run, by_steps, draw, record, write_weights

MADE_WITH = f"chainer {chainer.__version__}, numpy {np.__version__}"


def main() -> None:
    """Write all files."""
    write("lstm", 700, links.StatelessLSTM(D, H))
    write("peepholes", 710, links.StatefulPeepholeLSTM(D, H))
    write("nstep", 720, links.NStepLSTM(2, D, H, dropout=0), cells=2)
    write("nstep_both", 750, links.NStepBiLSTM(1, D, H, dropout=0), cells=2, directions=2)
    write("nstep_both_stacked", 770, links.NStepBiLSTM(2, D, H, dropout=0), cells=4, directions=2)


def write(name: str, seed: int, link: chainer.Link, cells: int = 1, directions: int = 1) -> None:
    """Write a link and its run."""
    for n, (_, parameter) in enumerate(sorted(link.namedparams())):
        parameter.array = draw(seed + n, *parameter.shape)
    serializer = DictionarySerializer()
    link.serialize(serializer)
    names = {path.lstrip("/") for path, _ in link.namedparams()}
    write_weights(f"chainer_{name}", {n: a for n, a in serializer.target.items() if n in names})
    run = several_layers(link) if name.startswith("nstep") else one_layer(link)
    record(f"chainer_{name}", MADE_WITH, seed + 500, run, cells, directions)


def one_layer(link: chainer.Link) -> Run:
    """A run of a link of one step."""

    def step(x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if isinstance(link, links.StatelessLSTM):
            c, h = link(chainer.Variable(c), chainer.Variable(h), x)
            return h.array, c.array
        link.c, link.h = chainer.Variable(c), chainer.Variable(h)
        h = link(x)
        return h.array, link.c.array

    return by_steps(step)


def several_layers(link: chainer.Link) -> Run:
    """A run of a link that takes a list of whole sequences."""

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> tuple[np.ndarray, ...]:
        sequences = [np.ascontiguousarray(x[:, n]) for n in range(N)]
        h_n, c_n, hs = link(h0, c0, sequences)
        return np.stack([h.array for h in hs], axis=1), h_n.array, c_n.array

    return run


if __name__ == "__main__":
    main()
