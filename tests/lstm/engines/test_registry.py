"""Which engine is taken, and why."""

import sys

import numpy as np
import pytest

from lstm.engines import cache, registry
from lstm.engines.registry import choose
from lstm.errors import LSTMError, MissingExtraError
from tests.strategies import make_parameters


@pytest.fixture
def parameters():
    return make_parameters(np.random.default_rng(0), 5, (130,), dtype=np.float32)


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.setattr(cache, "is_compiled", lambda: True)


@pytest.mark.usefixtures("compiled")
def test_a_short_text_is_run_by_numpy_and_a_long_one_by_numba(parameters):
    assert choose("auto", parameters, 10, 1).engine.name == "numpy"
    choice = choose("auto", parameters, 10_000_000, 2)
    assert choice.engine.name == "numba"
    assert choice.engine.threads == 2
    assert choice.reason.endswith("s of work in numpy")


def test_a_kernel_that_is_yet_to_be_compiled_needs_more_work_to_pay(parameters, monkeypatch):
    steps = 80_000
    monkeypatch.setattr(cache, "is_compiled", lambda: False)
    assert choose("auto", parameters, steps, 1).engine.name == "numpy"
    monkeypatch.setattr(cache, "is_compiled", lambda: True)
    assert choose("auto", parameters, steps, 1).engine.name == "numba"


def test_an_input_of_unknown_length_is_run_by_numpy(parameters):
    choice = choose("auto", parameters, None, 1)
    assert (choice.engine.name, choice.reason) == (
        "numpy",
        "the length of the input is not known beforehand",
    )


def test_float64_is_run_by_numpy_and_refused_by_numba():
    parameters = make_parameters(np.random.default_rng(0))
    assert choose("auto", parameters, 10**9, 1).engine.name == "numpy"
    with pytest.raises(LSTMError) as caught:
        choose("numba", parameters, 10, 1)
    assert str(caught.value) == (
        "engine numba: expected a standard cell in float32, found float64."
    )


def test_without_numba_auto_is_numpy_and_asking_for_it_names_the_extra(parameters, monkeypatch):
    monkeypatch.setattr(cache, "is_installed", lambda: False)
    assert choose("auto", parameters, 10**9, 1) == (registry.PLAIN, "numba is not installed")
    with pytest.raises(MissingExtraError, match=r"pip install 'lstm-cli\[fast\]'"):
        choose("numba", parameters, 10, 1)


def test_numba_is_not_imported_to_choose_numpy(parameters, monkeypatch):
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    choose("auto", parameters, 10, 1)
    assert "numba" not in sys.modules


def test_the_cache_has_another_place_for_another_kernel(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert not cache.is_compiled()
    one = cache._folder()
    monkeypatch.setattr(cache, "_SOURCES", ("vectors", "instructions"))
    assert one.parent == tmp_path / "lstm"
    assert cache._folder() != one
