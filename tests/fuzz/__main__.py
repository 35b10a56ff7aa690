"""Damage files and give them to the command; report what breaks a promise.

    python -m tests.fuzz --seconds 60 --seed 1
    python -m tests.fuzz --seed 1 --case 4711        one file again, with all that it says

Case N of a seed is always the same file and the same command. The files run in a process of their
own: where that dies or hangs the file is kept, and the next process goes on behind it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.tally import Tally
from tests.fuzz.worker import Case, Worker, work


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--families", default="", help="only these, with commas")
    parser.add_argument("--findings", type=Path, help="a folder for what breaks a promise")
    parser.add_argument("--case", type=int, help="run one case and show it")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.worker:
        work(options.worker, options.seed, options.first, options.families, options.seconds)
        return 0
    if options.case is not None:
        return _again(options.seed, options.case, options.families)
    findings = options.findings or Path(tempfile.mkdtemp(prefix="lstm-fuzz-"))
    findings.mkdir(parents=True, exist_ok=True)
    tally = _run(options.seed, options.first, options.families, options.seconds, findings)
    print(tally.table())
    if tally.problems:
        print(f"\nThe files are in {findings}; again: --seed {options.seed} --case N")
    return 1 if tally.problems else 0


def _run(seed: int, first: int, families: str, seconds: float, findings: Path) -> Tally:
    """Start a process after the other, until the time is over."""
    tally, end, number = Tally(), time.monotonic() + seconds, first
    log = findings / "log.ndjson"
    while (left := end - time.monotonic()) > 0:
        command = [sys.executable, "-m", "tests.fuzz", "--worker", str(findings)]
        command += ["--seed", str(seed), "--first", str(number), "--families", families]
        log.write_bytes(b"")
        with (findings / "stderr.txt").open("wb") as errors:
            code = subprocess.call([*command, "--seconds", str(left)], stderr=errors)
        records = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        tally.add(records)
        number = records[-1]["case"] + 1 if records else number
        if code != 0:
            said = (findings / "stderr.txt").read_text("utf-8", "replace")
            if "(most recent call last)" in said:
                raise SystemExit(f"the fuzzer itself is broken:\n{said}")
            tally.died(Case.of(seed, number, families), number, code, said, findings)
            number += 1
        (findings / "tally.json").write_text(json.dumps(tally.record(), indent=1) + "\n")
    return tally


def _again(seed: int, number: int, families: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(Path(folder))
        case = Case.of(seed, number, families)
        outcome = worker.run(case)
    print(case.seed.family, case.seed.name, *outcome.arguments)
    print(outcome.stdout[:2000].decode("utf-8", "replace"), outcome.stderr, outcome.trace, sep="\n")
    print(f"exit {outcome.code}, {outcome.seconds:.2f} s, {outcome.megabytes:.0f} MB")
    print("\n".join(outcome.problems()) or "no promise broken")
    return 1 if outcome.problems() else 0


if __name__ == "__main__":
    sys.exit(main())
