"""How a model learns: the optimiser, its learning rate and batch by step, and what is done about bad steps."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from hominis.config.base import Section
from hominis.config.model import Count, Fraction

Decay = Literal["minus_sqrt", "linear", "cosine", "exponential"]


class ScheduleSection(Section):
    """The optimiser (AdamW) and its learning rate by step."""

    style: Literal["wsd", "cosine", "power"] = Field(
        "wsd",
        description="warm-up, stable, decay (arXiv:2404.06395); cosine; or a power of the tokens seen "
        "(arXiv:2408.13359), then a decay",
    )
    learning_rate: float = Field(3e-3, gt=0, description="the highest")
    min_learning_rate: float = Field(0.0, ge=0)
    warmup_steps: int = Field(10, ge=0)
    decay_steps: int = Field(40, ge=0, description="steps of the final decay (wsd and power)")
    decay: Decay = Field("minus_sqrt", description="shape of the final decay (wsd and power)")
    power_factor: float = Field(
        4.0, gt=0, description="power only: the rate is factor · batch · tokens^exponent, batch in 4096 tokens"
    )
    power_exponent: float = Field(-0.51, lt=0, description="power only")
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


class BatchRampSection(Section):
    """A global batch that grows by equal increments from ``start`` to ``pretrain.global_batch``."""

    start: Count = Field(description="sequences of the first step")
    increment: Count = Field(description="sequences by which the batch grows at a time")
    steps: Count = Field(description="steps until the batch has its full size")


class GuardSection(Section):
    """What is done about bad steps: those whose loss or gradient is not finite, or whose loss leaps.

    Such a step changes no weight and is counted. Many in a row: back to the newest checkpoint before them and before
    some steps that led there; all these steps are left out from then on. That too often: the run ends.
    """

    spike: float = Field(0.0, ge=0, description="a loss above this multiple of the recent median is bad; 0: never")
    window: Count = Field(50, description="steps whose losses make the recent median")
    patience: Count = Field(3, description="bad steps in a row that lead back to a checkpoint")
    lead: int = Field(10, ge=0, description="good steps before the first bad one that are left out, too")
    rollbacks: int = Field(2, ge=0, description="how often that is done before the run ends")

    @field_validator("spike")
    @classmethod
    def _above_usual(cls, spike: float) -> float:
        if 0 < spike <= 1:
            raise ValueError(f"spike {spike:g} would refuse every other step: set it above 1, or to 0 for none")
        return spike
