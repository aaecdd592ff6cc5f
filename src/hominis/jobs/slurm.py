"""Jobs of Slurm: arrays of parts, found again by the token in their name, whatever became of their driver."""

import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from hominis.config.slurm import Resources, SlurmSection
from hominis.jobs import identity, intents, script
from hominis.jobs.backend import Job, Unclear
from hominis.jobs.batch import GHOST_S, Batch, Round
from hominis.jobs.commands import Full, Refused, ask, sbatch
from hominis.jobs.queue import accounting, queue
from hominis.jobs.task import Task
from hominis.store import files
from hominis.store.owner import Owner, death


class Slurm:
    """Submits parts as arrays and knows how they stand.

    Args:
        task: what is to be done; its intents are kept in its folder.
        asked: how jobs are run, and what they ask for.
        lock: descriptor of the driver's lock, for sbatch to inherit.
    """

    def __init__(
        self,
        task: Task,
        asked: tuple[SlurmSection, Resources],
        lock: int,
        say: Callable[[str], None],
    ) -> None:
        self._task, self._lock, self._say = task, lock, say
        self._section, self._resources = asked
        self._batches = [Batch(intent, self._section.grace_s) for intent in intents.every(task.home)]
        self._late: list[str] = []
        self._newest = {part: batch for batch in self._batches for part in batch.intent.parts}

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
        return jobs

    def submit(self, parts: Sequence[str], avoid: Collection[str], busy: int) -> Sequence[str]:
        """Submit parts as arrays no longer than the site allows, as many as may wait at a time."""
        if busy and parts != self._late:
            self._late = list(parts)  # what ends one by one is submitted together
            return []
        parts, done = parts[: max(self._section.queued - busy, 0)], list[str]()
        suspects = self._suspects(avoid)
        for at in range(0, len(parts), self._longest):
            intent = intents.write(self._task.home, self._task.run, parts[at : at + self._longest], suspects)
            batch = Batch(intent, self._section.grace_s)
            self._batches.append(batch)
            self._newest |= dict.fromkeys(intent.parts, batch)
            if not self._sbatch(batch):
                break
            done += intent.parts
        return done

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
        until = time.monotonic() + 2 * GHOST_S
        while self._any_open() and time.monotonic() < until:
            with contextlib.suppress(Unclear):
                self.look([])
            if self._any_open():
                time.sleep(min(self._section.poll_s, 1.0))

    def _any_open(self) -> bool:
        return any(batch.open for batch in self._batches)

    def _round(self, wanted: Collection[str]) -> Round:
        open_ = [batch for batch in self._batches if batch.open]
        look = Round(queue(self._task.site.polls, self._section.poll_s * 0.9) if open_ else {}, {})
        asking = [b for b in open_ if not b.intent.job or not all(look.alive(task) for _, task in b.tasks(wanted))]
        if not asking:
            return look
        try:
            oldest = min(batch.intent.t for batch in asking)
            return Round(look.queued, accounting([batch.intent.name for batch in asking], oldest))
        except Unclear as silence:
            self._say(f"waiting for the accounting: {silence}")
            return Round(look.queued, None)

    def _reconcile(self, batch: Batch, look: Round) -> None:
        """Learn whether a batch was taken whose sbatch gave no clear answer; send the same intent if it wasn't."""
        intent, ids = batch.intent, sorted(look.ids(batch.intent), key=int)
        if intent.job:
            self._end_twins(batch, look)
        elif ids:
            intent.taken(ids[0])
            self._say(f"adopted job {ids[0]} ({intent.name}): {len(intent.parts)} parts")
        elif intent.refused and look.charged is not None:
            batch.close({})
        elif batch.overdue and look.charged is not None:
            self._say(f"no list knows {intent.name} after {self._section.grace_s:.0f} s: sending the same intent again")
            self._sbatch(batch)

    def _end_twins(self, batch: Batch, look: Round) -> None:
        """Cancel a second job of the same token: a controller that answered late may have taken a batch twice."""
        living = {look.queued[task][0].job for _, task in batch.tasks() if look.alive(task)}
        for twin in living - {batch.intent.job} if batch.intent.job in living else ():
            self._say(f"job {twin} is a second one of {batch.intent.name}: cancelling it")
            ask("scancel", twin)

    def _sbatch(self, batch: Batch) -> bool:
        intent, home = batch.intent, self._task.home
        log = intent.log(self._task.logs, 0)
        log.parent.mkdir(parents=True, exist_ok=True)
        command = ["-m", "hominis", "part", str(home / "task.json"), "--batch", str(intent.path)]
        asked = self._section, self._resources
        text = script.write(
            *asked, command, name=intent.name, tasks=len(intent.parts), output=log.with_stem("%a"), avoid=intent.avoid
        )
        files.replace(intent.script, text)
        batch.sent = time.monotonic()
        try:
            intent.taken(sbatch(str(intent.script), self._lock))
        except Full as limit:
            self._say(f"no more jobs may wait now: {limit.problem}")
            batch.close({})
            return False
        except Refused as no:
            intent.refuse(no.problem)
            raise
        self._say(f"submitted job {intent.job} ({intent.name}): {len(intent.parts)} parts")
        return True

    @cached_property
    def _longest(self) -> int:
        lines = ask("scontrol", "show", "config").splitlines()
        limits = [int(line.split("=")[1]) for line in lines if line.startswith("MaxArraySize")]
        return min([self._section.array, *limits])

    @staticmethod
    def _suspects(where: Collection[str]) -> list[str]:
        """Return the nodes to avoid: one on which a job of one node failed; of several, those that aren't well now."""
        found: set[str] = set()
        for nodes in where:
            hosts = ask("scontrol", "show", "hostnames", nodes).split()
            states = dict(line.split() for line in ask("sinfo", "-h", "-N", "-n", nodes, "-o", "%N %t").splitlines())
            unwell = {
                host for host in hosts if not states.get(host, "down").startswith(("idle", "mix", "alloc", "comp"))
            }
            found |= set(hosts) if len(hosts) == 1 else unwell
        return sorted(found)
