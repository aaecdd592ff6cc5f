"""Runs lm-eval in a process of its own: offline before its first import, in an empty working folder.

lm-eval and ``datasets`` read the environment when they are imported, and files in the working folder can shadow the
modules and data sets that they look up by name. The child reads its request from standard input, whose end tells it
that its parent is gone, and writes its progress to standard output as lines of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hominis.errors import InputError, Interrupted
from hominis.store.types import Scratch

Answer = dict[str, Any]
OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_EVALUATE_OFFLINE")


def ask(
    request: Mapping[str, Any], questions: Sequence[Mapping[str, Any]], folder: Path, scratch: Scratch
) -> tuple[list[Answer], dict[str, Any]]:
    """Put questions to a model.

    Args:
        request: ``model`` (a folder), ``task`` (a file in ``tasks``), ``batch_size``, ``threads``,
            ``max_new_tokens``.
        questions: the task's documents.
        folder: an empty place for the questions, the answers and the libraries' caches.
        scratch: is told the progress, and says when to stop.

    Returns:
        tuple: an answer per question, in their order, and the settings in force.

    Raises:
        InputError: lm-eval could not do it; its words are in the part's log.
        Interrupted: the scratch asked to stop.
    """
    asked, answered = folder / "questions.jsonl", folder / "answers.json"
    with asked.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(question) + "\n" for question in questions)
    paths = {"questions": str(asked.resolve()), "answers": str(answered.resolve())}
    status = _run({**request, **paths}, _environment(folder.resolve()), scratch)
    if scratch.stopping:
        raise Interrupted("asked to stop while the model was answering", where=str(request["task"]))
    if status or not answered.exists():
        raise InputError(
            f"lm-eval ended with status {status} at task {request['task']!r}",
            where=request["model"],
            remedy="the part's log ends with its words",
        )
    result = json.loads(answered.read_bytes())
    return result["answers"], result["settings"]


def _run(request: Mapping[str, Any], environment: Mapping[str, str], scratch: Scratch) -> int:
    command = [sys.executable, "-P", "-m", "hominis.evaluate.harness"]
    with (
        TemporaryDirectory() as empty,
        subprocess.Popen(
            command, cwd=empty, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child,
    ):
        assert child.stdin and child.stdout
        try:
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
            for line in child.stdout:
                scratch.progress(*json.loads(line))
                if scratch.stopping:
                    break
        except BaseException:
            child.kill()
            raise
        if scratch.stopping:
            child.terminate()
        return child.wait()


def _environment(folder: Path) -> dict[str, str]:
    """Return ours, with no way to the network, with caches in a folder, and with patient threads.

    OpenMP's threads spin while they wait for each other; on cores shared with other work that made a step of a small
    model more than ten times slower.
    """
    changed = {
        **dict.fromkeys(OFFLINE, "1"),
        "HF_HOME": str(folder / "cache"),
        "HF_DATASETS_CACHE": str(folder / "cache" / "datasets"),
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "true",
        "PYTHONPATH": _absolute(os.environ.get("PYTHONPATH", "")),
    }
    return {**os.environ, **changed}


def _absolute(path: str) -> str:
    """Return a search path that means the same in another working folder."""
    return os.pathsep.join(str(Path(entry).resolve()) for entry in path.split(os.pathsep) if entry)
