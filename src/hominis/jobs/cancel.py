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
    batches = [intent for intent in intents.every(home) if intent.ends is None]
    count = sum(_ask_to_stop(intent, grace_s, say) for intent in batches)
    here = _ask_to_stop_here([attempt for attempt in running if "slurm" not in attempt.owner], say)
    _see_end(batches, here, grace_s, say)
    return count + len(here)


def _ask_to_stop(intent: Intent, grace_s: float, say: Callable[[str], None]) -> int:
    living = _living(intent)
    if living:
        ask("scancel", "--name", intent.name, "--state", "PENDING")
        ask("scancel", "--name", intent.name, "--state", "RUNNING", "--signal", "USR2", "--batch")
        say(f"asked {len(living)} tasks of job {intent.job} to stop; they have {grace_s:.0f} s for their checkpoints")
    return len(living)


def _ask_to_stop_here(running: list[Attempt], say: Callable[[str], None]) -> list[Attempt]:
    """Ask processes of this machine to stop; those of another can only be named."""
    here = [a for a in running if a.owner["host"] == myself()["host"] and death(a.owner) is None]
    for attempt in running:
        if attempt not in here:
            say(f"{attempt.part} runs as {describe(attempt.owner)}: cancel it there")
    for attempt in here:
        _kill(attempt, signal.SIGTERM)
    return here


def _see_end(batches: list[Intent], here: list[Attempt], grace_s: float, say: Callable[[str], None]) -> None:
    """Wait for all to end; after the grace end them as they are."""
    until = time.monotonic() + grace_s
    while True:
        batches = [intent for intent in batches if _living(intent) or _release(intent)]
        here = [attempt for attempt in here if death(attempt.owner) is None]
        if not batches and not here:
            return
        if time.monotonic() > until:
            until = time.monotonic() + grace_s
            say(f"ending what did not stop by itself: {len(batches)} batches, {len(here)} processes")
            for intent in batches:
                ask("scancel", "--name", intent.name)
            for attempt in here:
                _kill(attempt, signal.SIGKILL)
        time.sleep(PAUSE_S)


def _kill(attempt: Attempt, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(attempt.owner["pid"], number)


def _living(intent: Intent) -> list[Queued]:
    entries = [entry for tasks in queue_of(intent.name).values() for entry in tasks]
    return [entry for entry in entries if rule(entry.state).decision is Decision.ATTACH]


def _release(intent: Intent) -> bool:
    """Record that a batch is over, by the word of a person and because the queue doesn't know it; returns False.

    One whose sbatch gave no answer is left to the next driver, which will know.
    """
    if intent.job:
        intent.close(dict.fromkeys(range(len(intent.parts)), ("CANCELLED", "0:0", "")))
    return False
