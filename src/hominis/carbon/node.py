"""The meter of one node of a job: what srun started there. Run by ``nodes`` as a step, one task a node.

It says a cumulative reading, a line of JSON, whenever it is asked (a line on its standard input) and from time to
time, since who ended between two readings takes its last part along. It ends with its standard input.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from hominis.carbon.meter import local
from hominis.carbon.tree import Processes, process_of

SHORTEST_S, LONGEST_S = 1.0, 10.0
DEAF_TO = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that ask all steps of a job to stop: the meter goes on while the part writes its checkpoint."""


class Steps(Processes):
    """The processes of this user that srun started for this job on this node, this one among them.

    They are told by their environment: nodes that share a kernel are kept apart, and what the batch script started
    without srun (the part and its tree) is left out. Not seen: what cleared its environment before the first look.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._marks = {f"{name}={environment[name]}".encode() for name in ("SLURM_JOB_ID", "SLURMD_NODENAME")}
        self._known: dict[int, psutil.Process] = {}
        super().__init__()

    def _members(self) -> dict[int, psutil.Process]:
        self._known = {pid: process for pid, process in self._known.items() if process.is_running()}
        for pid in psutil.pids():
            if pid not in self._known and self._is_ours(Path(f"/proc/{pid}")):
                self._known |= process_of(pid)
        return self._known

    def _is_ours(self, folder: Path) -> bool:
        try:
            if folder.stat().st_uid != os.getuid():
                return False
            words = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            return False
        return self._marks.issubset(words) and any(word.startswith(b"SLURM_STEP_ID=") for word in words)


def main() -> None:
    """Meter until standard input ends. The GPUs of the first node, where the part runs, are its own meter's."""
    for number in DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
    meter, begun = local(Steps(), gpus=os.environ["SLURM_NODEID"] != "0"), time.monotonic()
    while True:
        sys.stdout.write(json.dumps({"node": os.environ["SLURMD_NODENAME"], **meter.read()}) + "\n")
        sys.stdout.flush()
        # Every hundredth of its age, so that about a hundredth at most is lost with those who end.
        pause = min(max(SHORTEST_S, (time.monotonic() - begun) / 100), LONGEST_S)
        if select.select([sys.stdin], [], [], pause)[0] and not os.read(sys.stdin.fileno(), 4096):
            return


if __name__ == "__main__":
    main()
