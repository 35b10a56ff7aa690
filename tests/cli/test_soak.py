"""One process does not grow with the lines that it reads; for more lines see tests.benchmarks."""

import pytest

from tests.benchmarks.soak import EXTRACT, RUN, SHARES, memory
from tests.cli.conftest import COMMAND

LINES = 20_000
# What it may hold more at the end than after three tenths, when all that it keeps is there.
SLACK = 8_000_000


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("command", [RUN, EXTRACT], ids=["run", "extract"])
def test_the_memory_does_not_grow_with_the_lines(tmp_path, command, engine):
    given = [COMMAND, *command, "--engine", engine]
    if command is EXTRACT:
        given += ["-o", tmp_path / "states"]
    held = list(memory(given, LINES))
    assert len(held) == SHARES
    assert held[-1] - held[2] < SLACK
