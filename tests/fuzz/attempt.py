"""One run of the real command within this process: what came out, how long, how much memory."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any, NamedTuple, Self

SECONDS = 2.0  # of computing; what takes longer is slow
MEGABYTES = 100  # beyond what the process had before; more is too much for so small a file
CODES = (0, 1, 2, 3)
# What a line of standard error begins with; a warning of numpy's or a traceback begins otherwise.
TOLD = re.compile(r"(error|note): ")


class Outcome(NamedTuple):
    """What a run left behind; `trace` is the traceback of what nobody caught."""

    arguments: tuple[str, ...]
    code: int | None
    stdout: bytes
    stderr: str
    trace: str
    seconds: float
    megabytes: float

    def problems(self) -> list[str]:
        """Say what is against the promises; the first word is the kind."""
        found = []
        if self.trace:
            found.append(f"crash {_signature(self.trace)}")
        elif self.code not in CODES:
            found.append(f"code {self.code}")
        lines = self.stderr.splitlines()
        if strange := [line for line in lines if not TOLD.match(line)]:
            found.append(f"stderr {_without_numbers(strange[-1])}")
        if "that fit into memory" in self.stderr:
            found.append("allocation before a check of its bounds")
        if self.code in (2, 3) and self.stdout and not self._is_described():
            found.append(f"stdout of a failed {self.arguments[0]}")
        if self.seconds > SECONDS:
            found.append(f"slow {self.arguments[0]}")
        if self.megabytes > MEGABYTES:
            found.append(f"memory {self.arguments[0]}")
        return found

    def _is_described(self) -> bool:
        """`inspect` says what a file is, and then why it is no LSTM; in JSON that is a document."""
        if self.arguments[0] != "inspect":
            return False
        if "--json" not in self.arguments:
            return True
        return isinstance(json.loads(self.stdout), dict)


def _signature(trace: str) -> str:
    """The exception and the last place of ours, by which like findings are counted once."""
    places = re.findall(r'File ".*?/((?:cli|lstm|weights)/[^"]*)", line (\d+), in (\w+)', trace)
    place = f"{places[-1][0]}:{places[-1][2]}" if places else "?"
    return f"{_without_numbers(trace.strip().splitlines()[-1][:120])} in {place}"


def _without_numbers(line: str) -> str:
    return re.sub(r"\d+", "N", re.sub(r"'[^']*'|\"[^\"]*\"", "'...'", line))[:160]


class Attempts:
    """Runs commands one after the other; standard output and error go into memory meanwhile."""

    def __enter__(self) -> Self:
        self._kept = [os.dup(number) for number in (0, 1, 2)]
        self._caught = [os.memfd_create(name) for name in ("stdout", "stderr")]
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        for number, descriptor in enumerate(self._caught, 1):
            os.dup2(descriptor, number)
        self._arguments, self._streams = sys.argv, (sys.stdout, sys.stderr)
        sys.stdout, sys.stderr = (
            open(n, "w", closefd=False)  # noqa: SIM115  # until the end
            for n in (1, 2)
        )
        _prepare()
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = self._streams
        for number, descriptor in enumerate(self._kept):
            os.dup2(descriptor, number)
            os.close(descriptor)
        for descriptor in self._caught:
            os.close(descriptor)
        sys.argv = self._arguments

    def run(self, *arguments: str) -> Outcome:
        """Run the command with these arguments, as a shell runs it, and catch what comes."""
        from cli import app

        sys.argv = ["lstm", *arguments]
        before, code, trace = _resident_after_reset(), None, ""
        start = time.process_time()
        with warnings.catch_warnings(action="always"):
            for off in (ResourceWarning, DeprecationWarning):  # for developers: nobody sees them
                warnings.simplefilter("ignore", off)
            try:
                code = app.run()
            except BaseException:
                trace = traceback.format_exc()
        seconds = time.process_time() - start
        sys.stdout.flush()
        sys.stderr.flush()
        stdout, stderr = map(_emptied, self._caught)
        text = stderr.decode("utf-8", "replace")
        return Outcome(arguments, code, stdout, text, trace, seconds, _peak() - before)


def _prepare() -> None:
    """Make the parsers of the command line only once."""
    import typer.main

    from cli.command import CommandGroup

    if not hasattr(typer.main.get_command, "cache_info"):
        typer.main.get_command = functools.cache(typer.main.get_command)
        made: dict[str, Any] = {}
        original = CommandGroup.get_command

        def get_command(self: Any, ctx: Any, cmd_name: str) -> Any:
            if cmd_name not in made:
                made[cmd_name] = original(self, ctx, cmd_name)
            return made[cmd_name]

        CommandGroup.get_command = get_command  # type: ignore[method-assign]


def _emptied(descriptor: int) -> bytes:
    size = os.lseek(descriptor, 0, os.SEEK_CUR)
    data = os.pread(descriptor, size, 0)
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return data


def _resident_after_reset() -> float:
    """Megabytes that the process has; from here on its peak is counted anew."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return float("inf")  # no Linux, or not allowed: memory is not measured
    return _memory("VmRSS")


def _peak() -> float:
    return _memory("VmHWM")


def _memory(name: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split(maxsplit=1)[0]) / 1024
