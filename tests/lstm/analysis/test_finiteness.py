"""What of a run is not finite, and where that begins."""

import numpy as np

from lstm.analysis.finiteness import nonfinite
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters


def cell(seed, input_size, size=3):
    random = np.random.default_rng(seed)
    shapes = ((4 * size, input_size), (4 * size, size), (4 * size,))
    return CellParameters(*(random.normal(size=shape) for shape in shapes))


def run(layers, x):
    return Model(Parameters(tuple(layers))).run(vectors=np.array(x))


def test_a_run_of_finite_numbers_has_none():
    assert nonfinite(run([LayerParameters(cell(0, 2))], np.ones((4, 2)))) is None
    assert nonfinite(run([LayerParameters(cell(0, 2))], np.ones((0, 2)))) is None


def test_the_first_is_what_all_else_follows_from():
    layers = [LayerParameters(cell(0, 2)), LayerParameters(cell(1, 3))]
    found = nonfinite(run(layers, [[1, 2], [3, np.inf], [1, 2]]))
    assert repr(found.first) == "l0.x[1]@1"
    assert found.value == np.inf
    assert found.total == 3 * (2 + 14 * 3) + 3 * (3 + 14 * 3)


def test_a_weight_that_is_no_number_shows_in_its_gate():
    broken = cell(0, 2)
    bias = broken.bias.copy()
    bias[3 + 1] = np.nan  # the forget gate of unit 1
    broken = CellParameters(broken.weight_ih, broken.weight_hh, bias)
    found = nonfinite(run([LayerParameters(broken)], [[1, 2]]))
    assert repr(found.first) == "l0.z_f[1]@0"
    # z_f, f, f * c', c, tanh(c), h and y of this unit; other units see it a step later
    assert found.bad == 7


def test_in_reverse_the_last_step_comes_first():
    layers = [LayerParameters(cell(0, 2), cell(1, 2))]
    trace = run(layers, [[1, 2], [3, 1], [1, np.nan], [1, 1]])
    assert repr(nonfinite(trace).first) == "l0.x[1]@2"
    alone = trace.layers[0]._replace(forward=run(layers[:1], np.ones((4, 2))).layers[0].forward)
    found = nonfinite(type(trace)(**{**vars(trace), "layers": (alone,)}))
    assert repr(found.first) == "l0.reverse.x[1]@2"
