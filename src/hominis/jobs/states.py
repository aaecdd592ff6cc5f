"""What to do when a job is in a state: one table, for Slurm's states and for processes of this machine alike.

Only artefacts say that a part is done. A state says what to do about a part whose artefact isn't there.
"""

import os
import signal
from dataclasses import dataclass
from enum import Enum
from functools import cache

EXIT_RESUME = 75
"""A part stopped with its checkpoint written: submit again (sysexits' EX_TEMPFAIL)."""
EXIT_BUSY = 76
"""A part's process found a living attempt: sysexits' EX_PROTOCOL, out of the way of real failures."""
VANISHED = "VANISHED"
"""Our own word for a job that no list knows: a pending task that was cancelled singly leaves no trace at all."""


class Decision(Enum):
    """What follows from a state."""

    ATTACH = "it is under way: wait for it"
    RESUME = "submit it again: it goes on from its checkpoint"
    ELSEWHERE = "submit it again, away from the nodes it was on"
    STOP = "somebody wanted it to end: don't submit it again"
    GIVE_UP = "the same would happen again"
    BROKEN = "it failed by itself: its own words say why"


@dataclass(frozen=True)
class Rule:
    """A row of the table: the decision, and what people are told."""

    decision: Decision
    words: str = ""
    remedy: str = ""


_UNDER_WAY = (
    *("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"),
    *("REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD", "POWER_UP_NODE", "UPDATE_DB"),
)
_START_AGAIN = "start again to go on: what is done stays done"

TABLE = {
    **dict.fromkeys(_UNDER_WAY, Rule(Decision.ATTACH)),
    "COMPLETED": Rule(Decision.RESUME, "it ended well, yet its artefact isn't there"),
    "TIMEOUT": Rule(Decision.RESUME, "its wall time ended before it could stop by itself", "raise `runtime`"),
    "PREEMPTED": Rule(Decision.RESUME, "preempted by a job of higher priority"),
    "REVOKED": Rule(Decision.RESUME, "revoked: a sibling in another cluster of the federation started"),
    "NODE_FAIL": Rule(Decision.ELSEWHERE, "its node failed"),
    "BOOT_FAIL": Rule(Decision.ELSEWHERE, "its node could not be booted"),
    "LAUNCH_FAILED": Rule(Decision.ELSEWHERE, "its node could not start it"),
    "RECONFIG_FAIL": Rule(Decision.ELSEWHERE, "its node could not be configured"),
    "OUT_OF_MEMORY": Rule(Decision.GIVE_UP, "memory ran out", "raise `mem_mb`, or lower what a part needs"),
    "DEADLINE": Rule(Decision.GIVE_UP, "its deadline passed", "raise the deadline or give it more nodes"),
    "CANCELLED": Rule(Decision.RESUME, "cancelled by the system"),
    VANISHED: Rule(Decision.STOP, "no list of Slurm knows it any more: cancelled while it waited", _START_AGAIN),
    "FAILED": Rule(Decision.BROKEN, "failed"),
}
"""Slurm's state → what follows. One that isn't here is waited for: what isn't understood is never submitted again."""

_CANCELLED_BY_USER = Rule(Decision.STOP, "cancelled by its user", _START_AGAIN)
_STOPPED = Rule(Decision.RESUME, "stopped when asked to")
_BUSY = Rule(Decision.RESUME, "another attempt was at work")
_KILLED = Rule(Decision.RESUME, "killed")


@cache
def rule(state: str, exit_code: str = "0:0", uid: int | None = None) -> Rule:
    """Return the row for a state as squeue or sacct print it.

    Args:
        state: such as ``TIMEOUT`` or ``CANCELLED by 1000``.
        exit_code: ``code:signal``, as sacct prints it.
        uid: whose jobs these are; this process's user if None.
    """
    name, _, by = state.partition(" by ")
    if name == "CANCELLED" and by == str(os.getuid() if uid is None else uid):
        return _CANCELLED_BY_USER
    if name == "FAILED":
        return _failed(exit_code)
    return TABLE.get(name, Rule(Decision.ATTACH))


def _failed(exit_code: str) -> Rule:
    code, number = (int(field) for field in exit_code.split(":"))
    if code == EXIT_RESUME:
        return _STOPPED
    if code == EXIT_BUSY:
        return _BUSY
    number = number or (code - 128 if code > 128 else 0)  # a shell says 128 + the signal
    if number and number < signal.NSIG:
        return Rule(_KILLED.decision, f"killed by signal {number}")
    return Rule(Decision.BROKEN, f"ended with exit code {code}")
