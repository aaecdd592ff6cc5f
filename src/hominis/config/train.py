"""Settings of the stages ``pretrain`` and ``export``: what is trained on what, for how long, how it is kept."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from hominis.config.base import Section, unkeyed
from hominis.config.model import Count, Kernels, LayoutSection, ModelSection
from hominis.config.schedule import BatchRampSection, Decay, GuardSection, ScheduleSection
from hominis.config.tables import read_model

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
Recompute = Literal["none", "selective", "full"]


class PretrainSection(Section):
    """Settings of the stage ``pretrain``.

    How the work is split (layout, micro-batch, recomputation, threads) is not in the key, although it may round sums
    otherwise: a run that moves to another machine goes on from its checkpoints. The receipt says what was used.
    """

    model: Annotated[
        ModelSection,
        BeforeValidator(lambda value: read_model(value, ModelSection), json_schema_input_type=str | ModelSection),
    ] = Field(ModelSection(), description="the model's shape, or the path of a YAML file with it")
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
    recompute: Recompute = unkeyed(
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
        width = math.gcd(model.kv_heads, model.ffn)
        _splits("model.heads", model.heads, "layout.tp", layout.tp, also=width)
        _splits("model.kv_heads", model.kv_heads, "layout.tp", layout.tp, also=width)
        _splits("model.ffn", model.ffn, "layout.tp", layout.tp, also=width)
        _splits("model.layers", model.layers, "layout.pp · layout.vp", layout.pp * layout.vp)
        _splits("model.experts", model.experts, "layout.ep", layout.ep, also=layout.cp * layout.dp)
        if layout.sequence_parallel:
            _fills("model.sequence", model.sequence, "layout.tp · layout.cp", layout.tp * layout.cp)
        if layout.cp > 1:
            _fills("model.sequence", model.sequence, "2 · layout.cp", 2 * layout.cp)
        if layout.ep > 1 and not model.experts:
            raise ValueError(f"layout.ep {layout.ep} shares out experts, but model.experts is 0; valid: layout.ep 1")
        if model.experts and layout.tp > 1 and not layout.sequence_parallel:
            raise ValueError(f"experts with layout.tp {layout.tp} need layout.sequence_parallel")
        return self

    @model_validator(mode="after")
    def _batches(self) -> PretrainSection:
        least, name = self.micro_batch * self.layout.dp, "micro_batch · layout.dp"
        if self.layout.vp > 1:
            least, name = least * self.layout.pp, f"{name} · layout.pp"
        _fills("global_batch", self.global_batch, name, least)
        _fills("validation_samples", self.validation_samples, "global_batch", self.global_batch)
        if ramp := self.batch_ramp:
            if ramp.start > self.global_batch:
                raise ValueError(f"batch_ramp.start {ramp.start} is above global_batch {self.global_batch}")
            _fills("batch_ramp.start", ramp.start, name, least)
            _fills("batch_ramp.increment", ramp.increment, name, least)
            rise = self.global_batch - ramp.start
            _splits("global_batch - batch_ramp.start", rise, "increment", ramp.increment, among=least)
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
    """A decay of its own, branched off a checkpoint of ``pretrain`` (one of ``keep_every``): the rest is as there.

    How the work is split is, too, where it is null here.
    """

    from_step: Count = Field(description="the checkpoint to start from")
    steps: Count = Field(description="steps of the decay")
    shape: Decay = "minus_sqrt"
    min_learning_rate: float = Field(0.0, ge=0)
    layout: LayoutSection | None = unkeyed(None)
    micro_batch: Count | None = unkeyed(None)
    recompute: Recompute | None = unkeyed(None)
    threads: Count | None = unkeyed(None)
    checkpoint_every: Count | None = unkeyed(None)
    keep_checkpoints: Count | None = unkeyed(None)

    def within(self, run: PretrainSection) -> DecaySection:
        """Return the section with what it leaves to ``run`` filled in.

        Raises:
            ValueError: ``run`` has no such checkpoint, no stable rate there, or not enough samples left.
        """
        self._check(run)
        return self.model_copy(update={name: value or getattr(run, name) for name, value in self.how().items()})

    def how(self) -> dict[str, Any]:
        """Return how the work is split, by the names of ``pretrain``'s settings."""
        names = ("layout", "micro_batch", "recompute", "threads", "checkpoint_every", "keep_checkpoints")
        return {name: getattr(self, name) for name in names}

    def _check(self, run: PretrainSection) -> None:
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


def _splits(name: str, value: int, by: str, divisor: int, *, also: int = 0, among: int = 1) -> None:
    """Check that ``value`` is split evenly, or name the nearest divisors: of ``also``, too, and multiples of ``among``.

    Raises:
        ValueError: it isn't.
    """
    if value % divisor:
        whole = math.gcd(value, also)
        valid = [number for number in range(among, whole + 1, among) if whole % number == 0]
        raise ValueError(f"{name} {value} is not divisible by {by} {divisor}; valid: {by} {_nearest(valid, divisor)}")


def _fills(name: str, value: int, by: str, unit: int) -> None:
    """Check that ``value`` is a multiple of ``unit``, or name the nearest multiples.

    Raises:
        ValueError: it isn't.
    """
    if value % unit:
        valid = [number for number in (value - value % unit, value - value % unit + unit) if number]
        raise ValueError(f"{name} {value} is not divisible by {by} {unit}; valid: {name} {_nearest(valid, value)}")


def _nearest(valid: list[int], value: int) -> str:
    """Return those of the sorted ``valid`` next to ``value``: ``2 or 4``."""
    below, above = [number for number in valid if number < value], [number for number in valid if number > value]
    return " or ".join(map(str, below[-1:] + above[:1]))
