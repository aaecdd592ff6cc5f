"""The meter of an attempt whose ranks srun starts: its own meter, and one (``node``) on each node of the job.

srun's tasks are children of Slurm's daemons, not of the part, and most run on other nodes. The meters there are a step
of the job. They are asked over srun's standard input and answer over its standard output: no files, no ports, and when
the part ends, even killed, so does the input, and with it the meters.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

KWH = ("energy_kwh", "cpu_kwh", "ram_kwh", "gpu_kwh")
ANSWER_S = 1.0
"""How long a reading waits for the nodes."""
SILENT_S = 60.0
"""A node that said nothing for so long is not waited for, and is named as missing."""
SRUN = (
    *("srun", "--overlap", "--ntasks-per-node=1", "--cpus-per-task=1", "--mem=0"),
    *("--mpi=none", "--kill-on-bad-exit=0", "--job-name=meter"),
)


class _Own(Protocol):
    def read(self) -> dict[str, float | str]: ...


class Nodes:
    """Cumulative energy of the part's processes and of all that srun starts. Never raises, hardly ever waits."""

    def __init__(self, own: _Own, command: Sequence[str], nodes: int, environment: Mapping[str, str]) -> None:
        self._own, self._nodes = own, nodes
        self._answers: dict[str, dict[str, Any]] = {}
        self._heard: dict[str, float] = {}
        self._words = ""
        self._news = threading.Condition()
        self._srun: subprocess.Popen[bytes] | None = None
        try:
            self._srun = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            self._words = str(error)
            return
        assert self._srun.stdin
        os.set_blocking(self._srun.stdin.fileno(), False)
        threading.Thread(target=self._listen, daemon=True).start()

    @classmethod
    def of_job(cls, own: _Own, variables: Mapping[str, str] = os.environ) -> Nodes:
        """Return the meter for the Slurm job that this process belongs to; ``own`` meters its tree and its GPUs."""
        count = variables.get("SLURM_JOB_NUM_NODES", "1")
        command = [*SRUN, f"--nodes={count}", f"--ntasks={count}", sys.executable, "-m", "hominis.carbon.node"]
        # What sbatch said of the job's tasks would be srun's defaults.
        kept = {k: v for k, v in variables.items() if not k.startswith("SLURM_") or k in ("SLURM_CONF", "SLURM_JOB_ID")}
        return cls(own, command, int(count), kept)

    def read(self) -> dict[str, float | str]:
        """Return the sums and how they were had, as ``Meter.read`` does."""
        own = self._own.read()
        with self._news:
            asked = time.monotonic()
            self._ask()
            self._news.wait_for(lambda: not any(asked - SILENT_S < at < asked for at in self._heard.values()), ANSWER_S)
            readings = [own, *self._answers.values()]
            answering = sum(at > asked - SILENT_S for at in self._heard.values())
        sums = {name: sum(float(reading.get(name, 0.0)) for reading in readings) for name in KWH}
        return {**sums, "method": self._method(readings, answering)}

    def _method(self, readings: Sequence[Mapping[str, Any]], answering: int) -> str:
        ways = dict.fromkeys(way for reading in readings for way in str(reading["method"]).split("; "))
        why = f" ({self._words[:120]})" if self._words and answering < self._nodes else ""
        return "; ".join([*ways, f"what srun started: {answering} of {self._nodes} nodes answer{why}"])

    def _ask(self) -> None:
        if self._srun and self._srun.stdin:
            try:
                os.write(self._srun.stdin.fileno(), b"\n")
            except OSError as error:  # it ended, or takes no more questions
                self._words = self._words or str(error)

    def _listen(self) -> None:
        assert self._srun and self._srun.stdout
        for line in self._srun.stdout:
            with self._news:
                self._hear(line.decode(errors="replace").strip())
                self._news.notify_all()
        with self._news:
            self._heard.clear()
        self._srun.wait()

    def _hear(self, line: str) -> None:
        """Take in a node's answer, or else the last words of srun or of a meter that failed."""
        try:
            reading = json.loads(line)
            self._answers[reading["node"]] = reading
            self._heard[reading["node"]] = time.monotonic()
        except (ValueError, TypeError, KeyError):
            self._words = line or self._words
