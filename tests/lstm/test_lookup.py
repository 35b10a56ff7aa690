"""What a token brings to the gates is computed once, and only for those that come."""

import numpy as np
import pytest

from lstm.embedding import Embedding
from lstm.engines.plain import PlainEngine
from lstm.lookup import Lookup
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters

D, H, V = 2, 3, 7


class Watched(PlainEngine):
    """Keeps count of the vectors that it multiplies."""

    def __init__(self):
        super().__init__()
        object.__setattr__(self, "seen", [])

    def multiply(self, cell, inputs):
        self.seen.append(len(inputs))
        return super().multiply(cell, inputs)


@pytest.fixture
def model():
    random = np.random.default_rng(3)
    shapes = ((4 * H, D), (4 * H, H), (4 * H,))
    cells = [CellParameters(*(random.normal(size=shape) for shape in shapes)) for _ in range(2)]
    embedding = Embedding(random.normal(size=(V, D)))
    return Model(Parameters((LayerParameters(*cells),)), embedding, engine=Watched())


def test_a_token_is_multiplied_once_for_each_direction_and_has_the_bits_that_it_has_alone(model):
    lookup = Lookup(model)
    batches = [np.array([[4, 0, 4], [1, 1, 0]]), np.array([[0, 6]]), np.empty((1, 0), int)]
    found = [lookup.run(ids) for ids in batches]
    # 4, 0 and 1; then only 6; then nothing
    assert model.engine.seen == [3, 3, 1, 1]
    for ids, trace in zip(batches, found, strict=True):
        other = model.run_batch(ids)
        assert (trace.hidden == other.hidden).all()
        assert (trace.layers[0].reverse.pre_input == other.layers[0].reverse.pre_input).all()


def test_a_table_that_would_be_too_large_is_made_anew_for_each_batch(model, monkeypatch):
    monkeypatch.setattr("lstm.lookup.LARGEST_TABLE", V * 4 * H * 8 - 1)
    lookup = Lookup(model)
    for _ in range(2):
        trace = lookup.run(np.array([[4, 0, 4]]))
    assert model.engine.seen == [2, 2, 2, 2]
    assert (trace.hidden == model.run_batch(np.array([[4, 0, 4]])).hidden).all()
