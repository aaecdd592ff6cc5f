"""The stage ``score``: samples become rows of the results table, with their error bands."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hominis.config.evaluate import ScoreSection
from hominis.errors import InputError, Interrupted
from hominis.evaluate import sandbox
from hominis.evaluate.bands import bootstrap, wilson
from hominis.store.types import Artefact, Inputs, Json, Part, Scratch, Summary

Sample = dict[str, Any]
Row = dict[str, Json]
DIGITS = 6
"""Places of a score that are kept."""
FEWEST_DOCUMENTS = 2
"""A bootstrap over one document says nothing about others."""


def parts(section: ScoreSection, inputs: Inputs) -> Sequence[Part]:
    """Return a part per task generated. Whether programs can be run here, or why not, is in its parameters.

    So the "not run" of a machine without a sandbox isn't found again where there is one.
    """
    return [
        Part(artefact.part, {"task": artefact.part} | _conditions(artefact.part), {"generate": [artefact.part]})
        for artefact in inputs["generate"]
    ]


def work(section: ScoreSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Score one task and write ``scores.json``.

    Returns:
        Summary: ``task`` and ``rows``: category, benchmark, metric, value with its 95 % band ``low`` to ``high``
        (null where there is none), items, status (``run`` or ``not run``), reason, settings.

    Raises:
        InputError: the part was planned with a sandbox that doesn't work on this machine.
        Interrupted: the attempt was asked to stop.
    """
    artefact = inputs["generate"][0]
    score = _humaneval if part.id == "humaneval" else _bits_per_byte
    rows, details = score(section, artefact, part, scratch)
    summary = {"task": part.id, "rows": rows}
    text = json.dumps(summary | details, indent=1, sort_keys=True, ensure_ascii=False)
    (scratch.out / "scores.json").write_text(text + "\n", encoding="utf-8")
    return summary


def _conditions(task: str) -> dict[str, Json]:
    if task != "humaneval":
        return {}
    found = sandbox.find()
    if isinstance(found, str):
        return {"sandbox": None, "reason": found}
    return {"sandbox": "bubblewrap", "python": found.python}


def _humaneval(
    section: ScoreSection, artefact: Artefact, part: Part, scratch: Scratch
) -> tuple[list[Row], dict[str, Json]]:
    samples = _samples(artefact)
    limits = sandbox.Limits(section.cpu_seconds, section.wall_seconds, section.memory_bytes)
    settings = artefact.summary["settings"] | {
        "sandbox": part.params["sandbox"],
        "python": part.params.get("python"),
        "cpu_seconds": limits.cpu_seconds,
        "memory_bytes": limits.memory_bytes,
    }
    head = {"category": "code", "benchmark": "HumanEval", "metric": "pass@1", "items": len(samples)}
    if part.params["sandbox"] is None:
        scratch.progress(0, len(samples), "programs")
        unknown = {"value": None, "low": None, "high": None, "status": "not run", "reason": part.params["reason"]}
        return [head | unknown | {"settings": settings}], {}
    passed = _passed(_sandbox(part), samples, limits, section.workers, scratch)
    low, high = (round(100 * bound, DIGITS) for bound in wilson(len(passed), len(samples)))
    value = round(100 * len(passed) / len(samples), DIGITS)
    figures = {"value": value, "low": low, "high": high, "status": "run", "reason": ""}
    return [head | figures | {"settings": settings}], {"passed": passed}


def _sandbox(part: Part) -> sandbox.Sandbox:
    """Find the sandbox that the part was planned with."""
    found = sandbox.find()
    if isinstance(found, str) or found.python != part.params["python"]:
        here = found if isinstance(found, str) else f"its Python is {found.python}"
        raise InputError(
            f"this part was planned with a sandbox and Python {part.params['python']}: {here}",
            where="stage score, part humaneval",
            remedy="give the machines that score the same bubblewrap and Python as the one that plans",
        )
    return found


def _passed(
    jail: sandbox.Sandbox, samples: Sequence[Sample], limits: sandbox.Limits, workers: int, scratch: Scratch
) -> list[str]:
    """Return the ids of the samples that pass, in the samples' order."""

    def passes(sample: Sample) -> bool:
        if scratch.stopping:
            return False
        fields = (sample[name] for name in ("prompt", "completion", "test", "entry_point"))
        return jail.passes(sandbox.Problem(*fields), limits)

    passed = []
    with ThreadPoolExecutor(workers) as pool:
        for done, (sample, verdict) in enumerate(zip(samples, pool.map(passes, samples), strict=True), 1):
            passed += [sample["task_id"]] if verdict else []
            scratch.progress(done, len(samples), "programs", passed=len(passed))
    if scratch.stopping:
        raise Interrupted("asked to stop while programs were tested", where="humaneval")
    return passed


def _bits_per_byte(
    section: ScoreSection, artefact: Artefact, part: Part, scratch: Scratch
) -> tuple[list[Row], dict[str, Json]]:
    by_corpus: dict[str, list[Sample]] = {}
    for sample in _samples(artefact):
        by_corpus.setdefault(sample["corpus"], []).append(sample)
    together = [sample for samples in by_corpus.values() for sample in samples]
    rows = []
    for corpus, samples in [*sorted(by_corpus.items()), ("all", together)]:
        rows.append(_held_out_row(section, corpus, samples, artefact.summary["settings"]))
        scratch.progress(len(rows), len(by_corpus) + 1, "rows")
    return rows, {}


def _held_out_row(section: ScoreSection, corpus: str, samples: Sequence[Sample], settings: Mapping[str, Json]) -> Row:
    bits = [-sample["loglikelihood"] / math.log(2) for sample in samples]
    sizes = [sample["bytes"] for sample in samples]
    low, high = None, None
    if len(samples) >= FEWEST_DOCUMENTS:
        low, high = (round(bound, DIGITS) for bound in bootstrap(bits, sizes, section.resamples, section.seed))
    return {
        "category": "held-out",
        "benchmark": corpus,
        "metric": "bits per byte",
        "value": round(sum(bits) / sum(sizes), DIGITS),
        "low": low,
        "high": high,
        "items": len(samples),
        "status": "run",
        "reason": "",
        "settings": {**settings, "bytes": sum(sizes), "resamples": section.resamples, "seed": section.seed},
    }


def _samples(artefact: Artefact) -> list[Sample]:
    with (artefact.path / "samples.jsonl").open(encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]
