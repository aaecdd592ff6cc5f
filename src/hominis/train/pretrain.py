"""The stage ``pretrain``: starts the ranks and follows them. Light: torch lives in the ranks."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from hominis.config.train import PretrainSection
from hominis.errors import Interrupted
from hominis.store.types import Inputs, Json, Part, Scratch, Summary
from hominis.train import adopt, checkpoints, guard, launch
from hominis.train.blend import blend_sources, check_epochs, check_vocabulary, epochs, training_tokens, worn
from hominis.train.brief import Brief
from hominis.train.figures import step_flops
from hominis.train.schedule import batch_size, consumed
from hominis.train.tokenizer import size_and_end
from hominis.train.watch import watching

LAST_STEPS = 10


@dataclass(frozen=True)
class Start:
    """Where a run begins that has no checkpoint of its own yet.

    Attributes:
        weights: folder of its first weights; empty for random ones.
        checkpoint: another run's, to go on from; None to begin at the first step.
        samples: of how many samples the order of the data is drawn; 0: of those that the run uses.
    """

    weights: str = ""
    checkpoint: Path | None = None
    samples: int = 0


def parts(section: PretrainSection, inputs: Inputs) -> Sequence[Part]:
    """Return the one part: a training run can't be cut.

    Raises:
        InputError: the weights to start from are of another model.
    """
    adopt.weights(section.model, inputs)
    return [Part("all")]


def work(section: PretrainSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Train from the weights that the run adopts, or from random ones.

    Raises:
        InputError: the corpora are shorter than the run.
    """
    check_epochs(section, training_tokens(inputs["tokenise"]))
    return train(section, inputs, scratch, Start(weights=adopt.weights(section.model, inputs)))


def train(section: PretrainSection, inputs: Inputs, scratch: Scratch, start: Start) -> Summary:
    """Train from the newest whole checkpoint, or from ``start``.

    Writes ``checkpoint/`` (megatron's distributed format), ``model.json``, ``probe.json`` and ``metrics.jsonl``, and
    with ``keep_every`` the milestones as ``checkpoints/step-00000010`` (see ``checkpoints``).

    Raises:
        Interrupted: asked to stop; a checkpoint is written.
        InputError: the tokenised corpora can't be trained on.
        StageFailed: a rank failed, or training diverged.
    """
    sources, blend = blend_sources(section.blend, inputs["tokenise"], section.model.sequence)
    check_vocabulary(inputs["tokenise"], inputs["vocabulary"][0])
    blend["epochs"] = seen = epochs(section, training_tokens(inputs["tokenise"]))
    if words := worn(seen):
        scratch.warn(words)
    vocab_size, end = size_and_end(inputs["vocabulary"])
    given = Brief(
        section=section,
        sources=tuple(sources),
        vocab_size=vocab_size,
        end_of_document=end,
        checkpoints=scratch.checkpoints,
        out=scratch.out,
        weights=start.weights,
        samples=start.samples,
    )
    while not _run(given, start.checkpoint, scratch):
        scratch.warn(f"training goes back: {guard.read(scratch.checkpoints)[-1]} is left out")
    milestones = checkpoints.publish(scratch.checkpoints, section.keep_every, scratch.out / "checkpoints", scratch.warn)
    return {**_summary(section, scratch.out, blend, guard.read(scratch.checkpoints)), "checkpoints": milestones}


def _run(given: Brief, first: Path | None, scratch: Scratch) -> bool:
    """Run the ranks; return whether they reached the end, or else ordered a rollback."""
    guard.settle(scratch.checkpoints)
    section, brief = given.section, _begun(given, first, scratch)
    path = scratch.checkpoints / "brief.json"
    brief.write(path)
    ranks = launch.Launch("hominis.train.rank", [str(path)], section.layout.world, section.threads, scratch.checkpoints)
    with watching(brief, scratch) as watch:
        try:
            launch.run(ranks, poll=watch, stopping=lambda: scratch.stopping)
        except Interrupted:
            if scratch.stopping or not guard.ordered(scratch.checkpoints):
                raise
            return False
    return True


def _begun(given: Brief, first: Path | None, scratch: Scratch) -> Brief:
    """Return the brief of an attempt: it resumes the newest whole checkpoint of its own, or else ``first``."""
    began = time.time()
    resume = checkpoints.newest_whole(given.checkpoints, scratch.warn) or first
    if resume:
        checkpoints.check_model(resume, checkpoints.described(given.section, given.vocab_size))
    brief = replace(given, resume=str(resume or ""), began=began, launched=time.time())
    shutil.rmtree(brief.cache, ignore_errors=True)
    brief.progress.write_bytes(b"")
    return brief


def _summary(
    section: PretrainSection, out: Path, blend: dict[str, Json], rollbacks: Sequence[guard.Rollback]
) -> Summary:
    lines = [json.loads(line) for line in (out / checkpoints.METRICS).read_text().splitlines()]
    losses = [line["loss"] for line in lines if not line.get("skipped")]
    described: dict[str, Any] = json.loads((out / "model.json").read_text())
    left_out = sum(batch_size(section, line["step"]) for line in lines if line.get("why") == guard.LEFT_OUT)
    sequences = consumed(section, section.steps) - left_out
    return {
        "parameters": described["parameters"],
        "vocab_size": described["vocab_size"],
        "padded_vocab_size": described["padded_vocab_size"],
        "steps": section.steps,
        "tokens": sequences * section.model.sequence,
        "flops": step_flops(section.model, described["padded_vocab_size"], sequences),
        "loss_first": losses[0],
        "loss_last": losses[-1],
        "loss_last_mean": fmean(losses[-LAST_STEPS:]),
        "samples": described["samples"],
        "validation_loss": described["validation_loss"],
        "skipped_steps": len(lines) - len(losses),
        "rollbacks": [asdict(rollback) for rollback in rollbacks],
        "kernels": described["kernels"],
        "precision": section.precision,
        "layout": section.layout.model_dump(include={"tp", "pp", "vp", "cp", "ep", "dp"}),
        "blend": blend,
    }
