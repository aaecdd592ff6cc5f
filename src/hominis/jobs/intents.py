"""Intents: what a driver is about to submit, on disk before it does.

``<home>/batches/<n>.json`` names the token and the parts; a part's place in the list is its index in the array. Beside
it ``<n>.job`` holds the id that sbatch answered, ``<n>.end`` how each task ended, once none is under way.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hominis.jobs.queue import PREFIX
from hominis.store import files


@dataclass(frozen=True)
class Intent:
    """A batch of parts to submit as one array.

    Attributes:
        name: of the job; it carries the token, and no other job has it. It is how the batch is found again.
        parts: part ids; the place is the index in the array.
        t: unix time at which it was written.
        run: the run that asked for it.
        avoid: nodes that it must not run on.
    """

    path: Path
    name: str
    parts: tuple[str, ...]
    t: float
    run: str
    avoid: tuple[str, ...] = ()

    @property
    def job(self) -> str:
        """The job's id, as far as it is known; for people, and to know that the batch was taken."""
        return self._beside(".job").read_text() if self._beside(".job").exists() else ""

    def taken(self, job: str) -> None:
        """Record that Slurm has the batch."""
        files.replace(self._beside(".job"), job)

    @property
    def refused(self) -> bool:
        """Whether Slurm said no to it."""
        return self._beside(".refused").exists()

    def refuse(self, words: str) -> None:
        """Record that Slurm said no."""
        files.replace(self._beside(".refused"), words)

    @property
    def ends(self) -> dict[int, tuple[str, str, str]] | None:
        """Index → state, exit code and nodes of each task's end; None while the batch may be under way."""
        path = self._beside(".end")
        return {int(i): tuple(end) for i, end in json.loads(path.read_text()).items()} if path.exists() else None

    def close(self, ends: dict[int, tuple[str, str, str]]) -> None:
        """Record how the tasks ended: Slurm is not asked about this batch again."""
        files.replace(self._beside(".end"), json.dumps(ends))

    @property
    def charges(self) -> Any:
        """What the batch was charged for, once that is final; None before."""
        path = self._beside(".charged")
        final = path.exists()
        return json.loads(path.read_text()) if final else None

    def charge(self, charges: Any) -> None:
        """Record what the batch was charged for."""
        files.replace(self._beside(".charged"), json.dumps(charges))

    @property
    def script(self) -> Path:
        """Where its batch script is."""
        return self._beside(".sh")

    def log(self, folder: Path, index: int) -> Path:
        """Return where a task's output goes, below a folder of logs."""
        return folder / self.name.rpartition("-")[2] / f"{index}.log"

    def _beside(self, suffix: str) -> Path:
        return self.path.with_suffix(suffix)


def write(home: Path, run: str, parts: Sequence[str], avoid: Collection[str]) -> Intent:
    """Write a new intent of a task, with a token of its own, and return it."""
    n = 1 + max((int(path.stem) for path in (home / "batches").glob("*.json")), default=0)
    path, name = home / "batches" / f"{n}.json", f"{PREFIX}{home.parent.name}-{os.urandom(6).hex()}"
    what = {"name": name, "parts": list(parts), "t": time.time(), "run": run, "avoid": sorted(avoid)}
    if not files.create(path, json.dumps(what)):
        raise RuntimeError(f"{path} appeared under the driver's lock")
    return read(path)


def read(path: Path) -> Intent:
    """Return a written intent."""
    what = json.loads(path.read_text())
    return Intent(path, what["name"], tuple(what["parts"]), what["t"], what["run"], tuple(what["avoid"]))


def every(home: Path) -> list[Intent]:
    """Return all intents of a task, oldest first."""
    return [read(path) for path in sorted((home / "batches").glob("*.json"), key=lambda path: int(path.stem))]
