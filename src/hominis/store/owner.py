"""Who holds an attempt, and the proof that it is gone."""

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

Owner = Mapping[str, Any]
Proof = Callable[[Owner], str | None]
"""Given an owner, the reason why it must be dead, or None. Silence proves nothing."""


def started(pid: int) -> str | None:
    """Return when a process of this machine started, in a form that clock changes don't touch; None if it is gone.

    On Linux these are the clock ticks since boot of proc(5), field 22; a zombie counts as gone.
    """
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else fields[19]
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.NoSuchProcess:
        return None


def boot() -> str:
    """Return what tells this boot of this machine from another; empty where the system has no such thing.

    The time of the boot is none: it moves with corrections of the clock.
    """
    boot_id = Path("/proc/sys/kernel/random/boot_id")
    return boot_id.read_text().strip() if boot_id.exists() else ""


def _pid_namespace() -> str:
    link = Path("/proc/self/ns/pid")
    return str(link.readlink()) if link.exists() else ""


def myself() -> dict[str, Any]:
    """Return the identity of this process."""
    pid = os.getpid()
    where = {"host": socket.gethostname(), "boot": boot(), "namespace": _pid_namespace()}
    return {**where, "pid": pid, "start": started(pid)}


def death(owner: Owner) -> str | None:
    """Return the proof that a process of this machine has ended; None while it lives or can't be seen from here."""
    here = myself()
    if owner["host"] != here["host"]:
        return None
    if owner["boot"] != here["boot"]:
        return "host rebooted"
    if owner["namespace"] != here["namespace"]:
        return None
    return None if started(owner["pid"]) == owner["start"] else "process gone"


def describe(owner: Owner) -> str:
    """Return an owner for people."""
    if slurm := owner.get("slurm"):
        return f"job {slurm['job']} on {slurm['nodes'] or owner['host']}"
    return f"process {owner['pid']} on {owner['host']}"
