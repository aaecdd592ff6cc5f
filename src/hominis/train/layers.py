"""The two layers that megatron-core has only with Transformer Engine or apex: RMSNorm and fused attention."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from megatron.core.transformer.module import MegatronModule
from megatron.core.transformer.transformer_config import TransformerConfig


class RMSNorm(torch.nn.Module):
    """Root-mean-square norm (arXiv:1910.07467) that also works under sequence parallelism.

    There each rank sees a piece of the sequence: the tag makes megatron add up the weight's gradient over the
    tensor-parallel ranks. Input and output ``[..., hidden]``.
    """

    def __init__(self, config: TransformerConfig, hidden_size: int, eps: float = 1e-5, **_: Any) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(hidden_size, dtype=config.params_dtype))
        self.weight.sequence_parallel = config.sequence_parallel  # type: ignore[attr-defined]
        self.eps = eps

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return ``hidden`` scaled to unit root mean square, times the weight."""
        return F.rms_norm(hidden, (hidden.shape[-1],), self.weight, self.eps)


class CausalAttention(MegatronModule):  # type: ignore[misc]
    """Causal attention by ``scaled_dot_product_attention``: a flash kernel where torch has one, groups unexpanded."""

    def __init__(self, config: TransformerConfig, *_: Any, softmax_scale: float | None = None, **__: Any) -> None:
        super().__init__(config=config)
        self.scale = softmax_scale if softmax_scale is not None else config.softmax_scale

    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        """Return ``[sequence, batch, heads·width]`` for queries ``[sequence, batch, heads, width]``."""
        sequence, batch, heads, width = query.shape
        q, k, v = (tensor.permute(1, 2, 0, 3) for tensor in (query, key, value))
        mixed = F.scaled_dot_product_attention(
            q, k, v, is_causal=True, scale=self.scale, enable_gqa=key.shape[2] != heads
        )
        return mixed.permute(2, 0, 1, 3).reshape(sequence, batch, heads * width)
