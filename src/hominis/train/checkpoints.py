"""The folder of checkpoints: which are whole, which is the newest, which may go. No framework, files only.

A checkpoint is written as ``step-00000010.part`` and renamed when every rank's bytes are on disk; its manifest, written
last, names each file's size and SHA-256. What isn't whole is removed before the next attempt, never loaded.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
METRICS = "metrics.jsonl"
_PREFIX, _UNFINISHED = "step-", ".part"


def name(step: int) -> str:
    """Return the name of the checkpoint after ``step`` steps."""
    return f"{_PREFIX}{step:08d}"


def unfinished(folder: Path, step: int) -> Path:
    """Return the folder in which the checkpoint after ``step`` steps is written."""
    return folder / (name(step) + _UNFINISHED)


def step_of(checkpoint: Path) -> int:
    """Return the steps done when ``checkpoint`` was written."""
    return int(checkpoint.name.removeprefix(_PREFIX))


def fingerprint(file: Path) -> dict[str, Any]:
    """Return a file's size in bytes and SHA-256, as a manifest has it."""
    with file.open("rb") as stream:
        return {"bytes": file.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def complete(folder: Path, step: int, files: Mapping[str, Mapping[str, Any]]) -> Path:
    """Make the checkpoint after ``step`` steps whole, given the fingerprints of its files; return where it is now."""
    part = unfinished(folder, step)
    with (part / MANIFEST).open("w") as stream:
        json.dump(files, stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    _sync(part)
    whole = folder / name(step)
    part.rename(whole)
    _sync(folder)
    return whole


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest ``keep`` checkpoints."""
    for checkpoint in _newest_first(folder)[keep:]:
        shutil.rmtree(checkpoint)


def newest_whole(folder: Path) -> Path | None:
    """Return the newest checkpoint whose bytes are what its manifest says; remove those that aren't.

    To be called only while nobody writes into ``folder``.
    """
    for left in folder.glob(f"{_PREFIX}*{_UNFINISHED}"):
        shutil.rmtree(left)
    for checkpoint in _newest_first(folder):
        if not list(damages(checkpoint)):
            return checkpoint
        shutil.rmtree(checkpoint)
    return None


def newest_step(folder: Path) -> int:
    """Return the step of the newest checkpoint that was completed, 0 if there is none. Looks at names alone."""
    return max(map(step_of, _newest_first(folder)), default=0)


def damages(checkpoint: Path) -> Iterator[str]:
    """Yield the files of ``checkpoint`` that are missing or have other bytes than the manifest says."""
    try:
        manifest = json.loads((checkpoint / MANIFEST).read_text())
    except (OSError, ValueError):
        yield MANIFEST
        return
    for file, expected in manifest.items():
        path = checkpoint / file
        if not path.is_file() or path.stat().st_size != expected["bytes"] or fingerprint(path) != expected:
            yield file


def _newest_first(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob(f"{_PREFIX}*") if path.suffix != _UNFINISHED), reverse=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
