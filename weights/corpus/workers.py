"""Shards to parts in this process, or in several on this machine."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from threading import Thread
from traceback import format_exc
from typing import cast

from lstm.errors import LSTMError
from weights.corpus.job import Job, Part
from weights.corpus.shards import Shard

# So many shards are with each worker: it never waits for the corpus to be read.
_AT_ONCE = 2


def run_here(job: Job, shards: Iterable[Shard]) -> Generator[Part, None, None]:
    """Make the parts one after the other."""
    yield from map(job.run, shards)


def run_in_processes(
    job: Job, shards: Iterable[Shard], workers: int
) -> Generator[Part, None, None]:
    """Make the parts in several processes, and yield each when it is done.

    The processes end with this one, however it ends: each has a pipe of its own, which closes
    then, and nothing else is shared that somebody would have to clear away.

    Raises:
        LSTMError: from a shard; or a process was killed.
        OSError: a part cannot be written.
    """
    todo = iter(shards)
    with _started(job, workers) as pipes:
        running = Counter(pipe for pipe in pipes * _AT_ONCE if _sent(pipe, todo))
        while running := +running:
            for pipe in cast("list[Connection]", wait(list(running))):
                with _missing_the_killed():
                    found = pipe.recv()
                if isinstance(found, Exception):
                    raise found
                if isinstance(found, Part):
                    running[pipe] -= not _sent(pipe, todo)
                    yield found
                else:
                    job.told(*found)


def _sent(pipe: Connection, todo: Iterator[Shard]) -> bool:
    """Send the next shard; say whether there was one."""
    shard = next(todo, None)
    if shard is not None:
        with _missing_the_killed():
            pipe.send(shard)
    return shard is not None


@contextmanager
def _missing_the_killed() -> Iterator[None]:
    try:
        yield
    except (EOFError, ConnectionError):
        raise LSTMError(
            "a worker was killed, perhaps for want of memory. The same command goes on; "
            "--workers 1 needs the least."
        ) from None


@contextmanager
def _started(job: Job, workers: int) -> Iterator[list[Connection]]:
    """Start the workers; when this ends, or this process does, so do they, at once."""
    context = get_context("spawn")
    resource_tracker.ensure_running()  # which lets Ctrl-C through again when it is started
    pipes, processes = [], []
    try:
        with _interruption_later():
            for _ in range(workers):
                ours, theirs = context.Pipe()
                pipes.append(ours)
                processes.append(context.Process(target=_work, args=(job, theirs), daemon=True))
                processes[-1].start()
                theirs.close()
        yield pipes
        for pipe in pipes:
            with _missing_the_killed():
                pipe.send(None)
        for process in processes:
            process.join()
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join()


@contextmanager
def _interruption_later() -> Iterator[None]:
    """Hold Ctrl-C back while workers are started, which so inherit that it is held back."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(job: Job, pipe: Connection) -> None:
    """In a worker: make part after part, until there are no more."""
    shards: SimpleQueue[Shard | None] = SimpleQueue()
    Thread(target=_receive, args=(pipe, shards), daemon=True).start()
    job.told = lambda sequences, tokens: _send(pipe, (sequences, tokens))
    while shard := shards.get():
        _send(pipe, _made(job, shard))


def _made(job: Job, shard: Shard) -> Part | Exception:
    try:
        return job.run(shard)
    except Exception as error:
        error.add_note(format_exc())  # which an exception leaves behind when it travels
        return error


def _send(pipe: Connection, found: object) -> None:
    try:
        pipe.send(found)
    except ConnectionError:  # nobody listens any more
        os._exit(1)


def _receive(pipe: Connection, shards: SimpleQueue[Shard | None]) -> None:
    """Take shards in as they come; end with the one who sends them."""
    try:
        while shard := pipe.recv():
            shards.put(shard)
        shards.put(None)
    except (EOFError, ConnectionError):
        os._exit(1)
