"""What has changed since a dataset was begun."""

from __future__ import annotations

import pytest

from weights.corpus.dataset import changes

BEFORE = {
    "model": {"sha256": "a" * 64, "source": "here"},
    "units": [1, 2],
    "inputs": [{"name": "x", "bytes": 5}],
    "steps": "all",
}


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ({}, []),
        ({"model": {"sha256": "a" * 64, "source": "there"}}, []),
        ({"inputs": [{"name": "y", "bytes": 5}]}, []),
        ({"steps": "last"}, ["steps was all, is last"]),
        ({"units": [1, 2, 3]}, ["units was [1,2], is [1,2,3]"]),
        ({"units": "all"}, ["units was [1,2], is all"]),
        ({"inputs": [{"name": "x", "bytes": 6}]}, ["inputs.0.bytes was 5, is 6"]),
        ({"inputs": []}, ["inputs.0 was {\"name\":\"x\",\"bytes\":5}, is nothing"]),
        ({"inputs": [{"name": "x", "bytes": 5}, {"name": "z", "bytes": 1}]},
         ["inputs.1 was nothing, is {\"name\":\"z\",\"bytes\":1}"]),
        ({"model": {"sha256": "b" * 64}}, [f"model.sha256 was {'a' * 16}…, is {'b' * 16}…"]),
        ({"options": {"forget_bias": 1.0}}, ["options was nothing, is {\"forget_bias\":1.0}"]),
    ],
)  # fmt: skip
def test_each_change_is_named_with_both_sides(now, found):
    assert changes(BEFORE, {**BEFORE, **now}) == found
