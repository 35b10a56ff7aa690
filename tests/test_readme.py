"""What the README shows is what happens: its commands are run, its Python too."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
CONSOLE = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for the whole README: later examples use the files that earlier ones write."""
    return tmp_path_factory.mktemp("readme")


def examples(block):
    """Yield each command of a block, after `$ `, with the output that stands under it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        while command.endswith("\\"):
            more, _, expected = expected.partition("\n")
            command += "\n" + more
        yield command, expected


def bash(command, folder):
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("FORCE_COLOR", "NO_COLOR", "GITHUB_ACTIONS", "LSTM_WEIGHTS")
    }
    environment["PATH"] = f"{sysconfig.get_path('scripts')}:{environment['PATH']}"
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "expected"), [example for block in CONSOLE for example in examples(block)]
)
def test_a_command_prints_what_the_readme_shows(command, expected, folder):
    if "jq " in command and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    done = bash(command, folder)
    shown = done.stdout + done.stderr
    assert "Traceback" not in shown
    assert done.returncode == 0 or expected.startswith("error: "), done.stderr
    if expected:
        same = doctest.OutputChecker().check_output(expected, shown, doctest.ELLIPSIS)
        assert same, f"expected:\n{expected}\nfound:\n{shown}"


def test_the_readme_has_examples():
    assert len(CONSOLE) >= 5
    assert PYTHON


def test_the_python_of_the_readme_runs(folder, monkeypatch):
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    for block in PYTHON:
        exec(compile(block, "README.md", "exec"), names)
