"""What is trained: a decoder's shape and the arithmetic on it. Plain numbers, no framework."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from hominis.config.model import ModelSection
from hominis.train.figures import padded_vocabulary

Precision = Literal["fp32", "fp16", "bf16", "fp8"]


@dataclass(frozen=True)
class Shape:
    """A decoder: dense, or with ``experts`` in every layer of which a token sees ``experts_per_token``.

    Attributes:
        ffn: width of a feed-forward (of each expert); ``gated``: it has a gate beside up and down (SwiGLU).
        vocabulary: rows of the embedding as trained, padding included.
    """

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    ffn: int
    vocabulary: int
    sequence: int
    gated: bool = True
    tied: bool = False
    experts: int = 0
    experts_per_token: int = 0
    dropout: bool = False

    @classmethod
    def of(cls, model: ModelSection, vocab_size: int, tp: int = 1) -> Shape:
        """Return the shape that a config's section describes, with a tokenizer of ``vocab_size`` tokens."""
        return cls(
            layers=model.layers,
            hidden=model.hidden,
            heads=model.heads,
            kv_heads=model.kv_heads,
            ffn=model.ffn,
            vocabulary=padded_vocabulary(vocab_size, tp),
            sequence=model.sequence,
            tied=model.tie_embeddings,
            experts=model.experts,
            experts_per_token=model.experts_per_token if model.experts else 0,
            dropout=model.dropout > 0,
        )

    @property
    def kv_width(self) -> int:
        """Width of the keys, and of the values."""
        return self.hidden * self.kv_heads // self.heads

    @property
    def up_width(self) -> int:
        """Columns of a feed-forward's first product: gate and up where there is a gate."""
        return self.ffn * (2 if self.gated else 1)

    @property
    def attention_weights(self) -> int:
        """Weights of a layer's attention: queries and output 2·h², keys and values 2·h²·g/n."""
        return 2 * self.hidden * (self.hidden + self.kv_width)

    @property
    def expert_weights(self) -> int:
        """Weights of one feed-forward."""
        return self.hidden * (self.up_width + self.ffn)

    @property
    def shared_weights(self) -> int:
        """Weights of a layer that all its tokens see: attention, two norms, and the feed-forward or the router."""
        mlp = self.hidden * self.experts if self.experts else self.expert_weights
        return self.attention_weights + 2 * self.hidden + mlp

    @property
    def embedding_weights(self) -> int:
        """Weights of the embedding; the output layer has as many."""
        return self.vocabulary * self.hidden

    @property
    def parameters(self) -> int:
        """All trained weights."""
        layer = self.shared_weights + self.experts * self.expert_weights
        return self.layers * layer + self.hidden + self.embedding_weights * (1 if self.tied else 2)

    @property
    def active_parameters(self) -> int:
        """Weights that a token sees."""
        return self.parameters - self.layers * (self.experts - self.experts_per_token) * self.expert_weights

    def token_flops(self, *, causal: bool = False) -> float:
        """Return the model's floating-point operations a trained token, forward and backward.

        Matrix products only, six operations a weight; attention 12·s·h a layer, which counts the whole matrix as
        Megatron-LM (arXiv:2104.04473), PaLM (arXiv:2204.02311, appendix B) and NeMo's tables do; ``causal`` counts
        the half below the diagonal that is needed.
        """
        return 3 * (self.layers * self.layer_flops(causal=causal) + 2 * self.embedding_weights)

    def layer_flops(self, *, causal: bool = False) -> float:
        """Return the operations of a layer's forward pass for one token."""
        seen = max(self.experts_per_token, 1)
        weights = self.attention_weights + seen * self.expert_weights
        return 2 * weights + 4 * self.sequence * self.hidden * (0.5 if causal else 1)


@dataclass(frozen=True)
class Wanted:
    """What a user said of a shape; None is what the planner chooses."""

    params_b: float | None = None
    layers: int | None = None
    hidden: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    ffn: int | None = None
    vocab: int = 32000
    seq: int = 4096
    gated: bool | None = None
    tied: bool | None = None
    experts: int = 0
    experts_per_token: int = 2


HEAD_WIDTH = 128
ASPECT = 128
"""Hidden over layers of published models from 3 to 200 billion parameters: 78 (Falcon) to 213, most near 128."""


def shape(wanted: Wanted) -> Shape:
    """Return the shape that was asked for, filled up with what is usual where it says nothing."""
    gates = [wanted.gated] if wanted.gated is not None else [True, False]
    ties = [wanted.tied] if wanted.tied is not None else [False, True]
    made = [_filled(wanted, gated, tied) for gated in gates for tied in ties]
    if wanted.params_b is None:
        return made[0]
    # a feed-forward with or without a gate differs by a quarter of the model: the number of weights tells which
    return min(made, key=lambda one: round(_miss(one, wanted), 2))


def _miss(one: Shape, wanted: Wanted) -> float:
    return abs(math.log(one.parameters / ((wanted.params_b or 1) * 1e9)))


def _filled(wanted: Wanted, gated: bool, tied: bool) -> Shape:
    choices = [wanted.hidden] if wanted.hidden else _widths(wanted)
    return min((_of_width(wanted, hidden, gated, tied) for hidden in choices), key=lambda one: _odd(one, wanted))


def _widths(wanted: Wanted) -> list[int]:
    step = wanted.heads * 2 if wanted.heads else HEAD_WIDTH
    small = [step * n for n in range(1, 2048 // step + 1)]
    large = [step * n for n in range(2048 // step, 32768 // step + 1) if step * n % 1024 == 0 or wanted.heads]
    return small + large


def _odd(one: Shape, wanted: Wanted) -> float:
    """Return how unusual a shape is: the wrong size weighs most, then the wrong aspect."""
    aspect = abs(math.log(one.hidden / one.layers / ASPECT))
    return aspect + (10 * _miss(one, wanted) if wanted.params_b else 0) + (0.1 if one.layers % 4 else 0)


def _of_width(wanted: Wanted, hidden: int, gated: bool, tied: bool) -> Shape:
    heads = wanted.heads or max(hidden // HEAD_WIDTH, 1)
    usual = -(-8 * hidden // 3 // 256) * 256 if gated else 4 * hidden
    one = Shape(
        layers=1,
        hidden=hidden,
        heads=heads,
        kv_heads=wanted.kv_heads or heads,
        ffn=wanted.ffn or usual,
        vocabulary=padded_vocabulary(wanted.vocab, 1),
        sequence=wanted.seq,
        gated=gated,
        tied=tied,
        experts=wanted.experts,
        experts_per_token=wanted.experts_per_token if wanted.experts else 0,
    )
    return _of_depth(one, wanted.layers or _depth(one, wanted.params_b))


def _depth(one: Shape, params_b: float | None) -> int:
    if params_b is None:
        return max(round(one.hidden / ASPECT), 1)
    rest = params_b * 1e9 - one.embedding_weights * (1 if one.tied else 2)
    exact = rest / (one.shared_weights + one.experts * one.expert_weights)
    return max(round(exact / 4) * 4 if exact >= 12 else round(exact), 1)


def _of_depth(one: Shape, layers: int) -> Shape:
    from dataclasses import replace

    return replace(one, layers=layers)
