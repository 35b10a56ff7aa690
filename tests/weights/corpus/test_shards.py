"""Where a corpus is cut depends on its texts alone."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from lstm.errors import LSTMError
from weights.corpus import shards as module
from weights.corpus.lines import Text
from weights.corpus.reading import Source
from weights.corpus.shards import Shard, shards


def source(path: Path, text: str) -> Source:
    path.write_text(text)
    return Source(path.name, path)


def texts(found: list[Shard]) -> list[list[str]]:
    return [[text.text for text in shard.texts] for shard in found]


def test_a_shard_holds_so_many_sequences_across_files(tmp_path: Path) -> None:
    sources = [source(tmp_path / "a", "1\n2\n3\n"), source(tmp_path / "b", "4\n5")]
    found = list(shards(sources, 2))
    assert texts(found) == [["1", "2"], ["3", "4"], ["5"]]
    assert [(shard.number, shard.first) for shard in found] == [(0, 0), (1, 2), (2, 4)]
    assert [text.place for text in found[1].texts] == ["a: line 3", "b: line 1"]


def test_long_sequences_end_a_shard_sooner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD_BYTES", 5)
    sources = [source(tmp_path / "a", "123\n45\n6\n123456\n7\n")]
    assert texts(list(shards(sources, 100))) == [["123", "45"], ["6", "123456"], ["7"]]


def test_a_shard_is_the_same_in_another_process(tmp_path: Path) -> None:
    first, second = source(tmp_path / "a", "1\n\n3\n"), source(tmp_path / "b", "4\n5")
    for size in (1, 2, 4, 9):
        for shard in shards([first, second, first, first], size):
            assert pickle.loads(pickle.dumps(shard)) == shard


def test_nothing_has_no_shards(tmp_path: Path) -> None:
    assert list(shards([source(tmp_path / "a", "")], 2)) == []


def test_the_hash_tells_where_one_text_ends() -> None:
    def digest(*words: str) -> str:
        return Shard(0, 0, tuple(Text(word, "", 0) for word in words)).sha256

    several = [("ab",), ("a", "b"), ("", "ab"), ("ab", ""), (), ("1:a",), ("é",)]
    assert len({digest(*words) for words in several}) == len(several)
    assert digest("a", "b") == digest("a", "b")


@pytest.mark.parametrize("change", ["longer", "shorter", "replaced"])
def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "x.txt"
    path.write_text("one two\n" * 9)
    items = Source("x.txt", path).items()
    next(items)
    match change:
        case "longer":
            path.write_text("one two\n" * 10)
        case "shorter":
            os.truncate(path, 20)
        case "replaced":
            (tmp_path / "new").write_text("one two\n" * 9)
            (tmp_path / "new").replace(path)
    with pytest.raises(LSTMError, match=r"x\.txt: expected the file to stay as it is while it is"):
        list(items)
