"""The process that does the damage: case after case, each made from its number alone."""

from __future__ import annotations

import faulthandler
import functools
import json
import os
import resource
import shutil
import signal
import tempfile
import time
from pathlib import Path
from random import Random
from typing import NamedTuple, Self

from tests.fuzz.attempt import Attempts, Outcome
from tests.fuzz.commands import Commands
from tests.fuzz.mutations import mutate
from tests.fuzz.seeds import Seed, every_seed

CASES_OF_A_PROCESS = 20_000
HANGS = 20  # seconds of computing after which a run is given up
STANDS = 300  # seconds on the clock, for what waits and computes nothing
ROOM = 3 << 30  # bytes of addresses that a process may ask for beyond those it has


class Case(NamedTuple):
    """A damaged file, and what it was made from."""

    seed: Seed
    name: str
    data: bytes
    random: Random

    @classmethod
    def of(cls, seed: int, number: int, families: str = "") -> Self:
        """Make a case from its number."""
        random = Random(f"{seed}:{number}")
        by_family = seeds(families)
        family = random.choice(list(by_family))
        chosen = random.choice(by_family[family])
        other = random.choice(by_family[family])
        name = random.choice(list(chosen.files))
        data = mutate(chosen.files[name], random, other.files[other.name])
        return cls(chosen, name, data, random)


@functools.cache
def seeds(families: str = "") -> dict[str, list[Seed]]:
    """Return the seeds by family: all, or those named with commas."""
    found: dict[str, list[Seed]] = {}
    for seed in every_seed():
        if not families or seed.family in families.split(","):
            found.setdefault(seed.family, []).append(seed)
    return found


class Worker:
    """Writes cases into a folder and runs the command on them."""

    def __init__(self, folder: Path) -> None:
        self.commands = Commands(folder)
        self.folder = folder / "case"

    def run(self, case: Case) -> Outcome:
        with Attempts() as attempts:
            return self.run_in(attempts, case)

    def run_in(self, attempts: Attempts, case: Case) -> Outcome:
        write(case, self.folder)
        file = str(self.folder / case.seed.name)
        return attempts.run(*self.commands.draw(case.seed, file, case.random))


def write(case: Case, folder: Path) -> None:
    """Write the files of a case, one of them damaged, into a folder made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in {**case.seed.files, case.name: case.data}.items():
        (folder / name).write_bytes(data)


def work(findings: Path, seed: int, first: int, families: str, seconds: float) -> None:
    """Run cases until the time is over, or as many as one process may; write a line for each."""
    end, memory = time.monotonic() + seconds, Path("/dev/shm")
    seeds(families)
    errors = os.fdopen(os.dup(2), "w")
    faulthandler.enable(errors)
    faulthandler.register(signal.SIGPROF, errors, chain=True)  # and then the process ends
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        (findings / "log.ndjson").open("a", encoding="utf-8") as log,
        Attempts() as attempts,
    ):
        worker = Worker(Path(folder))
        _limit_addresses()
        for number in range(first, first + CASES_OF_A_PROCESS):
            if time.monotonic() > end:
                return
            faulthandler.dump_traceback_later(STANDS, exit=True, file=errors)
            signal.setitimer(signal.ITIMER_PROF, HANGS)
            case = Case.of(seed, number, families)
            outcome = worker.run_in(attempts, case)
            signal.setitimer(signal.ITIMER_PROF, 0)
            faulthandler.cancel_dump_traceback_later()
            problems = outcome.problems()
            if problems:
                _keep(findings, case, number, outcome)
            log.write(json.dumps(_record(number, case, outcome, problems)) + "\n")
            log.flush()


def _limit_addresses() -> None:
    """A claim that is believed becomes an error, and does not take the machine down."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, resource.RLIM_INFINITY))


def _record(number: int, case: Case, outcome: Outcome, problems: list[str]) -> dict[str, object]:
    return {
        "case": number,
        "family": case.seed.family,
        "code": outcome.code,
        "seconds": round(outcome.seconds, 4),
        "megabytes": round(outcome.megabytes, 1),
        "problems": problems,
    }


def _keep(findings: Path, case: Case, number: int, outcome: Outcome) -> None:
    folder = findings / str(number)
    write(case, folder)
    told = [" ".join(outcome.arguments), outcome.stderr, outcome.trace, *outcome.problems()]
    (folder / "told.txt").write_text("\n".join(told), encoding="utf-8")
