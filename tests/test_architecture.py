"""The rooms of the house: who may import whom, what lies where, how long a file gets."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("cli", "lstm", "weights")
TOP_LEVEL = {
    "pyproject.toml", "cli", "lstm", "weights", "tests", "README.md", "LICENSE"
}  # fmt: skip
# Each package and what it may import beside itself and the standard library.
FLOORS = {
    "lstm": {"numpy", "tokenizers", "numba", "llvmlite"},
    "weights": {
        "lstm",
        "numpy",
        "safetensors",
        "orjson",
        "ml_dtypes",
        "torch",
        "h5py",
        "onnx",
        "duckdb",
        "pyarrow",
        "zstandard",
        "ray",
    },
    "cli": {
        "weights",
        "lstm",
        "typer",
        "rich",
        "orjson",
        "numpy",
        "altair",
        "vl_convert",
        "textual",
    },
}
# What only certain files import: the import and where it may stand.
ROOMS = {
    "tokenizers": "lstm/tokenizers/huggingface.py",
    "safetensors": "weights/containers/safetensors.py",
    "ml_dtypes": "weights/containers/safetensors.py",
    "numba": "lstm/engines/",
    "llvmlite": "lstm/engines/",
    "torch": "weights/containers/torch.py",
    "h5py": "weights/containers/hdf5.py",
    "onnx": "weights/containers/onnx.py",
    "duckdb": "weights/search/database.py",
    "pyarrow": "weights/corpus/parquet.py",
    "zstandard": "weights/corpus/compressed.py",
    "ray": "weights/corpus/cluster.py",
    "typer": "cli/",
    "rich": "cli/",
    "orjson": "weights/ cli/",
    "altair": "cli/formats/plot/draw.py",
    "vl_convert": "cli/formats/plot/draw.py",
    "textual": "cli/stepper.py",
}
# Made by hand or by training, run by hand: not part of the tool.
SCRIPTS = "weights/pretrained/*/*.py"
# What is written in a library's own words: one import of it brings the library in.
WITHIN = (
    *(f"lstm/engines/{name}.py" for name in ("kernel", "instructions", "vectors")),
    "cli/stepper.py",
)
LONGEST_FILE, LONGEST_FUNCTION = 300, 40


def sources(package):
    files = sorted((ROOT / package).rglob("*.py"))
    return [path for path in files if not path.match(SCRIPTS)]


def every_source():
    return [path for package in PACKAGES for path in sources(package)]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def imports(path):
    """Yield each import: the whole name, and whether it stands at the top of the file."""
    tree = ast.parse(path.read_text("utf-8"))
    guarded = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.col_offset == 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: a relative import"
            yield node.module, node.col_offset == 0


def typed_imports(path):
    """Yield the packages of all imports, those for type checkers included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_floor_stands_only_on_those_below_it(package):
    allowed = FLOORS[package] | {package} | set(sys.stdlib_module_names)
    found = {
        (name_of(path), top)
        for path in sources(package)
        for top in typed_imports(path)
        if top not in allowed
    }
    assert found == set()


def test_each_library_is_imported_where_it_belongs_and_nowhere_else():
    for path in every_source():
        for name, _ in imports(path):
            rooms = ROOMS.get(name.split(".")[0])
            if rooms is not None:
                assert name_of(path).startswith(tuple(rooms.split())), f"{name_of(path)}: {name}"


def test_in_cli_only_the_formats_know_numpy():
    users = {
        name_of(path)
        for path in sources("cli")
        for name, _ in imports(path)
        if name.split(".")[0] == "numpy"
    }
    assert {user for user in users if not user.startswith("cli/formats/")} == set()


def test_optional_and_heavy_libraries_are_imported_when_they_are_needed():
    lazy = {"tokenizers", "ml_dtypes", "safetensors", "torch", "h5py", "onnx", "numba", "llvmlite"}
    lazy |= {"duckdb", "pyarrow", "zstandard", "ray", "altair", "vl_convert", "textual"}
    lazy |= {path.removesuffix(".py").replace("/", ".") for path in WITHIN}
    for path in every_source():
        for name, at_top in imports(path):
            if name_of(path) not in WITHIN and {name, name.split(".")[0]} & lazy:
                assert not at_top, f"{name_of(path)}: {name} is imported at the top"


def test_modules_import_each_other_by_file_and_never_through_a_face():
    for path in every_source():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            place = ROOT / Path(*node.module.split("."))
            if node.module.split(".")[0] not in PACKAGES or place.with_suffix(".py").is_file():
                continue
            # `from weights import load` is the interface that the README shows.
            names = {alias.name for alias in node.names} - {"load", "save"}
            assert all((place / f"{name}.py").is_file() for name in names), name_of(path)


def test_lstm_opens_nothing_and_prints_nothing():
    for path in [*sources("lstm"), *sources("weights")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in ("print", "sys.stdout.write", "input"), name_of(path)
            if name_of(path).startswith("lstm/"):
                opening = called == "open" or called.endswith(
                    (".open", ".read_text", ".read_bytes")
                )
                assert not opening, name_of(path)


def test_only_safetensors_are_read_as_bare_numbers_from_files():
    for path in sources("weights"):
        text = path.read_text("utf-8")
        assert ("np.fromfile" in text) is (name_of(path) == "weights/containers/safetensors.py")


def test_no_code_is_run_from_a_file():
    """Ray carries objects between our own processes; torch unpickles no more than tensors."""
    running = {"eval", "exec", "compile", "__import__", "np.load", "pickle.load", "pickle.loads"}
    found = set()
    for path in every_source():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in running or called.startswith(("os.system", "subprocess.", "marshal.")):
                found.add((name_of(path), called))
            if called == "torch.load":
                assert "weights_only=True" in ast.unparse(node)
    assert found == {("weights/corpus/cluster.py", "pickle.loads")}


def test_a_bug_is_not_caught_at_the_edge():
    """What is caught whole is a library's that raises nothing narrower, or is raised again.

    What goes wrong in a worker travels, and is raised in the process that waits for it.
    """
    caught = set()
    for path in every_source():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ExceptHandler):
                continue
            assert node.type is not None, f"{name_of(path)}: line {node.lineno}"
            kind, last = ast.unparse(node.type), node.body[-1]
            again = isinstance(last, ast.Raise) and last.exc is None
            if "Exception" in kind.split(", ") or ("BaseException" in kind and not again):
                caught.add(name_of(path))
    assert caught == {
        "lstm/tokenizers/huggingface.py",
        "weights/containers/onnx.py",
        "weights/corpus/workers.py",
    }


def test_the_top_level_holds_what_is_planned_and_nothing_else():
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip("no checkout")
    top = {line.split("/")[0].strip('"') for line in done.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} == TOP_LEVEL


def test_no_file_is_too_long_to_read():
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in every_source()}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_function_is_too_long_to_read():
    """A signature is a list of options and a docstring explains; what is done counts."""
    long = {}
    for path in every_source():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                first = body[0].lineno if body else node.end_lineno
                lines = (node.end_lineno or first) - first + 1
                if lines > LONGEST_FUNCTION:
                    long[f"{name_of(path)}: {node.name}"] = lines
    assert long == {}


def test_every_module_says_what_it_is_for():
    for path in every_source():
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), name_of(path)


def test_tests_have_no_packages_that_hide_the_real_ones():
    assert not list((ROOT / "tests").rglob("__init__.py"))
