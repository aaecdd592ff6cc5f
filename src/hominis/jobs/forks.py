"""Processes that begin where another stands: what all parts of a stage need is loaded once, then each part is a fork.

``Forks`` is the driver's side, ``served`` the other's; lines of JSON go both ways: what to start, and how it ended. A
fork is a process in a session of its own that outlives them both.
"""

import contextlib
import gc
import json
import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

LOOK_SECONDS = 0.05
"""Between two looks whether a fork has ended."""
NAME = "part "
"""How the name of a fork begins, as ps and top show it."""


class Forks:
    """A process that calls ``served``, and its forks.

    Args:
        command: of the process.
        log: of what it says before it forks.
        variables: its environment.
    """

    def __init__(self, command: Sequence[str], log: Path, variables: Mapping[str, str]) -> None:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
        with log.open("ab") as errors:
            self._process = subprocess.Popen(command, env=variables, start_new_session=True, stderr=errors, **pipes)
        os.set_blocking(self._pipe(self._process.stdout).fileno(), False)
        self._codes, self._torn = dict[str, int](), b""

    @property
    def alive(self) -> bool:
        """Whether it can start more."""
        return self._process.poll() is None

    def start(self, part: str, log: Path, variables: Mapping[str, str]) -> None:
        """Start a part whose output goes behind what is in ``log``; ``variables`` are added to the environment."""
        order = {"part": part, "log": str(log), "variables": dict(variables)}
        self._codes.pop(part, None)
        with contextlib.suppress(BrokenPipeError):  # it has just died, as ``code`` says
            self._pipe(self._process.stdin).write(json.dumps(order).encode() + b"\n")

    def end(self) -> None:
        """Start no more; forks go on."""
        self._process.kill()
        self._process.wait()

    def code(self, part: str) -> int | None:
        """Return a part's exit code, None while it runs, minus the signal that killed it.

        A fork whose end nobody will see, since the process died that would, counts as killed: it may be alive.
        """
        alive = self.alive
        while said := self._pipe(self._process.stdout).read(1 << 16):
            *lines, self._torn = (self._torn + said).split(b"\n")
            self._codes |= dict(map(json.loads, lines))
        return self._codes.get(part, None if alive else -signal.SIGKILL)

    @staticmethod
    def _pipe(end: IO[bytes] | None) -> IO[bytes]:
        assert end is not None
        return end


def served(preload: Callable[[], None]) -> str | None:
    """Load what all need, then fork for each order that is read. Threads that were started don't live in a fork.

    Returns:
        In a fork, its part. In the process itself None, as soon as no order can come any more.
    """
    answers = os.dup(1)
    os.dup2(2, 1)
    with contextlib.suppress(Exception):  # a part will meet it, too, and say so where it is looked for
        preload()
    gc.freeze()
    parts, torn = dict[int, str](), b""
    while True:
        if select.select([0], [], [], LOOK_SECONDS if parts else None)[0]:
            said = os.read(0, 1 << 16)
            if not said:
                return None
            *lines, torn = (torn + said).split(b"\n")
            for order in map(json.loads, lines):
                if not (pid := os.fork()):
                    os.close(answers)
                    _begin(order["log"], order["variables"], order["part"])
                    return str(order["part"])
                parts[pid] = order["part"]
        for pid, status in iter(_ended, None):
            with contextlib.suppress(BrokenPipeError):
                os.write(answers, json.dumps([parts.pop(pid), os.waitstatus_to_exitcode(status)]).encode() + b"\n")


def _begin(log: str, variables: Mapping[str, str], part: str) -> None:
    os.setsid()
    with Path(os.devnull).open("rb") as nothing, Path(log).open("ab") as said:
        for ours, end in ((nothing, 0), (said, 1), (said, 2)):
            os.dup2(ours.fileno(), end)
    os.environ.update(variables)
    with contextlib.suppress(OSError):  # not on every system
        Path("/proc/self/comm").write_text(NAME + part)


def _ended() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None
