"""What a fuzzer's runs come to: how many of which family, what broke, the largest figures."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.fuzz.worker import Case, write


class Tally:
    """Counts cases by family, and promises broken by what was broken."""

    def __init__(self) -> None:
        self.families: dict[str, Counter[str]] = {}
        self.seconds: dict[str, float] = {}
        self.megabytes: dict[str, float] = {}
        self.problems: dict[str, list[int]] = {}

    def add(self, records: Iterable[dict[str, Any]]) -> None:
        for record in records:
            family = record["family"]
            counts = self.families.setdefault(family, Counter())
            counts["runs"] += 1
            counts[f"exit {record['code']}"] += 1
            self.seconds[family] = max(self.seconds.get(family, 0), record["seconds"])
            self.megabytes[family] = max(self.megabytes.get(family, 0), record["megabytes"])
            for problem in record["problems"]:
                counts[problem.split(" ", 1)[0]] += 1
                self.problems.setdefault(problem, []).append(record["case"])

    def died(self, case: Case, number: int, code: int, said: str, findings: Path) -> None:
        """Count a process that ended in the middle of a case: it hung, or a library crashed."""
        kind = "hang" if code == -signal.SIGPROF or "Timeout (" in said else "crash"
        counts = self.families.setdefault(case.seed.family, Counter())
        counts.update({"runs": 1, kind: 1})
        self.problems.setdefault(f"{kind} of the process, status {code}", []).append(number)
        write(case, findings / str(number))
        (findings / str(number) / "told.txt").write_text(said, encoding="utf-8")

    def record(self) -> dict[str, Any]:
        return {
            "families": {name: dict(counts) for name, counts in sorted(self.families.items())},
            "seconds": self.seconds,
            "megabytes": self.megabytes,
            "problems": {name: cases[:20] for name, cases in self.problems.items()},
        }

    def table(self) -> str:
        """Return the table of `tests/fuzz/README.md`, and what was found."""
        lines = ["| family | runs | crashes | hangs | other | slowest, s | most memory, MB |"]
        lines += ["|---|---:|---:|---:|---:|---:|---:|"]
        for name, counts in sorted(self.families.items()):
            other = sum(counts[k] for k in ("stderr", "stdout", "code", "allocation", "memory"))
            cells = (counts["runs"], counts["crash"], counts["hang"] + counts["slow"], other)
            most = (self.seconds.get(name, 0), self.megabytes.get(name, 0))
            numbers = " | ".join([*(f"{n:,}" for n in cells), *(f"{x:.1f}" for x in most)])
            lines.append(f"| {name} | {numbers} |")
        told = [f"{len(n)} x {what}: case {n[0]}" for what, n in sorted(self.problems.items())]
        return "\n".join([*lines, "", *told])
