"""Runs the real command in a fork of a process that has imported it: as a process, but quickly.

Each request is a line of JSON on standard input, each answer one on standard output.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

# What the commands import when they are called; a fork has it at once.
LATER = (
    "altair", "duckdb", "numpy", "orjson", "pyarrow.parquet", "rich.console", "rich.table",
    "safetensors", "cli.comparison", "cli.comparison_tables", "cli.contrast_tables",
    "cli.explanation_tables", "cli.formats.html.writer", "cli.formats.table", "cli.hits_table",
    "cli.inspection_tables", "cli.matrix", "cli.memory_tables", "cli.runner", "cli.sweep_tables",
    "cli.walk_tables", "lstm.analysis.contrast", "lstm.analysis.lesson", "lstm.analysis.sweep",
    "lstm.engines.kernel", "weights.conversion", "weights.search.hits",
)  # fmt: skip
MEMORY = 2 * 2**30  # what none of these command lines may need


def main() -> None:
    """Answer requests until there are no more."""
    from cli.app import app  # noqa: F401  # before all else, as the command does
    from cli.command import COMMANDS

    for entry in COMMANDS:
        entry.imported()
    for name in LATER:
        import_module(name)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """Fork, and say with which code the command ended; why, where it had to be ended."""
    end = time.monotonic() + request["timeout"]
    child = os.fork()
    if child == 0:
        _become(request)
    os.setpgid(child, child)
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        excess = "time" if time.monotonic() > end else "memory" if _size(child) > MEMORY else None
        if excess:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return {"code": None, "excess": excess}
        time.sleep(0.002)
    return {"code": os.waitstatus_to_exitcode(ended[1]), "excess": None}


def _size(process: int) -> int:
    """How many bytes of memory a process has now."""
    pages = Path(f"/proc/{process}/statm").read_text().split()
    return int(pages[1]) * resource.getpagesize()


def _become(request: dict[str, Any]) -> NoReturn:
    """Be the command: its arguments, its three streams, its folder."""
    from cli.start import main as command

    os.chdir(request["folder"])
    streams = Path(request["streams"])
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.dup2(os.open(streams / name, os.O_WRONLY if number else os.O_RDONLY), number)
    sys.argv = ["lstm", *(os.fsdecode(bytes.fromhex(word)) for word in request["arguments"])]
    sys.stdin = os.fdopen(0, closefd=False)
    try:
        command()
    except BaseException:
        sys.excepthook(*sys.exc_info())  # as Python ends a process
        sys.stderr.flush()
        os._exit(1)
    os._exit(99)  # the command leaves by itself


if __name__ == "__main__":
    main()
