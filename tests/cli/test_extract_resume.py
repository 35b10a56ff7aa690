"""A dataset that was interrupted: nothing half-written shows, and the same command goes on."""

import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time

import pytest

from weights import load, save

WORDS = "john likes black coffee naïve".split()
NUM_LINES = 3000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    drawn = random.Random(3)
    path = tmp_path_factory.mktemp("corpus") / "x.txt"
    lines = [" ".join(drawn.choices(WORDS, k=drawn.randint(0, 20))) for _ in range(NUM_LINES)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def given(corpus, tiny):
    return ("extract", corpus, "-w", tiny, "--show", "all", "--part-size", "100")


@pytest.fixture(scope="module")
def whole(lstm, given, tmp_path_factory):
    """The dataset as it is when nobody disturbs."""
    folder = tmp_path_factory.mktemp("whole") / "states"
    assert lstm(*given, "-o", folder, "--workers", "1").code == 0
    files = contents(folder)
    assert len(files) == 31
    return files


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def assert_nothing_half_written(folder, whole):
    """Whatever has a name that is not hidden is what it will be; the manifest lists no more."""
    if not folder.exists():
        return
    found = {name: data for name, data in contents(folder).items() if not name.startswith(".")}
    manifest = found.pop("_manifest.json", b'{"parts": []}')
    assert all(data == whole[name] for name, data in found.items())
    assert {part["file"] for part in json.loads(manifest)["parts"]} <= set(found)


def children(pid):
    shown = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in shown.stdout.split()]


def is_alive(pid):
    try:
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
        ).stdout
    except OSError:
        return False
    return bool(state.strip()) and not state.startswith("Z")


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


@pytest.mark.parametrize("workers", [1, 2])
def test_no_byte_depends_on_the_number_of_workers(lstm, given, whole, tmp_path, workers):
    assert lstm(*given, "-o", tmp_path / "states", "--workers", workers).code == 0
    assert contents(tmp_path / "states") == whole


@pytest.mark.parametrize(("seed", "workers"), [(1, 1), (2, 1), (3, 2), (4, 2)])
def test_killed_at_random_moments_it_goes_on_to_the_same_bytes(
    start, lstm, given, whole, tmp_path, seed, workers
):
    folder = tmp_path / "states"
    drawn = random.Random(seed)
    for _ in range(3):
        started = [*given, "-o", folder, "--workers", workers]
        with start(*started) as process:
            already = len(list(folder.glob("*.parquet"))) if folder.exists() else 0
            target = already + drawn.randint(1, 6)
            wait_for(
                lambda target=target: (
                    process.poll() is not None or len(list(folder.glob("*.parquet"))) >= target
                )
            )
            time.sleep(drawn.random() / 50)
            below = children(process.pid)
            process.kill()
            # what it has started says nothing either
            said = process.stderr.read()
        assert [line[:5] for line in said.splitlines()] == [b"note:"]
        assert_nothing_half_written(folder, whole)
        wait_for(lambda below=below: not any(is_alive(pid) for pid in below))
    assert lstm(*given, "-o", folder, "--workers", workers).code == 0
    assert contents(folder) == whole


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("by", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_leaves_no_temporary_file_and_no_process(
    start, lstm, given, whole, tmp_path, workers, by, code
):
    folder = tmp_path / "states"
    with start(*given, "-o", folder, "--workers", workers, start_new_session=True) as process:
        wait_for(lambda: len(list(folder.glob("*.parquet"))) >= 2)
        below = children(process.pid)
        assert len(below) >= (0 if workers == 1 else 2)
        # a terminal sends Ctrl-C to all of them
        os.killpg(process.pid, by) if by is signal.SIGINT else process.send_signal(by)
        out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert out == b""
    assert b"Traceback" not in err
    assert not [name for name in contents(folder) if name.startswith(".")]
    assert_nothing_half_written(folder, whole)
    wait_for(lambda: not any(is_alive(pid) for pid in below))
    result = lstm(*given, "-o", folder, "--json")
    assert result.json["parts_before"] >= 1
    assert contents(folder) == whole


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM], ids=lambda by: by.name)
def test_a_worker_that_is_killed_is_told_and_the_run_goes_on_later(
    start, lstm, given, whole, tmp_path, by
):
    folder = tmp_path / "states"
    with start(*given, "-o", folder, "--workers", 2) as process:
        wait_for(lambda: len(list(folder.glob("*.parquet"))) >= 2)
        below = children(process.pid)
        os.kill(max(below), by)
        err = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 3
    assert err.splitlines()[-1].startswith("error: a worker was killed, perhaps for want of memory")
    assert "Traceback" not in err
    assert not [name for name in contents(folder) if name.startswith(".")]
    assert_nothing_half_written(folder, whole)
    wait_for(lambda: not any(map(is_alive, below)))
    assert lstm(*given, "-o", folder, "--workers", 2, "--json").json["parts_before"] >= 1
    assert contents(folder) == whole


