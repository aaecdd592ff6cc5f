"""How training went: the artefact's metrics by step, and beside them what the attempts recorded on the day."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any

from hominis.report.model import CurvePoint, Curves, Mark
from hominis.report.origin import Origin

POINTS = 500
"""A curve has at most so many points: more than a figure shows."""
SMOOTH = 0.01
"""Share of all steps, before and after, over whose losses the smoothed one is the mean."""

STAGES = ("pretrain", "decay")
Rows = list[dict[str, Any]]
Records = Callable[[str, int], Path]
"""Key and number of an attempt → the folder of its records."""


@dataclass(frozen=True)
class _Try:
    """An attempt, and the folder of its records."""

    stage: str
    n: int
    folder: Path


def curves(origin: Origin, records: Records) -> Curves | None:
    """Return how training went; None if nothing was trained."""
    for artefact in origin.trained():
        rows = _read(artefact.path / "metrics.jsonl")
        if not rows:
            return None
        tries = _tries(origin, records)
        day = {line["step"]: line for one in tries for line in _read(one.folder / "steps.jsonl")}
        every = -(-len(rows) // POINTS)
        points = [_point(rows, slice(at, at + every), day) for at in range(0, len(rows), every)]
        speeds = [line for line in day.values() if line.get("tokens_per_s")]
        return Curves(
            every=every,
            points=points,
            marks=[*_restarts(tries), *_amiss(rows, artefact.summary.get("rollbacks", []))],
            tokens_per_s=median(line["tokens_per_s"] for line in speeds) if speeds else None,
            mfu=_median(line["mfu"] for line in speeds if line.get("mfu")),
            provenance=origin.part(artefact),
        )
    return None


def _read(path: Path) -> Rows:
    """Return the lines of a file; a last one cut short, as a kill leaves it, was never written."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _point(everything: Rows, place: slice, day: Mapping[int, Mapping[str, Any]]) -> CurvePoint:
    rows, around = everything[place], round(SMOOTH * len(everything))
    near = everything[max(0, place.start - around) : place.stop + around]
    timed = [day[row["step"]] for row in rows if day.get(row["step"], {}).get("tokens_per_s")]
    seconds = sum(line["seconds"] for line in timed)
    return CurvePoint(
        step=rows[-1]["step"],
        tokens=rows[-1].get("consumed_tokens", 0),
        loss=_mean(row.get("loss") for row in rows),
        smoothed=_mean(row.get("loss") for row in near if not row.get("skipped")),
        learning_rate=_mean(row.get("learning_rate") for row in rows),
        grad_norm=_mean(row.get("grad_norm") for row in rows),
        tokens_per_s=sum(line["tokens_per_s"] * line["seconds"] for line in timed) / seconds if timed else None,
    )


def _tries(origin: Origin, records: Records) -> list[_Try]:
    """Return the attempts at training, also those at the pretraining that a decay branched off, oldest first."""
    keys = [(stage, artefact.receipt.key) for stage in STAGES for artefact in origin.of(stage)]
    return [
        _Try(stage, n, records(key, n))
        for stage, key in keys
        for n in sorted(attempt.n for attempt in origin.attempts if attempt.key == key)
    ]


def _restarts(tries: Sequence[_Try]) -> list[Mark]:
    """Return where an attempt went on from what the ones before it left. Its later starts are rollbacks.

    What befell pretraining after the step at which a decay branched off is not of these weights.
    """
    marks: list[Mark] = []
    began = [(one, starts[0]["from_step"]) for one in tries if (starts := _read(one.folder / "starts.jsonl"))]
    for (before, _), (one, step) in pairwise(began):
        if one.stage != before.stage:
            marks = [mark for mark in marks if mark.first <= step]
        marks.append(Mark(what="restart", first=step, last=step, note=f"attempt {one.n} at {one.stage}"))
    return marks


def _amiss(rows: Rows, rollbacks: Sequence[Mapping[str, Any]]) -> Iterator[Mark]:
    """Yield the steps that were left out after a rollback, then those that were skipped alone."""
    for rollback in rollbacks:
        yield Mark(what="rollback", first=rollback["first"], last=rollback["last"], note=rollback["why"])
    gone = {step for r in rollbacks for step in range(r["first"], r["last"] + 1)}
    for row in rows:
        if row.get("skipped") and row["step"] not in gone:
            yield Mark(what="skipped", first=row["step"], last=row["step"], note=row.get("why", ""))


def _mean(values: Iterator[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _median(values: Iterator[float]) -> float | None:
    known = list(values)
    return median(known) if known else None
