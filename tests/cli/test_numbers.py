"""The numbers themselves: exact, alike at every run and on any number of threads, no warning."""

from io import BytesIO
from itertools import chain

import mpmath
import numpy as np
import pytest

from lstm.embedding import Embedding
from lstm.head import Head
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.tokenizers.tokenizer import Vocabulary
from lstm.tokenizers.word import WordTokenizer
from lstm.variants import Variant
from weights import save

INPUTS, UNITS, STEPS = 2, 3, 200
PRECISE = 60  # decimal digits
LARGEST = float(np.finfo(np.float32).max)


def exact(array):
    """The array's numbers as they are, in lists of numbers of many digits."""
    return [exact(row) for row in array] if np.ndim(array) else mpmath.mpf(float(array))


def times(matrix, vector):
    return [mpmath.fdot(row, vector) for row in matrix]


def sigmoid(z):
    return 1 / (1 + mpmath.exp(-z))


def run_precisely(cell, inputs):
    """Take the steps of Hochreiter and Schmidhuber with a forget gate, and what a variant adds.

    Written from the equations, in numbers of `PRECISE` digits: h and c after every step.
    """
    w, u, b = exact(cell.weight_ih), exact(cell.weight_hh), exact(cell.bias)
    peepholes = [
        getattr(cell.variant, f"peephole_{gate}") for gate in ("input", "forget", "output")
    ]
    peep = [[0] * UNITS if one is None else exact(one) for one in peepholes]
    projection = None if cell.variant.projection is None else exact(cell.variant.projection)
    h, c = [mpmath.mpf(0)] * cell.output_size, [mpmath.mpf(0)] * UNITS
    hidden, cells = [], []
    for x in exact(inputs):
        z = [sum(each) for each in zip(times(w, x), times(u, h), b, strict=True)]
        new, out = [], []
        for k in range(UNITS):
            i = sigmoid(z[k] + peep[0][k] * c[k])
            f = sigmoid(z[UNITS + k] + peep[1][k] * c[k])
            g = mpmath.tanh(z[2 * UNITS + k])
            if cell.variant.coupled == "input":
                i = 1 - f
            new.append(f * c[k] + i * g)
            o = sigmoid(z[3 * UNITS + k] + peep[2][k] * new[k])
            out.append(o * mpmath.tanh(new[k]))
        c, h = new, times(projection, out) if projection is not None else out
        hidden.append(h)
        cells.append(c)
    return hidden, cells


def cell_of(random, input_size, width=UNITS, **variant):
    def numbers(*shape):
        return random.normal(size=shape) / 2

    made = {
        name: value if isinstance(value, str) else numbers(*value)
        for name, value in variant.items()
    }
    rows = 4 * UNITS
    return CellParameters(
        numbers(rows, input_size), numbers(rows, width), numbers(rows), Variant(**made)
    )


VARIANTS = {
    "standard": {},
    "peepholes": {f"peephole_{gate}": (UNITS,) for gate in ("input", "forget", "output")},
    "coupled": {"coupled": "input"},
    "projection": {"width": 2, "projection": (2, UNITS)},
}


@pytest.mark.parametrize("kind", VARIANTS)
def test_in_float64_two_hundred_steps_agree_with_sixty_digits_to_1e_13(done, tmp_path, kind):
    random = np.random.default_rng(5)
    first = cell_of(random, INPUTS, **VARIANTS[kind])
    second = cell_of(random, first.output_size, **VARIANTS[kind])
    stack = Parameters((LayerParameters(first), LayerParameters(second)))
    save(tmp_path / "x.safetensors", Model(stack))
    inputs = random.normal(size=(STEPS, INPUTS))
    np.save(tmp_path / "x.npy", inputs)
    done("run", "--vectors", tmp_path / "x.npy", "-w", tmp_path / "x.safetensors",
         "--dtype", "float64", "-o", tmp_path / "x.npz")  # fmt: skip
    with mpmath.workdps(PRECISE), np.load(tmp_path / "x.npz") as found:
        for layer, cell in enumerate((first, second)):
            hidden, cells = run_precisely(cell, inputs)
            for name, expected in (("hidden", hidden), ("cell", cells)):
                array = found[f"sequences.0.layers.{layer}.forward.{name}"]
                assert array.shape == np.shape(expected)
                assert array.dtype == np.float64
                errors = [
                    abs(mpmath.mpf(float(one)) - other)
                    for one, other in zip(array.flat, chain(*expected), strict=True)
                ]
                assert max(errors) < 1e-13
            inputs = hidden


@pytest.fixture(scope="module")
def overflowing(tmp_path_factory):
    """One unit, whose pre-activations are all far beyond float32, with the sign of the word."""
    path = tmp_path_factory.mktemp("overflowing") / "x.safetensors"
    full = np.full((4, 1), LARGEST, np.float32)
    cell = CellParameters(full, np.zeros((4, 1), np.float32), np.zeros(4, np.float32))
    words = ("up", "down")
    save(path, Model(
        Parameters((LayerParameters(cell),)),
        Embedding(np.array([[LARGEST], [-LARGEST]], np.float32)),
        Head(np.array([[LARGEST], [-LARGEST]], np.float32), names=words),
        WordTokenizer(Vocabulary(words)),
    ))  # fmt: skip
    return path