def test_a_file_that_may_not_grow_is_told_and_the_run_goes_on_later(lstm, given, whole, tmp_path):
    folder = tmp_path / "states"
    limit = 10_000 + len(whole["part-00000.parquet"]) // 2
    for workers in (1, 2):
        result = lstm(
            *given, "-o", folder, "--workers", workers,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )  # fmt: skip
        assert (result.code, result.data) == (3, b"")
        assert f"error: {folder}/part-0000" in result.stderr
        assert ": File too large." in result.stderr
        assert "Traceback" not in result.stderr
        assert not [name for name in contents(folder) if name != "_manifest.json"]
    assert lstm(*given, "-o", folder).code == 0
    assert contents(folder) == whole


def test_on_a_full_disk_what_is_done_stays_and_the_run_goes_on(lstm, given, whole, tmp_path):
    mounted = tmp_path / "small"
    mounted.mkdir()
    size = sum(map(len, whole.values())) // 2
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mounted)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a file system cannot be mounted here")
    try:
        folder = mounted / "states"
        # A stream has no estimate that could refuse it before.
        corpus, stdin = given[1], given[1].read_bytes()
        streamed = [arg if arg is not corpus else "-" for arg in given]
        for _ in range(2):
            result = lstm(*streamed, "-o", folder, stdin=stdin)
            assert (result.code, result.data) == (3, b"")
            assert "No space left on device." in result.stderr
            found = contents(folder)
            assert len(found) > 5
            assert all(data == whole[name] for name, data in found.items() if name in whole
                       and name != "_manifest.json")  # fmt: skip
            assert not [name for name in found if name.startswith(".")]
        subprocess.run(["mount", "-o", f"remount,size={4 * size}", str(mounted)], check=True)
        assert lstm(*streamed, "-o", folder, stdin=stdin).code == 0
        parts = {name: data for name, data in contents(folder).items() if "part" in name}
        assert parts == {name: data for name, data in whole.items() if "part" in name}
    finally:
        subprocess.run(["umount", "-l", str(mounted)], check=True)


@pytest.fixture
def half(lstm, given, whole, tmp_path):
    """A dataset of which only some parts are there."""
    folder = tmp_path / "half"
    folder.mkdir()
    manifest = json.loads(whole["_manifest.json"])
    manifest.update(finished=False, parts=manifest["parts"][3:7])
    for part in manifest["parts"]:
        (folder / part["file"]).write_bytes(whole[part["file"]])
    (folder / "_manifest.json").write_text(json.dumps(manifest))
    return folder


def refused(lstm, *arguments, **options):
    result = lstm(*arguments, **options)
    assert (result.code, result.data) == (3, b"")
    return result.stderr.splitlines()[-1].removeprefix("error: ")


def test_what_is_there_is_not_made_again(lstm, valid, given, whole, half):
    before = {path.name: path.stat().st_mtime_ns for path in half.glob("*.parquet")}
    result = lstm(*given, "-o", half, "--json")
    assert result.json["parts_before"] == 4
    assert re.search(r" in 30 part\(s\), 4 of them from before; [\d,]+ tokens a sec", result.stderr)
    assert contents(half) == whole
    again = lstm(*given, "-o", half, "--json")
    assert again.stderr.endswith(" in 30 part(s), 30 of them from before.\n")
    assert valid("extract", again.json)["tokens_per_second"] is None
    assert before == {name: (half / name).stat().st_mtime_ns for name in before}


def test_a_part_that_was_lost_or_cut_is_made_again(lstm, given, whole, half):
    (half / "part-00004.parquet").unlink()
    (half / "part-00005.parquet").write_bytes(whole["part-00005.parquet"][:-1])
    assert lstm(*given, "-o", half, "--json").json["parts_before"] == 2
    assert contents(half) == whole


