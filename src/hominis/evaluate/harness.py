"""The process that ``asking`` starts: lm-eval over an exported model, on the CPU in fp32.

Run as ``python -P -m hominis.evaluate.harness``. One line of JSON on standard input says what to do; progress goes to
standard output as ``[done, total, unit]``; whatever the libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import yaml

if TYPE_CHECKING:
    from hominis.evaluate.model import ReportingModel

TASKS = Path(__file__).parent / "tasks"
PACKAGES = ("lm_eval", "torch", "transformers")


def main() -> None:
    """Answer one request."""
    events = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, args=(sys.stdin,), daemon=True).start()

    def report(done: float, total: float, unit: str) -> None:
        events.write(json.dumps([done, total, unit]) + "\n")
        events.flush()

    result = _answer(request, report)
    Path(request["answers"]).write_text(json.dumps(result), encoding="utf-8")


def _end_with_parent(lifeline: TextIO) -> None:
    lifeline.read()
    os._exit(1)


def _answer(request: dict[str, Any], report: Callable[[float, float, str], None]) -> dict[str, Any]:
    import torch
    from lm_eval import evaluate
    from lm_eval.tasks import TaskManager

    from hominis.evaluate.model import ReportingModel

    torch.set_num_threads(request["threads"] or os.cpu_count() or 1)
    model = ReportingModel(request["model"], request["batch_size"], report)
    settings = _settings(request, model)
    loaded = TaskManager(include_defaults=False).load([_task(request, settings)])
    # Only the samples are read: what evaluate aggregates is not a result (its "bypass" says 999).
    samples = evaluate(model, loaded, bootstrap_iters=0, log_samples=True)["samples"][request["task"]]
    samples = sorted(samples, key=lambda sample: sample["doc_id"])
    return {"answers": [_read(sample, model, settings) for sample in samples], "settings": settings}


def _task(request: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Return the task's own file, with the questions to read and the bound on a completion."""
    task: dict[str, Any] = yaml.safe_load((TASKS / f"{request['task']}.yaml").read_text(encoding="utf-8"))
    task["dataset_kwargs"] = {"data_files": {"test": request["questions"]}}
    if "generation_kwargs" in task:
        task["generation_kwargs"]["max_gen_toks"] = settings["max_new_tokens"]
    return task


def _settings(request: dict[str, Any], model: ReportingModel) -> dict[str, Any]:
    """Return what a score depends on. A model needs room for its prompt: half its context at least."""
    settings = {"context": model.max_length, "dtype": "float32", "batch_size": request["batch_size"]}
    settings |= {package: metadata.version(package) for package in PACKAGES}
    if request["task"] == "humaneval":
        new = min(request["max_new_tokens"], model.max_length // 2)
        settings |= {"shots": 0, "decoding": "greedy", "max_new_tokens": new}
    else:
        settings |= {"windows": "disjoint; after one token, the last after as many as fit"}
    return settings


def _read(sample: dict[str, Any], model: ReportingModel, settings: dict[str, Any]) -> dict[str, Any]:
    asked, answer = sample["arguments"][0][0], sample["resps"][0][0]
    tokens = len(model.tok_encode(asked))
    if "max_new_tokens" not in settings:
        return {"loglikelihood": float(answer), "tokens": tokens}
    room = settings["context"] - settings["max_new_tokens"]
    return {"completion": answer, "tokens": tokens, "truncated": tokens > room}


if __name__ == "__main__":
    main()
