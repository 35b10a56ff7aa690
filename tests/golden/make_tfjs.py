"""Run TensorFlow.js' own LSTM layer in node and write its model.json.

Run from a checkout, with node, numpy and, in NODE_PATH, npm's @tensorflow/tfjs:
python tests/golden/make_tfjs.py
What the files hold is told in recording.py. node does the work: make_tfjs.js.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

import numpy as np
from recording import HERE, D, H, draw, given, record


def main() -> None:
    """Write all files."""
    write("lstm", 1200, recurrentActivation="sigmoid")
    write("defaults", 1210)  # hardSigmoid, of the old kind


def write(name: str, seed: int, **config: Any) -> None:
    """Write a layer as a model, and its run."""
    shapes = (D, 4 * H), (H, 4 * H), (4 * H,)
    weights = [draw(seed + n, *shape).tolist() for n, shape in enumerate(shapes)]
    asked = {"config": {"units": H, **config}, "weights": weights}

    def run(x: np.ndarray, h0: np.ndarray, c0: np.ndarray) -> tuple[np.ndarray, ...]:
        answer = node(**asked, x=x.tolist(), h0=h0[0].tolist(), c0=c0[0].tolist())
        hs, h, c = (np.array(answer[key], np.float32) for key in ("hs", "h", "c"))
        return hs, h[np.newaxis], c[np.newaxis]

    x, h0, c0 = (array.tolist() for array in given(seed + 5, 1))
    place = str(HERE / f"tfjs_{name}")
    version = node(**asked, x=x, h0=h0[0], c0=c0[0], save=place)["version"]
    record(f"tfjs_{name}", f"tfjs {version}", seed + 5, run)


def node(**asked: Any) -> dict[str, Any]:
    """Ask TensorFlow.js."""
    command = ["node", str(HERE / "make_tfjs.js")]
    done = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout[done.stdout.index("{") :])  # after a greeting


if __name__ == "__main__":
    main()
