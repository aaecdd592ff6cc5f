"""The driver: gets every missing part of a stage done, then publishes the stage's receipt.

It keeps nothing in memory that the next driver needs: only artefacts decide that a part is done, only attempts and the
backend's own lists say who is at work.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from hominis.errors import StageFailed
from hominis.jobs.backend import Backend, Job, Unclear
from hominis.jobs.cancel import cancelled, forget
from hominis.jobs.clocks import Clocks
from hominis.jobs.judge import Judge
from hominis.jobs.local import Local
from hominis.jobs.lock import sole_driver
from hominis.jobs.pace import FRUGAL, Pace
from hominis.jobs.progress import Progress, waiting
from hominis.jobs.slurm import Slurm
from hominis.jobs.task import Task
from hominis.store import artefacts, ledger
from hominis.store.attempts import ALIVE, DEAD, Standing, standing
from hominis.store.owner import describe
from hominis.store.types import Receipt

SHOWN = 20
"""Warnings of a stage's parts that the driver repeats; the parts' logs have all."""


def drive(task: Task, say: Callable[[str], None]) -> Receipt:
    """Get a stage done and return its receipt; a stage that is done already costs a look.

    Raises:
        StageFailed: names the parts that could not be had, and why.
        Refused: Slurm said no to a submission.
    """
    if receipt := task.concluded():
        say(f"{len(task.parts)} of {len(task.parts)} parts are in the store")
        return receipt
    with sole_driver(task.home / "driver.lock", say) as lock:
        if missing := task.missing():
            # A stage's artefact stands only while its parts are as listed.
            artefacts.retire(task.site, task.stage.name, task.key)
            forget(task.home)
            _Driver(task, _backend(task, lock, say), say).work_off()
            warned = {a.part: a.warnings for a in ledger.read(task.site.root, [task.keys[part] for part in missing])}
            for part, words in [(part, words) for part, said in warned.items() for words in said][:SHOWN]:
                say(f"warning: {part}: {words}")
        return task.conclude()


def _backend(task: Task, lock: TextIO, say: Callable[[str], None]) -> Backend:
    path = task.write()
    if task.slurm is None:
        return Local(path, task.logs, task.jobs)
    return Slurm(task, task.slurm, lock.fileno(), say)


class _Driver:
    def __init__(self, task: Task, backend: Backend, say: Callable[[str], None]) -> None:
        self._task, self._backend, self._say = task, backend, say
        self._judge = Judge(backend)
        self._progress = Progress(len(task.parts), say)
        look = task.slurm and (task.slurm[0].poll_s, task.slurm[0].slowest_poll_s, FRUGAL)
        self._pace = Pace(*look) if look else Pace()
        self._clocks = Clocks(say)
        self._silent = ""

    def work_off(self) -> None:
        self._greet()
        while missing := self._task.missing():
            if who := cancelled(self._task.home):
                raise StageFailed(f"{self._task.stage.name}: {who}", remedy="start again to go on")
            seen: tuple[object, ...] = (len(missing),)
            try:
                seen = (len(missing), *self._round(missing))
                self._silent = ""
            except Unclear as silence:
                self._wait_for_words(str(silence))
            self._pace.wait(seen)
        self._backend.settle()

    def _round(self, missing: Sequence[str]) -> tuple[object, ...]:
        """Look, judge, submit; return what must change before it is worth looking again soon."""
        jobs = self._backend.look(missing)
        stands = {part: self._stand(part, jobs.get(part)) for part in missing}
        under_way = {p: (p in jobs and jobs[p].alive) or stands[p].state == ALIVE for p in missing}
        busy = [part for part in missing if under_way[part]]
        self._judge.see(busy, stands)
        todo = [part for part in missing if not under_way[part]]
        for part in todo:
            self._judge.judge(part, stands[part], jobs.get(part))
        if self._judge.failed and not busy:
            raise StageFailed(self._obituary())
        if todo and not self._judge.failed:
            self._start(todo, len(busy), stands, jobs)
        running = [p for p in busy if stands[p].state == ALIVE]
        done = len(self._task.parts) - len(missing)
        self._progress.report(done, [stands[p].last.get("progress", {}) for p in running], waiting(jobs.values()))
        self._clocks.look(running, stands, jobs)
        return (len(busy), len(running), *sorted(job.state for job in jobs.values()))

    def _stand(self, part: str, job: Job | None) -> Standing:
        """Return how the last attempt stands; a job that only waits has none, and asking ten thousand costs."""
        if job and job.alive and job.state != "RUNNING" and self._judge.knows(part):
            return Standing(0, "")
        return standing(self._task.site, self._task.keys[part], self._backend.proof)

    def _start(self, todo: Sequence[str], busy: int, stands: Mapping[str, Standing], jobs: Mapping[str, Job]) -> None:
        still = set(self._task.missing())  # a part may have been published while the others were looked at
        todo = [part for part in todo if part in still]
        for stand in (stands[part] for part in todo if stands[part].state == DEAD):
            self._backend.taken_over(stand.owner)
        for part in self._backend.submit(todo, self._judge.avoid(todo, jobs), busy):
            if stands[part].state == DEAD:
                self._say(f"{part}: attempt {stands[part].n} is lost ({stands[part].reason}), taking over")
            self._judge.submitted(part, stands[part])

    def _greet(self) -> None:
        """Name the parts that an earlier driver left running, and where: one that can't be seen may be gone."""
        stands = {part: self._stand(part, None) for part in self._task.missing()}
        alive = {part: stand.owner for part, stand in stands.items() if stand.state == ALIVE}
        if alive:
            where = ", ".join(f"{part} ({describe(owner)})" for part, owner in list(alive.items())[:4])
            self._say(f"attached to {len(alive)} running: {where}")

    def _wait_for_words(self, silence: str) -> None:
        if silence != self._silent:
            self._say(f"waiting: {silence}")
        self._silent = silence

    def _obituary(self) -> str:
        name, total, failed = self._task.stage.name, len(self._task.parts), self._judge.failed
        shown = [f"{part}: {_brief(why)}\n  log: {self._backend.log(part)}" for part, why in list(failed.items())[:5]]
        return f"{name}: {len(failed)} of {total} parts could not be had\n" + "\n".join(shown)


def _brief(why: str) -> str:
    """Return an error as people want it: of a traceback, the last line."""
    if "Traceback (most recent call last)" in why:
        return "unexpected " + next(line for line in reversed(why.strip().splitlines()) if not line.startswith(" "))
    return why
