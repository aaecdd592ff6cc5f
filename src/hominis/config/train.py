"""Settings of the stages ``pretrain`` and ``export``: what is trained on what, for how long, how it is kept."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from hominis.config.base import Section, unkeyed
from hominis.config.model import Count, Kernels, LayoutSection, ModelSection
from hominis.config.schedule import BatchRampSection, Decay, GuardSection, ScheduleSection

__all__ = [
    "AdoptSection",
    "DecaySection",
    "ExportSection",
    "LayoutSection",
    "ModelSection",
    "PretrainSection",
    "ScheduleSection",
]

BLEND_TOLERANCE = 1e-6


class PretrainSection(Section):
    """Settings of the stage ``pretrain``.

    How the work is split (layout, micro-batch, recomputation, threads) is not in the key, although it may round sums
    otherwise: a run that moves to another machine goes on from its checkpoints. The receipt says what was used.
    """

    model: ModelSection = ModelSection()
    layout: LayoutSection = unkeyed(
        LayoutSection(), description="how the model is split over ranks; a run goes on under another where it stopped"
    )
    schedule: ScheduleSection = ScheduleSection()
    guard: GuardSection = GuardSection()
    blend: dict[str, float] = Field(description="corpus → share of the training samples; the shares add up to 1")
    epochs: float = unkeyed(1.0, gt=0, description="how often a corpus may be seen at most")
    steps: Count = 100
    global_batch: Count = Field(16, description="sequences of a step, over all ranks")
    batch_ramp: BatchRampSection | None = Field(None, description="a smaller batch at first; null: none")
    micro_batch: Count = unkeyed(4, gt=0, description="sequences of one forward pass on one rank")
    seed: int = Field(1234, ge=0)
    precision: Literal["fp32", "bf16", "fp8"] = Field(
        "fp32", description="of matrix products; master weights are fp32 always. fp8 needs Transformer Engine and a GPU"
    )
    kernels: Kernels = Field("auto", description="Transformer Engine's layers (te), torch's, or an unfused reference")
    recompute: Literal["none", "selective", "full"] = unkeyed(
        "none", description="activations computed again in the backward pass: attention's (selective) or all"
    )
    threads: Count = unkeyed(1, gt=0, description="threads of a rank")
    validation_samples: int = Field(0, ge=0, description="held-out sequences whose loss is measured at the end")
    keep_optimizer: bool = Field(False, description="keep the optimiser's state in the artefact, to train on from it")
    keep_every: int = Field(
        0, ge=0, description="steps between checkpoints that are published with the model, to branch off; 0: none"
    )
    checkpoint_every: Count = unkeyed(50, gt=0, description="steps between checkpoints")
    keep_checkpoints: Count = unkeyed(2, gt=0, description="the newest checkpoints, kept while training")

    @field_validator("blend")
    @classmethod
    def _shares(cls, blend: dict[str, float]) -> dict[str, float]:
        bad = {corpus: share for corpus, share in blend.items() if not (share >= 0 and math.isfinite(share))}
        if bad:
            raise ValueError(f"shares of the blend must be finite and not negative: {bad}")
        total = math.fsum(blend.values())
        if abs(total - 1) > BLEND_TOLERANCE:
            raise ValueError(f"the shares of the blend add up to {total:.6g}, not to 1: {blend}")
        return blend

    @model_validator(mode="after")
    def _splits(self) -> PretrainSection:
        model, layout = self.model, self.layout
        _divides("model.heads", model.heads, "layout.tp", layout.tp)
        _divides("model.kv_heads", model.kv_heads, "layout.tp", layout.tp)
        _divides("model.ffn", model.ffn, "layout.tp", layout.tp)
        _divides("model.layers", model.layers, "layout.pp · layout.vp", layout.pp * layout.vp)
        _divides("model.experts", model.experts, "layout.ep", layout.ep)
        if layout.sequence_parallel:
            _divides("model.sequence", model.sequence, "layout.tp · layout.cp", layout.tp * layout.cp)
        if layout.cp > 1:
            _divides("model.sequence", model.sequence, "2 · layout.cp", 2 * layout.cp)
        if layout.ep > 1 and not model.experts:
            raise ValueError(f"layout.ep {layout.ep} shares out experts, but model.experts is 0")
        if model.experts and layout.tp > 1 and not layout.sequence_parallel:
            raise ValueError(f"experts with layout.tp {layout.tp} need layout.sequence_parallel")
        return self

    @model_validator(mode="after")
    def _batches(self) -> PretrainSection:
        smallest, name = self.micro_batch * self.layout.dp, "micro_batch · layout.dp"
        _divides("global_batch", self.global_batch, name, smallest)
        _divides("validation_samples", self.validation_samples, "global_batch", self.global_batch)
        if self.layout.vp > 1:
            _divides("global_batch", self.global_batch, f"{name} · layout.pp", smallest * self.layout.pp)
        if ramp := self.batch_ramp:
            for size, value in (("start", ramp.start), ("increment", ramp.increment)):
                _divides(f"batch_ramp.{size}", value, name, smallest)
            _divides("global_batch - batch_ramp.start", self.global_batch - ramp.start, "increment", ramp.increment)
            if ramp.start > self.global_batch:
                raise ValueError(f"batch_ramp.start {ramp.start} is above global_batch {self.global_batch}")
        return self

    @model_validator(mode="after")
    def _lasts(self) -> PretrainSection:
        warmup, decay = self.schedule.warmup_steps, self.schedule.decay_steps
        if warmup >= self.steps:
            raise ValueError(f"schedule.warmup_steps {warmup} leaves none of {self.steps} steps")
        if self.schedule.style != "cosine" and warmup + decay > self.steps:
            raise ValueError(f"schedule.warmup_steps {warmup} + decay_steps {decay} are more than steps {self.steps}")
        return self


class AdoptSection(Section):
    """Weights to start from, rather than random ones: continued pretraining."""

    folder: Path = unkeyed(description="a Hugging Face folder (Llama or Mixtral) with config.json and safetensors")
    tolerance: float = Field(1e-4, gt=0, description="largest difference allowed between the two models' logits, fp32")
    threads: Count = Field(1, description="threads of the comparison; another number may round sums otherwise")


class DecaySection(Section):
    """A decay of its own, branched off a checkpoint of ``pretrain`` (one of ``keep_every``): the rest is as there."""

    from_step: Count = Field(description="the checkpoint to start from")
    steps: Count = Field(description="steps of the decay")
    shape: Decay = "minus_sqrt"
    min_learning_rate: float = Field(0.0, ge=0)
    checkpoint_every: Count = unkeyed(50, gt=0, description="steps between checkpoints")
    keep_checkpoints: Count = unkeyed(2, gt=0, description="the newest checkpoints, kept while training")

    def check(self, run: PretrainSection) -> None:
        """Check that ``run`` has this checkpoint, a stable rate there, and samples enough for the branch."""
        schedule, end = run.schedule, self.from_step + self.steps
        first, last = schedule.warmup_steps, run.steps - schedule.decay_steps
        if schedule.style == "cosine":
            raise ValueError(
                "decay: a cosine has no stable rate to branch off; pretrain.schedule.style is wsd or power"
            )
        if not run.keep_every or self.from_step % run.keep_every:
            kept = f"pretrain.keep_every is {run.keep_every}"
            raise ValueError(f"decay.from_step {self.from_step} is no checkpoint that is published: {kept}")
        if not first <= self.from_step <= last:
            raise ValueError(f"decay.from_step {self.from_step} is not of pretrain's stable steps {first} to {last}")
        if end > run.steps:
            branch = f"decay.from_step {self.from_step} + steps {self.steps} = {end}"
            raise ValueError(f"{branch} is beyond pretrain.steps {run.steps}: there the order of the samples ends")


class ExportSection(Section):
    """Settings of the stage ``export``."""

    tolerance: float = Field(1e-4, gt=0, description="largest difference allowed between the two models' logits, fp32")
    threads: Count = Field(1, description="threads of the comparison; another number may round sums otherwise")


def _divides(name: str, value: int, by: str, divisor: int) -> None:
    if value % divisor:
        raise ValueError(f"{name} {value} is not divisible by {by} {divisor}")
