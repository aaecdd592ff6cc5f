"""The driver: gets every missing part of a stage done, then publishes the stage's receipt.

It keeps nothing in memory that the next driver needs: only artefacts decide that a part is done, only attempts say
who is at work.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hominis.errors import StageFailed
from hominis.jobs.local import Local, end_leftovers
from hominis.jobs.lock import sole_driver
from hominis.jobs.progress import Progress
from hominis.jobs.task import Task
from hominis.store import artefacts
from hominis.store.attempts import ALIVE, DEAD, Standing, standing
from hominis.store.owner import describe
from hominis.store.types import Receipt

TRIES = 3
FASTEST_S, SLOWEST_S = 0.05, 1.0
EXIT_BUSY = 76
"""A part's process found a living attempt: sysexits' EX_PROTOCOL, out of the way of real failures."""


def drive(task: Task, say: Callable[[str], None]) -> Receipt:
    """Get a stage done and return its receipt; a stage that is done already costs a look.

    Raises:
        StageFailed: names the parts that could not be had, and why.
    """
    if receipt := task.concluded():
        say(f"{len(task.parts)} of {len(task.parts)} parts are in the store")
        return receipt
    with sole_driver(task.home / "driver.lock", say):
        if task.missing():
            # A stage's artefact stands only while its parts are as listed.
            artefacts.retire(task.site, task.stage.name, task.key)
            _Driver(task, say).work_off()
        return task.conclude()


@dataclass
class _Tries:
    """How often a part was submitted without getting further, and how far it got."""

    count: int = 0
    furthest: float = -1.0
    attempt: int = 0


class _Pace:
    """Looks often while things change, and once a second while they don't: waiting costs next to nothing."""

    def __init__(self) -> None:
        self._pause_s, self._seen = FASTEST_S, (0, 0)

    def wait(self, seen: tuple[int, int]) -> None:
        self._pause_s = min(self._pause_s * 1.3, SLOWEST_S) if seen == self._seen else FASTEST_S
        self._seen = seen
        time.sleep(self._pause_s)


class _Driver:
    def __init__(self, task: Task, say: Callable[[str], None]) -> None:
        self._task, self._say = task, say
        self._jobs = Local(task.write(), task.logs, task.jobs)
        self._tries: dict[str, _Tries] = {}
        self._failed: dict[str, str] = {}
        self._progress = Progress(len(task.parts), say)

    def work_off(self) -> None:
        pace = _Pace()
        self._greet()
        while missing := self._task.missing():
            stands = self._stands(missing)
            ours = self._jobs.running()
            running = [part for part in missing if part in ours or stands[part].state == ALIVE]
            for part in set(missing) - set(running):
                self._judge(part, stands[part])
            if self._failed and not running:
                raise StageFailed(self._obituary())
            self._start(missing, running, stands)
            done = len(self._task.parts) - len(missing)
            self._progress.report(done, [stands[p].last.get("progress", {}) for p in running])
            pace.wait((len(missing), len(running)))

    def _stands(self, parts: Sequence[str]) -> dict[str, Standing]:
        return {part: standing(self._task.site, self._task.keys[part]) for part in parts}

    def _greet(self) -> None:
        """Name the parts that an earlier driver left running, and where: one that can't be seen may be gone."""
        alive = {p: s.owner for p, s in self._stands(self._task.missing()).items() if s.state == ALIVE}
        if alive:
            where = ", ".join(f"{part} ({describe(owner)})" for part, owner in list(alive.items())[:4])
            self._say(f"attached to {len(alive)} running: {where}")

    def _start(self, missing: Sequence[str], running: Sequence[str], stands: Mapping[str, Standing]) -> None:
        room = self._jobs.room(len(running))
        todo = [part for part in missing if part not in set(running)]
        if not room or not todo or self._failed:
            return
        still = set(self._task.missing())  # a part may have been published while the others were looked at
        for part in [part for part in todo if part in still][:room]:
            self._submit(part, stands[part])

    def _submit(self, part: str, stand: Standing) -> None:
        if stand.state == DEAD:
            self._say(f"{part}: attempt {stand.n} is lost ({stand.reason}), taking over")
            end_leftovers(stand.owner)
        tries = self._tries.setdefault(part, _Tries())
        tries.count, tries.attempt = tries.count + 1, stand.n
        self._jobs.submit(part)

    def _judge(self, part: str, stand: Standing) -> None:
        """Give up a part that failed by itself, or that died too often without getting further."""
        tries = self._tries.get(part)
        if tries is None or part in self._failed:
            return
        furthest = stand.last.get("progress", {}).get("done", -1.0)
        if furthest > tries.furthest:
            tries.count, tries.furthest = 1, furthest
        if stand.n > tries.attempt and stand.last.get("outcome") == "failed":
            self._failed[part] = stand.last["error"]
        elif stand.n == tries.attempt and self._jobs.exit_code(part) not in (0, EXIT_BUSY, None):
            self._failed[part] = f"did not start (exit code {self._jobs.exit_code(part)}): {self._jobs.tail(part)}"
        elif tries.count >= TRIES:
            why = stand.last.get("error") or stand.reason or "see its log"
            self._failed[part] = f"{tries.count} attempts ended without progress, the last: {why}"

    def _obituary(self) -> str:
        name, total = self._task.stage.name, len(self._task.parts)
        shown = [
            f"{part}: {_brief(why)}\n  log: {self._jobs.log(part)}" for part, why in list(self._failed.items())[:5]
        ]
        return f"{name}: {len(self._failed)} of {total} parts could not be had\n" + "\n".join(shown)


def _brief(why: str) -> str:
    """Return an error as people want it: of a traceback, the last line."""
    if "Traceback (most recent call last)" in why:
        return "unexpected " + why.strip().splitlines()[-1]
    return why
