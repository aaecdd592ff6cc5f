"""The folder of checkpoints: which are whole, which is the newest, which may go. No framework, files only.

A checkpoint is written as ``step-00000010.part`` and renamed when every rank's bytes are on disk; its manifest, written
last, names each file's size and SHA-256. What isn't whole is removed before the next attempt, never loaded.

Milestones, every ``pretrain.keep_every`` steps, stay until the end and are published in the artefact's folder
``checkpoints``, each the same files under the same name: whoever trains on from one resumes as from any other.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hominis.config.train import PretrainSection
from hominis.errors import InputError
from hominis.store import files
from hominis.train.figures import padded_vocabulary

MANIFEST = "manifest.json"
METRICS = "metrics.jsonl"
MODEL = "model.json"
"""Of which model it is: in what runs must agree to train on from one another's checkpoints."""
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


def complete(folder: Path, step: int, fingerprints: Mapping[str, Mapping[str, Any]]) -> Path:
    """Make the checkpoint after ``step`` steps whole, given the fingerprints of its files; return where it is now."""
    part = unfinished(folder, step)
    (part / MANIFEST).write_text(json.dumps(fingerprints, indent=1, sort_keys=True))
    files.fsync(part / MANIFEST)
    files.fsync(part)
    whole = folder / name(step)
    part.rename(whole)
    files.fsync(folder)
    return whole


def due(step: int, last: int, every: int, milestones: int) -> bool:
    """Return whether a checkpoint is written after ``step`` steps of ``last``: a milestone, or one on the way."""
    return _milestone(step, milestones) or (step < last and step % every == 0)


def prune(folder: Path, keep: int, milestones: int, reach: int = 0) -> None:
    """Remove the checkpoints that aren't needed.

    Needed are the newest ``keep``, the newest at or before the step ``reach``, and milestones (0: none).
    """
    every = _newest_first(folder)
    spare = [checkpoint for checkpoint in every if step_of(checkpoint) <= reach][:1]
    for checkpoint in every[keep:]:
        if checkpoint not in spare and not _milestone(step_of(checkpoint), milestones):
            shutil.rmtree(checkpoint)


def remove_since(folder: Path, step: int) -> None:
    """Remove the checkpoints after ``step`` steps or more. To be called only while nobody writes into ``folder``."""
    for checkpoint in _newest_first(folder):
        if step_of(checkpoint) >= step:
            shutil.rmtree(checkpoint)


def newest_whole(folder: Path, warn: Callable[[str], None]) -> Path | None:
    """Return the newest checkpoint whose bytes are what its manifest says; remove those that aren't.

    To be called only while nobody writes into ``folder``. ``warn`` hears what is damaged and where that leads back to.
    """
    for left in folder.glob(f"{_PREFIX}*{_UNFINISHED}"):
        shutil.rmtree(left)
    damaged: list[str] = []
    for checkpoint in _newest_first(folder):
        amiss = list(damages(checkpoint))
        if not amiss:
            _warn_of(damaged, f"training goes on from step {step_of(checkpoint)}", warn)
            return checkpoint
        damaged.append(f"{checkpoint.name} ({', '.join(amiss)})")
        shutil.rmtree(checkpoint)
    _warn_of(damaged, "no other is left: training starts afresh", warn)
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
    with ThreadPoolExecutor() as pool:  # a big model's files are many, and hashing them keeps GPUs waiting
        whole = pool.map(lambda file: _is(checkpoint / file, manifest[file]), manifest)
        yield from (file for file, good in zip(manifest, whole, strict=True) if not good)


def described(section: PretrainSection, vocab_size: int) -> dict[str, Any]:
    """Return of which model a run's checkpoints are, and what of its layout can't be changed on the way."""
    layout = section.layout
    return {
        "model": section.model.model_dump(),
        "precision": section.precision,
        "vocab_size": vocab_size,
        "padded_vocab_size": padded_vocabulary(vocab_size, layout.tp),
        "optimiser": "shared out" if layout.shares_optimiser else "copied to all data-parallel ranks",
        "experts": "shared out" if layout.ep > 1 else "on every rank",
    }


def check_model(checkpoint: Path, model: Mapping[str, Any]) -> None:
    """Check that ``checkpoint`` is of ``model``, as ``described``.

    Raises:
        InputError: it is of another; names what differs, here and there.
    """
    there = json.loads((checkpoint / MODEL).read_text())
    clashes = list(_clashes(there, model))
    if clashes:
        raise InputError(
            f"a checkpoint of another model, or one that this layout can't take over: {'; '.join(clashes)}",
            where=checkpoint,
            remedy="set model and layout as the checkpoint has them, or start from another checkpoint",
        )


def publish(folder: Path, milestones: int, out: Path, warn: Callable[[str], None]) -> list[int]:
    """Link the whole milestones of ``folder`` into ``out``; return their steps.

    They stay in ``folder`` as well: an attempt that is killed before its artefact stands leaves them to the next.
    """
    steps = []
    for checkpoint in sorted(_newest_first(folder)):
        if not _milestone(step_of(checkpoint), milestones):
            continue
        if amiss := list(damages(checkpoint)):
            _warn_of([f"{checkpoint.name} ({', '.join(amiss)})"], "it is not published", warn)
            continue
        (out / checkpoint.name).mkdir(parents=True)
        for file in checkpoint.iterdir():
            _link(file, out / checkpoint.name / file.name)
        steps.append(step_of(checkpoint))
    return steps


def _milestone(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


def _warn_of(damaged: list[str], consequence: str, warn: Callable[[str], None]) -> None:
    if damaged:
        warn(f"damaged checkpoint {', '.join(damaged)}: {consequence}")


def _is(path: Path, expected: Mapping[str, Any]) -> bool:
    return path.is_file() and path.stat().st_size == expected["bytes"] and fingerprint(path) == expected


def _clashes(there: Any, here: Any, at: str = "") -> Iterator[str]:
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted({*there, *here}):
            yield from _clashes(there.get(key), here.get(key), f"{at}.{key}" if at else key)
    elif there != here:
        yield f"{at}: {here} here, {there} there"


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # some parallel file systems have no links across folders
        shutil.copyfile(file, target)


def _newest_first(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob(f"{_PREFIX}*") if path.suffix != _UNFINISHED), reverse=True)
