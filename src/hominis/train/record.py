"""What a run writes down: metrics by step, progress for the launcher, and the small files of the artefact."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hominis.train import checkpoints, devices, laps
from hominis.train.brief import Brief
from hominis.train.figures import padded_vocabulary, step_flops
from hominis.train.schedule import batch_size, consumed

if TYPE_CHECKING:
    from hominis.train.loop import Step

PROBE_SEQUENCES = 2


class Record:
    """The files of one run. Rank 0 writes them; on other ranks nothing happens.

    Attributes:
        metrics: JSON lines, one a step. Goes with every checkpoint, so that a resumed run's file has each step once.
    """

    def __init__(self, brief: Brief) -> None:
        import torch.distributed as dist

        self._brief, self._writes, self._began = brief, dist.get_rank() == 0, False
        self._peak = devices.peak_flops(devices.this_device())
        self.metrics = brief.checkpoints / checkpoints.METRICS
        if self._writes:
            self.metrics.write_bytes((Path(brief.resume) / checkpoints.METRICS).read_bytes() if brief.resume else b"")

    def step(self, step: Step, seconds: float, memory_bytes: int) -> None:
        """Note a step that took ``seconds``, and the most memory of any rank.

        The metrics have what equal work repeats; what depends on the day only goes to the launcher, by the progress
        file, which isn't part of the artefact. A step without loss has no speed.
        """
        if not self._writes:
            return
        section = self._brief.section
        figures = {"step": step.number, **_told(step)}
        figures["consumed_tokens"] = consumed(section, step.number) * section.model.sequence
        _append(self.metrics, figures)
        if not self._began:
            self._begin()
        speed = {} if step.loss is None else self._speed(batch_size(section, step.number), seconds)
        day = {"time": time.time(), "seconds": seconds, **speed, "memory_bytes": memory_bytes}
        _append(self._brief.progress, figures | day)

    def _begin(self) -> None:
        laps.mark(laps.FIRST_STEP)
        checked = {laps.CHECK: round(self._brief.launched - self._brief.began, 3)}
        self._brief.start.write_text(json.dumps(checked | laps.seconds(self._brief.launched)))
        self._began = True

    def _speed(self, sequences: int, seconds: float) -> dict[str, float | None]:
        """Return the model's tokens and floating-point operations per second; ``mfu`` where the peak is known."""
        section = self._brief.section
        rows = padded_vocabulary(self._brief.vocab_size, section.layout.tp)
        flops = step_flops(section.model, rows, sequences) / seconds / section.layout.world
        return {
            "tokens_per_s": sequences * section.model.sequence / seconds,
            "tflops_per_gpu": flops / 1e12,
            "mfu": flops / self._peak if self._peak else None,
        }

    def publish(self, train_set: Any, *, parameters: int, samples: str, validation_loss: float | None) -> None:
        """Write the artefact's files beside the checkpoint.

        ``model.json`` is what ``export`` needs; ``probe.json`` holds the first training samples, tokens on which it
        compares the two models. ``samples`` is the hash of those trained on.
        """
        from hominis.train import kernels

        if not self._writes:
            return
        out, section = self._brief.out, self._brief.section
        shutil.copyfile(self.metrics, out / checkpoints.METRICS)
        probe = [train_set[index]["tokens"].tolist() for index in range(PROBE_SEQUENCES)]
        _write(out / "probe.json", {"tokens": probe})
        described = {
            "model": section.model.model_dump(mode="json"),
            "precision": section.precision,
            "kernels": kernels.chosen(section.kernels, section.precision),
            "vocab_size": self._brief.vocab_size,
            "padded_vocab_size": padded_vocabulary(self._brief.vocab_size, section.layout.tp),
            "end_of_document": self._brief.end_of_document,
            "parameters": parameters,
            "samples": samples,
            "validation_loss": validation_loss,
        }
        _write(out / "model.json", described)


def _told(step: Step) -> dict[str, Any]:
    """Return what ``step`` gave, a loss that isn't a number as None: JSON has no other word for it."""
    figures = {"loss": step.loss, "grad_norm": step.grad_norm, "learning_rate": step.learning_rate}
    finite = {name: value if value is not None and math.isfinite(value) else None for name, value in figures.items()}
    return finite | ({"skipped": True, "why": step.why} if step.skipped else {})


def _append(path: Path, values: Mapping[str, Any]) -> None:
    with path.open("a") as stream:
        stream.write(json.dumps(values) + "\n")


def _write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")
