"""Parts into arrays: as long as the site allows, no more waiting than it allows, away from nodes that failed."""

from collections.abc import Callable, Collection, Sequence
from functools import cached_property

from hominis.config.slurm import Resources, SlurmSection
from hominis.jobs import intents, script
from hominis.jobs.batch import Batch
from hominis.jobs.commands import Full, Refused, ask, sbatch
from hominis.jobs.task import Task
from hominis.store import files

WELL = ("idle", "mix", "alloc", "comp")


class Submission:
    """Submits parts of a task; learns the site's limits from its refusals.

    Args:
        asked: how jobs are run, and what they ask for.
        lock: descriptor of the driver's lock, for sbatch to inherit.
        known: takes each batch as soon as its intent is on disk.
    """

    def __init__(
        self,
        task: Task,
        asked: tuple[SlurmSection, Resources],
        lock: int,
        say: Callable[[str], None],
        known: Callable[[Batch], None],
    ) -> None:
        self._task, self._asked, self._lock, self._say, self._known = task, asked, lock, say, known
        self._room = asked[0].queued
        self._late: Sequence[str] = ()

    def submit(self, parts: Sequence[str], avoid: Collection[str], busy: int) -> list[str]:
        """Submit as many of ``parts`` as may wait beside ``busy`` others; returns those."""
        room = self._room - busy
        if busy and (parts != self._late or room < min(len(parts), self._longest // 2)):
            self._late = list(parts)  # what ends one by one is submitted together, and not in crumbs
            return []
        left, done, suspects = list(parts[: max(room, 0)]), list[str](), self._suspects(avoid)
        while left:
            intent = intents.write(self._task.home, self._task.run, left[: self._longest], suspects)
            batch = Batch(intent, self._asked[0].grace_s)
            self._known(batch)
            try:
                self.send(batch)
            except Full as limit:
                batch.close({})
                if not self._learn(limit, busy + len(done), len(intent.parts)):
                    break
                continue
            done, left = [*done, *intent.parts], left[len(intent.parts) :]
        return done

    def send(self, batch: Batch) -> None:
        """Submit a batch whose intent is on disk: for the first time, or again because no list knows it.

        Raises:
            Unclear: nobody knows whether it was taken.
            Full: too many jobs wait. Refused: any other no.
        """
        intent, home = batch.intent, self._task.home
        log = intent.log(self._task.logs, 0)
        log.parent.mkdir(parents=True, exist_ok=True)
        command = ["-m", "hominis", "part", str(home / "task.json"), "--batch", str(intent.path)]
        text = script.write(
            *self._asked,
            command,
            name=intent.name,
            tasks=len(intent.parts),
            output=log.with_stem("%a"),
            avoid=intent.avoid,
        )
        files.replace(intent.script, text)
        batch.sent_now()
        try:
            intent.taken(sbatch(str(intent.script), self._lock))
        except Full:
            raise
        except Refused as no:
            intent.refuse(no.problem)
            raise
        self._say(f"submitted job {intent.job} ({intent.name}): {len(intent.parts)} parts")

    def _learn(self, limit: Full, queued: int, size: int) -> bool:
        """Learn how many jobs may wait from a refusal; returns whether a smaller array may pass now."""
        if queued:
            self._say(f"no more than {queued} tasks may wait: the others follow ({limit.problem})")
            self._room = queued
            return False
        if size == 1:
            raise limit
        self._longest = size // 2
        return True

    @cached_property
    def _longest(self) -> int:
        lines = ask("scontrol", "show", "config").splitlines()
        limits = [int(line.split("=")[1]) for line in lines if line.startswith("MaxArraySize")]
        return min([self._asked[0].array, *limits])

    @staticmethod
    def _suspects(where: Collection[str]) -> list[str]:
        """Return the nodes to avoid: one on which a job of one node failed; of several, those that aren't well now."""
        found: set[str] = set()
        for nodes in where:
            hosts = ask("scontrol", "show", "hostnames", nodes).split()
            states = dict(line.split() for line in ask("sinfo", "-h", "-N", "-n", nodes, "-o", "%N %t").splitlines())
            found |= {host for host in hosts if len(hosts) == 1 or states.get(host) not in WELL}
        return sorted(found)
