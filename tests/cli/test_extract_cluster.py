"""`lstm extract --cluster` on a real Ray cluster of two nodes, of which one is lost half-way.

Ray takes its time to start. `-m "not cluster"` leaves this out.
"""

import random
import time

import pytest

from tests.cli.conftest import COVERED

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]
WORDS = "john likes black coffee naïve".split()
# Outside of the range from which Ray takes its own.
PORT = 9817


@pytest.fixture(scope="module")
def cluster():
    utils = pytest.importorskip("ray.cluster_utils", reason="the extra cluster is not installed")
    head = {"num_cpus": 2, "include_dashboard": False, "ray_client_server_port": PORT}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        # A server has so many seconds to start, which a busy machine takes; and Ray's processes
        # are not measured: they are ended while they write what was covered.
        patch.setenv("RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S", "120")
        patch.delenv(COVERED, raising=False)
        made = utils.Cluster(initialize_head=True, head_node_args=head)
        yield made
        made.shutdown()


@pytest.fixture
def given(tiny, tmp_path):
    drawn = random.Random(4)
    lines = [" ".join(drawn.choices(WORDS, k=drawn.randint(0, 40))) for _ in range(6000)]
    (tmp_path / "x.txt").write_text("\n".join(lines))
    return ("extract", tmp_path / "x.txt", "-w", tiny, "--show", "all")


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_node_that_is_lost_half_way_costs_no_row_and_no_bit(
    cluster, start, lstm, given, tmp_path
):
    given = (*given, "--part-size", "50")
    assert lstm(*given, "-o", tmp_path / "alone").code == 0
    whole = contents(tmp_path / "alone")
    assert len(whole) == 121

    second = cluster.add_node(num_cpus=2)
    cluster.wait_for_nodes()
    folder, log = tmp_path / "states", tmp_path / "log"
    with log.open("wb") as stderr:
        process = start(
            *given, "-o", folder, "--cluster", "ray",
            env={"RAY_ADDRESS": cluster.address}, stdout=stderr, stderr=stderr,
        )  # fmt: skip
    try:
        wait_for(lambda: len(list(folder.glob("*.parquet"))) >= 20, process, log)
        cluster.remove_node(second, allow_graceful=False)
        assert len(list(folder.glob("*.parquet"))) < 120
        wait_for(lambda: process.poll() is not None, process, log)
    finally:
        process.kill()
    assert process.wait() == 0, log.read_text()
    assert contents(folder) == whole


def test_a_cluster_elsewhere_makes_the_same_and_says_what_is_wrong(
    cluster, start, lstm, given, deep, tmp_path
):
    given = (*given, "--part-size", "3000")
    assert lstm(*given, "-o", tmp_path / "alone").code == 0
    far = ("--cluster", f"ray://127.0.0.1:{PORT}")
    result = lstm(*given, "-o", tmp_path / "states", *far, "--json", seconds=240)
    assert result.code == 0, result.stderr
    assert (result.json["parts"], result.json["workers"]) == (2, None)
    assert contents(tmp_path / "states") == contents(tmp_path / "alone")

    texts = ["the cat"] * 300 + ["the dog"]
    (tmp_path / "y.txt").write_text("\n".join(texts))
    result = lstm("extract", "y.txt", "-w", deep, "-o", "bad", *far, cwd=tmp_path, seconds=240)
    assert result.code == 3
    assert 'error: y.txt: line 301: token "dog" at position 1' in result.stderr
    assert "Traceback" not in result.stderr


def wait_for(condition, process, log, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        if process.poll() not in (None, 0):
            raise AssertionError(log.read_text())
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.01)
