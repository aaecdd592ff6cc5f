"""One submitted array: how each of its tasks stands, from what the queue and the accounting say of its name."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from hominis.jobs.accounting import NOWHERE, Charged
from hominis.jobs.backend import Job
from hominis.jobs.intents import Intent
from hominis.jobs.queue import Queued, Task
from hominis.jobs.states import VANISHED, Decision, rule

GHOST_S = 60.0
"""A task that runs so long after its artefact stands does so in Slurm's books alone."""
ENDING = Job("ENDING", rule("COMPLETING"))
UNKNOWN = Job("UNKNOWN", rule("PENDING"))
LOST = "in no list of Slurm"


@dataclass(frozen=True)
class Round:
    """One look at Slurm: the queue, and the accounting of what it was asked for (None: it gave no answer)."""

    queued: Mapping[Task, list[Queued]]
    charged: Mapping[Task, list[Charged]] | None

    def living(self, task: Task) -> list[Queued]:
        """Return a task's entries that are under way: one, or two if its batch was taken twice."""
        return self._living.get(task, [])

    def alive(self, task: Task) -> Queued | None:
        """Return a task that is under way."""
        return next(iter(self.living(task)), None)

    @cached_property
    def _living(self) -> dict[Task, list[Queued]]:
        return {
            task: [entry for entry in tries if rule(entry.state).decision is Decision.ATTACH]
            for task, tries in self.queued.items()
        }

    @cached_property
    def names(self) -> set[str]:
        """The batches of which the accounting knows a task."""
        return {name for name, _ in self.charged or {}}

    def ids(self, intent: Intent) -> set[str]:
        """Return the ids of the jobs that carry a batch's name: one, or none."""
        tasks = [(intent.name, index) for index in range(len(intent.parts))]
        known = [entry.job for task in tasks for entry in self.queued.get(task, ())]
        return {*known, *(row.job for task in tasks for row in (self.charged or {}).get(task, ()))}


class Batch:
    """An intent and what is known of its tasks.

    Attributes:
        open: whether Slurm is to be asked about it.
    """

    def __init__(self, intent: Intent, grace_s: float) -> None:
        self.intent, self._grace_s = intent, grace_s
        self._sent = time.monotonic()
        self._since: dict[Task, float] = {}
        self._last: dict[Task, str] = {}
        ends = intent.ends
        self.open = ends is None
        self._over = {index: _ended(*end) for index, end in (ends or {}).items()}

    @property
    def overdue(self) -> bool:
        """Whether a batch that no list knows would be known by now."""
        return time.monotonic() - self._sent > self._grace_s

    def sent_now(self) -> None:
        """Note that it is being submitted: from now on lists may know it late."""
        self._sent = time.monotonic()
        self._since.clear()

    def tasks(self, among: Collection[str] | None = None) -> Iterator[tuple[str, Task]]:
        """Yield part and task of all parts, or of those ``among`` some."""
        pairs = ((part, (self.intent.name, i)) for i, part in enumerate(self.intent.parts))
        return pairs if among is None else (pair for pair in pairs if pair[0] in among)

    def jobs(self, wanted: Collection[str], look: Round) -> dict[str, Job]:
        """Return how the wanted parts of this batch stand; once none is under way, remember it for good."""
        if not self.open:
            return {part: self._over[i] for part, (_, i) in self.tasks(wanted) if i in self._over}
        found = {part: self._job(task, look) for part, task in self.tasks(wanted)}
        self._over |= {task[1]: found[part] for part, task in self.tasks(found) if not found[part].alive}
        if self.intent.job and not any(job.alive for job in found.values()) and not self.under_way(look):
            self.close(found)
        return found

    def under_way(self, look: Round) -> bool:
        """Whether the queue has a living task of this batch."""
        return any(look.alive(task) for _, task in self.tasks())

    def close(self, found: Mapping[str, Job]) -> None:
        """Record how the tasks ended."""
        self.open = False
        self.intent.close({index: _plain(found[part]) for part, (_, index) in self.tasks(found)})

    def proof(self, index: int) -> str | None:
        """Return that a task is over, if two equal looks said so."""
        job = self._over.get(index)
        return f"job {self.intent.job}_{index} was {job.state}" if job else None

    def ghosts(self, wanted: Collection[str], look: Round) -> Iterator[str]:
        """Yield tasks, by the ids that scancel takes, that run on although their parts have been there for long."""
        for part, task in self.tasks():
            entry = None if part in wanted else look.alive(task)
            if entry and entry.state == "RUNNING" and self._for(task) > GHOST_S:
                yield f"{entry.job}_{task[1]}"

    def _job(self, task: Task, look: Round) -> Job:
        if entry := look.alive(task):
            self._since.pop(task, None)
            return Job(entry.state, rule(entry.state), _where(entry.nodes), entry.reason, self.intent.t)
        rows = (look.charged or {}).get(task, [])
        rows = [row for row in rows if row.job == self.intent.job] or rows  # that its twin was cancelled means nothing
        if not rows or rule(rows[-1].state).decision is Decision.ATTACH:
            return self._unknown(task, rows, look)
        end, self._last[task] = self._last.get(task), rows[-1].state
        row = rows[-1]
        return _ended(row.state, row.exit_code, row.where) if end == row.state else ENDING

    def _unknown(self, task: Task, rows: list[Charged], look: Round) -> Job:
        if look.charged is None:
            self._since.pop(task, None)
        elif self._for(task) > self._grace_s and self.intent.job:
            ends = {entry.state for entry in look.queued.get(task, ())}  # of another end the accounting tells late
            if not rows and self.intent.name in look.names and ends <= {"CANCELLED"}:
                return _ended(VANISHED, "0:0", "")
            return Job(UNKNOWN.state, UNKNOWN.rule, reason=LOST)
        return UNKNOWN

    def _for(self, task: Task) -> float:
        """Return for how many seconds a task has been in the state that it was first asked about."""
        return time.monotonic() - self._since.setdefault(task, time.monotonic())


def _ended(state: str, exit_code: str, where: str) -> Job:
    return Job(state, rule(state, exit_code), _where(where), exit_code)


def _plain(job: Job) -> tuple[str, str, str]:
    return job.state, job.reason or "0:0", " ".join(job.where)


def _where(nodes: str) -> tuple[str, ...]:
    return (nodes,) if nodes and nodes != NOWHERE else ()
