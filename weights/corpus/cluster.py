"""Shards to parts on a cluster, through Ray Data. The only importer of ray."""

from __future__ import annotations

import logging
import pickle
import signal
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstm.errors import LSTMError, MissingExtraError
from weights.corpus.job import Job, Part
from weights.corpus.parquet import one_row
from weights.corpus.reading import Source
from weights.corpus.shards import Shard, shards
from weights.corpus.threads import ONE_THREAD
from weights.pretrained.registry import NAMES

# Where Ray is told to find the cluster that there is, or to start one of this machine alone.
LOCAL = "ray"
# The corpus is read on the node without which there is no cluster: what was read is never lost.
_ON_THE_HEAD = {"node:__internal_head__": 0.001}


def run_on_ray(
    job: Job,
    sources: Sequence[Source],
    part_size: int,
    already: Collection[int],
    address: str,
    workers: int | None,
) -> Generator[Part, None, None]:
    """Make the parts on a cluster, and yield each when it is done.

    Ray reads the corpus as a stream of shards, hands each to one of its actors, starts actors and
    reads anew where a node is lost. The folder and the files have to be there for all nodes,
    under the same names. An actor writes the part where it ran; only what the manifest says of it
    travels.

    Args:
        job: what is done with each shard.
        sources: the corpus, no streams.
        part_size: sequences in a shard.
        already: the numbers of the parts that need not be made.
        address: `ray`, or `ray://host:port`.
        workers: how many actors at most; one per core if not told.

    Raises:
        MissingExtraError: Ray is not installed.
        LSTMError: there is no such cluster; or from a shard.
    """
    ray = _ray()
    with _connected(ray, address):
        head = ray.remote(num_cpus=0, resources=_ON_THE_HEAD)(_Head)
        corpus = _everywhere(sources), part_size, frozenset(already)
        made = head.remote(_job_everywhere(job), corpus, workers)
        while data := ray.get(made.next.remote()):
            found = pickle.loads(data)
            if isinstance(found, Exception):
                raise found
            job.told(found.sequences, found.tokens)
            yield found


class _Head:
    """Lives on the head node and has Ray Data make the parts, which no client from outside can."""

    def __init__(
        self, job: Job, corpus: tuple[Sequence[Source], int, Collection[int]], workers: int | None
    ) -> None:
        ray = _ray()
        cores = int(ray.cluster_resources().get("CPU", 1))
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.target_max_block_size = 1  # each shard travels by itself
        source = ray.data.read_datasource(
            _corpus(ray, *corpus), override_num_blocks=1, resources=_ON_THE_HEAD
        )
        made = source.map_batches(
            _Actor,
            fn_constructor_args=(job,),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers or max(1, cores - 1)),
            num_cpus=1,
        )
        self.rows = iter(made.iter_rows())

    def next(self) -> bytes | None:
        """Return the next part that is done, or what hinders it; None after the last."""
        row = next(self.rows, None)
        return None if row is None else row["done"]


def _ray() -> Any:
    """Import Ray, and let it speak only of what goes wrong."""
    try:
        import ray.data
    except ImportError:
        raise MissingExtraError("ray", "cluster", "--cluster") from None
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return ray


@contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    """Join the cluster, silently, and leave it; a request to end means what it did before."""
    on_request = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=None if address == LOCAL else address,
            runtime_env={"env_vars": ONE_THREAD},
            logging_level="ERROR",
            log_to_driver=False,
            include_dashboard=False if address == LOCAL else None,
        )
    except (ConnectionError, TimeoutError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1:]  # the last line of Ray's own traceback
        raise LSTMError(" ".join([f"--cluster {address}: no cluster answers.", *reason])) from None
    signal.signal(signal.SIGTERM, on_request)
    try:
        yield
    finally:
        ray.shutdown()


def _corpus(ray: Any, sources: Sequence[Source], part_size: int, already: Collection[int]) -> Any:
    """Make the source that Ray reads: a stream of shards, one a row."""

    def read() -> Iterator[Any]:
        try:
            for shard in shards(sources, part_size):
                if shard.number not in already:
                    yield one_row("shard", pickle.dumps(shard))
        except LSTMError as error:
            yield one_row("shard", pickle.dumps(LSTMError(str(error))))

    class Corpus(ray.data.Datasource):  # type: ignore[misc]
        def get_read_tasks(self, *_: Any, **__: Any) -> list[Any]:
            size = sum(source.num_bytes for source in sources)
            metadata = ray.data.block.BlockMetadata(None, size, None, None)
            return [ray.data.ReadTask(read, metadata)]

        def estimate_inmemory_data_size(self) -> int | None:
            return None

    return Corpus()


class _Actor:
    """Lives on a node, keeps the model, makes part after part.

    What a user can mend comes back as a result: what is raised, Ray takes for a fault of its own.
    """

    def __init__(self, job: Job) -> None:
        self.job = job

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        made = [self._run(pickle.loads(shard)) for shard in batch["shard"]]
        return {"done": [pickle.dumps(found) for found in made]}

    def _run(self, shard: Shard | LSTMError) -> Part | Exception:
        if isinstance(shard, LSTMError):
            return shard
        try:
            return self.job.run(shard)
        except (LSTMError, OSError) as error:
            return error


def _everywhere(sources: Sequence[Source]) -> list[Source]:
    return [source._replace(path=source.path.resolve()) for source in sources]


def _job_everywhere(job: Job) -> Job:
    """Name files so that they are found from any folder."""
    source = job.source if job.source in NAMES else str(Path(job.source).resolve())
    options = dict(job.options)
    if options.get("tokenizer") is not None:
        options["tokenizer"] = Path(options["tokenizer"]).resolve()
    return replace(job, source=source, options=options, folder=job.folder.resolve())
