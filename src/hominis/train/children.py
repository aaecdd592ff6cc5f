"""The ranks as children of this process, all on this machine.

They find each other by a file: no port to race for.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hominis.train import lifeline, stop
from hominis.train.ranks import Launch

RENDEZVOUS = "HOMINIS_RENDEZVOUS"
"""Environment variable with the address of that file."""


class Children:
    """Ranks by their processes."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    def codes(self) -> dict[int, int] | None:
        """Return the codes once all have ended or one has failed."""
        codes = {rank: code for rank, process in enumerate(self._processes) if (code := process.poll()) is not None}
        failed = any(code not in {0, *stop.STOPPED_CODES} for code in codes.values())
        return codes if failed or len(codes) == len(self._processes) else None

    def ask(self) -> None:
        """Send each the signal."""
        for process in self._processes:
            process.send_signal(signal.SIGUSR2)

    def words(self) -> str:
        """Return nothing: their codes say it all."""
        return ""


@contextmanager
def started(launch: Launch) -> Iterator[Children]:
    """Start the ranks; leave none behind."""
    rendezvous = launch.folder / "rendezvous"
    rendezvous.unlink(missing_ok=True)
    held, given = os.pipe()[::-1]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with stop.held_back():
            processes.extend(_start(launch, rank, rendezvous, given) for rank in range(launch.world))
        yield Children(processes)
    finally:
        os.close(held)
        os.close(given)
        for process in processes:
            process.kill()
            process.wait()


def _start(launch: Launch, rank: int, rendezvous: Path, given: int) -> subprocess.Popen[bytes]:
    own = {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(launch.world),
        RENDEZVOUS: rendezvous.as_uri(),
        lifeline.VARIABLE: str(given),
    }
    loopback = {"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}
    with launch.log(rank).open("wb") as log:
        return subprocess.Popen(
            launch.command,
            env={**loopback, **os.environ, **launch.environment, **own},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(given,),
        )