def test_a_changed_input_is_named(lstm, given, half, tmp_path):
    text = given[1].read_bytes()
    other = tmp_path / "x.txt"
    other.write_bytes(text.replace(b"john", b"JOHN", 1))
    before = contents(half)
    said = refused(lstm, "extract", other, *given[2:], "-o", half)
    assert said.startswith(f"{half}: expected what the dataset was begun with, found other: ")
    assert "inputs.0.sha256 was " in said
    assert "Give the same again, or name another folder." in said
    assert contents(half) == before
    other.write_bytes(text + b"john\n")
    assert f"inputs.0.bytes was {len(text)}, is {len(text) + 5}" in refused(
        lstm, "extract", other, *given[2:], "-o", half
    )
    assert "inputs.1 was nothing, is " in refused(
        lstm, "extract", given[1], other, *given[2:], "-o", half
    )
    # another name of the same bytes is no change
    shutil.copy(given[1], other)
    assert lstm("extract", other, *given[2:], "-o", half).code == 0


def test_a_changed_model_or_option_is_named(lstm, given, half, tiny, tmp_path):
    model = load(tiny)
    save(tmp_path / "other.safetensors", model.__class__(model.parameters, model.embedding,
                                                        tokenizer=model.tokenizer))  # fmt: skip
    command = ["extract", given[1], "--show", "all", "--part-size", "100", "-o", half]
    said = refused(lstm, *command, "-w", tmp_path / "other.safetensors")
    assert "model.sha256 was " in said
    (tmp_path / "vocab.txt").write_text("<unk>\nx\ny\njohn\nlikes\nblack\ncoffee\n")
    said = refused(lstm, *command, "-w", tiny, "--tokenizer", tmp_path / "vocab.txt")
    assert "tokenizer was " in said
    for options, message in (
        (("--half",), "dtype was float32, is float16"),
        (("--layers", "0"), "layers was all, is [0]"),
        (("--units", "0:2"), "units was all, is [0,1]"),
        (("--steps", "last"), "steps was all, is last"),
        (("--forget-bias", "1"), "options.forget_bias was nothing, is 1.0"),
        (("--engine", "numba"), "engine was numpy, is numba"),
    ):
        assert message in refused(lstm, *command, "-w", tiny, *options), options
    command[command.index("100")] = "50"
    assert "part_size was 100, is 50" in refused(lstm, *command, "-w", tiny)


def test_a_changed_stream_is_found_where_it_differs(lstm, given, whole, tmp_path):
    folder = tmp_path / "states"
    streamed = ["-" if argument is given[1] else argument for argument in given]
    text = given[1].read_bytes()
    assert lstm(*streamed, "-o", folder, stdin=text).code == 0
    parts = {name: data for name, data in contents(folder).items() if "part" in name}
    assert parts == {name: data for name, data in whole.items() if "part" in name}
    assert lstm(*streamed, "-o", folder, stdin=text).code == 0
    changed = text.replace(b"john", b"JOHN", 1)
    assert "the input's sequences from 0 on" in refused(
        lstm, *streamed, "-o", folder, stdin=changed
    )
    assert "the input has more than 30 parts" in refused(
        lstm, *streamed, "-o", folder, stdin=text + text
    )
    shorter = b"".join(text.splitlines(keepends=True)[:1000])
    assert "the input has 10 parts, 30 were made" in refused(
        lstm, *streamed, "-o", folder, stdin=shorter
    )


def test_two_commands_do_not_write_to_one_folder(start, lstm, given, tmp_path):
    folder = tmp_path / "states"
    streamed = ["-" if argument is given[1] else argument for argument in given]
    with start(*streamed, "-o", folder, stdin=subprocess.PIPE) as process:
        wait_for(lambda: (folder / "_manifest.json").exists())
        said = refused(lstm, *streamed, "-o", folder)
        assert said == f"{folder}: another lstm extract is writing here. Wait for its end."
        process.communicate(b"john\n", timeout=30)
    assert process.returncode == 0


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schema": "lstm.dataset/9"}', b"{"])
def test_a_manifest_of_something_else_is_refused(lstm, given, half, content):
    (half / "_manifest.json").write_bytes(content)
    assert refused(lstm, *given, "-o", half).startswith(f"{half}/_manifest.json: expected ")
