"""What a run needs of a Slurm site: its commands, their answers, clocks that agree, a store that every node sees."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from hominis.cli.checks import Finding, existing
from hominis.jobs.backend import Unclear
from hominis.jobs.commands import ask

COMMANDS = ("sbatch", "squeue", "sacct", "scontrol", "scancel", "srun", "sinfo")
OLDEST = (22, 5)
SKEW_S = 5.0
OF_ONE_HOST = {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "ramfs"}


def look(site: Path) -> list[Finding]:
    """Return what there is to say about Slurm as this machine sees it, and about the store's file system."""
    commands = _commands()
    store = shared(existing(site).resolve(), Path("/proc/mounts").read_text())
    return [commands, *(_answers() if commands.good else []), store]


def _commands() -> Finding:
    lacking = [name for name in COMMANDS if not shutil.which(name)]
    remedy = "run on a login node, or load the site's Slurm module"
    return Finding("Slurm's commands", not lacking, f"not there: {', '.join(lacking)}" if lacking else "there", remedy)


def _answers() -> Iterator[Finding]:
    """Yield what Slurm's answers say, up to the first that doesn't come."""
    try:
        for check in (_version, _clock, _partitions, _accounting):
            yield from check()
    except Unclear as silence:
        remedy = "`scontrol ping` says whether the controller is there; nothing can be submitted until it answers"
        yield Finding("Slurm's answers", False, str(silence), remedy)


def _version() -> Iterator[Finding]:
    yield version(ask("sbatch", "--version"), shutil.which("sbatch") or "")


def version(answer: str, where: str) -> Finding:
    """Judge what ``sbatch --version`` printed: older ones lack options that we use, or were never tried."""
    digits = re.search(r"(\d+)\.(\d+)", answer)
    good = digits is not None and (int(digits[1]), int(digits[2])) >= OLDEST
    remedy = "Slurm 22.05 or newer is needed: ask the site, or load a newer module"
    return Finding("Slurm's version", good, f"{answer.strip() or 'none given'} ({where})", remedy)


def _accounting() -> Iterator[Finding]:
    try:
        ask("sacct", "-nX", "-S", "now", "-o", "JobID")
    except Unclear as silence:
        remedy = "what jobs cost, and how they ended, is known from sacct alone: the site has to run slurmdbd"
        yield Finding("Slurm's accounting", False, str(silence), remedy)
        return
    yield Finding("Slurm's accounting", True, "sacct answers")
    rows = ask("sacctmgr", "-nP", "show", "assoc", f"user={getpass.getuser()}", "format=Account").split()
    yours, chosen = ", ".join(dict.fromkeys(rows)) or "none", os.environ.get("HOMINIS_ACCOUNT", "")
    if chosen:
        yield Finding("account", chosen in rows, f"HOMINIS_ACCOUNT={chosen}", f"name one of yours: {yours}")
    else:
        yield Finding("account", None, f"HOMINIS_ACCOUNT is not set; yours: {yours}", "`export HOMINIS_ACCOUNT=…`")


def _partitions() -> Iterator[Finding]:
    lines = ask("sinfo", "-h", "-o", "%R|%a|%l|%D|%c|%m|%G").splitlines()
    for name, state, limit, nodes, cores, memory, gres in (line.split("|") for line in lines):
        size = f"{nodes} nodes of {cores} cores, {memory} MB, {gres.replace('(null)', 'no GPU')}"
        found = f"{name}: {size}; at most {limit}"
        yield Finding("partition", True if state == "up" else None, f"{found}; {state}", "it takes no jobs now")
    if not lines:
        yield Finding("partitions", False, "Slurm shows you none", "ask the site for access")


def _clock() -> Iterator[Finding]:
    """Compare clocks: the first line of the configuration says when the controller wrote it."""
    before = time.time()
    match = re.match(r"Configuration data as of (\d+)\n", ask("scontrol", "show", "config"))
    if match:
        yield clock(int(match[1]), before, time.time())


def clock(theirs: int, before: float, after: float) -> Finding:
    """Judge the controller's clock, in whole seconds as it prints them, read between two instants of ours."""
    skew_s = min(theirs + 1 - before, 0.0) or max(theirs - after, 0.0)
    words = f"{abs(skew_s):.0f} s {'behind' if skew_s < 0 else 'ahead of'} this machine's" if skew_s else "agrees"
    remedy = (
        "waiting times and charges would be off by it: tell the site (chrony, NTP); Slurm itself stops at 5 minutes"
    )
    return Finding("controller's clock", True if abs(skew_s) <= SKEW_S else None, words, remedy)


def shared(folder: Path, mounts: str) -> Finding:
    """Say whether a folder can be used by several hosts at once, from the text of /proc/mounts."""
    kind, options = _mount(folder, mounts)
    what = f"{kind} at {folder}"
    if kind in OF_ONE_HOST:
        remedy = (
            "nodes must see the store: put site.root on the project's parallel file system (fine where all is one host)"
        )
        return Finding("shared store", None, f"{what} belongs to this host", remedy)
    if kind == "lustre" and "flock" not in options:
        local = "localflock" in options
        remedy = "start drivers on one login node only; the site can mount it with `flock`"
        return Finding("shared store", None if local else False, f"{what}: {'local' if local else 'no'} locks", remedy)
    if kind.startswith("nfs") and _locks_locally(options):
        remedy = "start drivers on one host only, or mount it without `nolock`/`local_lock`"
        return Finding("shared store", None, f"{what}: locks are not seen by other hosts", remedy)
    return Finding("shared store", True, what)


def _locks_locally(options: set[str]) -> bool:
    return bool(options & {"nolock", "local_lock=all", "local_lock=flock"})


def _mount(folder: Path, mounts: str) -> tuple[str, set[str]]:
    """Return type and options of the mount that a folder is on; of two at one place the later hides the other."""
    found = ("a file system of unknown kind", set[str]())
    longest = 0
    for line in mounts.splitlines():
        _, place, kind, options, *_ = line.split()
        place = place.replace("\\040", " ")
        if folder.is_relative_to(place) and len(place) >= longest:
            longest, found = len(place), (kind, set(options.split(",")))
    return found
