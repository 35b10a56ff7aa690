"""A file that can check itself: an input, and what the LSTM made of it when it was written.

The metadata's `selftest` is JSON: `vectors` (T, D), the top layer's `hidden` and `cell` (T, H),
all in float64, null where a number is not finite; and `sha256`, the hash of every quantity of the
run. What is hashed are the float64 numbers, little-endian, of layer after layer, in each forward
before reverse, in each the quantities in the order of `lstm.quantities`, in each step after step.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np
import orjson

from lstm.arrays import Floats
from lstm.errors import LSTMError
from lstm.model import Model
from lstm.quantities import NAMES
from lstm.trace import Trace
from weights.containers.safetensors import open_archive
from weights.documents import parse
from weights.errors import WeightsError
from weights.loading import load

STEPS = 3
TOLERANCE = 1e-9  # float64 on any two machines agrees more closely


class Outcome(NamedTuple):
    """What a self-test found.

    `same_bits`: every number of the run is the one that it was; None where the file has no hash.
    `difference`: the largest one between the top layer's states and those in the file.
    """

    same_bits: bool | None
    difference: float

    @property
    def passed(self) -> bool:
        """Whether the states are those in the file; sums differ between machines, a little."""
        return self.difference <= TOLERANCE


def make(model: Model) -> str:
    """Return the self-test of a model in float64, as JSON: vectors (T, D), and h and c (T, H).

    With a residual connection h is what the top layer hands on.
    """
    shape = (STEPS, model.parameters.input_size)
    vectors = np.random.default_rng(0).normal(size=shape)
    trace = _run(model, vectors)
    record = {
        "vectors": vectors,
        "hidden": np.ascontiguousarray(trace.output),
        "cell": np.ascontiguousarray(trace.cell),
        "sha256": fingerprint(trace),
    }
    return orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def fingerprint(trace: Trace) -> str:
    """Return the hash of every quantity of a run, in hexadecimal."""
    digest = hashlib.sha256()
    for layer in trace.layers:
        for record in layer.directions:
            for name in NAMES:
                digest.update(getattr(record, name).astype("<f8").tobytes())
    return digest.hexdigest()


def verify(path: str) -> Outcome:
    """Run a file's self-test again, computed in float64.

    Raises:
        WeightsError: the file has no self-test, or one that is malformed.
        LSTMError: the file cannot be read.
    """
    text = open_archive(path).metadata.get("selftest")
    if text is None:
        raise WeightsError("expected a self-test in the file, found none.").at(path)
    model = load(path, dtype="float64", allow_nonfinite=True)
    try:
        record: dict[str, Any] = parse(text)
        vectors, hidden, cell = (
            np.array(record[key], np.float64) for key in ("vectors", "hidden", "cell")
        )
        trace = _run(model, vectors)
        difference = max(
            largest_difference(trace.output, hidden), largest_difference(trace.cell, cell)
        )
        same = fingerprint(trace) == record["sha256"] if "sha256" in record else None
    except (ValueError, KeyError, TypeError, LSTMError) as error:
        raise WeightsError(f"metadata: selftest: malformed ({error}).").at(path) from None
    return Outcome(same, difference)


@np.errstate(over="ignore", invalid="ignore")
def _run(model: Model, vectors: Floats) -> Trace:
    return model.run(vectors=vectors)


def largest_difference(found: Floats, stored: Floats) -> float:
    """The largest difference; infinite where one is a number and the other is none."""
    if stored.shape != found.shape:
        raise ValueError(f"expected {found.shape} numbers, found {stored.shape}")
    finite = np.isfinite(found)
    if not np.array_equal(finite, np.isfinite(stored)):
        return float("inf")
    return float(np.abs(found[finite] - stored[finite]).max(initial=0))
