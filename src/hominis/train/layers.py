"""The layers that megatron-core has only with Transformer Engine or apex, and a router that layouts agree on."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from megatron.core import parallel_state
from megatron.core.tensor_parallel import gather_from_sequence_parallel_region
from megatron.core.transformer.module import MegatronModule
from megatron.core.transformer.moe import moe_utils
from megatron.core.transformer.moe.router import TopKRouter
from megatron.core.transformer.transformer_config import TransformerConfig

if not hasattr(moe_utils, "te_general_gemm"):
    moe_utils.te_general_gemm = None  # imported with Transformer Engine only, but asked for without it, too


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
    """Causal attention by ``scaled_dot_product_attention``: a flash kernel where torch has one, groups unexpanded.

    Under context parallelism a rank has the queries of its two pieces of the sequence and gathers all keys and values.
    """

    def __init__(self, config: TransformerConfig, *_: Any, softmax_scale: float | None = None, **__: Any) -> None:
        super().__init__(config=config)
        self.scale = softmax_scale if softmax_scale is not None else config.softmax_scale

    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        """Return ``[sequence, batch, heads·width]`` for queries ``[sequence, batch, heads, width]``."""
        sequence, batch, heads, width = query.shape
        allowed = None
        if (ranks := parallel_state.get_context_parallel_world_size()) > 1:
            group = parallel_state.get_context_parallel_group()
            key, value = (gather_from_sequence_parallel_region(tensor, group=group) for tensor in (key, value))
            places = _places(sequence, ranks, query.device)
            own = places[parallel_state.get_context_parallel_rank()]
            allowed = own[:, None] >= places.flatten()[None, :]
        q, k, v = (tensor.permute(1, 2, 0, 3) for tensor in (query, key, value))
        mixed = self.mix(q, k, v, allowed)
        return mixed.permute(2, 0, 1, 3).reshape(sequence, batch, heads * width)

    def mix(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, allowed: torch.Tensor | None
    ) -> torch.Tensor:
        """Return ``[batch, heads, sequence, width]``; ``allowed`` says which query sees which key, None: causal."""
        return F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=allowed,
            is_causal=allowed is None,
            scale=self.scale,
            enable_gqa=key.shape[1] != query.shape[1],
        )


class UnfusedAttention(CausalAttention):
    """The same written out, every matrix in memory: the reference that fused kernels are compared with."""

    def mix(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, allowed: torch.Tensor | None
    ) -> torch.Tensor:
        """Return softmax(q·kᵀ·scale)·v, the softmax in fp32."""
        shared = query.shape[1] // key.shape[1]
        key, value = (tensor.repeat_interleave(shared, dim=1) for tensor in (key, value))
        if allowed is None:
            allowed = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device).tril()
        scale = self.scale if self.scale is not None else query.shape[-1] ** -0.5
        scores = (query @ key.transpose(2, 3) * scale).masked_fill(~allowed, float("-inf"))
        return scores.softmax(-1, dtype=torch.float32).to(value.dtype) @ value


def _places(length: int, ranks: int, device: torch.device) -> torch.Tensor:
    """Return where the ``length`` tokens of each rank stand in the sequence, ``[ranks, length]``.

    Of 2·ranks pieces rank r has the r-th from the front and from the end: causal attention costs all the same.
    """
    pieces = torch.arange(length * ranks, device=device).view(2 * ranks, -1)
    return torch.cat([pieces[:ranks], pieces[ranks:].flip(0)], dim=1)


class Router(TopKRouter):  # type: ignore[misc]
    """megatron's router, its load-balancing loss weighed alike under all layouts.

    A rank's loss is its tokens' share of the micro-batch's. megatron multiplies that by the rank's number of tokens,
    where the sum over ranks needs the number in the micro-batch: the weight would shrink with tensor and context
    parallelism.
    """

    def attach_and_log_load_balancing_loss(
        self,
        activation: torch.Tensor,
        aux_loss_coeff: float,
        aux_loss: torch.Tensor,
        aux_loss_name: str,
        reduce_group: Any,
        reduce_group_has_dp: bool = False,
        valid_token_count: Any = None,
    ) -> torch.Tensor:
        """Return ``activation`` with the loss attached to its backward pass."""
        tokens = activation.shape[0] if valid_token_count is None else valid_token_count
        attached: torch.Tensor = super().attach_and_log_load_balancing_loss(
            activation,
            aux_loss_coeff,
            aux_loss,
            aux_loss_name,
            reduce_group,
            reduce_group_has_dp,
            tokens * reduce_group.size(),
        )
        return attached
