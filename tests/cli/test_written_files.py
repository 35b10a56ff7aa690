"""What any command writes is whole or absent: on full disks, where nothing may be written, killed.

How a command ends when a signal asks it to: test_signals. A dataset's parts: test_extract_resume.
"""

import os
import random
import resource
import subprocess
import time

import pytest

TEXT = "john likes black coffee"
# Every way in which a command writes a file, {} being its name without the ending.
WAYS = {
    "json": ["run", TEXT, "-o", "{}.json"],
    "ndjson": ["run", TEXT, "-o", "{}.ndjson"],
    "csv": ["run", TEXT, "-o", "{}.csv"],
    "txt": ["run", TEXT, "-o", "{}.txt"],
    "npz": ["run", TEXT, "-o", "{}.npz"],
    "safetensors": ["run", TEXT, "-o", "{}.safetensors"],
    "svg": ["run", TEXT, "-o", "{}.svg"],
    "html": ["run", TEXT, "-o", "{}.html"],
    "state": ["run", TEXT, "--final-state", "{}.safetensors", "-f", "json"],
    "golden h": ["golden", TEXT, "-o", "{}.h"],
    "golden npz": ["golden", TEXT, "-o", "{}.npz"],
    "plot": ["plot", TEXT, "-o", "{}.png"],
    "convert": ["convert", "{weights}", "{}.safetensors"],
    "convert to": ["convert", "{weights}", "{}.safetensors", "--to", "pytorch"],
}


def command(way, weights, stem):
    words = [word.format(stem, weights=weights) for word in WAYS[way]]
    return words if "{weights}" in WAYS[way] else [*words, "-w", weights]


def target(words):
    """The file that a command writes."""
    for option in ("-o", "--final-state"):
        if option in words:
            return words[words.index(option) + 1]
    return words[2]


@pytest.fixture(scope="module")
def whole(done_somehow, tiny, tmp_path_factory):
    """What each way writes when nobody disturbs."""
    folder = tmp_path_factory.mktemp("whole")
    made = {}
    for way in WAYS:
        words = command(way, tiny, folder / way.replace(" ", "-"))
        done_somehow(*words)
        with open(target(words), "rb") as file:
            made[way] = file.read()
    return made


@pytest.fixture(scope="module")
def done_somehow(lstm):
    def run(*words, **options):
        result = lstm(*words, **options)
        assert result.code == 0, result.stderr
        return result

    return run


