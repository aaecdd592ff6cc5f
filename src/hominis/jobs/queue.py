"""Slurm's queue, looked at once a round for all jobs of all drivers."""

import fcntl
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hominis.jobs.commands import ask, fields, moment
from hominis.store import files

SQUEUE = ("squeue", "-h", "-r", "-t", "all", "--me", "-o", "%j|%F|%K|%A|%T|%r|%N|%S")
PREFIX = "hominis-"
Task = tuple[str, int]
"""A task of an array: the batch's name, which carries its token, and its index. Ids are given twice; this isn't."""


@dataclass(frozen=True)
class Queued:
    """A task in the queue.

    Attributes:
        job: the array's id. ``raw``: the task's own id once it has one.
        start: when it starts, or is expected to, in unix time; None if Slurm doesn't say.
    """

    job: str
    raw: str
    state: str
    reason: str
    nodes: str
    start: float | None


def queue(folder: Path, fresh_s: float) -> dict[Task, list[Queued]]:
    """Return our tasks in the queue.

    All drivers of a user share one look at it: a file under a lock.

    Args:
        folder: where the file is.
        fresh_s: how old a look may be.

    Raises:
        Unclear: squeue gave no answer.
    """
    return _parse(_snapshot(folder, fresh_s))


def queue_of(name: str) -> dict[Task, list[Queued]]:
    """Return what the queue says of one batch, now.

    Raises:
        Unclear: squeue gave no answer.
    """
    return _parse(ask(*SQUEUE, "--name", name))


@lru_cache(maxsize=1)  # while nothing changes, 10,000 lines stay the same
def _parse(text: str) -> dict[Task, list[Queued]]:
    found: dict[Task, list[Queued]] = {}
    for line in text.splitlines():
        if not line.startswith(PREFIX):
            continue
        name, job, index, raw, state, reason, nodes, start = fields("squeue", line, 8)
        found.setdefault((name, _number(index)), []).append(Queued(job, raw, state, reason, nodes, moment(start)))
    return found


def _snapshot(folder: Path, fresh_s: float) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "squeue"
    with (folder / "squeue.lock").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not path.exists() or not 0 <= time.time() - path.stat().st_mtime < fresh_s:
            files.replace(path, ask(*SQUEUE))
        return path.read_text()


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
