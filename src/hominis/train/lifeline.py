"""A process that must not outlive the one that started it.

The parent keeps the writing end of a pipe and says nothing; the child waits for the end of file on the other end,
which the kernel gives however the parent dies. Nothing needs to be cleaned up, and nobody needs to be alive to do it.
"""

from __future__ import annotations

import os
import threading

VARIABLE = "HOMINIS_LIFELINE"
"""Environment variable with the descriptor of the reading end."""

ORPHANED_CODE = 113


def hold_on() -> None:
    """End this process at once when the lifeline breaks; without a lifeline in the environment do nothing.

    Forked children of this process hold on too: threads don't survive a fork, so each starts its own.
    """
    descriptor = os.environ.get(VARIABLE)
    if descriptor is None:
        return
    _watch(int(descriptor))
    os.register_at_fork(after_in_child=lambda: _watch(int(descriptor)))


def _watch(descriptor: int) -> None:
    threading.Thread(target=_wait, args=(descriptor,), name="lifeline", daemon=True).start()


def _wait(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os._exit(ORPHANED_CODE)
