"""Make batches; work on the next ones, a process per core, while one is being used."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import tee
from typing import Any, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

_MOST_CHARACTERS, _MOST_ITEMS = 2**20, 2**15

AHEAD = 2
"""Batches that wait for each process."""
LOOK_SECONDS = 1.0


def batched(items: Iterable[Given], length: Callable[[Given], int]) -> Iterator[list[Given]]:
    """Yield items in lists of a megabyte or little more, by the ``length`` of each; none is empty."""
    held: list[Given] = []
    size = 0
    for item in items:
        held.append(item)
        size += length(item)
        if size >= _MOST_CHARACTERS or len(held) >= _MOST_ITEMS:
            yield held
            held, size = [], 0
    if held:
        yield held


def _nothing() -> None:
    """Prepare nothing; it has a name, as processes that are spawned ask for one."""


def enough(asked: int, pieces: int) -> int:
    """Return how many processes to use: as many as ``asked``, or the job's cores if 0; none without a piece to do."""
    return min(asked or len(os.sched_getaffinity(0)), pieces)  # a node may have more cores than its job


def paired(
    batches: Iterable[Given],
    work: Callable[[Given], Made],
    workers: int,
    prepare: Callable[..., None] = _nothing,
    *arguments: Any,
) -> Iterator[tuple[Given, Made]]:
    """Yield each batch with ``work(batch)``: from ``workers`` processes, which ``prepare``, or of this one."""
    if workers < 2:
        prepare(*arguments)
        yield from ((batch, work(batch)) for batch in batches)
        return
    kept, again = tee(batches)
    with processes(workers, prepare, *arguments) as pool:
        yield from zip(kept, ahead(pool, work, again, workers), strict=True)


@contextmanager
def processes(count: int, prepare: Callable[..., None], *arguments: Any) -> Iterator[ProcessPoolExecutor]:
    """Start ``count`` processes, each of which calls ``prepare`` first; leave none behind.

    They are spawned, not forked: the parent has threads. They end with the parent, even if it is killed.
    """
    context = multiprocessing.get_context("spawn")
    begin = (os.getpid(), prepare, *arguments)
    with ProcessPoolExecutor(count, context, _begin, begin) as pool:
        yield pool


def ahead(
    pool: ProcessPoolExecutor, work: Callable[[Given], Made], batches: Iterable[Given], workers: int
) -> Iterator[Made]:
    """Yield ``work(batch)`` in the order of ``batches``, a bounded number of them at a time."""
    waiting: deque[Future[Made]] = deque()
    for batch in batches:
        waiting.append(pool.submit(work, batch))
        if len(waiting) >= AHEAD * workers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _begin(parent: int, prepare: Callable[..., None], *arguments: Any) -> None:
    for number in (signal.SIGTERM, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)  # sent to all of a job's processes: it is the parent's to stop well
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    os.environ["POLARS_MAX_THREADS"] = "1"  # it would take all cores, and there is a process for each
    prepare(*arguments)


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(1)
