"""The estimate counts sequences, and concludes from some of them to the tokens of all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lstm.errors import LSTMError
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.tokenizers.tokenizer import Vocabulary
from lstm.tokenizers.word import WordTokenizer
from weights.corpus.estimate import Estimate, estimate
from weights.corpus.reading import Source
from weights.corpus.rows import Wanted

CELL = CellParameters(*(np.zeros(shape, np.float32) for shape in ((12, 2), (12, 3), (12,))))
PARAMETERS = Parameters((LayerParameters(CELL),))
# Three numbers of four bytes, and six for what a row is known by.
STEP = 18


def model(*words: str) -> Model:
    return Model(PARAMETERS, tokenizer=WordTokenizer(Vocabulary(words)))


def wanted(steps: slice = slice(None)) -> Wanted:
    return Wanted.of(PARAMETERS, ("cell",), [0], range, lambda size: range(size)[steps], "float32")


def source(folder: Path, lines: list[str], name: str = "x.txt") -> Source:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return Source(name, path)


def test_a_small_corpus_is_counted(tmp_path: Path) -> None:
    sources = [source(tmp_path, ["a b a", "", "b"]), source(tmp_path, ["a a"], "y.txt")]
    assert estimate(model("a", "b"), wanted(), sources) == Estimate(4, 6, 6 * STEP)
    assert estimate(model("a", "b"), wanted(slice(1, None)), sources) == Estimate(4, 6, 3 * STEP)
    assert estimate(model("a"), wanted(), [source(tmp_path, [])]) == Estimate(0, 0, 0)


@pytest.mark.parametrize(
    "lines",
    [
        ["a"] * 9000 + ["a " * 19] * 1000,
        ["a " * 19] * 1000 + ["a"] * 9000,
        ["a", "a " * 19] * 5000,
    ],
    ids=["short first", "long first", "in turn"],
)
def test_the_order_of_the_sequences_makes_no_difference(tmp_path: Path, lines: list[str]) -> None:
    sources = [source(tmp_path, lines)]
    tokens = sum(len(line.split()) for line in lines)
    found = estimate(model("a"), wanted(), sources)
    assert found is not None
    assert found.sequences == 10_000
    assert found.tokens == pytest.approx(tokens, rel=0.05)
    assert found.bytes == pytest.approx(tokens * STEP, rel=0.05)
    last = estimate(model("a"), wanted(slice(-1, None)), sources)
    assert last is not None
    assert last.bytes == 10_000 * STEP


def test_steps_that_every_sequence_has_are_counted_by_sequences(tmp_path: Path) -> None:
    sources = [source(tmp_path, ["a"] * 2990 + ["a " * 40_000] * 10)]
    for steps in (slice(-1, None), slice(1)):
        found = estimate(model("a"), wanted(steps), sources)
        assert found is not None
        assert found.bytes == 3000 * STEP


def test_of_a_long_sequence_the_beginning_is_enough(tmp_path: Path) -> None:
    # the second is cut in the midst of a word, for which no token stands
    for lines in (["a " * 100_000, "a"], ["word " * 100_000, "word"]):
        found = estimate(model("a", "word"), wanted(), [source(tmp_path, lines)])
        assert found is not None
        assert found.tokens == pytest.approx(100_001, rel=0.001)
    with pytest.raises(LSTMError, match=r"x.txt: line 2: token"):
        estimate(model("word"), wanted(), [source(tmp_path, ["word", "unknown"])])


def test_what_is_too_much_is_not_read_to_its_end(tmp_path: Path) -> None:
    sources = [source(tmp_path, ["a a"] * 30_000), source(tmp_path, ["a a"] * 10_000, "y.txt")]
    with sources[1].path.open("ab") as file:
        file.write(b"\xff\n")
    found = estimate(model("a"), wanted(), sources, most=20_000 * STEP - 1)
    assert found is not None
    # the second file ends with what is no text, in three bytes
    assert found.sequences == pytest.approx(40_000, abs=1)
    assert found.tokens == pytest.approx(80_000, abs=2)
    with pytest.raises(LSTMError, match=r"y.txt: line 10001: expected UTF-8"):
        estimate(model("a"), wanted(), sources)
