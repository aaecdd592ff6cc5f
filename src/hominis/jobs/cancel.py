"""Stop a stage's jobs well: their drivers submit no more, what runs writes its checkpoint, what waits goes."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from hominis.jobs import intents
from hominis.jobs.commands import ask
from hominis.jobs.intents import Intent
from hominis.jobs.queue import Queued, queue_of
from hominis.jobs.states import Decision, rule
from hominis.store import files
from hominis.store.ledger import Attempt
from hominis.store.owner import death, describe, myself

PAUSE_S = 0.5


def cancelled(home: Path) -> str:
    """Return by whom and when a task was cancelled; empty if it wasn't since its last driver started."""
    with contextlib.suppress(FileNotFoundError):
        return (home / "cancelled").read_text()
    return ""


def forget(home: Path) -> None:
    """Start anew: who starts a driver wants its jobs."""
    (home / "cancelled").unlink(missing_ok=True)


def cancel(home: Path, running: list[Attempt], grace_s: float, say: Callable[[str], None]) -> int:
    """Stop the jobs of a task and see them end; returns how many there were.

    Args:
        running: its attempts that are under way.
        grace_s: how long they have for their checkpoints, before they are ended as they are.
    """
    when = time.strftime("%Y-%m-%d %H:%M:%S")
    files.replace(home / "cancelled", f"cancelled at {when} by {describe(myself())}")
    count = 0
    for intent in (intent for intent in intents.every(home) if intent.ends is None):
        count += _cancel_batch(intent, grace_s, say)
    return count + _cancel_here([a for a in running if "slurm" not in a.owner], grace_s, say)


def _cancel_batch(intent: Intent, grace_s: float, say: Callable[[str], None]) -> int:
    living = _living(intent)
    if not living:
        if intent.job:  # else its sbatch may be under way: the next driver finds out
            _release(intent)
        return 0
    ask("scancel", "--name", intent.name, "--state", "PENDING")
    ask("scancel", "--name", intent.name, "--state", "RUNNING", "--signal", "USR2", "--batch")
    say(f"asked {len(living)} tasks of job {intent.job} to stop; they have {grace_s:.0f} s for their checkpoints")
    until = time.monotonic() + grace_s
    while _living(intent):
        if time.monotonic() > until:
            say(f"job {intent.job} did not stop by itself: ending it")
            ask("scancel", "--name", intent.name)
            until = time.monotonic() + grace_s
        time.sleep(PAUSE_S)
    _release(intent)
    return len(living)


def _living(intent: Intent) -> list[Queued]:
    entries = [entry for tasks in queue_of(intent.name).values() for entry in tasks]
    return [entry for entry in entries if rule(entry.state).decision is Decision.ATTACH]


def _release(intent: Intent) -> None:
    """Record that a batch is over, by the word of a person and because the queue doesn't know it."""
    intent.close(dict.fromkeys(range(len(intent.parts)), ("CANCELLED", "0:0", "")))


def _cancel_here(running: list[Attempt], grace_s: float, say: Callable[[str], None]) -> int:
    """Ask processes of this machine to stop; those of another can only be named."""
    here = [a for a in running if a.owner["host"] == myself()["host"] and death(a.owner) is None]
    for attempt in running:
        if attempt not in here:
            say(f"{attempt.part} runs as {describe(attempt.owner)}: cancel it there")
    for attempt in here:
        with contextlib.suppress(ProcessLookupError):
            os.kill(attempt.owner["pid"], signal.SIGTERM)
    until = time.monotonic() + grace_s
    while [a for a in here if death(a.owner) is None] and time.monotonic() < until:
        time.sleep(PAUSE_S)
    for attempt in (a for a in here if death(a.owner) is None):
        say(f"{attempt.part} did not stop by itself: ending it")
        with contextlib.suppress(ProcessLookupError):
            os.kill(attempt.owner["pid"], signal.SIGKILL)
    return len(here)
