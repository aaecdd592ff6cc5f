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
    prepare(*arguments)


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(1)
