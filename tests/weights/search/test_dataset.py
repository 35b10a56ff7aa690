"""What a dataset holds, and what is said of a folder that is none."""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lstm.errors import MissingExtraError
from lstm.pattern import PatternError
from lstm.pattern_grammar import parse_condition
from tests.datasets import write_dataset
from tests.strategies import make_model
from weights.errors import UnreadableFileError
from weights.search.dataset import open_dataset
from weights.search.hits import Search, find


@pytest.fixture(scope="module")
def traces():
    model = make_model(3, np.float32, hidden_sizes=(3, 5), num_directions=2)
    return [model.run("The cat sat."), model.run("on the mat")]


@pytest.fixture
def folder(traces, tmp_path):
    return write_dataset(tmp_path / "data", traces, ("hidden", "cell"))


def test_what_is_there_is_read_off_the_rows(folder):
    dataset = open_dataset(folder)
    assert dataset.widths == {
        (layer, direction): {"hidden": width, "cell": width}
        for layer, width in ((0, 3), (1, 5))
        for direction in ("forward", "reverse")
    }
    assert (dataset.units, dataset.is_finished) == (None, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("step = 1 and l2.c[0] > 1", "at offset 13: l2.c[0]: expected layer 0 or 1, found 2."),
        ("l0.f[0] > 1", "at offset 0: l0.f[0]: expected quantity c or h, found f."),
        ("l1.reverse.c[5] > 1", "at offset 0: l1.reverse.c[5]: expected unit 0 to 4, found 5."),
        ("l0.c[2] < l0.c[3]", "at offset 10: l0.c[3]: expected unit 0 to 2, found 3."),
    ],
)
def test_what_is_not_there_is_named_with_what_is(folder, text, expected):
    with pytest.raises(PatternError) as caught:
        open_dataset(folder).check(parse_condition(text))
    assert str(caught.value) == f"{expected} {folder} holds no other."


def test_a_direction_or_unit_that_was_not_kept_is_named_too(tmp_path):
    model = make_model(3, np.float32, hidden_sizes=(5, 3))
    write_dataset(tmp_path, [model.run("the mat")], ("cell", "layer_input"), units=(0, 1, 4))
    dataset = open_dataset(tmp_path)
    for text, expected in (
        ("l0.reverse.c[0] > 1", "expected direction forward, found reverse."),
        ("l0.c[2] > 1", "expected unit 0, 1 or 4, found 2."),
        ("l1.c[4] > 1", "expected unit 0 or 1, found 4."),
        ("l1.x[5] > 1", "expected unit 0 to 4, found 5."),
    ):
        with pytest.raises(PatternError) as caught:
            dataset.check(parse_condition(text))
        assert expected in str(caught.value)
    dataset.check(parse_condition("l0.c[4] > l1.x[4]"))


def test_a_folder_may_be_named_like_a_pattern_or_a_quotation(traces, tmp_path):
    folder = write_dataset(tmp_path / "a[1]* '; --?.parquet", traces)
    write_dataset(tmp_path / "a1x '; --y.parquet", traces[:1])  # what the pattern would fit
    hits = list(find(open_dataset(folder), Search(parse_condition("step = 1"))))
    assert [hit[:3] for hit in hits] == [(0, 1, "cat"), (1, 1, "the")]


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    expected = "expected a folder that lstm extract wrote, found no _manifest.json in it."
    for path in (tmp_path, tmp_path / "nowhere", __file__):
        with pytest.raises(UnreadableFileError) as caught:
            open_dataset(type(tmp_path)(path))
        assert str(caught.value) == f"{path}: {expected}"


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ("{", "_manifest.json: expected JSON, found "),
        ("[]", "_manifest.json: expected schema lstm.dataset/1, found None."),
        ('{"schema": "lstm.trace/1"}', "expected schema lstm.dataset/1, found 'lstm.trace/1'."),
        ('{"schema": "lstm.dataset/1", "units": ["a"]}',
         "expected the numbers of the units in _manifest.json, or all, found ['a']."),
    ],
)  # fmt: skip
def test_a_manifest_of_something_else_is_refused(folder, manifest, expected):
    (folder / "_manifest.json").write_text(manifest)
    with pytest.raises(UnreadableFileError) as caught:
        open_dataset(folder)
    assert expected in str(caught.value)


def test_a_dataset_without_parts_or_rows_is_refused(folder):
    part = folder / "part-00000.parquet"
    (folder / "part-00001.parquet").unlink()
    pq.write_table(pq.read_table(part)[:0], part)
    with pytest.raises(UnreadableFileError, match="expected a dataset with steps, found none"):
        open_dataset(folder)
    part.unlink()
    with pytest.raises(UnreadableFileError, match=r"data: expected part files part-\*.parquet"):
        open_dataset(folder)


def test_a_damaged_part_is_an_error_that_names_the_folder(folder):
    part = folder / "part-00001.parquet"
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(UnreadableFileError) as caught:
        list(find(open_dataset(folder), Search(parse_condition("step = 0"))))
    assert str(caught.value).startswith(f"{folder}: expected the part files of a dataset, found: ")
    assert "\n" not in str(caught.value)


def test_parquet_files_of_something_else_are_refused(folder):
    pq.write_table(pa.table({"step": [1], "word": ["a"]}), folder / "part-00000.parquet")
    with pytest.raises(UnreadableFileError) as caught:
        open_dataset(folder)
    assert str(caught.value) == (
        f"{folder}: expected the columns sequence, step, token, layer, direction, "
        "found none named sequence, token, layer, direction."
    )


def test_without_duckdb_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingExtraError) as caught:
        open_dataset(folder)
    assert str(caught.value) == (
        "lstm find needs the package duckdb, which is not installed. "
        "Install the extra: pip install 'lstm-cli[find]'."
    )
