"""One driver a stage: the others wait, and say for whom."""

import contextlib
import fcntl
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from hominis.store.owner import describe, myself

TRIES, PAUSE_S = 20, 0.05
"""For how long to wait for the name of whoever has just taken the lock."""


@contextlib.contextmanager
def sole_driver(path: Path, say: Callable[[str], None]) -> Iterator[TextIO]:
    """Hold the lock at ``path``; the kernel frees it when its last holder dies, however it dies.

    Yields:
        The lock's file: a child that inherits it holds the lock too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another driver is at work: waiting for {_holder(path)}")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(json.dumps(myself()))
        file.flush()
        yield file


def _holder(path: Path) -> str:
    """Return who holds the lock at ``path``: it writes its name a moment after it has it."""
    for _ in range(TRIES):
        with contextlib.suppress(ValueError, KeyError):
            return describe(json.loads(path.read_text()))
        time.sleep(PAUSE_S)
    return "it"
