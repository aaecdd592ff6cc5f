"""One line that says how far a stage is and when it will be done."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hominis.jobs.backend import Job

QUIET_S = 5.0
QUIET_REASONS = ("", "None")
HIDDEN = (
    *("done", "total", "unit", "kept", "begun", "from_step", "start_s", "left_s"),
    *("grad_norm", "learning_rate", "tflops_per_gpu", "memory_bytes"),
)
SAID = {"tokens_per_s": "{:,.0f} tokens/s", "mfu": "MFU {:.1%}", "skipped": "{:,.0f} skipped"}
"""Figures that people know by another form than name and value."""


def duration(seconds: float) -> str:
    """Return a duration for people."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


class Progress:
    """Speaks at most every few seconds, and only if something changed."""

    def __init__(self, total: int, say: Callable[[str], None], now: Callable[[], float] = time.time) -> None:
        self._total, self._say, self._now = total, say, now
        self._begun, self._spoken, self._said = now(), now(), ""
        self._first: tuple[float, float] | None = None

    def report(self, done: int, running: Sequence[Mapping[str, Any]], queue: str = "") -> None:
        """Say where the stage is.

        Args:
            running: the latest progress of each running part (empty before its first).
            queue: what waits, and why.
        """
        if self._now() - self._spoken < QUIET_S:
            return
        within = [p["done"] / p["total"] for p in running if p.get("total")]
        told = running[0].get("left_s") if self._total == 1 and running else None
        ahead = left(told) if told is not None else self._remaining(done + sum(within))
        pieces = [
            f"{done}/{self._total} parts" if self._total > 1 else "",
            *(shown(p) for p in running[:2] if p),
            queue,
            ahead,
        ]
        text = " · ".join(piece for piece in pieces if piece)
        if text != self._said:
            self._say(text or f"running for {duration(self._now() - self._begun)}")
            self._spoken, self._said = self._now(), text

    def _remaining(self, done: float) -> str:
        if self._first is None or done < self._first[1]:
            self._first = (self._now(), done)
        seconds, gained = self._now() - self._first[0], done - self._first[1]
        return left(seconds * (self._total - done) / gained) if gained > 0 else ""


def waiting(jobs: Iterable[Job]) -> str:
    """Return how many jobs are in which state, and why they wait, for people."""
    counts = Counter((job.state.lower(), job.reason) for job in jobs if job.alive)
    named = (
        f"{n} {state}{f' ({reason})' if reason not in QUIET_REASONS else ''}" for (state, reason), n in counts.items()
    )
    return ", ".join(named)


def shown(progress: Mapping[str, Any]) -> str:
    """Return an attempt's progress for people."""
    figures = (
        SAID.get(name, f"{name} {{:,.4g}}").format(value) for name, value in progress.items() if name not in HIDDEN
    )
    return f"{progress['done']:,.0f}/{progress['total']:,.0f} {progress['unit']} {', '.join(figures)}".strip()


def left(seconds: float) -> str:
    """Return how long something will take yet, for people."""
    return f"about {duration(seconds)} left"
