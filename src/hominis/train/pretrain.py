"""The stage ``pretrain``: starts the ranks and follows them. Light: torch lives in the ranks."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from hominis.config.train import PretrainSection
from hominis.errors import InputError
from hominis.store.types import Artefact, Inputs, Json, Part, Scratch, Summary
from hominis.train import checkpoints, launch
from hominis.train.blend import Source, blend_sources
from hominis.train.brief import Brief
from hominis.train.figures import step_flops
from hominis.train.schedule import consumed
from hominis.train.watch import watching

END_OF_DOCUMENT = "<|endoftext|>"
LAST_STEPS = 10


def parts(section: PretrainSection, inputs: Inputs) -> Sequence[Part]:
    """Return the one part: a training run can't be cut."""
    return [Part("all")]


def work(section: PretrainSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Train from the newest whole checkpoint, or from the start.

    Writes ``checkpoint/`` (megatron's distributed format), ``model.json``, ``probe.json`` and ``metrics.jsonl``, and
    with ``keep_every`` the milestones as ``checkpoints/step-00000010`` (see ``checkpoints``).

    Raises:
        Interrupted: asked to stop; a checkpoint is written.
        InputError: the tokenised corpora can't be trained on.
        StageFailed: a rank failed, or training diverged.
    """
    sources, blend = blend_sources(section.blend, inputs["tokenise"], section.model.sequence)
    brief = _brief(section, sources, _vocabulary(inputs["vocabulary"]), scratch)
    path = scratch.checkpoints / "brief.json"
    brief.write(path)
    ranks = launch.Launch("hominis.train.rank", [str(path)], section.layout.world, section.threads, scratch.checkpoints)
    with watching(brief, scratch) as watch:
        launch.run(ranks, poll=watch, stopping=lambda: scratch.stopping)
    milestones = checkpoints.publish(scratch.checkpoints, section.keep_every, scratch.out / "checkpoints", _warn)
    return {**_summary(section, scratch.out, blend), "checkpoints": milestones}


def _brief(section: PretrainSection, sources: Sequence[Source], vocabulary: tuple[int, int], scratch: Scratch) -> Brief:
    began = time.time()
    resume = checkpoints.newest_whole(scratch.checkpoints, _warn)
    if resume:
        checkpoints.check_model(resume, checkpoints.described(section, vocabulary[0]))
    brief = Brief(
        section=section,
        sources=tuple(sources),
        vocab_size=vocabulary[0],
        end_of_document=vocabulary[1],
        checkpoints=scratch.checkpoints,
        out=scratch.out,
        resume=str(resume or ""),
        began=began,
        launched=time.time(),
    )
    shutil.rmtree(brief.cache, ignore_errors=True)
    brief.progress.write_bytes(b"")
    return brief


def _warn(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def _vocabulary(artefacts: Sequence[Artefact]) -> tuple[int, int]:
    """Return the tokenizer's size and its end-of-document token."""
    path = artefacts[0].path / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    if END_OF_DOCUMENT not in added:
        raise InputError(f"the tokenizer has no token {END_OF_DOCUMENT}", where=path, remedy="train it again")
    return max([*tokenizer["model"]["vocab"].values(), *added.values()]) + 1, added[END_OF_DOCUMENT]


def _summary(section: PretrainSection, out: Path, blend: dict[str, Json]) -> Summary:
    losses = [json.loads(line)["loss"] for line in (out / checkpoints.METRICS).read_text().splitlines()]
    described: dict[str, Any] = json.loads((out / "model.json").read_text())
    layout, sequences = section.layout, consumed(section, section.steps)
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
        "layout": {"tp": layout.tp, "pp": layout.pp, "dp": layout.dp},
        "blend": blend,
    }
