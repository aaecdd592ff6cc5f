"""What readers of attempts believe: one look at Slurm for all of them, and none where Slurm isn't there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from hominis.jobs import identity
from hominis.jobs.accounting import accounting
from hominis.jobs.backend import Unclear
from hominis.jobs.commands import Refused
from hominis.jobs.queue import Queued, Task, queue
from hominis.jobs.states import Decision, rule
from hominis.store.owner import Owner, death
from hominis.store.site import Site

FRESH_S = 2.0


class Witness:
    """Says of attempts whether their owners are dead, to show it: nothing is taken over on its word."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._states: dict[str, dict[Task, str]] = {}

    def queued(self, task: Task) -> Sequence[Queued]:
        """Return what the queue says of a task that is under way there."""
        entries = (self._queue or {}).get(task, [])
        return [entry for entry in entries if rule(entry.state).decision is Decision.ATTACH]

    def proof(self, owner: Owner) -> str | None:
        """Return why an attempt's owner must be dead; None if it lives, or nobody can say."""
        slurm = owner.get("slurm")
        if slurm is None or (known := identity.known(owner)):
            return death(owner) if slurm is None else known
        task = (slurm["name"], slurm["index"])
        if self._queue is None or self.queued(task):
            return None
        state = self._accounted(slurm).get(task, "")
        ended = state and rule(state).decision is not Decision.ATTACH
        return f"Slurm says that job {slurm['job']} is {state}" if ended else None

    @cached_property
    def _queue(self) -> dict[Task, list[Queued]] | None:
        try:
            return queue(self._site.polls, FRESH_S)
        except (Unclear, Refused):
            return None

    def _accounted(self, slurm: dict[str, Any]) -> dict[Task, str]:
        name = slurm["name"]
        if name not in self._states:
            try:
                rows = accounting([name], identity.since(slurm))
            except (Unclear, Refused):
                rows = {}
            self._states[name] = {task: tries[-1].state for task, tries in rows.items()}
        return self._states[name]
