"""What memory one process holds while line after line comes in; the README has the figures.

Run `python -m tests.benchmarks.soak`; a short form of it is a test.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import IO

LINES = 1_000_000
SHARES = 10  # of the lines, after each of which the memory is measured
TEXTS = ("John likes black coffee", "the boys", "", "I like tea and you like coffee every morning")
RUN = ("run", "-f", "ndjson", "-w", "latch")
EXTRACT = ("extract", "-", "--workers", "1", "--part-size", "1000", "-w", "latch")


def resident(pid: int) -> int:
    """Return how many bytes of memory a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    (kilobytes,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kilobytes) * 1024


def memory(command: Iterable[str], lines: int = LINES) -> Iterator[int]:
    """Give a command so many lines; yield the bytes that it holds after each tenth of them.

    It has then answered, all but for what a pipe holds.

    Raises:
        AssertionError: it does not end well.
    """
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        threading.Thread(target=_throw_away, args=(process.stdout,)).start()
        texts = cycle(f"{text}\n".encode() for text in TEXTS)
        for _ in range(SHARES):
            process.stdin.writelines(islice(texts, lines // SHARES))
            process.stdin.flush()
            yield resident(process.pid)
        process.stdin.close()
        assert process.wait() == 0


def _throw_away(output: IO[bytes]) -> None:
    while output.read(2**16):
        pass


def main() -> None:
    command = str(Path(sys.executable).with_name("lstm"))
    with tempfile.TemporaryDirectory() as folder:
        for name, given in (("run", RUN), ("extract", (*EXTRACT, "-o", f"{folder}/states"))):
            start = time.monotonic()
            held = " ".join(f"{each / 1e6:.0f}" for each in memory((command, *given)))
            print(f"{name}: {LINES:,} lines, {time.monotonic() - start:.0f} s; MB: {held}")


if __name__ == "__main__":
    main()
