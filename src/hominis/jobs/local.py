"""Jobs of this machine: processes in sessions of their own, which don't end with their driver (see ``forks``).

Their identity is the owner of the attempt that they claim, so a new driver needs nothing else to find them again.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import psutil

from hominis.jobs import identity
from hominis.jobs.backend import Job
from hominis.jobs.forks import Forks
from hominis.jobs.states import rule
from hominis.store.cores import share
from hominis.store.owner import Owner, death, started


class Local:
    """Starts parts as detached processes, ``slots`` at a time, one for each core; fewer parts have more cores each.

    All are forks of one process, as long as that lives.
    """

    proof = staticmethod(identity.proof)

    def __init__(self, task: Path, logs: Path, slots: int) -> None:
        self._task, self._logs, self._slots = task, logs, slots
        self._forks: dict[str, Forks] = {}
        self._newest: Forks | None = None

    def look(self, missing: Sequence[str]) -> Mapping[str, Job]:
        """Return how the processes stand that this driver started."""
        return {part: _job(self._forks[part].code(part)) for part in missing if part in self._forks}

    def submit(self, parts: Sequence[str], avoid: Collection[str], busy: int) -> Sequence[str]:
        """Start parts. Their output goes to a log each, after that of earlier attempts."""
        started = parts[: max(self._slots - busy, 0)]
        variables = share(self._slots, busy + len(started))
        for part in started:
            self._forks[part] = self._living(part, variables)
            self._forks[part].start(part, self.log(part), variables)
        return started

    def _living(self, part: str, variables: Mapping[str, str]) -> Forks:
        if self._newest is None or not self._newest.alive:
            self._logs.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", "hominis", "part", str(self._task), "--forks"]
            self._newest = Forks(command, self.log(part), os.environ | variables)
        return self._newest

    def log(self, part: str) -> Path:
        """Return a part's log."""
        return self._logs / f"{part}.log"

    def taken_over(self, owner: Owner) -> None:
        """End what a dead owner left running."""
        end_leftovers(owner)

    def settle(self) -> None:
        """A process that published its part ends by itself; nothing more is to be started."""
        if self._newest:
            self._newest.end()


def _job(code: int | None) -> Job:
    if code is None:
        return Job("RUNNING", rule("RUNNING"))
    state = "FAILED" if code else "COMPLETED"
    return Job(state, rule(state, f"0:{-code}" if code < 0 else f"{code}:0"))


def end_leftovers(owner: Owner) -> None:
    """Kill what a dead job left running: the members of its session.

    A session's number isn't given to a new process while the session has members, so as long as no process has the
    owner's number, whoever is in that session was started by the owner.
    """
    if death(owner) != "process gone" or started(owner["pid"]) is not None:
        return
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == owner["pid"]:
                os.kill(pid, signal.SIGKILL)
