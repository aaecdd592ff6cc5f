"""Start the ranks of a distributed run on this machine, follow them, and leave none behind.

A rank finds out who it is from RANK, WORLD_SIZE and LOCAL_RANK, and where the others are from ``HOMINIS_RENDEZVOUS``
(a file: no port to race for) or, where srun started it, from MASTER_ADDR and MASTER_PORT.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hominis.errors import Interrupted, StageFailed
from hominis.train import lifeline, stop

RENDEZVOUS = "HOMINIS_RENDEZVOUS"
FAILURE = "HOMINIS_FAILURE"
"""Environment variable with the file into which a rank writes the expected error that ended it."""

POLL_SECONDS = 0.2
TAIL_BYTES = 3000


@dataclass(frozen=True)
class Launch:
    """What to start and where its files go.

    Attributes:
        module: run as ``python -m``.
        world: number of processes.
        threads: threads of each.
        folder: for logs, the rendezvous and the failure file; must be an absolute path.
    """

    module: str
    arguments: Sequence[str]
    world: int
    threads: int
    folder: Path

    def log(self, rank: int) -> Path:
        """Return the file that takes the output of ``rank``."""
        return self.folder / "logs" / f"rank-{rank}.log"

    @property
    def failure(self) -> Path:
        """The file with the expected error that ended a rank."""
        return self.folder / "failure.json"

    @property
    def rendezvous(self) -> Path:
        """The file by which the ranks find each other."""
        return self.folder / "rendezvous"


def run(launch: Launch, *, poll: Callable[[], None], stopping: Callable[[], bool]) -> None:
    """Run the ranks to their end; ``poll`` is called often meanwhile.

    Raises:
        Interrupted: ``stopping`` became true and the ranks stopped, what they had to save written; or a signal from
            elsewhere killed a rank, as happens when memory runs out, and the others were ended.
        StageFailed: a rank failed; the others were ended. Carries the rank's own words or the end of its log.
    """
    with _started(launch) as ranks:
        codes = _follow(ranks, poll, stopping)
    poll()
    if all(code in stop.STOPPED_CODES for code in codes):
        raise Interrupted(f"{launch.module} was asked to stop", remedy="start it again: it goes on where it stopped")
    if any(codes):
        raise _failure(launch, codes)


@contextmanager
def _started(launch: Launch) -> Iterator[list[subprocess.Popen[bytes]]]:
    launch.log(0).parent.mkdir(parents=True, exist_ok=True)
    launch.rendezvous.unlink(missing_ok=True)
    launch.failure.unlink(missing_ok=True)
    held, given = os.pipe()[::-1]
    ranks: list[subprocess.Popen[bytes]] = []
    try:
        with stop.held_back():
            ranks.extend(_start(launch, rank, given) for rank in range(launch.world))
        yield ranks
    finally:
        os.close(held)
        os.close(given)
        for rank in ranks:
            rank.kill()
            rank.wait()


def _start(launch: Launch, rank: int, given: int) -> subprocess.Popen[bytes]:
    with launch.log(rank).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", launch.module, *launch.arguments],
            env=_environment(launch, rank, given),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(given,),
        )


def _environment(launch: Launch, rank: int, given: int) -> dict[str, str]:
    threads = str(launch.threads)
    own = {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(launch.world),
        RENDEZVOUS: launch.rendezvous.as_uri(),
        FAILURE: str(launch.failure),
        lifeline.VARIABLE: str(given),
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "PYTHONHASHSEED": "0",
        "TOKENIZERS_PARALLELISM": "false",
    }
    loopback = {"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}
    return {**loopback, **os.environ, **own}


def _follow(
    ranks: Sequence[subprocess.Popen[bytes]], poll: Callable[[], None], stopping: Callable[[], bool]
) -> list[int | None]:
    """Return the exit codes once all have ended or one has failed (None: still alive then)."""
    told = False
    while True:
        codes = [rank.poll() for rank in ranks]
        if None not in codes or any(code not in {None, 0, *stop.STOPPED_CODES} for code in codes):
            return codes
        if stopping() and not told:
            told = True
            for rank in ranks:
                rank.send_signal(signal.SIGUSR2)
        poll()
        time.sleep(POLL_SECONDS)


def _failure(launch: Launch, codes: Sequence[int | None]) -> Interrupted | StageFailed:
    """Return why the ranks ended. A killed rank comes first: the others may fail only because they miss it."""
    ended = {rank: code for rank, code in enumerate(codes) if code}
    killed = {rank: code for rank, code in ended.items() if code < 0}
    if launch.failure.exists() and not killed:
        return StageFailed(**json.loads(launch.failure.read_text()))
    rank, code = next(iter((killed or ended).items()))
    who, tail = f"rank {rank} of {launch.world}", f"the end of its log:\n{_tail(launch.log(rank))}"
    if code < 0:
        cause = ", most likely because memory ran out" if code == -signal.SIGKILL else ""
        return Interrupted(
            f"{who} was killed by signal {-code} ({signal.strsignal(-code)}){cause}; {tail}",
            where=launch.module,
            remedy="start it again: it goes on from the newest checkpoint; if memory runs out again, give it more",
        )
    return StageFailed(
        f"{who} ended with code {code}; {tail}",
        where=launch.module,
        remedy="mend the cause and start it again: training goes on from the last checkpoint",
    )


def _tail(log: Path) -> str:
    return log.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
