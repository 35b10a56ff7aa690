"""The fuzzer itself: the same seed gives the same files, and what breaks a promise is noticed."""

from __future__ import annotations

import sys
import time
from random import Random

import numpy as np
import pytest

from lstm.errors import LSTMError
from tests.fuzz.attempt import Attempts
from tests.fuzz.mutations import mutate
from tests.fuzz.tally import Tally
from tests.fuzz.worker import Case, Worker

FAMILIES = "safetensors,npz,vocabulary"


def test_a_case_is_made_from_its_number_alone():
    first, again = (Case.of(3, 17, FAMILIES) for _ in range(2))
    assert (first.data, first.name, first.seed.name) == (again.data, again.name, again.seed.name)
    assert len({Case.of(3, n, FAMILIES).data for n in range(50)}) > 45


def test_whatever_a_file_is_it_can_be_damaged():
    for number in range(300):
        random = Random(number)
        data = random.choice((b"", b"{}", b"[1]", b"PK\x05\x06", b"\x93NUMPY\x01\0", bytes(9)))
        for _ in range(5):
            data = mutate(data, random, b"other")


@pytest.fixture
def planted(monkeypatch):
    """Have the command do something else than it should."""

    def plant(does):
        def find_all(*_):
            return does()

        monkeypatch.setattr("cli.inspect.find_all", find_all)
        with Attempts() as attempts:
            return attempts.run("inspect", "brackets", "--json").problems()

    return plant


def raising(error):
    def does():
        raise error

    return does


def test_a_sound_command_breaks_no_promise():
    with Attempts() as attempts:
        outcome = attempts.run("inspect", "brackets", "--json")
    assert outcome.problems() == []
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith(b'{"schema":"lstm.inspect/1"')


def test_a_refusal_breaks_no_promise(planted):
    assert planted(raising(LSTMError("expected this, found that."))) == []


def test_an_exception_is_a_crash(planted):
    (problem,) = planted(raising(IndexError("list index 5 out of range")))
    assert problem.startswith("crash IndexError: list index N out of range in cli/inspect.py")


def test_a_warning_is_noticed(planted):
    def does():
        print("x.py:5: RuntimeWarning: overflow encountered in cast", file=sys.stderr)
        return []

    assert planted(does) == ["stderr x.py:N: RuntimeWarning: overflow encountered in cast"]


def test_time_and_memory_are_noticed(planted, monkeypatch):
    monkeypatch.setattr("tests.fuzz.attempt.SECONDS", 0.05)

    def busy():
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
        return [np.ones(30_000_000)][:0]

    assert planted(busy) == ["slow inspect", "memory inspect"]


def test_a_finding_is_counted_and_shown(tmp_path):
    worker = Worker(tmp_path)
    assert worker.run(Case.of(3, 1, FAMILIES)).problems() == []
    tally = Tally()
    record = {"case": 4, "family": "npz", "code": None, "seconds": 0.1, "megabytes": 2.5}
    tally.add([{**record, "problems": ["crash A in b"]}, {**record, "code": 3, "problems": []}])
    assert "| npz | 2 | 1 | 0 | 0 | 0.1 | 2.5 |" in tally.table()
    assert "1 x crash A in b: case 4" in tally.table()
