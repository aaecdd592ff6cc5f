"""Jobs of this machine: processes in sessions of their own, which don't end with their driver.

Their identity is the owner of the attempt that they claim, so a new driver needs nothing else to find them again.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from hominis.store.owner import Owner, death, started

TAIL = 2000


class Local:
    """Starts parts as detached processes, ``slots`` at a time."""

    def __init__(self, task: Path, logs: Path, slots: int) -> None:
        self._task, self._logs, self._slots = task, logs, slots
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def running(self) -> set[str]:
        """Return the parts whose process this driver started and that still lives."""
        return {part for part, child in self._children.items() if child.poll() is None}

    def room(self, busy: int) -> int:
        """Return how many more parts may start when ``busy`` run."""
        return max(self._slots - busy, 0)

    def submit(self, part: str) -> None:
        """Start a part. Its output goes to a log of its own, after that of its earlier attempts."""
        self._logs.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "hominis", "part", str(self._task), part]
        with self.log(part).open("ab") as log:
            self._children[part] = subprocess.Popen(
                command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def exit_code(self, part: str) -> int | None:
        """Return the exit code of a part's process that this driver started and that ended."""
        child = self._children.get(part)
        return child.poll() if child else None

    def log(self, part: str) -> Path:
        """Return a part's log."""
        return self._logs / f"{part}.log"

    def tail(self, part: str) -> str:
        """Return the end of a part's log."""
        with contextlib.suppress(FileNotFoundError):
            return self.log(part).read_bytes()[-TAIL:].decode(errors="replace").strip()
        return ""


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