EXPECTED = {
    "pre_forget": [np.inf, np.inf, -np.inf, np.inf],
    "forget": [1, 1, 0, 1],
    "input": [1, 1, 0, 1],
    "candidate": [1, 1, -1, 1],
    "output": [1, 1, 0, 1],
    "cell": [1, 2, 0, 1],
}


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_weights_that_overflow_shut_and_open_the_gates_for_good(done, overflowing, engine):
    shown = done(
        "run", "up up down up", "-w", overflowing, "--engine", engine, "-f", "npz", "--show", "all"
    )
    with np.load(BytesIO(shown.data)) as found:
        arrays = {n: found[f"sequences.0.layers.0.forward.{n}"][:, 0].tolist() for n in EXPECTED}
    # the kernel's sigmoid ends at the smallest normal number, not at 0
    for name, expected in EXPECTED.items():
        assert arrays[name] == pytest.approx(expected, rel=0, abs=1e-37)
    hidden = np.tanh(np.float32(EXPECTED["cell"])) * EXPECTED["output"]
    with np.load(BytesIO(shown.data)) as found:
        assert found["sequences.0.layers.0.forward.hidden"][:, 0] == pytest.approx(hidden, abs=1e-7)


COMMANDS = {
    "run": ["run", "{text}"],
    "page": ["run", "{text}", "-f", "html"],
    "numba": ["run", "{text}", "--engine", "numba", "--json", "--show", "all"],
    "explain": ["explain", "{text}"],
    "explain at": ["explain", "{text}", "--at", "l0.c[0]"],
    "memory": ["memory", "{text}"],
    "memory of": ["memory", "{text}", "--of", "logit({word})"],
    "sweep": ["sweep", "{text}", "--metric", "logit({word})"],
    "contrast": ["contrast", "{text}", "{word}"],
    "generate": ["generate", "{word}", "--steps", "4", "--temperature", "1e-30"],
    "plot": ["plot", "{text}", "-o", "{}/x.svg"],
    "ledger": ["plot", "{text}", "--what", "ledger", "-o", "{}/x.svg"],
    "golden": ["golden", "{text}"],
    "extract": ["extract", "{}/lines.txt", "-o", "{}/states", "--show", "all", "--half"],
    "inspect": ["inspect", "{weights}", "--stats"],
    "convert": ["convert", "{weights}", "{}/x.safetensors", "--to", "keras"],
    "compare": ["compare", "{weights}", "{weights}", "{text}"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("model", ["overflowing", "infinite"])
def test_no_warning_of_floating_point_reaches_the_user(lstm, request, tmp_path, model, command):
    weights = request.getfixturevalue(model)
    text, word = "up up down up", "down"
    if model == "infinite" and "{word}" in "".join(COMMANDS[command][2:]):
        pytest.skip("it has no head")
    (tmp_path / "lines.txt").write_text(f"{text}\n{word}\n")
    given = [w.format(tmp_path, text=text, word=word, weights=weights) for w in COMMANDS[command]]
    if "{weights}" not in COMMANDS[command]:
        given += ["-w", weights]
    result = lstm(*given, env={"PYTHONWARNINGS": "always::RuntimeWarning"})
    assert "Warning" not in result.stderr
    assert "Traceback" not in result.stderr
    assert result.code in (0, 1, 3)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Large enough for every library to share the work among threads: D = 300, H = 513."""
    folder = tmp_path_factory.mktemp("large")
    random = np.random.default_rng(11)
    shapes = ((4 * 513, 300), (4 * 513, 513), (4 * 513,))
    weights = [random.normal(size=shape).astype(np.float32) / 20 for shape in shapes]
    save(folder / "x.safetensors", Model(Parameters((LayerParameters(CellParameters(*weights)),))))
    np.save(folder / "x.npy", random.normal(size=(2, 9, 300)).astype(np.float32))
    return ("--vectors", folder / "x.npy", "-w", folder / "x.safetensors")


@pytest.mark.parametrize(
    "engine",
    [("numpy", "float32"), ("numpy", "float64"), ("numba", "float32")],
    ids=lambda engine: "-".join(engine),
)
def test_every_run_on_any_number_of_threads_gives_the_same_bits(done, large, engine):
    given = ("run", *large, "--engine", engine[0], "--dtype", engine[1], "-f", "npz")
    threads = ("1", "2", "3", "2")
    found = set()
    for count in threads:
        env = {f"{name}_NUM_THREADS": count for name in ("OPENBLAS", "OMP", "MKL", "NUMBA")}
        more = ("--threads", count) if engine[0] == "numba" else ()
        found.add(done(*given, *more, env=env).data)
    assert len(found) == 1
