"""The model as megatron-core builds it, cut to the rank's tensor- and pipeline-parallel piece."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from megatron.core import parallel_state
from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig, finalize_model_grads
from megatron.core.models.gpt import GPTModel
from megatron.core.tensor_parallel import param_is_not_tensor_parallel_duplicate
from megatron.core.transformer.module import Float16Module, param_is_not_shared
from megatron.core.transformer.transformer_block import TransformerBlockSubmodules, get_num_layers_to_build
from megatron.core.transformer.transformer_config import TransformerConfig

from hominis.config.train import LayoutSection, ModelSection, PretrainSection
from hominis.train.figures import padded_vocabulary
from hominis.train.initial import initialise
from hominis.train.kernels import Chosen, chosen, layer_spec


def transformer_config(
    model: ModelSection,
    layout: LayoutSection,
    *,
    dtype: torch.dtype = torch.float32,
    recompute: str = "none",
    fp8: bool = False,
) -> TransformerConfig:
    """Return megatron's configuration of ``model`` under ``layout``; weights of type ``dtype``."""
    cuda = torch.cuda.is_available()
    return TransformerConfig(
        num_layers=model.layers,
        hidden_size=model.hidden,
        num_attention_heads=model.heads,
        num_query_groups=model.kv_heads,
        ffn_hidden_size=model.ffn,
        gated_linear_unit=True,
        activation_func=F.silu,
        normalization="RMSNorm",
        layernorm_epsilon=model.norm_epsilon,
        add_bias_linear=False,
        hidden_dropout=model.dropout,
        attention_dropout=0.0,
        params_dtype=dtype,
        pipeline_dtype=dtype,
        bf16=dtype is torch.bfloat16,
        fp8="hybrid" if fp8 else None,
        tensor_model_parallel_size=layout.tp,
        pipeline_model_parallel_size=layout.pp,
        virtual_pipeline_model_parallel_size=layout.vp if layout.vp > 1 else None,
        context_parallel_size=layout.cp,
        expert_model_parallel_size=layout.ep,
        sequence_parallel=layout.sequence_parallel,
        calculate_per_token_loss=True,
        deallocate_pipeline_outputs=True,
        batch_p2p_comm=cuda,
        use_cpu_initialization=not cuda,
        bias_activation_fusion=cuda,
        bias_dropout_fusion=cuda,
        masked_softmax_fusion=cuda,
        apply_rope_fusion=False,
        persist_layer_norm=False,
        gradient_accumulation_fusion=False,
        **RECOMPUTE[recompute],
        **_mixture(model),
    )


RECOMPUTE: dict[str, dict[str, Any]] = {
    "none": {},
    "selective": {"recompute_granularity": "selective", "recompute_modules": ["core_attn"]},
    "full": {"recompute_granularity": "full", "recompute_method": "uniform", "recompute_num_layers": 1},
}


def _mixture(model: ModelSection) -> dict[str, Any]:
    """Return the settings of experts, as in Mixtral (arXiv:2401.04088): softmax over those chosen, none dropped."""
    if not model.experts:
        return {}
    return {
        "num_moe_experts": model.experts,
        "moe_ffn_hidden_size": model.ffn,
        "moe_router_topk": model.experts_per_token,
        "moe_router_dtype": "fp32",
        "moe_router_load_balancing_type": "aux_loss",
        "moe_aux_loss_coeff": model.load_balancing,
        "moe_token_dispatcher_type": "alltoall",
        "moe_grouped_gemm": False,
    }


def build(
    model: ModelSection,
    layout: LayoutSection,
    config: TransformerConfig,
    vocab_size: int,
    *,
    kernels: Chosen = "torch",
    vp_stage: int | None = None,
) -> GPTModel:
    """Return this rank's piece of the model, weights not yet set. Needs megatron's process groups.

    A rank of an interleaved pipeline has one for each ``vp_stage``.
    """
    spec, norm = layer_spec(kernels, model.experts)
    layers = [spec] * get_num_layers_to_build(config, vp_stage)
    return GPTModel(
        config,
        TransformerBlockSubmodules(layer_specs=layers, layer_norm=norm),
        vocab_size=padded_vocabulary(vocab_size, layout.tp),
        max_sequence_length=model.sequence,
        pre_process=parallel_state.is_pipeline_first_stage(ignore_virtual=False, vp_stage=vp_stage),
        post_process=parallel_state.is_pipeline_last_stage(ignore_virtual=False, vp_stage=vp_stage),
        share_embeddings_and_output_weights=model.tie_embeddings,
        position_embedding_type="rope",
        rotary_base=model.rope_base,
        parallel_output=True,
        vp_stage=vp_stage,
    )


def build_for_training(section: PretrainSection, vocab_size: int) -> list[DistributedDataParallel]:
    """Return this rank's pieces with their first weights, gradients added up over the data-parallel ranks."""
    dtype = torch.float32 if section.precision == "fp32" else torch.bfloat16
    kernels = chosen(section.kernels, section.precision)
    layout, fp8 = section.layout, section.precision == "fp8"
    config = transformer_config(section.model, layout, dtype=dtype, recompute=section.recompute, fp8=fp8)
    stages = list(range(layout.vp)) if layout.vp > 1 else [None]
    bare = [build(section.model, layout, config, vocab_size, kernels=kernels, vp_stage=stage) for stage in stages]
    for piece in bare:
        initialise(piece, section)
        if torch.cuda.is_available():
            piece.cuda()
    sums = DistributedDataParallelConfig(
        grad_reduce_in_fp32=True,
        use_distributed_optimizer=layout.shares_optimiser,
        average_in_collective=False,
    )
    config.finalize_model_grads_func = finalize_model_grads
    wrapped: list[Any] = [Float16Module(config, piece) if dtype is torch.bfloat16 else piece for piece in bare]
    return [DistributedDataParallel(config, sums, piece) for piece in wrapped]


def unwrap(model: Any) -> GPTModel:
    """Return the bare model inside its wrappers."""
    while hasattr(model, "module"):
        model = model.module
    return model


def count_parameters(chunks: list[Any]) -> int:
    """Return the number of weights of the whole model, by adding up what the ranks hold once each."""
    own = [
        weight.numel()
        for chunk in chunks
        for weight in unwrap(chunk).parameters()
        if param_is_not_tensor_parallel_duplicate(weight) and param_is_not_shared(weight) and _first_copy(weight)
    ]
    total = torch.tensor(sum(own), device="cuda" if torch.cuda.is_available() else "cpu")
    torch.distributed.all_reduce(total)
    return int(total.item())


def _first_copy(weight: torch.nn.Parameter) -> bool:
    """Return whether this rank is the first of those that hold the same piece: an expert has fewer copies."""
    if getattr(weight, "allreduce", True):
        return bool(parallel_state.get_data_parallel_rank(with_context_parallel=True) == 0)
    return bool(parallel_state.get_expert_data_parallel_rank() == 0)
