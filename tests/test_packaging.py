"""What is handed out: types, what a wheel may hold, and which versions it says it works with."""

from importlib.metadata import version
from pathlib import Path

import pytest

from tests.oldest import PROJECT, oldest
from tests.wheel import PACKAGES, missing, strangers

ROOT = Path(__file__).parents[1]


def files():
    return [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_tells_that_it_is_typed(package):
    assert (ROOT / package / "py.typed").read_bytes() == b""
    assert f"{package}/py.typed" in missing([])


@pytest.mark.parametrize(
    "name",
    [
        "tests/reference.py",
        "cli/notes.txt",
        "weights/pretrained/by_hand.py",
        "weights/pretrained/english/train.py",
        "weights/pretrained/english/metrics.json",
        "weights/__pycache__/load.cpython-311.pyc",
        "README.md",
        "torch/__init__.py",
    ],
)
def test_what_has_no_business_in_a_wheel_is_found(name):
    assert strangers([*missing([]), name]) == [name]


def test_what_a_wheel_lacks_is_found():
    names = missing([])
    assert "weights/pretrained/english/model.safetensors" in names
    assert "cli/schemas/trace.schema.json" in names
    assert missing(names[1:]) == names[:1]
    scripts = {name for name in strangers(files()) if "/pretrained/" not in name}
    assert scripts == set()


def test_every_dependency_has_a_lower_bound_that_is_met_here():
    bounds = oldest()
    assert {"numpy", "typer", "torch", "ray", "pyarrow"} < set(bounds)
    for name, bound in bounds.items():
        assert bound is not None, name
    for name in ("numpy", "typer", "rich", "safetensors", "orjson", "ml-dtypes"):
        found, wanted = ([int(n) for n in v.split(".")[:2] if n.isdigit()]
                         for v in (version(name), bounds[name]))  # fmt: skip
        assert found >= wanted[: len(found)], name


def test_extras_and_brackets_are_read_as_pip_reads_them():
    project = {
        "name": "x",
        "dependencies": ["a>=1.2,<3"],
        "optional-dependencies": {"e": ["x[f]", "b[c,d]>=4"], "test": ["t>=5"]},
    }
    assert oldest(project) == {"a": "1.2", "b": "4"}
    assert PROJECT["name"] not in oldest()
