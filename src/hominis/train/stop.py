"""How a rank is asked to stop: by a signal that only raises a flag, looked at between two steps.

SIGUSR2 and SIGTERM mean the same (SIGUSR1 is left alone: NCCL may catch it). The launcher blocks both before it
starts a rank, so that none is lost, and none kills, before the rank has taken them.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGUSR2, signal.SIGTERM)

RESUME_CODE = 75
"""Exit code of a rank that stopped because it was asked to, its checkpoint written (``EX_TEMPFAIL``)."""

STOPPED_CODES = frozenset({RESUME_CODE, *(-number for number in SIGNALS)})
"""Exit codes, as ``subprocess`` has them, of a process that ended because it was asked to."""

_asked = threading.Event()


@contextmanager
def held_back() -> Iterator[None]:
    """Block the stop signals in this thread: a process started meanwhile is born with them blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def listen() -> None:
    """Take the stop signals from now on, those sent before this call included."""
    for number in SIGNALS:
        signal.signal(number, lambda *_: _asked.set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def die() -> None:
    """End this process at a stop signal, as is the default: it has nothing to save."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def asked() -> bool:
    """Return whether this process was asked to stop."""
    return _asked.is_set()
