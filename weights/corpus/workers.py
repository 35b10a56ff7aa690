"""Shards to parts in this process, or in several on this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread

from lstm.errors import LSTMError
from weights.corpus.job import Done, Job
from weights.corpus.shards import Shard

# So many shards wait for each worker: it never waits for the corpus to be read.
_WAITING = 2


def run_here(job: Job, shards: Iterable[Shard]) -> Iterator[Done]:
    """Make the parts one after the other."""
    yield from map(job.run, shards)


def run_in_processes(job: Job, shards: Iterable[Shard], workers: int) -> Iterator[Done]:
    """Make the parts in several processes, and yield each when it is done.

    The processes end with this one, however it ends.

    Raises:
        LSTMError: from a shard; or a process was killed.
        OSError: a part cannot be written.
    """
    with _pool(job, workers) as pool:
        running: set[Future[Done]] = set()
        try:
            for shard in shards:
                with _interruption_later():
                    running.add(pool.submit(_run, shard))
                if len(running) >= workers * _WAITING:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BrokenProcessPool:
            raise LSTMError(
                "a worker was killed, perhaps for want of memory. The same command goes on; "
                "--workers 1 needs the least."
            ) from None


@contextmanager
def _pool(job: Job, workers: int) -> Iterator[ProcessPoolExecutor]:
    """Start the workers; when this ends, or this process does, so do they, at once.

    Nothing is ever sent through the pipe: its other end closes when nobody holds it any more.
    """
    context = get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, context, _begin, (job, theirs))
    try:
        yield pool
    except BaseException:
        ours.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        ours.close()
        theirs.close()


@contextmanager
def _interruption_later() -> Iterator[None]:
    """Hold Ctrl-C back while a worker may be started, which so inherits that it is held back."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_job: Job


def _begin(job: Job, pipe: Connection) -> None:
    """In a worker: keep the job, and end with the one who started it."""
    global _job
    _job = job
    Thread(target=_end_with_the_pipe, args=(pipe,), daemon=True).start()


def _end_with_the_pipe(pipe: Connection) -> None:
    pipe.poll(None)
    os._exit(1)


def _run(shard: Shard) -> Done:
    return _job.run(shard)
