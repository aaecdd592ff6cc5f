"""The model's shape and how it is split over ranks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hominis.config.base import Section

Count = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class ModelSection(Section):
    """The shape of a Llama-style decoder: rotary positions, RMSNorm, SwiGLU, grouped queries, no biases.

    With ``experts`` each feed-forward is a mixture: a router sends every token to ``experts_per_token`` of them.
    """

    layers: Count = 4
    hidden: Count = 256
    heads: Count = 8
    kv_heads: Count = Field(4, description="key and value heads, each shared by heads / kv_heads query heads")
    ffn: Count = Field(704, description="width of the feed-forward's gate, of each expert's if there are experts")
    experts: int = Field(0, ge=0, description="feed-forwards of a layer that a router chooses among; 0: one, no router")
    experts_per_token: Count = Field(2, description="how many of the experts see a token")
    load_balancing: float = Field(0.01, ge=0, description="weight of the loss that spreads tokens over the experts")
    sequence: Count = Field(256, description="tokens of a training sequence")
    tie_embeddings: bool = False
    rope_base: float = Field(10000.0, gt=0)
    norm_epsilon: float = Field(1e-5, gt=0)
    init_std: float = Field(0.02, gt=0)
    dropout: Fraction = Field(0.0, description="share of the residual stream's additions that is dropped in training")

    @model_validator(mode="after")
    def _divisible(self) -> ModelSection:
        if self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} is not divisible by heads {self.heads}")
        if self.heads % self.kv_heads:
            raise ValueError(f"heads {self.heads} is not divisible by kv_heads {self.kv_heads}")
        if self.hidden // self.heads % 2:
            raise ValueError(f"rotary positions need an even head width, not {self.hidden} / {self.heads}")
        if self.experts and self.experts_per_token > self.experts:
            raise ValueError(f"experts_per_token {self.experts_per_token} is more than experts {self.experts}")
        if self.experts and self.experts_per_token == 1:
            raise ValueError("experts_per_token 1 gives the router nothing to weigh, so nothing to learn; valid: 2 on")
        return self


class LayoutSection(Section):
    """How the model is split over ranks: tensor (tp), pipeline (pp), context (cp) and data (dp) parallel.

    Experts are shared out (ep) among the ranks of data and context parallelism, they need none of their own.
    """

    tp: Count = 1
    pp: Count = 1
    vp: Count = Field(1, description="pieces of the model that a pipeline rank holds in turn; 1: not interleaved")
    cp: Count = 1
    ep: Count = 1
    dp: Count = 1
    sequence_parallel: bool = Field(False, description="split norms along the sequence over the tensor-parallel ranks")
    distributed_optimizer: bool = Field(False, description="split the optimiser's state over the data-parallel ranks")

    @property
    def world(self) -> int:
        """Number of ranks."""
        return self.tp * self.pp * self.cp * self.dp

    @property
    def shares_optimiser(self) -> bool:
        """Whether the optimiser's state is kept as one that is split, if only into one piece: checkpoints tell them."""
        return self.distributed_optimizer or self.dp == 1

    @model_validator(mode="after")
    def _meaningful(self) -> LayoutSection:
        if self.sequence_parallel and self.tp == 1:
            raise ValueError("sequence_parallel needs tp > 1")
        if self.vp > 1 and self.pp == 1:
            raise ValueError(f"vp {self.vp} needs pp > 1: it interleaves the pieces of a pipeline")
        if self.cp * self.dp % self.ep:
            raise ValueError(f"ep {self.ep} does not divide cp · dp = {self.cp * self.dp}: experts live on those ranks")
        return self


Kernels = Literal["auto", "te", "torch", "unfused"]
"""Who computes a layer: Transformer Engine, torch with its fused attention, or a reference without fusion.

``auto`` is Transformer Engine where there are a GPU and the package, else torch.
"""
