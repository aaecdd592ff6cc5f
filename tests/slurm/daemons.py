"""Processes that outlive who started them: found again by their pid file and their cluster's SLURM_CONF."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import sample

import psutil

SLURM = {"slurmctld", "slurmscriptd", "slurmd", "slurmstepd", "slurmdbd", "munged", "mariadbd"}

SHARED = 4
"""How much longer than on an idle machine things may take where others compute, too."""


class ClusterError(Exception):
    """The cluster didn't do what it was asked."""


@dataclass(frozen=True)
class Daemon:
    """A daemon that writes its pid into a file."""

    name: str
    pid_file: Path
    command: list[str]
    environment: dict[str, str]

    def process(self) -> psutil.Process | None:
        """Return the running process, or None: a pid file left by a crash names nobody, or somebody else."""
        with contextlib.suppress(OSError, ValueError, psutil.NoSuchProcess):
            process = psutil.Process(int(self.pid_file.read_text()))
            if belongs(process, self.environment["SLURM_CONF"]) and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None

    def start(self, log: Path, within_s: float = 30) -> None:
        """Start it unless it runs, and wait for its pid file."""
        if self.process():
            return
        self.pid_file.unlink(missing_ok=True)
        with log.open("ab") as file:
            subprocess.run(self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        wait_for(lambda: self.process() is not None, within_s, f"{self.name} did not start, see {log.parent}")

    def stop(self) -> psutil.Process | None:
        """Ask it to stop; returns the process to wait for."""
        process = self.process()
        if process:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        return process

    def kill(self) -> None:
        """Kill it with -9, and see it dead."""
        process = self.process()
        if not process:
            raise ClusterError(f"{self.name} doesn't run: nothing to kill")
        process.kill()
        gone([process])


def belongs(process: psutil.Process, slurm_conf: str) -> bool:
    """Return whether a process was started, by whichever way, for the cluster of this slurm.conf."""
    try:
        return process.environ().get("SLURM_CONF") == slurm_conf
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def processes(slurm_conf: str) -> list[psutil.Process]:
    """Return a cluster's processes: its daemons, its steps, and what its jobs started."""
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            if environment.get("SLURM_CONF") != slurm_conf:
                continue
            if "SLURM_JOB_ID" in environment:  # who isn't root can't look into slurmstepd itself
                found |= {process, *(parent for parent in process.parents() if parent.name() == "slurmstepd")}
            elif process.name() in SLURM:
                found.add(process)
    return list(found)


def gone(victims: list[psutil.Process], within_s: float = 10) -> None:
    """Wait until processes are dead; kills those that stay."""
    _, alive = psutil.wait_procs(victims, timeout=within_s)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _, alive = psutil.wait_procs(alive, timeout=10)
    stay = [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    if stay:
        raise ClusterError(f"these processes can't be killed: {stay}")


def wait_for(true: Callable[[], bool], within_s: float, otherwise: str | Callable[[], str]) -> None:
    """Wait until something is true, or raise with the words given.

    Args:
        within_s: what is ample on an idle machine; a busy one gets more.
    """
    until = time.monotonic() + SHARED * within_s
    while not true():
        if time.monotonic() > until:
            words = otherwise if isinstance(otherwise, str) else otherwise()
            raise ClusterError(f"{words} ({within_s:.0f} s)")
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Return free loopback ports, below the range that the kernel lends to outgoing connections."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    with contextlib.ExitStack() as held:
        return [port for port in sample(range(10_000, lowest), 4 * count) if _free(port, held)][:count]


def _free(port: int, held: contextlib.ExitStack) -> bool:
    try:
        held.enter_context(socket.socket()).bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file that need not exist."""
    import fcntl

    descriptor = os.open(path, os.O_CREAT | os.O_RDONLY, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
