"""Slurm's accounting: how tasks ended, and what was charged for them."""

import re
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from hominis.jobs.commands import ask, fields, moment
from hominis.jobs.queue import Task

ACCOUNTING = "JobID,JobIDRaw,JobName,State,ExitCode,ElapsedRaw,NNodes,NodeList,Start,End,ConsumedEnergyRaw,CPUTimeRAW"
JOULES = ACCOUNTING.split(",").index("ConsumedEnergyRaw")
NOWHERE = "None assigned"
"""How sacct names the nodes of what never started."""


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
    for job in _jobs(fields("sacct", line, len(ACCOUNTING.split(","))) for line in rows.splitlines()):
        for row in _charged(job):
            found.setdefault((row.name, row.index), []).append(row)
    for tries in found.values():
        tries.sort(key=_age)
    return found


def _jobs(rows: Iterable[list[str]]) -> list[list[str]]:
    """Return the rows of jobs; one without joules has those of its largest step, which follow it."""
    jobs: list[list[str]] = []
    given = False
    for row in rows:
        if "." not in row[0]:
            jobs.append(row)
            given = int(row[JOULES] or 0) > 0
        elif not given:
            jobs[-1][JOULES] = str(max(int(jobs[-1][JOULES] or 0), int(row[JOULES] or 0)))
    return jobs


def _charged(row: list[str]) -> Iterator[Charged]:
    """Yield a row for each task that a row of sacct stands for: tasks that never started share one."""
    id, raw, name, state, code, seconds, nodes, where, start, _, joules, cpu = row
    job, _, indices = id.partition("_")
    for index in _indices(indices):
        what = int(seconds or 0), int(nodes or 0), where, moment(start), float(joules or 0), int(cpu or 0)
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
