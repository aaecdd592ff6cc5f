"""What Slurm charged: every allocation that our batches had, requeues and jobs that never began their part included."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from hominis.jobs import intents
from hominis.jobs.accounting import NOWHERE, Charged, accounting
from hominis.jobs.intents import Intent
from hominis.jobs.queue import Task
from hominis.jobs.states import Decision, rule
from hominis.store.site import Site

LATE_S = 600.0
"""How late the accounting may be."""
Try = tuple[str, int, int]
"""A batch's name, the index in it, and the how manieth start of that task."""


@dataclass(frozen=True)
class Allocation:
    """One start of a task, as the accounting charges it.

    Attributes:
        node_seconds: nodes x seconds. ``joules``: of all of its nodes; 0 where the site doesn't measure.
    """

    stage: str
    part: str
    run: str
    job: str
    state: str
    start: float
    node_seconds: int
    cpu_seconds: int
    joules: float


def allocations(site: Site, run: str | None = None) -> dict[Try, Allocation]:
    """Return every allocation of the batches of a run, or of all runs.

    What has ended is written down beside its intent, for a site keeps its accounting only for a while.

    Raises:
        Unclear: the accounting gave no answer about a batch that isn't written down yet.
    """
    found: dict[Try, Allocation] = {}
    asking = []
    for intent in (intent for intent in _batches(site) if run in (None, intent.run)):
        if (final := intent.charges) is None:
            asking.append(intent)
        else:
            found |= {(intent.name, index, k): Allocation(**what) for index, k, what in final}
    oldest = min((intent.t for intent in asking), default=0.0)
    rows = accounting([intent.name for intent in asking], oldest, energy=True)
    for intent in asking:
        mine = _of(intent, rows)
        found |= mine
        if _final([row for (name, _), tries in rows.items() if name == intent.name for row in tries]):
            intent.charge([[index, k, asdict(what)] for (_, index, k), what in mine.items()])
    return found


def _final(rows: list[Charged]) -> bool:
    """Whether all has ended, and so long ago that the accounting has it all."""
    ended = all(rule(row.state).decision is not Decision.ATTACH for row in rows)
    latest = max((row.start + row.seconds for row in rows if row.start), default=0.0)
    return bool(rows) and ended and time.time() - latest > LATE_S


def _batches(site: Site) -> Iterator[Intent]:
    for home in sorted((site.root / "jobs").glob("*/*")):
        yield from intents.every(home)


def _of(intent: Intent, rows: Mapping[Task, list[Charged]]) -> dict[Try, Allocation]:
    stage, found = intent.path.parents[2].name, {}
    for index, part in enumerate(intent.parts):
        started = [row for row in rows.get((intent.name, index), ()) if row.start is not None and row.where != NOWHERE]
        for k, row in enumerate(started):
            found[intent.name, index, k] = Allocation(
                stage=stage,
                part=part,
                run=intent.run,
                job=f"{row.job}_{index}",
                state=row.state,
                start=row.start or 0.0,
                node_seconds=row.nodes * row.seconds,
                cpu_seconds=row.cpu_seconds,
                joules=row.joules,
            )
    return found
