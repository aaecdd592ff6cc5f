"""Who a job is, and when it is proven dead: by Slurm's word on the batch's name, by the process on its own machine."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hominis.jobs import intents
from hominis.jobs.accounting import accounting
from hominis.jobs.backend import Unclear
from hominis.jobs.commands import Refused
from hominis.jobs.queue import Task, queue_of
from hominis.jobs.states import Decision, rule
from hominis.store.owner import Owner, death, myself

SETTLE_S = 1.0
"""Between two looks: while a job is requeued the accounting says NODE_FAIL for a moment."""


def identity(batch: Path | None = None, variables: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the identity of this process; in a job of ours, with what Slurm calls it.

    Args:
        batch: the intent that the job was submitted for.
    """
    if batch is None:
        return myself()
    slurm = {
        "batch": str(batch),
        "name": variables["SLURM_JOB_NAME"],
        "index": int(variables["SLURM_ARRAY_TASK_ID"]),
        "job": variables["SLURM_JOB_ID"],
        "restart": int(variables.get("SLURM_RESTART_COUNT", 0)),
        "nodes": variables.get("SLURM_JOB_NODELIST", ""),
    }
    return {**myself(), "slurm": slurm}


def proof(owner: Owner, variables: Mapping[str, str] = os.environ) -> str | None:
    """Return the proof that the owner of an attempt is dead, or None: it lives, or nobody can say.

    It is, cheapest first: what a driver (or a person, by `hominis cancel`) recorded of its job's end; that its process
    is not on this machine though it was; that this process is the same job, started anew; Slurm's word, twice.
    """
    slurm = owner.get("slurm")
    if slurm is None:
        return death(owner)
    try:
        return known(owner) or _started_anew(slurm, variables) or _ended(slurm)
    except (Unclear, Refused):
        return None


def known(owner: Owner) -> str | None:
    """Return the proof that is had without asking Slurm: its batch's recorded end, or its process gone from here."""
    slurm, path = owner["slurm"], Path(owner["slurm"]["batch"])
    ends = intents.read(path).ends if path.exists() else None
    end = (ends or {}).get(slurm["index"])
    return f"job {slurm['job']} was {end[0]}" if end else death(owner)


def since(slurm: Mapping[str, Any]) -> float:
    """Return a time before which the job was not submitted."""
    path = Path(slurm["batch"])
    return path.stat().st_mtime if path.exists() else 0.0


def _started_anew(slurm: Mapping[str, Any], variables: Mapping[str, str]) -> str | None:
    mine = variables.get("SLURM_JOB_NAME"), variables.get("SLURM_ARRAY_TASK_ID")
    restart = int(variables.get("SLURM_RESTART_COUNT", 0))
    same = mine == (slurm["name"], str(slurm["index"]))
    return f"job {slurm['job']} was requeued" if same and restart > slurm["restart"] else None


def _ended(slurm: Mapping[str, Any]) -> str | None:
    task, begin = (slurm["name"], slurm["index"]), since(slurm)
    first = _end(task, begin)
    if first is None:
        return None
    time.sleep(SETTLE_S)
    return f"Slurm says that job {slurm['job']} is {first}" if _end(task, begin) == first else None


def _end(task: Task, begin: float) -> str | None:
    tries = queue_of(task[0]).get(task, [])
    states = [queued.state for queued in tries] or [
        row.state for row in accounting([task[0]], begin).get(task, [])[-1:]
    ]
    alive = [state for state in states if rule(state).decision is Decision.ATTACH]
    return states[-1] if states and not alive else None
