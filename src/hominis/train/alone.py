"""Processes that come one after the other, each told what to do by a JSON file and with a group of its own.

megatron and transformers can't share a process: on a CPU megatron needs patches under which transformers reads wrong
weights. So what the one has written the other reads, and says in how far it agrees.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hominis.store.types import Scratch, Summary
from hominis.train import launch


@dataclass(frozen=True)
class Comparison:
    """What ``hominis.train.comparer`` is told.

    Attributes:
        folder: a Hugging Face folder.
        reference: safetensors file with the ``tokens`` compared on and megatron's ``logits``.
        result: JSON with the comparison's figures.
        tolerance: largest difference of a logit.
        threads: of the process.
    """

    folder: str
    reference: str
    result: str
    tolerance: float
    threads: int


def run(module: str, brief: Any, scratch: Scratch, threads: int) -> None:
    """Run ``hominis.train.<module>``, which finds its ``brief`` (a dataclass) in the file that it is given."""
    path = scratch.checkpoints / f"{module}.json"
    path.write_text(json.dumps(asdict(brief), indent=1))
    process = launch.Launch(f"hominis.train.{module}", [str(path)], 1, threads, scratch.checkpoints)
    launch.run(process, poll=lambda: None, stopping=lambda: scratch.stopping)


def compare(folder: Path, reference: Path, scratch: Scratch, *, tolerance: float, threads: int) -> Summary:
    """Return in how far transformers, given ``folder``, computes the logits that megatron left in ``reference``.

    Raises:
        StageFailed: they differ by more than ``tolerance``, or aren't finite.
    """
    result = scratch.checkpoints / "result.json"
    run("comparer", Comparison(str(folder), str(reference), str(result), tolerance, threads), scratch, threads)
    figures: Summary = json.loads(result.read_text())
    return figures
