"""Make batches; work on the next ones, a thread or process per core, while one is being used."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

_MOST_CHARACTERS, _MOST_ITEMS = 2**22, 2**15

AHEAD = 2
"""Batches that wait for each worker."""
LOOK_SECONDS = 1.0


def batched(items: Iterable[Given], length: Callable[[Given], int]) -> Iterator[list[Given]]:
    """Yield items in lists of 4 MB at most, by the ``length`` of each, or of one that is longer; none is empty."""
    held: list[Given] = []
    size = 0
    for item in items:
        more = length(item)
        if held and (size + more > _MOST_CHARACTERS or len(held) >= _MOST_ITEMS):
            yield held
            held, size = [], 0
        held.append(item)
        size += more
    if held:
        yield held


def paired(
    batches: Iterable[Given],
    work: Callable[[Given], Made],
    workers: int,
    pools: Callable[[int], AbstractContextManager[Executor]] = ThreadPoolExecutor,
) -> Iterator[tuple[Given, Made]]:
    """Yield each batch with ``work(batch)``, in order: by this thread, or from 2 ``workers`` on by ``pools(workers)``.

    A bounded number of batches is worked on at a time. Threads suit compiled work, which lets go of the interpreter's
    lock: they have nothing to load and nothing to send.
    """
    if workers < 2:
        yield from ((batch, work(batch)) for batch in batches)
        return
    waiting: deque[tuple[Given, Future[Made]]] = deque()
    with pools(workers) as pool:
        for batch in batches:
            waiting.append((batch, pool.submit(work, batch)))
            if len(waiting) >= AHEAD * workers:
                done, made = waiting.popleft()
                yield done, made.result()
        yield from ((done, made.result()) for done, made in waiting)


@contextmanager
def processes(count: int, prepare: Callable[..., None], *arguments: Any) -> Iterator[ProcessPoolExecutor]:
    """Start ``count`` processes, each of which calls ``prepare`` first; leave none behind.

    They suit work that the interpreter does itself. They are spawned, not forked: the parent has threads. They end
    with the parent, even if it is killed.
    """
    context = multiprocessing.get_context("spawn")
    begin = (os.getpid(), prepare, *arguments)
    with ProcessPoolExecutor(count, context, _begin, begin) as pool:
        yield pool


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
