"""Runs a candidate program in bubblewrap: no network, no files but a read-only Python, nothing left behind.

Namespaces, a read-only ``/usr``, small temporary files, an empty environment for bubblewrap itself too (its own
``/proc/1/environ`` is readable inside), resource limits, CPU time rather than wall time so that a loaded machine gives
the same verdict. Whether a candidate passed is told by a nonce that its process never sees (``jailed``).
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOBODY = 65_534
RUNNER = Path(__file__).with_name("jailed.py")
FILE_BYTES, TEMPORARY_BYTES, PROCESSES, OPEN_FILES = 1 << 24, 1 << 26, 8, 64
PROBE_SECONDS = 60
VERSION = "import sys; print('.'.join(map(str, sys.version_info[:2])))"


@dataclass(frozen=True)
class Limits:
    """What one candidate may use. Wall time is a backstop against sleepers."""

    cpu_seconds: int = 8
    wall_seconds: int = 60
    memory_bytes: int = 1 << 30

    def by_name(self) -> dict[str, int]:
        """Return them by the names of the module ``resource``."""
        return {
            "RLIMIT_CPU": self.cpu_seconds,
            "RLIMIT_AS": self.memory_bytes,
            "RLIMIT_FSIZE": FILE_BYTES,
            "RLIMIT_NPROC": PROCESSES,
            "RLIMIT_NOFILE": OPEN_FILES,
            "RLIMIT_CORE": 0,
        }


@dataclass(frozen=True)
class Problem:
    """A candidate and how to test it: the completion is code that goes on where the prompt ends."""

    prompt: str
    completion: str
    tests: str
    entry_point: str


@dataclass(frozen=True)
class Sandbox:
    """A jail that was seen to work here.

    Attributes:
        python: major and minor version of the Python inside.
    """

    command: tuple[str, ...]
    python: str

    def passes(self, problem: Problem, limits: Limits) -> bool:
        """Tell whether the candidate passes its tests within the limits."""
        nonce = secrets.token_hex(32)
        code = {"code": problem.prompt + problem.completion, "entry_point": problem.entry_point}
        tests = {"prompt": problem.prompt, "tests": problem.tests, "entry_point": problem.entry_point, "nonce": nonce}
        words = _message(code | {"limits": limits.by_name()}) + _message(tests)
        command = [*self.command, "-c", RUNNER.read_text(encoding="utf-8")]
        with _started(command) as jail:
            try:
                said, _ = jail.communicate(words, timeout=limits.wall_seconds)
            except subprocess.TimeoutExpired:
                jail.kill()
                return False
        return said == nonce.encode()


def find() -> Sandbox | str:
    """Return a sandbox that works here, or the reason why there is none."""
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap (bwrap) is not installed"
    own = os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix)
    reasons = []
    for python, prefix in dict.fromkeys([own, ("/usr/bin/python3", "/usr")]):
        found = _with(program, python, prefix)
        if isinstance(found, Sandbox):
            return found
        reasons.append(found)
    return f"bubblewrap cannot start here: {'; '.join(dict.fromkeys(reasons))}"


def _with(program: str, python: str, prefix: str) -> Sandbox | str:
    """Return a sandbox with this Python, installed below ``prefix``, or the reason why there is none."""
    home = os.path.expanduser("~")  # noqa: PTH111 - Path's raises for a user without one
    if Path(os.path.realpath(home)).is_relative_to(prefix):
        return f"{python} is installed in {prefix}, which holds the home directory: not shown to candidates"
    found: Sandbox | str = ""
    for without_userns in (["--disable-userns"], []):
        found = _probe((*_jail(program, prefix), *without_userns, "--", python, "-I", "-S", "-B"))
        if isinstance(found, Sandbox):
            break
    return found


def _probe(command: tuple[str, ...]) -> Sandbox | str:
    """Try a jail twice: with a word about its Python, and with a program that should pass."""
    try:
        with _started([*command, "-c", VERSION]) as jail:
            said, complaint = _words(jail)
    except OSError as error:
        return error.strerror or str(error)
    if jail.returncode:
        return (complaint.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
    sandbox = Sandbox(command, said.decode().strip())
    trial = Problem("def one():\n", "    return 1\n", "def check(f):\n    assert f() == 1\n", "one")
    return sandbox if sandbox.passes(trial, Limits()) else "a program that should pass does not"


def _words(jail: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    try:
        return jail.communicate(timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        jail.kill()
        return b"", b"it hangs"


def _jail(program: str, prefix: str) -> list[str]:
    own = [] if prefix == "/usr" else ["--ro-bind", prefix, prefix]
    return [
        *(program, "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"),
        *("--clearenv", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr", *_system_folders(), *own),
        *("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"),
        *("--size", str(TEMPORARY_BYTES), "--tmpfs", "/tmp"),  # noqa: S108 - inside the jail
        *("--remount-ro", "/", "--chdir", "/tmp"),  # noqa: S108 - inside the jail
    ]


def _system_folders() -> list[str]:
    """Return options for the folders beside ``/usr`` that its programs need: links into it, or folders of their own."""
    options = ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    for folder in (Path("/bin"), Path("/lib"), Path("/lib64")):
        if folder.is_symlink():
            options += ["--symlink", str(folder.readlink()), str(folder)]
        elif folder.is_dir():
            options += ["--ro-bind", str(folder), str(folder)]
    return options


def _started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a jail, with an empty environment; as nobody if we are root, whom process limits would spare."""
    root = os.geteuid() == 0
    return subprocess.Popen(
        command,
        env={},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        user=NOBODY if root else None,
        group=NOBODY if root else None,
        extra_groups=[] if root else None,
    )


def _message(message: dict[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return struct.pack("<I", len(body)) + body
