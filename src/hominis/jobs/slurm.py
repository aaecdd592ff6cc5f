"""Jobs of Slurm: arrays of parts, found again by the token in their name, whatever became of their driver."""

import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from hominis.config.slurm import Resources, SlurmSection
from hominis.jobs import identity, intents
from hominis.jobs.accounting import accounting
from hominis.jobs.backend import Job, Unclear
from hominis.jobs.batch import GHOST_S, LOST, Batch, Round
from hominis.jobs.commands import ask
from hominis.jobs.queue import queue
from hominis.jobs.submission import Submission
from hominis.jobs.task import Task
from hominis.store.owner import Owner, death

PAUSE_S = 1.0


class Slurm:
    """Submits parts as arrays and knows how they stand.

    Args:
        task: what is to be done; its intents are kept in its folder.
        asked: how jobs are run, and what they ask for.
        lock: descriptor of the driver's lock, for sbatch to inherit.
    """

    def __init__(
        self, task: Task, asked: tuple[SlurmSection, Resources], lock: int, say: Callable[[str], None]
    ) -> None:
        self._task, self._section, self._say = task, asked[0], say
        self._batches: list[Batch] = []
        self._newest: dict[str, Batch] = {}
        self._lost: list[str] = []
        self._silence = ""
        self._fresh_s = asked[0].poll_s * 0.9
        self._submission = Submission(task, asked, lock, say, self._know)
        for intent in intents.every(task.home):
            self._know(Batch(intent, asked[0].grace_s))

    def look(self, missing: Sequence[str]) -> Mapping[str, Job]:
        """Return the newest job of each missing part that was submitted: at most one squeue and one sacct."""
        wanted = set(missing)
        look = self._round(wanted)
        jobs: dict[str, Job] = {}
        for batch in self._batches:
            if batch.open:
                self._reconcile(batch, look)
                for ghost in batch.ghosts(wanted, look):
                    self._say(f"job {ghost} runs on though its part has been there for {GHOST_S:.0f} s: cancelling it")
                    ask("scancel", ghost)
            jobs |= batch.jobs(wanted, look)
        self._tell_of_lost([part for part, job in jobs.items() if job.reason == LOST])
        return jobs

    def submit(self, parts: Sequence[str], avoid: Collection[str], busy: int) -> Sequence[str]:
        """Submit parts as arrays."""
        return self._submission.submit(parts, avoid, busy)

    def proof(self, owner: Owner) -> str | None:
        """Return the proof that an attempt's owner is dead: of our own jobs, what the last looks said."""
        slurm = owner.get("slurm", {})
        batch = next((b for b in self._batches if b.intent.name == slurm.get("name")), None)
        return batch.proof(slurm["index"]) or death(owner) if batch else identity.proof(owner)

    def log(self, part: str) -> Path:
        """Return where the output of a part's newest task is."""
        intent = self._newest[part].intent
        return intent.log(self._task.logs, intent.parts.index(part))

    def taken_over(self, owner: Owner) -> None:
        """Nothing to end: Slurm ends a job's processes, and what a lost node keeps has lost its scratch."""

    def settle(self) -> None:
        """See the tasks end whose artefacts stand: what runs is charged. What lasts is a ghost and is cancelled."""
        until, self._fresh_s = time.monotonic() + 2 * GHOST_S, PAUSE_S
        while self._any_open() and time.monotonic() < until:
            with contextlib.suppress(Unclear):
                self.look([])
            if self._any_open():
                time.sleep(PAUSE_S)

    def _any_open(self) -> bool:
        return any(batch.open for batch in self._batches)

    def _know(self, batch: Batch) -> None:
        self._batches.append(batch)
        self._newest |= dict.fromkeys(batch.intent.parts, batch)

    def _round(self, wanted: Collection[str]) -> Round:
        open_ = [batch for batch in self._batches if batch.open]
        look = Round(queue(self._task.site.polls, self._fresh_s) if open_ else {}, {})
        asking = [b for b in open_ if not b.intent.job or not all(look.alive(task) for _, task in b.tasks(wanted))]
        if not asking:
            return look
        silence, self._silence = self._silence, ""
        try:
            oldest = min(batch.intent.t for batch in asking)
            return Round(look.queued, accounting([batch.intent.name for batch in asking], oldest))
        except Unclear as none:
            self._silence = str(none)
            if self._silence != silence:
                self._say(f"waiting for the accounting: {none}")
            return Round(look.queued, None)

    def _reconcile(self, batch: Batch, look: Round) -> None:
        """Learn whether a batch was taken whose sbatch gave no clear answer; send the same intent if it wasn't."""
        intent = batch.intent
        if intent.job:
            self._end_twins(batch, look)
        elif ids := sorted(look.ids(intent), key=int):
            intent.taken(ids[0])
            self._say(f"adopted job {ids[0]} ({intent.name}): {len(intent.parts)} parts")
        elif intent.refused and look.charged is not None:
            batch.close({})
        elif batch.overdue and look.charged is not None:
            self._say(f"no list knows {intent.name} after {self._section.grace_s:.0f} s: sending the same intent again")
            self._submission.send(batch)

    def _end_twins(self, batch: Batch, look: Round) -> None:
        """Cancel a second job of the same token: a controller that answered late may have taken a batch twice."""
        living = {entry.job for _, task in batch.tasks() for entry in look.living(task)}
        for twin in living - {batch.intent.job} if batch.intent.job in living else ():
            self._say(f"job {twin} is a second one of {batch.intent.name}: cancelling it")
            ask("scancel", twin)

    def _tell_of_lost(self, lost: list[str]) -> None:
        if lost and lost != self._lost:
            self._say(
                f"{len(lost)} tasks have been in no queue for {self._section.grace_s:.0f} s and more, nor does the "
                "accounting say that they ended: waiting. If they are gone for sure, `hominis cancel` and start again"
            )
        self._lost = lost
