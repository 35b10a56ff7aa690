"""How long a short run takes, against what Python needs to import the libraries alone.

    python tests/benchmarks/startup.py [REPETITIONS]

Whole processes, run in turn so that the machine's moods meet all of them alike; the ratio is
taken pair by pair, and its median is what counts.
"""

import compileall
import shutil
import statistics
import subprocess
import sys
import sysconfig
from time import perf_counter

import cli
import lstm
import weights

IMPORTS = "import numpy, typer, safetensors"
WITH_TABLES = f"{IMPORTS}, rich.table, rich.console"
TEXT = "John likes black coffee"
LIMIT = 1.25


def main(repetitions: int) -> None:
    """Measure both outputs of `lstm run` and print their ratios."""
    command = shutil.which("lstm", path=sysconfig.get_path("scripts"))
    if command is None:
        sys.exit("error: lstm is not installed beside this Python. Run: pip install .")
    # pip does so when it installs; an editable install may otherwise be compiled at every start.
    for package in (cli, lstm, weights):
        compileall.compile_dir(package.__path__[0], quiet=1)
    print(f"{'command':<34} {'median':>8} {'imports':>8} {'ratio':>6} {'limit':>6}")
    for arguments, imports in ((["--json"], IMPORTS), ([], WITH_TABLES)):
        ours = [command, "run", TEXT, *arguments]
        pairs = _pairs(ours, [sys.executable, "-c", imports], repetitions)
        medians = [statistics.median(times) * 1000 for times in zip(*pairs, strict=True)]
        ratio = statistics.median(own / base for own, base in pairs)
        name = f"lstm run TEXT {' '.join(arguments)}"
        print(f"{name:<34} {medians[0]:>5.0f} ms {medians[1]:>5.0f} ms {ratio:>6.2f} {LIMIT:>6}")


def _pairs(ours: list[str], base: list[str], repetitions: int) -> list[tuple[float, float]]:
    _seconds(ours), _seconds(base)  # fill the file cache
    return [(_seconds(ours), _seconds(base)) for _ in range(repetitions)]


def _seconds(command: list[str]) -> float:
    start = perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - start


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
