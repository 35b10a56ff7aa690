"""How the command starts: what it imports, and from where."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("lstm")
TABLES = "rich.table"


@pytest.fixture(scope="module")
def imports(elsewhere):
    """The modules that the command has imported when it is done."""

    def of(*arguments, stdin=""):
        command = [sys.executable, "-X", "importtime", str(COMMAND), *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=elsewhere, timeout=60, input=stdin
        )
        assert done.returncode == 0
        names = re.findall(r"^import time:.*\|\s*(\S+)$", done.stderr, re.MULTILINE)
        return set(names)

    return of


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["generate", "--help"],
        ["golden", "--help"],
        ["find", "--help"],
        ["explain", "--help"],
        ["memory", "--help"],
        ["extract", "--help"],
        ["inspect", "--help"],
    ],
)
def test_help_and_version_import_neither_numpy_nor_rich(imports, arguments):
    found = imports(*arguments)
    assert not {name for name in found if name.split(".")[0] in ("numpy", "rich", "safetensors")}


def test_the_schema_is_printed_without_numpy(imports):
    assert not {"numpy", TABLES} & imports("schema")


def test_inspect_without_stats_imports_no_numpy(imports, deep):
    for more in ([], ["--json"]):
        found = imports("inspect", deep, *more)
        assert not {"numpy", "safetensors", "ml_dtypes"} & found
        assert (TABLES in found) is (not more)
    assert "numpy" in imports("inspect", deep, "--stats", "--json")


def test_models_imports_no_numpy(imports):
    assert not {"numpy", TABLES} & imports("models", "--json")


@pytest.mark.parametrize("format", ["json", "ndjson", "csv", "npz", "safetensors", "html"])
def test_data_formats_import_no_rich(imports, tiny, format, tmp_path):
    found = imports("run", "john", "-w", tiny, "-f", format, "-o", tmp_path / "x")
    assert not {name for name in found if name.split(".")[0] == "rich"}
    assert not {name for name in found if name.split(".")[0] in ("tokenizers", "ml_dtypes")}


@pytest.mark.parametrize(
    "command",
    [["memory"], ["explain"], ["explain", "--at", "l0.c[0]"], ["explain", "--at", "john"]],
)
def test_json_of_the_memory_and_of_explanations_imports_no_rich(imports, tiny, command):
    found = imports(*command, "john", "-w", tiny, "--json")
    assert not {name for name in found if name.split(".")[0] == "rich"}


def test_ordinary_runs_import_nothing_heavy(imports, tiny):
    found = imports("run", "john", "-w", tiny)
    heavy = {"tokenizers", "pandas", "torch", "jsonschema", "asyncio", "pydantic", "rich.markdown",
             "pygments"}  # fmt: skip
    assert not heavy & found


def test_without_the_extra_a_sentence_names_it(tiny, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"version": "1.0", "model": {"type": "WordLevel", "vocab": {}}}))
    arguments = ["lstm", "run", "x", "-w", str(tiny), "--tokenizer", str(path)]
    program = (
        "import sys; sys.modules['tokenizers'] = None; "
        f"sys.argv = {arguments!r}; from cli.start import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "tokenizers" in done.stderr
    assert "pip install 'lstm-cli[tokenizers]'" in done.stderr


@pytest.fixture(scope="module")
def trap(tmp_path_factory):
    """A folder full of names that the tool uses itself."""
    folder = tmp_path_factory.mktemp("trap")
    for name in ("cli", "lstm", "weights", "typer", "numpy", "rich", "orjson", "csv", "json"):
        (folder / f"{name}.py").write_text("raise SystemExit('trapped')\n")
    for name in ("cli", "lstm", "weights"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise SystemExit('trapped')\n")
    return folder


def test_modules_of_the_same_name_in_the_working_folder_do_not_disturb(done, trap):
    for arguments in (
        ["run", "(a", "-w", "brackets"],
        ["run", "(a", "-w", "brackets", "-f", "csv"],
        ["inspect", "brackets", "--stats", "--json"],
        ["--help"],
    ):
        assert done(*arguments, cwd=trap).data == done(*arguments).data


def test_a_model_inside_comes_before_a_folder_of_its_name(done, tmp_path):
    (tmp_path / "brackets").mkdir()
    shown = done("run", "(", "-w", "brackets", "--json", cwd=tmp_path).json
    assert shown["sequences"][0]["steps"][0]["cell"] == [1.0]


def test_a_relative_path_is_read_from_the_working_folder(done, tiny, tmp_path):
    shutil.copy(tiny, tmp_path / "model.safetensors")
    given = ("run", "john", "-w", "model.safetensors", "-o", "out.json")
    done(*given, cwd=tmp_path)
    assert json.loads((tmp_path / "out.json").read_text())["model"]["source"] == "model.safetensors"


def test_it_starts_without_a_home_and_in_a_locale_without_utf8(done):
    text = "é("
    expected = done("run", text, "-w", "brackets", "--json").data
    for locale in ("C", "C.UTF-8"):
        env = {"LC_ALL": locale, "LANG": locale, "HOME": "/nonexistent"}
        assert done("run", text, "-w", "brackets", "--json", env=env).data == expected
        assert "é (<other>)" in done("run", text, "-w", "brackets", env=env).stdout


def test_optimized_python_says_the_same(elsewhere):
    command = ["run", "(a", "-w", "brackets", "--json"]
    outputs = [
        subprocess.run([sys.executable, *flags, str(COMMAND), *command], capture_output=True,
                       cwd=elsewhere, env={**os.environ, "NO_COLOR": "1"}).stdout
        for flags in ([], ["-O"], ["-W", "error"])
    ]  # fmt: skip
    assert outputs[0] != b""
    assert len(set(outputs)) == 1


def test_tables_are_utf8_whatever_python_is_told_of_stdout(done, tiny):
    for arguments in (["tokens", "é", "-w", "brackets"], ["inspect", tiny, "--stats"]):
        expected = done(*arguments).data
        assert done(*arguments, env={"PYTHONIOENCODING": "ascii"}).data == expected
