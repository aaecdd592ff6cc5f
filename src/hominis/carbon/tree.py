"""What some processes have used: CPU time and memory, ended children included."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil

GONE = (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError, PermissionError)


@dataclass(frozen=True)
class Use:
    """What the processes have used so far.

    Attributes:
        cpu_seconds: user and system time since they were first looked at; never falls.
        memory_bytes: private memory of all processes now, plus the largest shared memory of any one.
        pids: the living processes.
    """

    cpu_seconds: float
    memory_bytes: float
    pids: frozenset[int]


@dataclass(frozen=True)
class _Seen:
    parent: int
    cpu_seconds: float
    private: int
    shared: int


class Processes:
    """Some processes, as ``_members`` finds them anew at every look.

    A process's time counts its own and that of its ended, waited-for children (``times(2)``), so a child's time moves
    to its parent when it ends and the sum stays. Who is waited for by none of them leaves its last known time.
    """

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}
        self._departed = 0.0
        self._start = 0.0
        self._highest = 0.0
        self._start = self.look().cpu_seconds
        self._highest = 0.0

    def look(self) -> Use:
        """Return what was used since this object was made. Costs milliseconds."""
        seen = {pid: seen for pid, process in self._members().items() if (seen := _look_at(process)) is not None}
        gone = self._seen.keys() - seen.keys()
        self._departed += sum(self._seen[p].cpu_seconds for p in gone if self._seen[p].parent not in self._seen)
        self._seen = seen
        total = self._departed + sum(process.cpu_seconds for process in seen.values()) - self._start
        # A child that ends between the look at its parent and the look at itself is missed once: hence the maximum.
        self._highest = max(self._highest, total)
        memory = sum(process.private for process in seen.values()) + max((p.shared for p in seen.values()), default=0)
        return Use(self._highest, memory, frozenset(seen))

    def _members(self) -> dict[int, psutil.Process]:
        raise NotImplementedError


class Tree(Processes):
    """The process ``pid``, its descendants, and, if it leads a session, the orphans of that session.

    Not seen: children of a process that ignores SIGCHLD, and what an orphan did after the last look at it.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._root = psutil.Process(pid)
        self._session = self._root.pid if _session(self._root.pid) == self._root.pid else None
        super().__init__()

    def _members(self) -> dict[int, psutil.Process]:
        found = {self._root.pid: self._root}
        found |= {process.pid: process for process in self._root.children(recursive=True)}
        if self._session is not None:
            for pid in psutil.pids():
                if pid not in found and _session(pid) == self._session:
                    found |= process_of(pid)
        return found


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def process_of(pid: int) -> dict[int, psutil.Process]:
    """Return the process ``pid`` under its number, or nothing if it has ended."""
    try:
        return {pid: psutil.Process(pid)}
    except GONE:
        return {}


def _look_at(process: psutil.Process) -> _Seen | None:
    try:
        with process.oneshot():
            times, memory = process.cpu_times(), process.memory_info()
            shared = min(getattr(memory, "shared", 0), memory.rss)
            # The first four: user and system, of the process and of its ended children.
            return _Seen(process.ppid(), sum(times[:4]), memory.rss - shared, shared)
    except GONE:
        return None
