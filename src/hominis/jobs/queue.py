"""Slurm's queue and its accounting, looked at once a round for all jobs of all drivers."""

import fcntl
import re
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hominis.jobs.backend import Unclear
from hominis.jobs.commands import ask
from hominis.store import files

SQUEUE = ("squeue", "-h", "-r", "-t", "all", "--me", "-o", "%j|%F|%K|%A|%T|%r|%N|%S")
ACCOUNTING = "JobID,JobIDRaw,JobName,State,ExitCode,ElapsedRaw,NNodes,NodeList,Start,End,ConsumedEnergyRaw,CPUTimeRAW"
JOULES = ACCOUNTING.split(",").index("ConsumedEnergyRaw")
NOWHERE = "None assigned"
"""How sacct names the nodes of what never started."""
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


@dataclass(frozen=True)
class Charged:
    """A row of the accounting: one try of a task, or all tasks of an array that never started.

    Attributes:
        nodes: how many; ``where``: their names as Slurm prints them.
        joules: of the whole allocation; 0 where the site doesn't measure.
        shared: whether the row stands for other tasks, too.
    """

    name: str
    index: int
    job: str
    raw: str
    state: str
    exit_code: str
    seconds: int
    nodes: int
    where: str
    start: float | None
    joules: float
    cpu_seconds: int
    shared: bool = False


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
        name, job, index, raw, state, reason, nodes, start = _fields("squeue", line, 8)
        found.setdefault((name, _number(index)), []).append(Queued(job, raw, state, reason, nodes, _time(start)))
    return found


def _snapshot(folder: Path, fresh_s: float) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "squeue"
    with (folder / "squeue.lock").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not path.exists() or not 0 <= time.time() - path.stat().st_mtime < fresh_s:
            files.replace(path, ask(*SQUEUE))
        return path.read_text()


def accounting(names: Collection[str], since: float, *, energy: bool = False) -> dict[Task, list[Charged]]:
    """Return what the accounting knows of some batches, each task's tries in their order.

    Args:
        since: unix time before which none of them was submitted.
        energy: whether joules are wanted. Of jobs without srun, and of requeued ones, the steps alone have them.

    Raises:
        Unclear: sacct gave no answer.
    """
    found: dict[Task, list[Charged]] = {}
    if not names:
        return found
    begin = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(since - 86400))  # clocks differ
    rows = ask("sacct", "-nPD" if energy else "-nXPD", "--name", ",".join(sorted(names)), "-S", begin, "-o", ACCOUNTING)
    for job in _jobs(_fields("sacct", line, len(ACCOUNTING.split(","))) for line in rows.splitlines()):
        for row in _charged(job):
            found.setdefault((row.name, row.index), []).append(row)
    for tries in found.values():
        tries.sort(key=_age)
    return found


def _jobs(rows: Iterable[list[str]]) -> list[list[str]]:
    """Return the rows of jobs; one without joules has those of its largest step, which follow it."""
    jobs: list[list[str]] = []
    given = False
    for fields in rows:
        if "." not in fields[0]:
            jobs.append(fields)
            given = int(fields[JOULES] or 0) > 0
        elif not given:
            jobs[-1][JOULES] = str(max(int(jobs[-1][JOULES] or 0), int(fields[JOULES] or 0)))
    return jobs


def _fields(command: str, line: str, count: int) -> list[str]:
    fields = line.split("|")
    if len(fields) != count:
        raise Unclear(f"{command} answered {line[:80]!r}")
    return fields


def _charged(fields: list[str]) -> Iterator[Charged]:
    """Yield a row for each task that a row of sacct stands for: tasks that never started share one."""
    id, raw, name, state, code, seconds, nodes, where, start, _, joules, cpu = fields
    job, _, indices = id.partition("_")
    for index in _indices(indices):
        what = int(seconds or 0), int(nodes or 0), where, _time(start), float(joules or 0), int(cpu or 0)
        yield Charged(name, index, job, raw, state, code, *what, shared="[" in indices)


def _age(row: Charged) -> tuple[bool, float]:
    """Sort a task's rows: one that it shares may be stale beside its own; what waits to start anew is the newest."""
    return not row.shared, row.start or float("inf")


def _indices(text: str) -> Iterator[int]:
    """Yield the indices of ``7`` or ``[0-6:3,8%2]``."""
    for piece in text.strip("[]").partition("%")[0].split(","):
        if spans := re.fullmatch(r"(\d+)(?:-(\d+))?(?::(\d+))?", piece):
            low, high, step = spans.groups()
            yield from range(int(low), int(high or low) + 1, int(step or 1))


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _time(text: str) -> float | None:
    """Return a time as Slurm prints it with SLURM_TIME_FORMAT=%s; squeue may leave it open (N/A), sacct too."""
    return float(text) if text.isdigit() else None
