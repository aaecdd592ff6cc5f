"""The stage ``generate``: what the exported model answers to each task, unscored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hominis.config.evaluate import GenerateSection
from hominis.errors import InputError
from hominis.evaluate import humaneval
from hominis.evaluate.asking import ask
from hominis.evaluate.heldout import Document, held_out
from hominis.store.types import Inputs, Part, Scratch, Summary

DIGITS = 4
"""Places of a log-likelihood that are kept."""


def parts(section: GenerateSection, inputs: Inputs) -> Sequence[Part]:
    """Return a part per task; only ``bits_per_byte`` reads the held-out text.

    Raises:
        InputError: a task's data isn't installed.
    """
    tasks = {
        "bits_per_byte": lambda: Part("bits_per_byte", {"task": "bits_per_byte"}),
        "humaneval": lambda: Part("humaneval", {"task": "humaneval", "data": humaneval.digest()}, {"tokenise": []}),
    }
    return [tasks[name]() for name in sorted(set(section.tasks))]


def work(section: GenerateSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Ask the model and write ``samples.jsonl``: a line per document or problem, with all that scoring needs.

    A line has the question's own fields and ``loglikelihood`` (natural logarithm, of the whole text) and ``tokens``,
    or ``completion``, the prompt's ``tokens`` and ``truncated``: whether the prompt's beginning was cut off.

    Returns:
        Summary: task, items, and the settings under which scores are comparable.

    Raises:
        InputError: nothing is held out, or the model cannot be asked.
        Interrupted: the attempt was asked to stop.
    """
    asked = _questions(section, inputs, part)
    with TemporaryDirectory(dir=scratch.checkpoints) as folder:
        request = _request(section, inputs["export"][0].path, part.id)
        answers, settings = ask(request, asked, Path(folder), scratch)
    samples = [_sample(part.id, *pair) for pair in zip(asked, answers, strict=True)]
    with (scratch.out / "samples.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(sample, ensure_ascii=False, sort_keys=True) + "\n" for sample in samples)
    truncated = {"truncated": sum(sample["truncated"] for sample in samples)} if part.id == "humaneval" else {}
    return {"task": part.id, "items": len(samples), "settings": settings} | truncated


def _questions(section: GenerateSection, inputs: Inputs, part: Part) -> list[Document]:
    if part.id == "humaneval":
        return humaneval.problems(section.items)
    asked = held_out(inputs["tokenise"], section.max_bytes)
    if not asked:
        raise InputError(
            "no held-out text to measure bits per byte on", where="stage tokenise", remedy="hold more documents out"
        )
    return asked


def _request(section: GenerateSection, model: Path, task: str) -> dict[str, Any]:
    return {
        "model": str(model.resolve()),
        "task": task,
        "batch_size": section.batch_size,
        "threads": section.threads,
        "max_new_tokens": section.max_new_tokens,
    }


def _sample(task: str, question: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    if task == "humaneval":
        return {**question, **answer}
    kept = {name: question[name] for name in ("id", "corpus", "bytes")}
    return kept | {"loglikelihood": round(answer["loglikelihood"], DIGITS), "tokens": answer["tokens"]}
