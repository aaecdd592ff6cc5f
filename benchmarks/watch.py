"""Watch what commands cost: seconds, memory and processor time of their whole process trees, and calls of Slurm."""

import os
import platform
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Self

import psutil

COMMANDS = ("sbatch", "squeue", "sacct", "scancel", "scontrol", "sinfo", "srun", "sacctmgr")
COUNTED = """#!/bin/sh
echo "{name} $*" >> {log}
SLURM_CONF={conf} exec {real} "$@"
"""


@dataclass(frozen=True)
class Cost:
    """What a command cost.

    Attributes:
        seconds: from its start to its end. ``cpu_s``: of a core, its whole process tree taken together.
        peak_mib: the largest sum of resident memory over its process tree.
    """

    seconds: float
    cpu_s: float
    peak_mib: float
    printed: str


def run(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Cost:
    """Run a command that must succeed, and return what it cost."""
    output, begun, used, peak = folder / "printed", time.perf_counter(), _used_by_children(), 0
    with output.open("wb") as file:
        process = psutil.Popen(command, cwd=folder, env=env, stdout=file, stderr=file)
    while process.poll() is None:
        peak = max(peak, _resident(process))
        time.sleep(0.02)
    seconds = time.perf_counter() - begun
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}: {output.read_text()}")
    return Cost(seconds, _used_by_children() - used, peak / 2**20, output.read_text())


def _used_by_children() -> float:
    usage = getrusage(RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _resident(process: psutil.Process) -> int:
    total = 0
    with suppress(psutil.NoSuchProcess):
        for member in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                total += member.memory_info().rss
    return total


class Driver:
    """A driver as a process of its own: what it says, and what it uses while it waits. Killed at the end of a block."""

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str]) -> None:
        self._log = log
        with log.open("wb") as file:
            self.process = psutil.Popen(command, env=env, cwd=log.parent, stdout=file, stderr=subprocess.STDOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def said(self) -> list[str]:
        """What it has said, line by line."""
        return self._log.read_text().splitlines()

    def until(self, true: Callable[[], bool], within_s: float) -> float:
        """Wait until something is true; returns how many seconds that took."""
        begun = time.perf_counter()
        while not true():
            if time.perf_counter() - begun > within_s or self.process.poll() is not None:
                raise TimeoutError(f"not within {within_s} s: {self.said}")
            time.sleep(0.02)
        return time.perf_counter() - begun

    def cpu_s(self) -> float:
        """Return the seconds of a core that it and its ended children have used."""
        return float(sum(self.process.cpu_times()[:4]))

    def stop(self) -> None:
        """Kill it, if it still runs; its jobs go on."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def counting(folder: Path, slurm_conf: str) -> dict[str, str]:
    """Return an environment in which each call of Slurm's commands leaves a line in ``folder/calls``.

    They find the cluster even when their caller hides its configuration from them, as Snakemake's plugin does.
    """
    bin_, path = folder / "bin", os.environ["PATH"]
    bin_.mkdir(parents=True, exist_ok=True)
    for name in COMMANDS:
        script, real = bin_ / name, shutil.which(name)
        script.write_text(COUNTED.format(name=name, log=folder / "calls", conf=slurm_conf, real=real))
        script.chmod(0o755)
    programs = Path(sys.executable).parent
    return {**os.environ, "SLURM_CONF": slurm_conf, "PATH": os.pathsep.join(map(str, [programs, bin_, path]))}


def calls(folder: Path) -> Counter[str]:
    """Return how often each of Slurm's commands was called; `sbatch --test-only` submits nothing and is left out."""
    log = folder / "calls"
    lines = log.read_text().splitlines() if log.exists() else []
    return Counter(line.split()[0] for line in lines if "--test-only" not in line)


def machine(env: Mapping[str, str]) -> str:
    """Return date, machine, load and versions, to stand above a table."""
    cpu = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    slurm = subprocess.check_output(["sinfo", "--version"], env=env, text=True).strip()
    name, load, python = cpu.partition(":")[2].strip(), os.getloadavg()[0], platform.python_version()
    return f"{time.strftime('%Y-%m-%d')}, {name}, {os.cpu_count()} cores, load {load:.1f}, Python {python}, {slurm}"


def hominis(*words: str) -> list[str]:
    """Return the command line of one of our verbs."""
    return [sys.executable, "-m", "hominis", *words]
