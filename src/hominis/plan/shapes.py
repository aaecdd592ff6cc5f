"""What is trained: a decoder's shape and the arithmetic on it. Plain numbers, no framework."""

from __future__ import annotations

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
