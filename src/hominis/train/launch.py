"""Start the ranks of a distributed run, follow them, and say what their end means: done, resume, or broken.

They are children of this process, or tasks of a Slurm step where HOMINIS_LAUNCH is ``srun``, as it is in the batch
script of a job with several tasks. Either way a rank finds out who it is from RANK, WORLD_SIZE and LOCAL_RANK, and
where the others are from HOMINIS_RENDEZVOUS or else from MASTER_ADDR and MASTER_PORT.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hominis.errors import HominisError, Interrupted, StageFailed
from hominis.train import children, srun, stop
from hominis.train.ranks import Launch, Ranks

__all__ = ["Launch", "run"]

LAUNCH = "HOMINIS_LAUNCH"

POLL_SECONDS = 0.2
ASK_AGAIN_SECONDS = 10.0
TAIL_BYTES = 3000


def run(launch: Launch, *, poll: Callable[[], None], stopping: Callable[[], bool]) -> None:
    """Run the ranks to their end; ``poll`` is called often meanwhile.

    Raises:
        Interrupted: ``stopping`` became true and the ranks stopped, what they had to save written; or they were ended
            from elsewhere, as happens when memory runs out or a node is lost.
        StageFailed: a rank failed; the others were ended. Carries the rank's own words or the end of its log.
    """
    launch.log(0).parent.mkdir(parents=True, exist_ok=True)
    launch.failure.unlink(missing_ok=True)
    start = srun.started if os.environ.get(LAUNCH) == "srun" else children.started
    with start(launch) as ranks:
        codes = _follow(ranks, poll, stopping)
    poll()
    if error := _verdict(launch, codes, ranks.words()):
        raise error


def _follow(ranks: Ranks, poll: Callable[[], None], stopping: Callable[[], bool]) -> Mapping[int, int]:
    """Return the ranks' exit codes. They are asked to stop more than once: one that starts may not be listening yet."""
    next_ask = 0.0
    while (codes := ranks.codes()) is None:
        if stopping() and time.monotonic() >= next_ask:
            next_ask = time.monotonic() + ASK_AGAIN_SECONDS
            ranks.ask()
        poll()
        time.sleep(POLL_SECONDS)
    return codes


def _verdict(launch: Launch, codes: Mapping[int, int], words: str) -> HominisError | None:
    """Return why the run isn't done. A killed rank comes first: the others may fail only because they miss it."""
    ended = {rank: code for rank, code in sorted(codes.items()) if code}
    if not ended and len(codes) == launch.world:
        return None
    amiss = [rank for rank, code in ended.items() if code not in stop.STOPPED_CODES]
    if killed := [rank for rank in amiss if codes[rank] < 0]:
        return _killed(launch, killed[0], -codes[killed[0]])
    left = json.loads(launch.failure.read_text()) if launch.failure.exists() else {}
    resume = left.pop("resume", True)
    if left and not (resume and amiss):
        return (Interrupted if resume else StageFailed)(**left)
    if amiss:
        return _failed(launch, amiss[0], codes[amiss[0]])
    if ended:
        return Interrupted(f"{launch.module} was asked to stop", remedy="start it again: it goes on where it stopped")
    return Interrupted(
        f"the {launch.world} ranks of {launch.module} were ended, or never begun, and none could say why; {words}",
        remedy="start it again: it goes on from the newest checkpoint",
    )


def _killed(launch: Launch, rank: int, number: int) -> Interrupted:
    cause = ", most likely because memory ran out" if number == signal.SIGKILL else ""
    return Interrupted(
        f"rank {rank} of {launch.world} was killed by signal {number} ({signal.strsignal(number)}){cause}; "
        f"{_tail(launch.log(rank))}",
        where=launch.module,
        remedy="start it again: it goes on from the newest checkpoint; if memory runs out again, give it more",
    )


def _failed(launch: Launch, rank: int, code: int) -> StageFailed:
    return StageFailed(
        f"rank {rank} of {launch.world} ended with code {code}; {_tail(launch.log(rank))}",
        where=launch.module,
        remedy="mend the cause and start it again: training goes on from the last checkpoint",
    )


def _tail(log: Path) -> str:
    return f"the end of its log:\n{log.read_bytes()[-TAIL_BYTES:].decode(errors='replace')}"
