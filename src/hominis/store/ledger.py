"""Every attempt ever made at this site, as rows: the sum of them is what the work cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hominis.store.attempts import read_events
from hominis.store.owner import Proof, death
from hominis.store.site import Site


@dataclass(frozen=True)
class Attempt:
    """A row of the ledger.

    Attributes:
        run: the run whose driver asked for it (other runs may use what it made).
        opened, last: unix time in seconds of its first and last event; a lost attempt is charged up to its last.
        outcome: ``published``, ``superseded`` (another was first), ``resume``, ``failed``, ``lost``; None: it runs.
        reading: the last cumulative meter reading (``energy_kwh``, …), empty if it died before the first.
        progress: the last progress (``done``, ``total``, ``unit`` and figures).
        warnings: what a person should know, oldest first.
        source: ``commit`` and ``dirty`` of the checkout whose code ran; empty outside one.
    """

    stage: str
    part: str
    key: str
    n: int
    run: str
    owner: Mapping[str, Any]
    opened: float
    last: float
    closed: bool
    outcome: str | None
    error: str
    reading: Mapping[str, Any]
    progress: Mapping[str, Any]
    source: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        """How long it is charged for."""
        return self.last - self.opened


def read(root: Path | str, keys: Collection[str] | None = None, proof: Proof = death) -> list[Attempt]:
    """Return all attempts at a site, oldest first; those at ``keys`` alone if given."""
    site = Site.at(root)
    if keys is None:
        folders = list((site.root / "attempts").glob("??/*"))
    else:
        folders = [folder for folder in map(site.attempts, keys) if folder.exists()]
    rows = [_row(folder, proof) for folder in folders]
    return sorted((attempt for part in rows for attempt in part), key=lambda a: (a.opened, a.key, a.n))


def _row(folder: Path, proof: Proof) -> list[Attempt]:
    numbers = sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())
    return [_attempt(folder, n, n == numbers[-1], proof) for n in numbers]


def _attempt(folder: Path, n: int, is_last: bool, proof: Proof) -> Attempt:
    events = read_events(folder / str(n))
    first, last = events[0], events[-1]
    closed = last["event"] == "close"
    lost = not closed and (not is_last or proof(first["owner"]) is not None)

    def latest(name: str) -> Any:
        return next((event[name] for event in reversed(events) if name in event), None)

    return Attempt(
        stage=first["stage"],
        part=first["part"],
        key=folder.name,
        n=n,
        run=first["run"],
        owner=first["owner"],
        opened=first["t"],
        last=last["t"],
        closed=closed,
        outcome="lost" if lost else last.get("outcome"),
        error=last.get("error", ""),
        reading=latest("reading") or {},
        progress=latest("progress") or {},
        source=first.get("source", {}),
        warnings=latest("warnings") or [],
    )
