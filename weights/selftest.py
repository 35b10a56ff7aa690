"""A file that can check itself: an input, and what the LSTM made of it when it was written."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from lstm.errors import LSTMError
from lstm.model import Model
from weights.archive import open_archive
from weights.errors import WeightsError
from weights.loading import load

STEPS = 3
TOLERANCE = 1e-9  # float64 on any two machines agrees more closely


def make(model: Model) -> str:
    """Return the self-test of a model in float64, as JSON: vectors (T, D), and h and c (T, H).

    With a residual connection h is what the top layer hands on.
    """
    shape = (STEPS, model.parameters.input_size)
    vectors = np.random.default_rng(0).normal(size=shape)
    trace = model.run(vectors=vectors)
    record = {
        "vectors": vectors,
        "hidden": np.ascontiguousarray(trace.output),
        "cell": np.ascontiguousarray(trace.cell),
    }
    return orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def verify(path: str) -> float:
    """Run a file's self-test again and return the largest difference, computed in float64.

    Raises:
        WeightsError: the file has no self-test, or one that is malformed.
        LSTMError: the file cannot be read.
    """
    text = open_archive(path).metadata.get("selftest")
    if text is None:
        raise WeightsError("expected a self-test in the file, found none.").at(path)
    model = load(path, dtype="float64")
    try:
        record: dict[str, Any] = orjson.loads(text)
        arrays = {key: np.array(record[key]) for key in ("vectors", "hidden", "cell")}
        trace = model.run(vectors=arrays["vectors"])
        differences = (trace.output - arrays["hidden"], trace.cell - arrays["cell"])
    except (ValueError, KeyError, TypeError, LSTMError) as error:
        raise WeightsError(f"metadata: selftest: malformed ({error}).").at(path) from None
    return max(float(np.abs(difference).max()) for difference in differences)