def refused(lstm, words, reason, **options):
    """It fails with one line that names the file as it was asked for."""
    result = lstm(*words, **options)
    assert result.code == 3
    notes = [line for line in result.stderr.splitlines() if not line.startswith("note:")]
    assert notes == [f"error: {target(words)}: cannot be written: {reason}."]


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_may_not_grow_is_told_and_leaves_what_was(
    lstm, tiny, whole, tmp_path, way, old
):
    words = command(way, tiny, tmp_path / "x")
    if old is not None:
        with open(target(words), "wb") as file:
            file.write(old)
    limit = len(whole[way]) // 2
    refused(
        lstm, words, "File too large",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    left = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert {str(path): data for path, data in left.items()} == (
        {} if old is None else {target(words): old}
    )


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one page beside what is written, or none where it cannot be mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    yield from mounted(folder, "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder)


@pytest.fixture
def read_only(tmp_path):
    """A folder that is mounted for reading only: to root, permissions mean nothing."""
    folder = tmp_path / "closed"
    folder.mkdir()
    yield from mounted(folder, "-t", "tmpfs", "-o", "ro", "tmpfs", folder)


def mounted(folder, *arguments):
    if subprocess.run(["mount", *map(str, arguments)], capture_output=True).returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


# But for the state, which fits on a page.
@pytest.mark.parametrize("way", sorted({*WAYS} - {"state"}))
def test_a_full_disk_is_told_and_leaves_nothing(lstm, small_disk, way):
    refused(lstm, command(way, "english", small_disk / "x"), "No space left on device")
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_folder_that_may_only_be_read_is_told(lstm, tiny, read_only, way):
    refused(lstm, command(way, tiny, read_only / "x"), "Read-only file system")


def test_a_dataset_is_not_begun_where_nothing_may_be_written(lstm, tiny, read_only, tmp_path):
    (tmp_path / "lines.txt").write_text(TEXT)
    for folder in (read_only, read_only / "states"):
        result = lstm("extract", tmp_path / "lines.txt", "-w", tiny, "-o", folder)
        assert result.code == 3
        assert result.stderr.splitlines()[-1].startswith(f"error: {folder}")
        assert "Read-only file system" in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize("way", WAYS)
def test_a_folder_that_is_not_there_is_told(lstm, tiny, tmp_path, way):
    words = command(way, tiny, tmp_path / "none" / "x")
    if way == "state":  # which is looked for before the run
        assert lstm(*words).stderr == f"error: --final-state: there is no folder {tmp_path}/none.\n"
    else:
        refused(lstm, words, "No such file or directory")


def test_a_name_may_be_as_long_as_a_folder_allows(done, tmp_path):
    for name in (f"{'x' * 250}.json", f"{'漢' * 83}.json"):
        done("run", "((", "-w", "brackets", "-o", tmp_path / name)
        assert [path.name for path in tmp_path.iterdir()] == [name]
        (tmp_path / name).unlink()


@pytest.mark.parametrize("way", ["json", "html", "npz", "state", "golden h", "convert"])
def test_killed_at_any_moment_it_leaves_the_old_file_or_the_new_one(
    start, tiny, whole, tmp_path, way
):
    drawn = random.Random(way)
    words = command(way, tiny, tmp_path / "x")
    old = b"old"
    for _ in range(8):
        with open(target(words), "wb") as file:
            file.write(old)
        with start(*words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            time.sleep(drawn.random() * 0.5)
            process.kill()
        with open(target(words), "rb") as file:
            found = file.read()
        assert found == old or is_the_same(way, found, whole[way])
        shown = [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")]
        assert shown == [os.path.basename(target(words))]


def is_the_same(way, found, whole):
    """Whether these are the same bytes, but for the command line that a golden file quotes."""
    if not way.startswith("golden"):
        return found == whole
    lines = [
        [one for one in data.split(b"\n") if b"lstm golden" not in one] for data in (found, whole)
    ]
    return lines[0] == lines[1]


@pytest.mark.parametrize("ending", ["json", "npz", "html"])
def test_two_that_write_one_file_at_once_leave_what_one_of_them_wrote(
    start, done, tiny, tmp_path, ending
):
    texts, path = (TEXT, "coffee likes john"), tmp_path / f"x.{ending}"
    wholes = set()
    for text in texts:
        done("run", text, "-w", tiny, "-o", path)
        wholes.add(path.read_bytes())
    assert len(wholes) == 2
    for _ in range(3):
        running = [start("run", text, "-w", tiny, "-o", path) for text in texts * 2]
        while any(process.poll() is None for process in running):
            assert path.read_bytes() in wholes
        for process in running:
            with process:
                assert process.communicate() == (b"", b"")
        assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("engine_cache", ["read-only", "full", "damaged"])
def test_a_kernel_that_cannot_be_kept_is_compiled_each_time(
    done, request, tiny, tmp_path, engine_cache
):
    """Where the compiled kernel lies is nobody's input: it is never a reason not to run."""
    given = ("run", TEXT, "-w", tiny, "--engine", "numba", "-f", "npz")
    expected = done(*given).data
    if engine_cache == "damaged":
        done(*given, env={"XDG_CACHE_HOME": str(tmp_path)})
        kept = list(tmp_path.rglob("*.nb?"))
        assert kept
        for path in kept:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        folder = tmp_path
    else:
        folder = request.getfixturevalue("small_disk" if engine_cache == "full" else "read_only")
    assert done(*given, env={"XDG_CACHE_HOME": str(folder)}).data == expected
