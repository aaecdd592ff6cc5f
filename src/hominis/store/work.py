"""Where a stage function works and speaks, and the heart that beats meanwhile."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from hominis.errors import Interrupted
from hominis.store.attempts import Attempt

SLOWEST_S = 30.0


class Meter(Protocol):
    """Counts what an attempt consumes."""

    def read(self) -> Mapping[str, float | str]:
        """Return cumulative readings since the meter was made."""


class NoMeter:
    """Counts nothing: for trying a stage by hand."""

    def read(self) -> Mapping[str, float | str]:
        """Return no reading."""
        return {}


class Work:
    """The scratch of an attempt, as its stage function sees it (``types.Scratch``)."""

    def __init__(self, folder: Path, records: Path) -> None:
        self.out, self.checkpoints, self._records = folder / "out", folder / "checkpoints", records
        for path in (self.out, self.checkpoints):
            path.mkdir(parents=True, exist_ok=True)
        self.meter: Meter = NoMeter()
        self.latest: dict[str, Any] = {}
        self.warnings: list[str] = []
        self._stop, self._polled = False, False

    @property
    def records(self) -> Path:
        """The folder of the attempt's records, made when first asked for: most attempts have none."""
        self._records.mkdir(parents=True, exist_ok=True)
        return self._records

    def reading(self) -> Mapping[str, float | str]:
        """Return what the meter reads now."""
        return self.meter.read()

    @property
    def stopping(self) -> bool:
        """Whether the attempt was asked to stop. Who reads this promises to stop by itself."""
        self._polled = True
        return self._stop

    def progress(self, done: float, total: float, unit: str, *, kept: float | None = None, **figures: float) -> None:
        """Keep the latest figures for the next heartbeat."""
        safe = {} if kept is None else {"kept": kept}
        self.latest = {"done": done, "total": total, "unit": unit, **safe, **figures}

    def warn(self, words: str) -> None:
        """Keep the words for the next heartbeat, and write them to the log."""
        self.warnings.append(words)
        sys.stderr.write(f"{words}\n")

    def stop(self, *_: object) -> None:
        """Ask the stage function to stop: at its own time if it polls, else here and now."""
        self._stop = True
        if not self._polled:
            raise Interrupted("asked to stop")


@contextlib.contextmanager
def stop_signals(work: Work) -> Iterator[None]:
    """Turn SIGTERM and SIGUSR2 (sent before a wall time; NCCL may catch USR1) into a request to stop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, work.stop) for number in (signal.SIGTERM, signal.SIGUSR2)}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


@contextlib.contextmanager
def heartbeats(attempt: Attempt, figures: Callable[[], dict[str, Any]], every_s: float) -> Iterator[None]:
    """Write a heartbeat into the attempt, from a thread, while the body runs.

    Every ``every_s`` seconds at first, in time every hundredth of the attempt's age up to ``SLOWEST_S``: a day's
    attempt writes some thousand beats and loses at most half a minute of its account.
    """
    done, begun = threading.Event(), time.monotonic()

    def beat() -> None:
        while not done.wait(max(every_s, min(SLOWEST_S, (time.monotonic() - begun) / 100))):
            with contextlib.suppress(OSError):  # a full disk must not stop the heart
                attempt.write("beat", **figures())

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    try:
        yield
    finally:
        done.set()
        heart.join()
