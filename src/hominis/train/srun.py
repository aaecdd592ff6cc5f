"""The ranks as tasks of one Slurm step over all nodes of this job, started by ``srun``.

Slurm ends the step when the job ends, so that no rank outlives the job's own process. srun's exit code is one number
for all ranks, and a rank's end makes Slurm end the others: so each rank's shell notes how that rank ended by itself.

The ranks meet at a port of the first node. It lies from 20,000 to 29,999, below the ports that Linux gives to outgoing
connections, and follows from the job and its restarts: jobs that share a node, and a requeued job, take others.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from hominis.errors import ConfigError, StageFailed
from hominis.train import stop
from hominis.train.ranks import PYTHON, Launch

OPTIONS = "HOMINIS_SRUN"
"""Environment variable with further options of srun, as on a command line."""

FIRST_PORT, PORTS, RESTART_STRIDE = 20_000, 10_000, 997

SHELL_SIGNALED = 128
"""What a shell adds to the number of the signal that killed a command."""

TASK = """
trap : USR2 TERM
export RANK=$SLURM_PROCID WORLD_SIZE=$SLURM_NTASKS LOCAL_RANK=$SLURM_LOCALID
"$@"
code=$?
echo $code >"$0/$RANK"
exit $code
"""
"""Runs the rank, told who it is, and notes its exit code. A stop signal, which all of the step get, is for the rank."""


class Step:
    """Ranks by the srun that started them."""

    def __init__(self, launch: Launch, process: subprocess.Popen[bytes]) -> None:
        self._launch, self._process = launch, process

    def codes(self) -> dict[int, int] | None:
        """Return the codes once srun has ended: it ends all ranks as soon as one has failed."""
        code = self._process.poll()
        if code is None:
            return None
        return dict.fromkeys(range(self._launch.world), 0) if code == 0 else dict(_noted(_ends(self._launch)))

    def ask(self) -> None:
        """Send srun the signal, which it passes on to every rank."""
        self._process.send_signal(signal.SIGUSR2)

    def words(self) -> str:
        """Return what srun said."""
        said = _log(self._launch).read_text(errors="replace").strip()
        return f"srun ended with code {self._process.returncode}: {said or '(it said nothing)'}"


@contextmanager
def started(launch: Launch) -> Iterator[Step]:
    """Start the ranks; leave none behind.

    Raises:
        ConfigError: this isn't a job, or not one for so many ranks.
    """
    command, environment = _command(launch, os.environ), _environment(launch, os.environ)
    shutil.rmtree(_ends(launch), ignore_errors=True)
    _ends(launch).mkdir()
    running: list[subprocess.Popen[bytes]] = []
    try:
        with _log(launch).open("wb") as log, stop.held_back():
            running.append(
                subprocess.Popen(
                    command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
                )
            )
        yield Step(launch, running[0])
    finally:
        for process in running:
            process.terminate()  # it kills its ranks and waits, KillWait at most, until they are gone
            process.wait()


def _command(launch: Launch, job: Mapping[str, str]) -> list[str]:
    _check(launch, job)
    nodes = min(int(job["SLURM_JOB_NUM_NODES"]), launch.world)
    options = {
        "nodes": nodes,
        "ntasks": launch.world,
        "ntasks-per-node": -(-launch.world // nodes),
        "cpus-per-task": job.get("SLURM_CPUS_PER_TASK", 1),  # since 22.05 srun doesn't take it from the job
        "kill-on-bad-exit": 1,
        "wait": 0,
        "mpi": "none",
        "export": "ALL",
        "output": str(launch.log("%t")),
    }
    further = shlex.split(job.get(OPTIONS, ""))
    task = ["sh", "-c", TASK, str(_ends(launch)), *launch.command]
    return ["srun", *(f"--{name}={value}" for name, value in options.items()), *further, *task]


def _check(launch: Launch, job: Mapping[str, str]) -> None:
    if "SLURM_JOB_NODELIST" not in job or not shutil.which("srun"):
        raise ConfigError(
            "ranks are to be started by srun, but this is no job or there is no srun",
            where="HOMINIS_LAUNCH",
            remedy=f"unset it; or run the part outside of the container, with {PYTHON} for what runs in it",
        )
    tasks = int(job.get("SLURM_NTASKS", launch.world))
    if tasks != launch.world:
        raise ConfigError(
            f"{launch.world} ranks are to run in a job of {tasks} tasks",
            where="layout",
            remedy="set the resource `tasks` of the rule to tp × pp × cp × dp, a GPU for each; if the layout was "
            "changed while a job waited, `hominis cancel` and start again",
        )


def _environment(launch: Launch, job: Mapping[str, str]) -> dict[str, str]:
    number, restarts = int(job["SLURM_JOB_ID"]), int(job.get("SLURM_RESTART_COUNT", 0))
    meeting = {"MASTER_ADDR": _first_node(job["SLURM_JOB_NODELIST"]), "MASTER_PORT": str(port(number, restarts))}
    return {**job, **launch.environment, **meeting}


def port(job: int, restarts: int) -> int:
    """Return the port at which the ranks of a job meet."""
    return FIRST_PORT + (job + RESTART_STRIDE * restarts) % PORTS


def _first_node(nodes: str) -> str:
    asked = subprocess.run(["scontrol", "show", "hostnames", nodes], check=False, capture_output=True, text=True)
    if asked.returncode:
        raise StageFailed(f"scontrol can't name the nodes {nodes}: {asked.stderr.strip()}", where="SLURM_JOB_NODELIST")
    return asked.stdout.split()[0]


def _log(launch: Launch) -> Path:
    """Return the file that takes srun's own words."""
    return launch.folder / "logs" / "srun.log"


def _ends(launch: Launch) -> Path:
    """Return the folder in which each rank's shell notes the rank's exit code."""
    return launch.folder / "ends"


def _noted(folder: Path) -> Iterator[tuple[int, int]]:
    for file in folder.iterdir():
        with suppress(ValueError):  # cut short
            code = int(file.read_text())
            killed = SHELL_SIGNALED < code <= SHELL_SIGNALED + signal.NSIG
            yield int(file.name), SHELL_SIGNALED - code if killed else code
