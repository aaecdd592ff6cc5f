"""The launcher's eyes: what the ranks report goes to the attempt's progress and to its records.

Records are ``steps.jsonl`` (a line a step, with its joules), ``starts.jsonl`` (a line each time that the ranks were
started: from where, and what the start was spent on) and event files of TensorBoard.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hominis.store.types import Scratch
from hominis.train import checkpoints
from hominis.train.brief import Brief
from hominis.train.events import Events

STEPS, STARTS = "steps.jsonl", "starts.jsonl"
RECENT = 20
"""Steps by whose pace the rest is estimated."""
READ_S = 2.0
"""Seconds between two readings of the meter; steps in between share their joules by their seconds."""
JOULES_PER_KWH = 3.6e6
SHOWN = ("loss", "grad_norm", "learning_rate", "tokens_per_s", "tflops_per_gpu", "mfu", "memory_bytes")


class Watch:
    """Follows the ranks' reports; to be called often."""

    def __init__(self, brief: Brief, scratch: Scratch) -> None:
        self._brief, self._scratch = brief, scratch
        self._read, self._changed_ns, self._kept = 0, 0, 0
        self._told: dict[str, float] = {"from_step": checkpoints.step_of(Path(brief.resume)) if brief.resume else 0}
        self._paces: deque[float] = deque(maxlen=RECENT)
        self._skipped = _count_skipped(Path(brief.resume) / checkpoints.METRICS) if brief.resume else 0
        self._last: dict[str, Any] = {}
        self._book = _Book(scratch)

    def __call__(self) -> None:
        """Hand on what is new."""
        lines, newer = self._lines(), self._newer_checkpoint()
        if lines and not self._last:
            self._begin()
        for line in lines:
            self._skipped += bool(line.get("skipped"))
            self._paces.append(line["time"] - self._last["time"] if self._last else line["seconds"])
            self._last = line
        self._book.add(lines)
        if self._last and (lines or newer):
            self._scratch.progress(
                self._last["step"], self._brief.section.steps, "steps", kept=self._kept, **self._figures()
            )

    def close(self) -> None:
        """Write down what still waits for its joules."""
        self._book.close()

    def _begin(self) -> None:
        """Note when this attempt's first step was done, and what the time until then was spent on."""
        self._told["begun"] = time.time()
        seconds = json.loads(self._brief.start.read_text())
        self._told["start_s"] = round(sum(seconds.values()), 1)
        start = {"from_step": self._told["from_step"], "time": self._told["begun"], "seconds": seconds}
        _append(self._scratch.records / STARTS, [start])

    def _figures(self) -> dict[str, float]:
        seen = {name: self._last[name] for name in SHOWN if self._last.get(name) is not None}
        skipped = {"skipped": self._skipped} if self._skipped else {}
        pace = sum(self._paces) / len(self._paces)
        left_s = pace * (self._brief.section.steps - self._last["step"])
        return {**seen, **skipped, **self._told, "left_s": round(left_s, 1)}

    def _lines(self) -> list[dict[str, Any]]:
        """Return the whole lines that are new."""
        with self._brief.progress.open("rb") as stream:
            stream.seek(self._read)
            text = stream.read().rpartition(b"\n")[0]
        self._read += len(text) + 1 if text else 0
        return [json.loads(line) for line in text.splitlines()]

    def _newer_checkpoint(self) -> bool:
        """Return whether there is one since the last call; look only if the folder's names changed."""
        changed_ns, before = self._scratch.checkpoints.stat().st_mtime_ns, self._kept
        if changed_ns != self._changed_ns:
            self._changed_ns, self._kept = changed_ns, checkpoints.newest_step(self._scratch.checkpoints)
        return self._kept != before


class _Book:
    """Writes the records of steps, each once the meter was read after it."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch, self._events = scratch, Events(scratch.records)
        self._waiting: list[dict[str, Any]] = []
        self._joules: float | None = None
        self._read_at = 0.0

    def add(self, lines: list[dict[str, Any]]) -> None:
        self._waiting += lines
        if self._waiting and time.monotonic() - self._read_at >= READ_S:
            self._write()

    def close(self) -> None:
        if self._waiting:
            self._write()
        self._events.close()

    def _write(self) -> None:
        """The joules before the first reading are those of the start, too: no step is charged with them."""
        reading, before = self._scratch.reading().get("energy_kwh"), self._joules
        self._joules, self._read_at = None if reading is None else float(reading) * JOULES_PER_KWH, time.monotonic()
        spent = None if before is None or self._joules is None else self._joules - before
        seconds = sum(line["seconds"] for line in self._waiting)
        for line in self._waiting:
            line["energy_j"] = None if spent is None else spent * line["seconds"] / seconds
        _append(self._scratch.records / STEPS, self._waiting)
        self._events.write(self._waiting)
        self._waiting = []


@contextmanager
def watching(brief: Brief, scratch: Scratch) -> Iterator[Watch]:
    """Give a watch, and write down what it saw however the body ends."""
    watch = Watch(brief, scratch)
    try:
        yield watch
    finally:
        watch.close()


def _append(path: Path, lines: list[dict[str, Any]]) -> None:
    with path.open("a") as stream:
        stream.writelines(json.dumps(line) + "\n" for line in lines)


def _count_skipped(metrics: Path) -> int:
    rows: Iterator[Mapping[str, Any]] = map(json.loads, metrics.read_text().splitlines())
    return sum(bool(row.get("skipped")) for row in rows)
