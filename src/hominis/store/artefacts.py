"""Artefacts: named by what determines their bytes, published by one rename, verified before use."""

import errno
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hominis.errors import CorruptArtefact
from hominis.store import files, receipts
from hominis.store.site import Site
from hominis.store.types import Artefact, Part, Receipt, Stage

RECEIPT = "receipt.json"
REPAIR = "`hominis repair` rebuilds what is damaged, and that alone"


def part_key(stage: Stage, keyed: Mapping[str, Any], inputs: Mapping[str, Sequence[str]], part: Part) -> str:
    """Return the key of a part: a hash of all that determines its bytes.

    Code, comments, paths, host names and times are not in it; the stage's revision stands for its code.

    Args:
        keyed: the section's keyed fields, as JSON values.
        inputs: upstream stage → digests of the part receipts that it reads.
    """
    what = [stage.name, stage.revision, keyed, {k: list(v) for k, v in inputs.items()}, part.id, dict(part.params)]
    return files.digest(what)[:40]


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of every file below ``folder``, by relative path."""
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": files.sha256(path)}
        for path in files.walk(folder)
    }


def publish(site: Site, folder: Path, receipt: Receipt) -> bool:
    """Move a finished folder, with its receipt inside, to its place in the store for good.

    Returns False if another artefact was there first: the first to publish wins.

    Raises:
        FileNotFoundError: the folder was taken over by another attempt.
    """
    home = site.artefact(receipt.stage, receipt.key)
    files.replace(folder / RECEIPT, receipts.to_text(receipt))
    for path in (*files.walk(folder), *sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True), folder):
        files.fsync(path)
    home.parent.mkdir(parents=True, exist_ok=True)
    files.fsync(home.parent.parent)
    try:
        folder.rename(home)  # an empty folder at home would be replaced, but none is ever made
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    files.fsync(home.parent)
    _remember(site, receipt.key, {name: _identity(home / name) for name in receipt.files})
    return True


def read_receipt(site: Site, stage: str, key: str, digest: str | None = None) -> Receipt:
    """Return the receipt of an artefact.

    Raises:
        CorruptArtefact: it is not there, can't be read, or isn't the one with ``digest``.
    """
    path = site.artefact(stage, key) / RECEIPT
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CorruptArtefact(f"{stage}: an artefact is gone: {path.parent}", where=path, remedy=REPAIR) from None
    except UnicodeDecodeError as error:
        raise CorruptArtefact(f"{path} is not text any more: {error}", where=path, remedy=REPAIR) from None
    if digest is not None and files.digest(text) != digest:
        problem = f"{path}: its SHA-256 is {files.digest(text)}, the receipt that names it says {digest}"
        raise CorruptArtefact(problem, where=path, remedy=REPAIR)
    try:
        return receipts.from_text(text)
    except (ValueError, TypeError) as error:
        raise CorruptArtefact(f"{path} is not a receipt: {error}", where=path, remedy=REPAIR) from None


def open_artefact(site: Site, stage: str, key: str, digest: str | None = None, *, deep: bool = False) -> Artefact:
    """Return an artefact whose every byte matches its receipt.

    A file is hashed once per identity (device, inode, size, modification and change time) and remembered; with
    ``deep`` it is hashed again. The change time is set by the kernel alone, so a byte flipped in place is noticed
    even if its modification time was put back.

    Raises:
        CorruptArtefact: names the first file that differs, and both hashes.
    """
    receipt = read_receipt(site, stage, key, digest)
    home, known = site.artefact(stage, key), {} if deep else _recall(site, key)
    identities = {}
    for name, expected in receipt.files.items():
        identities[name] = _check(home / name, expected, known.get(name))
    if identities != known:
        _remember(site, key, identities)
    return Artefact(home, receipt)


def _check(path: Path, expected: Mapping[str, Any], known: list[int] | None) -> list[int]:
    try:
        identity = _identity(path)
    except FileNotFoundError:
        raise CorruptArtefact(f"{path} is gone", where=path, remedy=REPAIR) from None
    if identity != known and (found := files.sha256(path)) != expected["sha256"]:
        sizes = f"{path.stat().st_size:,} bytes for {expected['bytes']:,}"
        problem = f"{path}: its SHA-256 is {found}, its receipt says {expected['sha256']} ({sizes})"
        raise CorruptArtefact(problem, where=path, remedy=REPAIR)
    return identity


def _identity(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def _recall(site: Site, key: str) -> dict[str, list[int]]:
    try:
        known = json.loads(site.verified(key).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(site: Site, key: str, identities: Mapping[str, list[int]]) -> None:
    files.replace(site.verified(key), files.canonical(identities))


def retire(site: Site, stage: str, key: str) -> Path | None:
    """Take an artefact out of use, keeping its bytes for whoever wants to know what happened; None if none is there."""
    home = site.artefact(stage, key)
    away = site.root / "retired" / f"{stage}.{key}.{time.time_ns()}.{os.getpid()}"
    away.parent.mkdir(parents=True, exist_ok=True)
    try:
        home.rename(away)
    except FileNotFoundError:
        return None
    return away
