"""Attempts: one try at one part, the right to it, and the record of what it cost, all in one file.

``attempts/<k2>/<key>/<n>`` holds JSON lines, written by its owner alone. The first names the owner and is there as
soon as the name is. Numbers only grow, so of two takers of a dead attempt one wins.
"""

import contextlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hominis.errors import CorruptArtefact
from hominis.store import files
from hominis.store.owner import Owner, Proof, death, myself
from hominis.store.redact import environment
from hominis.store.site import Site

TAIL_BYTES = 1 << 16
ALIVE, ENDED, DEAD = "alive", "ended", "dead"


def read_events(path: Path) -> list[dict[str, Any]]:
    """Return an attempt's first event and its latest ones: all, unless the attempt is long.

    A torn line, left by a crash, was never written. The middle of a long file is not read: readings and progress are
    cumulative, and drivers ask often.
    """
    with path.open("rb") as file:
        first = file.readline()
        file.seek(max(file.tell(), path.stat().st_size - TAIL_BYTES))
        lines = [first, *file.read().splitlines()]
    events = []
    for line in lines:
        with contextlib.suppress(ValueError):
            events.append(json.loads(line))
    if not events or events[0].get("event") != "open":
        remedy = "mend it by hand (its first line names the owner), or move it away: it is one row of the ledger"
        raise CorruptArtefact(f"the attempt {path} can't be read", where=path, remedy=remedy)
    return events


def newest(site: Site, key: str) -> int:
    """Return the number of a part's last attempt, 0 if there was none."""
    with contextlib.suppress(FileNotFoundError):
        return max((int(name) for name in os.listdir(site.attempts(key)) if name.isdigit()), default=0)
    return 0


@dataclass(frozen=True)
class Standing:
    """How a part's last attempt stands.

    Attributes:
        n: its number; 0 if there was none.
        state: ALIVE, ENDED (it closed itself) or DEAD (proven; ``reason`` is the proof).
        last: its last event, which may carry ``outcome``, ``error`` and ``progress``.
        opened: unix time of its first event, by its owner's clock.
    """

    n: int
    state: str
    reason: str = ""
    owner: Owner = field(default_factory=dict)
    last: Mapping[str, Any] = field(default_factory=dict)
    opened: float = 0.0


def standing(site: Site, key: str, proof: Proof = death) -> Standing:
    """Return how the last attempt at ``key`` stands."""
    n = newest(site, key)
    if not n:
        return Standing(0, ENDED)
    events = read_events(site.attempts(key) / str(n))
    owner, last = events[0]["owner"], events[-1]
    if last["event"] == "close":
        return Standing(n, ENDED, last["outcome"], owner, last, events[0]["t"])
    reason = proof(owner)
    return Standing(n, DEAD if reason else ALIVE, reason or "", owner, last, events[0]["t"])


class Attempt:
    """The attempt that this process owns: appends to its file, from the heart's thread too."""

    def __init__(self, site: Site, key: str, n: int, now: Callable[[], float] = time.time) -> None:
        self.key, self.n = key, n
        self.path, self.scratch = site.attempts(key) / str(n), site.scratch(key, n)
        self.records = site.records(key, n)
        self._now, self._lock, self._torn = now, threading.Lock(), ""

    def write(self, event: str, **what: Any) -> None:
        """Append an event."""
        line = json.dumps({"event": event, "t": round(self._now(), 3), **what}) + "\n"
        with self._lock:
            before, self._torn = self._torn, "\n"  # a line that a full disk cut short must not spoil the next
            with self.path.open("a") as file:
                file.write(before + line)
            self._torn = ""


def claim(site: Site, key: str, opening: Mapping[str, Any], proof: Proof = death) -> Attempt | None:
    """Take the right to a part, or return None because another attempt lives.

    The newest scratch of a dead attempt is inherited by rename: its checkpoints are used again, and an owner that
    wakes up after all finds that its paths end nowhere.
    """
    last = standing(site, key, proof)
    if last.state == ALIVE:
        return None
    attempt = Attempt(site, key, last.n + 1)
    first = {"event": "open", "t": round(time.time(), 3), "owner": myself(), **opening}
    taken_over = {"takes_over": last.n, "proof": last.reason} if last.state == DEAD else {}
    if not files.create(attempt.path, json.dumps({**first, **taken_over, "environment": environment()}) + "\n"):
        return None
    _inherit(site, key, attempt)
    return attempt


def _inherit(site: Site, key: str, attempt: Attempt) -> None:
    attempt.scratch.parent.mkdir(parents=True, exist_ok=True)
    for n in range(attempt.n - 1, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            site.scratch(key, n).rename(attempt.scratch)
            break
    shutil.rmtree(attempt.scratch / "out", ignore_errors=True)
    for name in ("out", "checkpoints"):
        (attempt.scratch / name).mkdir(parents=True, exist_ok=True)
