"""The meter of one attempt: what its process tree drew, measured where possible, estimated elsewhere.

Method. At every reading the process tree (the process, its descendants, the orphans of its session; ended children
by the times that their parents collected) is charged, for the time since the last reading, with

* **cpu**: measured, RAPL package energy x the tree's share of the machine's busy CPU time; or estimated, the tree's
  CPU-seconds x watts of a busy logical CPU (design power over threads, from codecarbon's table);
* **ram**: estimated, codecarbon's watts for the machine's memory modules x the tree's share of the memory;
* **gpu**: measured, NVML energy counters of the GPUs that are ours.

So attempts that share a machine share its energy, and their sum is at most what a package drew, but for the ticks of
the clocks (CPU time comes in hundredths of a second). What srun starts, here or on other nodes, is metered by
``nodes``. Not covered: disks, network, fans, power supplies (cooling is in the PUE).
The readings come through codecarbon's hardware classes, whose trackers (files, network, threads) are not used.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from hominis.carbon.nodes import Nodes
from hominis.carbon.tree import Processes, Tree

if TYPE_CHECKING:
    from hominis.carbon.sources import Interval, Source

SHORTEST_S = 1e-3
"""Readings nearer to each other than this are one reading: counters tick more slowly."""

Choices = Mapping[str, Sequence[Callable[[], "Source"]]]
"""What is metered (``cpu``, ``ram``, ``gpu``) → the ways to do it, best first."""


class Meter:
    """Cumulative energy of some processes since the meter was made. Never raises; safe to read from any thread."""

    def __init__(
        self, choices: Choices, processes: Processes | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._left = {what: list(ways) for what, ways in choices.items()}
        self._sources: dict[str, Source] = {}
        self._troubles: list[str] = []
        self._kwh = dict.fromkeys(choices, 0.0)
        self._clock, self._lock = clock, threading.Lock()
        for what in choices:
            self._next_way(what)
        self._processes = processes or Tree()
        self._time, self._use = clock(), self._processes.look()

    def read(self) -> dict[str, float | str]:
        """Return ``energy_kwh`` (the sum), ``cpu_kwh``, ``ram_kwh``, ``gpu_kwh`` and ``method``, cumulative."""
        with self._lock:
            try:
                self._advance()
            except Exception as error:
                self._note(f"a reading failed ({_words(error)})")
            parts: dict[str, float | str] = {f"{what}_kwh": kwh for what, kwh in self._kwh.items()}
            return {"energy_kwh": sum(self._kwh.values()), **parts, "method": self.method}

    @property
    def method(self) -> str:
        """How each part is had, and what went wrong."""
        said = [self._sources[what].method if what in self._sources else f"{what} none" for what in self._kwh]
        return "; ".join(said + self._troubles)

    def _advance(self) -> None:
        from hominis.carbon.sources import Interval

        now = self._clock()
        if now - self._time < SHORTEST_S:
            return
        use = self._processes.look()
        memory = (use.memory_bytes + self._use.memory_bytes) / 2
        interval = Interval(now - self._time, use.cpu_seconds - self._use.cpu_seconds, memory, use.pids)
        self._time, self._use = now, use
        for what in self._kwh:
            self._kwh[what] += self._charge(what, interval)

    def _charge(self, what: str, interval: Interval) -> float:
        while what in self._sources:
            try:
                return max(0.0, self._sources[what].charge(interval))
            except Exception as error:
                self._note(f"{what} fell back ({_words(error)})")
                self._next_way(what)
        return 0.0

    def _next_way(self, what: str) -> None:
        self._sources.pop(what, None)
        while self._left[what] and what not in self._sources:
            try:
                self._sources[what] = self._left[what].pop(0)()
            except Exception as error:
                self._why_not(what, error)

    def _why_not(self, what: str, error: Exception) -> None:
        # That a better way doesn't exist here is normal; that no way is left is worth saying, but for GPUs.
        if not self._left[what] and what != "gpu":
            self._note(f"{what} cannot be metered ({_words(error)})")

    def _note(self, trouble: str) -> None:
        if trouble not in self._troubles:
            self._troubles.append(trouble)


class Unmetered:
    """The meter of a process that cannot be metered at all: nothing, and why."""

    def __init__(self, why: str) -> None:
        self.method = f"none: {why}"

    def read(self) -> dict[str, float | str]:
        """Return zeros and the reason."""
        return {**dict.fromkeys(("energy_kwh", "cpu_kwh", "ram_kwh", "gpu_kwh"), 0.0), "method": self.method}


def start() -> Meter | Unmetered | Nodes:
    """Return a meter for this process and its children, from now on, and for what srun starts. Never raises."""
    own = local()
    # Outside of a job, srun would ask for a new one.
    launched = os.environ.get("HOMINIS_LAUNCH") == "srun" and "SLURM_JOB_ID" in os.environ
    return Nodes.of_job(own) if launched else own


def local(processes: Processes | None = None, *, gpus: bool = True) -> Meter | Unmetered:
    """Return a meter for ``processes`` of this machine, or for this one and its children. Never raises."""
    try:
        import codecarbon

        # It sets its own level and handler when imported, so it can be silenced only now.
        logging.getLogger(codecarbon.__name__).disabled = True
        from hominis.carbon import sources

        cpu: list[Callable[[], Source]] = [sources.MeasuredProcessor, sources.EstimatedProcessor]
        choices: Choices = {"cpu": cpu, "ram": [sources.EstimatedMemory]}
        return Meter({**choices, "gpu": [sources.MeasuredGpus]} if gpus else choices, processes)
    except Exception as error:
        return Unmetered(_words(error))


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
