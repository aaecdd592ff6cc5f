"""What a run writes down: metrics by step, progress for the launcher, and the small files of the artefact."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from hominis.train import checkpoints
from hominis.train.brief import Brief
from hominis.train.figures import padded_vocabulary
from hominis.train.schedule import batch_size, consumed

PROBE_SEQUENCES = 2


class Record:
    """The files of one run. Rank 0 writes them; on other ranks nothing happens.

    Attributes:
        metrics: JSON lines, one a step. Goes with every checkpoint, so that a resumed run's file has each step once.
    """

    def __init__(self, brief: Brief) -> None:
        import torch.distributed as dist

        self._brief, self._writes = brief, dist.get_rank() == 0
        self.metrics = brief.checkpoints / checkpoints.METRICS
        if self._writes:
            self.metrics.write_bytes((Path(brief.resume) / checkpoints.METRICS).read_bytes() if brief.resume else b"")

    def step(self, number: int, loss: float, grad_norm: float, learning_rate: float, seconds: float) -> None:
        """Note a step; only the progress file, which isn't part of the artefact, hears of its ``seconds``."""
        if not self._writes:
            return
        section = self._brief.section
        tokens = batch_size(section, number) * section.model.sequence
        figures = {"step": number, "loss": loss, "grad_norm": grad_norm, "learning_rate": learning_rate}
        _append(self.metrics, {**figures, "consumed_tokens": consumed(section, number) * section.model.sequence})
        _append(self._brief.progress, {**figures, "tokens_per_s": tokens / seconds})

    def publish(self, train_set: Any, *, parameters: int, samples: str, validation_loss: float | None) -> None:
        """Write the artefact's files beside the checkpoint.

        ``model.json`` is what ``export`` needs; ``probe.json`` holds the first training samples, tokens on which it
        compares the two models. ``samples`` is the hash of those trained on.
        """
        if not self._writes:
            return
        out, section = self._brief.out, self._brief.section
        shutil.copyfile(self.metrics, out / checkpoints.METRICS)
        probe = [train_set[index]["tokens"].tolist() for index in range(PROBE_SEQUENCES)]
        _write(out / "probe.json", {"tokens": probe})
        described = {
            "model": section.model.model_dump(mode="json"),
            "precision": section.precision,
            "vocab_size": self._brief.vocab_size,
            "padded_vocab_size": padded_vocabulary(self._brief.vocab_size, section.layout.tp),
            "end_of_document": self._brief.end_of_document,
            "parameters": parameters,
            "samples": samples,
            "validation_loss": validation_loss,
        }
        _write(out / "model.json", described)


def _append(path: Path, values: dict[str, float]) -> None:
    with path.open("a") as stream:
        stream.write(json.dumps(values) + "\n")


def _write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")
