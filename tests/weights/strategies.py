"""Random models, as far as a file can hold them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from lstm.address import Address
from lstm.card import Card, NamedUnit
from lstm.embedding import Embedding
from lstm.head import Head
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.quantities import BY_SYMBOL
from lstm.tokenizers.byte import ByteTokenizer
from lstm.tokenizers.character import CharacterTokenizer
from lstm.tokenizers.huggingface import HuggingFaceTokenizer
from lstm.tokenizers.tokenizer import Tokenizer, Vocabulary
from lstm.tokenizers.word import WordTokenizer

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
SPECIAL = (-0.0, 1e-45, -1e-40, 3.4e38, np.inf, np.nan)  # numbers that a careless copy alters


@st.composite
def parameters(draw: st.DrawFn) -> Parameters:
    fill = draw(fillers())
    directions = draw(st.integers(1, 2))
    width = draw(st.integers(1, 5))
    layers = []
    for size in draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)):
        cells = [
            CellParameters(fill(4 * size, width), fill(4 * size, size), fill(4 * size))
            for _ in range(directions)
        ]
        layers.append(LayerParameters(*cells))
        width = directions * size
    return Parameters(tuple(layers))


@st.composite
def models(draw: st.DrawFn) -> Model:
    stack = draw(parameters())
    fill = draw(fillers(stack.dtype.name))
    words = draw(st.none() | tokenizers())
    embedding = None
    if words is not None or draw(st.booleans()):
        rows = len(words.vocabulary) if words else draw(st.integers(1, 7))
        rows += draw(st.integers(0, 2))
        embedding = Embedding(fill(rows, stack.input_size))
    head = draw(heads(stack, embedding, words, fill))
    return Model(stack, embedding, head, words, draw(cards(stack)))


@st.composite
def heads(draw, stack, embedding, words, fill) -> Head | None:
    kinds = ["none", "labels"] + (["tokens", "tied"] if embedding else [])
    kind = draw(st.sampled_from(kinds))
    if kind == "none":
        return None
    must_project = kind == "tied" and embedding.weight.shape[1] != stack.output_size
    inner = stack.output_size
    projection = projection_bias = None
    if must_project or draw(st.booleans()):
        inner = embedding.weight.shape[1] if kind == "tied" else draw(st.integers(1, 4))
        projection = fill(inner, stack.output_size)
        projection_bias = draw(st.sampled_from([None, fill(inner)]))
    if kind == "labels":
        names = tuple(draw(st.lists(TEXT, min_size=1, max_size=5)))
        bias = draw(st.sampled_from([None, fill(len(names))]))
        weight = fill(len(names), inner)
        return Head(weight, bias, projection, projection_bias, names, predicts_tokens=False)
    rows = embedding.vocabulary_size
    weight = embedding.weight if kind == "tied" else fill(rows, inner)
    names = words.vocabulary.tokens if words and len(words.vocabulary) == rows else None
    bias = draw(st.sampled_from([None, fill(rows)]))
    return Head(weight, bias, projection, projection_bias, names)


@st.composite
def tokenizers(draw: st.DrawFn) -> Tokenizer:
    kind = draw(st.sampled_from(["word", "character", "byte", "huggingface"]))
    if kind == "byte":
        return ByteTokenizer()
    if kind == "huggingface":
        return HuggingFaceTokenizer(huggingface(draw(st.integers(1, 4))))
    tokens = tuple(draw(st.lists(TEXT, min_size=1, max_size=6, unique=True)))
    special = {
        role: draw(st.none() | st.sampled_from(tokens)) for role in ("unknown", "start", "end")
    }
    make = WordTokenizer if kind == "word" else CharacterTokenizer
    return make(Vocabulary(tokens, **special), lowercase=draw(st.booleans()))


def huggingface(size: int) -> str:
    """A tokenizer.json that splits at white space, written by its own library."""
    from tokenizers import Tokenizer as Inner
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = {"[UNK]": 0} | {f"word{n}": n for n in range(1, size)}
    inner = Inner(WordLevel(words, unk_token="[UNK]"))
    inner.pre_tokenizer = Whitespace()
    return str(inner.to_str())


@st.composite
def cards(draw: st.DrawFn, stack: Parameters) -> Card:
    addresses = st.builds(
        Address,
        st.integers(0, stack.num_layers - 1),
        st.sampled_from(list(stack.layers[0].directions)),
        st.sampled_from(list(BY_SYMBOL)),
        st.none() | st.integers(0, 99) | st.builds(slice, st.integers(0, 3), st.integers(4, 9)),
        st.none() | st.integers(0, 99),
    )
    finite = st.floats(allow_nan=False, allow_infinity=False)
    units = st.builds(
        NamedUnit, addresses, TEXT, st.none() | st.floats(0, 1), finite, st.none() | finite
    )
    return Card(
        description=draw(TEXT),
        licence=draw(TEXT),
        origin=draw(TEXT),
        units=tuple(draw(st.lists(units, max_size=3))),
        quality=draw(
            st.dictionaries(TEXT, st.integers(-9, 9) | st.floats(0, 1) | TEXT, max_size=3)
        ),
    )


@st.composite
def fillers(draw: st.DrawFn, dtype: str | None = None):
    """A function from a shape to random numbers, some of them unusual."""
    dtype = dtype or draw(st.sampled_from(["float32", "float64"]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    special = draw(st.sampled_from([*SPECIAL, 0.5]))

    def fill(*shape: int) -> np.ndarray:
        with np.errstate(over="ignore", under="ignore"):
            array = random.standard_normal(shape).astype(dtype)
            array[np.unravel_index(random.integers(array.size), shape)] = special
        return array

    return fill
