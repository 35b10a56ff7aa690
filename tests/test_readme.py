"""What the README shows is what happens: its commands are run, its Python too."""

from __future__ import annotations

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests import reference

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


@pytest.fixture
def acme(tmp_path):
    """The packages with the layout of the README added: its file, and its lines in the registry."""
    for package in ("cli", "lstm", "weights"):
        leave_out = shutil.ignore_patterns("*.safetensors", "__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=leave_out)
    (layout,) = (block for block in PYTHON if "Acme" in block)
    assert len(layout.splitlines()) <= 30
    (tmp_path / "weights" / "layouts" / "acme.py").write_text(layout, "utf-8")
    registry = tmp_path / "weights" / "layouts" / "registry.py"
    text = registry.read_text("utf-8")
    (diff,) = re.findall(r"```diff\n(.*?)```", README, re.DOTALL)
    for hunk in diff.split("\n\n"):
        lines = hunk.strip("\n").split("\n")
        before = "\n".join(line[1:] for line in lines if line[0] == " ")
        assert before in text
        text = text.replace(before, "\n".join(line[1:] for line in lines))
    registry.write_text(text, "utf-8")
    return tmp_path


def lstm_of(folder, *arguments):
    """Run the command of the packages in a folder."""
    code = "from cli.start import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip


def weights_of_acme(random, sizes=(2, 3)):
    """Two layers of two directions, as Acme stores them and as the oracle wants them."""
    input_size, size = sizes
    arrays, layers = {}, []
    for layer, width in ((1, input_size), (2, 2 * size)):
        cells = []
        for mark in ("fore", "aft"):
            gates = {gate: random.normal(size=(width + size + 1, size)) for gate in "foig"}
            packed = np.concatenate([gates[gate] for gate in "foig"], axis=1)
            for name, rows in (
                ("from_input", packed[:width]),
                ("from_state", packed[width:-1]),
                ("offset", packed[-1]),
            ):
                arrays[f"rnn/{layer}/{mark}/{name}"] = np.ascontiguousarray(rows)
            gates["f"][-1] += 1  # as it runs
            rows = np.concatenate([gates[gate] for gate in "ifgo"], axis=1).T
            ih, hh, bias = rows[:, :width], rows[:, width:-1], rows[:, -1]
            cells.append(reference.Cell(ih.tolist(), hh.tolist(), bias.tolist()))
        layers.append(reference.Layer(*cells))
    return arrays, layers


def test_the_layout_of_the_readme_is_all_that_a_new_framework_takes(acme):
    random = np.random.default_rng(8)
    arrays, layers = weights_of_acme(random)
    x = random.normal(size=(4, 2))
    save_file(arrays, acme / "net.safetensors")
    np.save(acme / "x.npy", x)
    done = lstm_of(acme, "run", "-w", "net.safetensors", "--vectors", "x.npy", "--json")
    assert done.returncode == 0, done.stderr
    assert "forget bias: 1 is added to the forget gate, as Acme does" in done.stderr
    document = json.loads(done.stdout)
    assert document["model"]["layout"] == "acme"
    zeros = ([0.0] * 3, [0.0] * 3)
    cells = [(layer, direction) for layer in (0, 1) for direction in ("forward", "reverse")]
    expected = reference.stack(layers, x.tolist(), dict.fromkeys(cells, zeros))
    for record in document["sequences"][0]["steps"]:
        step = expected[record["layer"], record["direction"]][record["step"]]
        for quantity in ("hidden", "cell"):
            np.testing.assert_allclose(record[quantity], step[quantity], rtol=0, atol=1e-12)

    arrays["rnn/1/fore/from_state"] = arrays["rnn/1/fore/from_state"][:, :9].copy()
    save_file(arrays, acme / "gru.safetensors")
    refused = lstm_of(acme, "inspect", "gru.safetensors")
    assert "columns of rnn/1/fore/from_state are 3 times its rows: this is a GRU" in (
        refused.stdout + refused.stderr
    )
