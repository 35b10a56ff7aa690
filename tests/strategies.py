"""What the tests are run on: cells, stacks, inputs, states. All sizes of one case differ.

Numbers come from a generator whose seed Hypothesis draws: a case shrinks to fewer steps and
smaller sizes, and never to weights so plain (all zero, all equal) that a swapped axis or gate
would not show.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from lstm.embedding import Embedding
from lstm.head import Head
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.state import ModelState
from lstm.tokenizers.tokenizer import Vocabulary
from lstm.tokenizers.word import WordTokenizer

few = settings(max_examples=25, deadline=None)

WORDS = ("the", "cat", "sat", "on", "mat", ".", "<unk>")
TEXT = "The cat sat on the mat."

Random = np.random.Generator


class Case(NamedTuple):
    """A stack with something to read: vectors (T, D) and a state that is not zero."""

    parameters: Parameters
    vectors: np.ndarray
    state: ModelState

    @property
    def num_steps(self) -> int:
        return len(self.vectors)


def make_cell(
    random: Random, input_size: int = 2, hidden_size: int = 3, dtype: Any = np.float64
) -> CellParameters:
    """A cell whose every number is another one."""
    rows = 4 * hidden_size
    return CellParameters(
        random.normal(size=(rows, input_size)).astype(dtype),
        (random.normal(size=(rows, hidden_size)) / np.sqrt(hidden_size)).astype(dtype),
        random.normal(size=rows).astype(dtype),
    )


def make_parameters(
    random: Random,
    input_size: int = 2,
    hidden_sizes: tuple[int, ...] = (3,),
    num_directions: int = 1,
    dtype: Any = np.float64,
) -> Parameters:
    """A stack with one layer per hidden size."""
    layers: list[LayerParameters] = []
    for size in hidden_sizes:
        cells = [make_cell(random, input_size, size, dtype) for _ in range(num_directions)]
        layers.append(LayerParameters(*cells))
        input_size = num_directions * size
    return Parameters(tuple(layers))


def make_state(
    random: Random, parameters: Parameters, num_sequences: int | None = None
) -> ModelState:
    """A state with h != c != 0, one for any sequence or one for each."""
    leading = () if num_sequences is None else (num_sequences,)
    arrays: dict[str, np.ndarray] = {}
    for number, layer in enumerate(parameters.layers):
        for direction, cell in layer.directions.items():
            shape = (*leading, cell.hidden_size)
            arrays[f"layers.{number}.{direction}.hidden"] = random.uniform(-1, 1, shape)
            arrays[f"layers.{number}.{direction}.cell"] = random.uniform(-3, 3, shape)
    return ModelState.from_arrays(arrays, parameters)


def make_model(seed: int = 0, dtype: Any = np.float64, **sizes: Any) -> Model:
    """A model with everything: seven words, D = 2, H = 3 unless told otherwise."""
    random = np.random.default_rng(seed)
    parameters = make_parameters(random, dtype=dtype, **sizes)
    return Model(
        parameters,
        Embedding(random.normal(size=(len(WORDS), parameters.input_size)).astype(dtype)),
        Head(
            random.normal(size=(len(WORDS), parameters.output_size)).astype(dtype),
            random.normal(size=len(WORDS)).astype(dtype),
            names=WORDS,
        ),
        WordTokenizer(Vocabulary(WORDS, unknown="<unk>"), lowercase=True),
    )


randoms = st.integers(0, 2**32 - 1).map(np.random.default_rng)
dtypes = st.sampled_from([np.float32, np.float64])
one_or_two = st.sampled_from([1, 2])
lengths = st.sampled_from([8, 9, 11])


@st.composite
def cells(draw: st.DrawFn, dtypes: st.SearchStrategy[Any] = dtypes) -> CellParameters:
    """One cell, D and H different."""
    input_size, hidden_size = draw(st.permutations([1, 2, 3, 5]))[:2]
    return make_cell(draw(randoms), input_size, hidden_size, draw(dtypes))


@st.composite
def stacks(
    draw: st.DrawFn,
    dtypes: st.SearchStrategy[Any] = dtypes,
    num_directions: st.SearchStrategy[int] = one_or_two,
) -> Parameters:
    """One to three layers, one or two directions; D and every H different."""
    input_size, *hidden_sizes = draw(st.permutations([1, 2, 3, 5, 7]))
    number = draw(st.integers(1, 3))
    return make_parameters(
        draw(randoms), input_size, tuple(hidden_sizes[:number]), draw(num_directions), draw(dtypes)
    )


@st.composite
def turned(draw: st.DrawFn) -> Parameters:
    """One to three layers of one direction, each of them forward or reverse."""
    stack = draw(stacks(num_directions=st.just(1)))
    names = [draw(st.sampled_from(["forward", "reverse"])) for _ in stack.layers]
    return Parameters(
        tuple(
            LayerParameters(**{name: layer.first})
            for name, layer in zip(names, stack.layers, strict=True)
        )
    )


@st.composite
def connected(draw: st.DrawFn) -> Parameters:
    """Two or three layers, with independent directions or a residual connection, or both."""
    residual, independent = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
    num_directions = 2 if independent else draw(one_or_two)
    handed_on = 1 if independent else num_directions
    width, *sizes = draw(st.permutations([1, 2, 3, 5]))
    sizes = sizes[:1] * 3 if residual else sizes
    random, layers = draw(randoms), []
    for size in sizes[: draw(st.integers(2, 3))]:
        cells = [make_cell(random, width, size) for _ in range(num_directions)]
        layers.append(LayerParameters(*cells))
        width = handed_on * size
    return Parameters(tuple(layers), independent, residual)


@st.composite
def cases(
    draw: st.DrawFn,
    dtypes: st.SearchStrategy[Any] = dtypes,
    num_directions: st.SearchStrategy[int] = one_or_two,
    num_steps: st.SearchStrategy[int] = lengths,
    parameters: st.SearchStrategy[Parameters] | None = None,
) -> Case:
    """A stack, its input and its state; no width is equal to T."""
    stack = parameters if parameters is not None else stacks(dtypes, num_directions)
    parameters, random = draw(stack), draw(randoms)
    shape = (draw(num_steps), parameters.input_size)
    vectors = random.normal(size=shape).astype(parameters.dtype)
    return Case(parameters, vectors, make_state(random, parameters))
