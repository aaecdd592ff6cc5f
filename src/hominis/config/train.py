"""Settings of the rooms ``pretrain`` and ``export``: the model's shape, how it is split, how it learns."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from hominis.config.base import Section, unkeyed

Count = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
BLEND_TOLERANCE = 1e-6


class ModelSection(Section):
    """The shape of a Llama-style decoder: rotary positions, RMSNorm, SwiGLU, grouped queries, no biases."""

    layers: Count = 4
    hidden: Count = 256
    heads: Count = 8
    kv_heads: Count = Field(4, description="key and value heads, each shared by heads / kv_heads query heads")
    ffn: Count = Field(704, description="width of the feed-forward's gate")
    sequence: Count = Field(256, description="tokens of a training sequence")
    tie_embeddings: bool = False
    rope_base: float = Field(10000.0, gt=0)
    norm_epsilon: float = Field(1e-5, gt=0)
    init_std: float = Field(0.02, gt=0)

    @model_validator(mode="after")
    def _divisible(self) -> ModelSection:
        if self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} is not divisible by heads {self.heads}")
        if self.heads % self.kv_heads:
            raise ValueError(f"heads {self.heads} is not divisible by kv_heads {self.kv_heads}")
        if self.hidden // self.heads % 2:
            raise ValueError(f"rotary positions need an even head width, not {self.hidden} / {self.heads}")
        return self


class LayoutSection(Section):
    """How the model is split over ranks: tensor (tp), pipeline (pp) and data (dp) parallel."""

    tp: Count = 1
    pp: Count = 1
    dp: Count = 1
    sequence_parallel: bool = Field(False, description="split norms along the sequence over the tensor-parallel ranks")
    distributed_optimizer: bool = Field(False, description="split the optimiser's state over the data-parallel ranks")

    @property
    def world(self) -> int:
        """Number of ranks."""
        return self.tp * self.pp * self.dp

    @model_validator(mode="after")
    def _meaningful(self) -> LayoutSection:
        if self.sequence_parallel and self.tp == 1:
            raise ValueError("sequence_parallel needs tp > 1")
        return self


class ScheduleSection(Section):
    """The optimiser (AdamW) and its learning rate by step."""

    style: Literal["wsd", "cosine"] = Field("wsd", description="warm-up, stable, decay (arXiv:2404.06395), or cosine")
    learning_rate: float = Field(3e-3, gt=0)
    min_learning_rate: float = Field(0.0, ge=0)
    warmup_steps: int = Field(10, ge=0)
    decay_steps: int = Field(40, ge=0, description="steps of the final decay (wsd only)")
    weight_decay: float = Field(0.1, ge=0)
    beta1: Fraction = 0.9
    beta2: Fraction = 0.95
    epsilon: float = Field(1e-8, gt=0)
    clip: float = Field(1.0, ge=0, description="largest norm of the gradient; 0: no clipping")

    @model_validator(mode="after")
    def _ordered(self) -> ScheduleSection:
        if self.min_learning_rate > self.learning_rate:
            raise ValueError(f"min_learning_rate {self.min_learning_rate} is above learning_rate {self.learning_rate}")
        return self


class PretrainSection(Section):
    """Settings of the stage ``pretrain``."""

    model: ModelSection = ModelSection()
    layout: LayoutSection = LayoutSection()
    schedule: ScheduleSection = ScheduleSection()
    blend: dict[str, float] = Field(description="corpus → share of the training samples; the shares add up to 1")
    steps: Count = 100
    global_batch: Count = Field(16, description="sequences of a step, over all ranks")
    micro_batch: Count = Field(4, description="sequences of one forward pass on one rank")
    seed: int = Field(1234, ge=0)
    precision: Literal["fp32", "bf16"] = "fp32"
    recompute: bool = Field(False, description="recompute activations in the backward pass rather than keep them")
    threads: Count = Field(1, description="threads of a rank; another number may round sums otherwise")
    validation_samples: int = Field(0, ge=0, description="held-out sequences whose loss is measured at the end")
    keep_optimizer: bool = Field(False, description="keep the optimiser's state in the artefact, to train on from it")
    checkpoint_every: Count = unkeyed(50, gt=0, description="steps between checkpoints")
    keep_checkpoints: Count = unkeyed(2, gt=0, description="checkpoints kept while training")

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
    def _fits(self) -> PretrainSection:
        _divides("model.heads", self.model.heads, "layout.tp", self.layout.tp)
        _divides("model.kv_heads", self.model.kv_heads, "layout.tp", self.layout.tp)
        _divides("model.ffn", self.model.ffn, "layout.tp", self.layout.tp)
        _divides("model.layers", self.model.layers, "layout.pp", self.layout.pp)
        _divides("global_batch", self.global_batch, "micro_batch · layout.dp", self.micro_batch * self.layout.dp)
        if self.layout.sequence_parallel:
            _divides("model.sequence", self.model.sequence, "layout.tp", self.layout.tp)
        _divides("validation_samples", self.validation_samples, "global_batch", self.global_batch)
        if self.schedule.warmup_steps >= self.steps:
            raise ValueError(f"schedule.warmup_steps {self.schedule.warmup_steps} leaves none of {self.steps} steps")
        if self.schedule.style == "wsd" and self.schedule.warmup_steps + self.schedule.decay_steps > self.steps:
            raise ValueError(
                f"schedule.warmup_steps {self.schedule.warmup_steps} + decay_steps {self.schedule.decay_steps} "
                f"are more than steps {self.steps}"
            )
        return self


class ExportSection(Section):
    """Settings of the stage ``export``."""

    tolerance: float = Field(1e-4, gt=0, description="largest difference allowed between the two models' logits, fp32")
    threads: Count = Field(1, description="threads of the comparison; another number may round sums otherwise")


def _divides(name: str, value: int, by: str, divisor: int) -> None:
    if value % divisor:
        raise ValueError(f"{name} {value} is not divisible by {by} {divisor}")
