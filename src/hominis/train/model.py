"""The model as megatron-core builds it, cut to the rank's tensor- and pipeline-parallel piece."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from megatron.core import parallel_state
from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig, finalize_model_grads
from megatron.core.models.gpt import GPTModel
from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
from megatron.core.tensor_parallel import param_is_not_tensor_parallel_duplicate
from megatron.core.transformer.module import Float16Module, param_is_not_shared
from megatron.core.transformer.spec_utils import ModuleSpec
from megatron.core.transformer.transformer_block import TransformerBlockSubmodules, get_num_layers_to_build
from megatron.core.transformer.transformer_config import TransformerConfig

from hominis.config.train import LayoutSection, ModelSection, PretrainSection
from hominis.train.figures import padded_vocabulary
from hominis.train.initial import initialise
from hominis.train.layers import CausalAttention, RMSNorm


def transformer_config(
    model: ModelSection, layout: LayoutSection, *, dtype: torch.dtype = torch.float32, recompute: str = "none"
) -> TransformerConfig:
    """Return megatron's configuration of ``model`` under ``layout``; weights of type ``dtype``."""
    cuda = torch.cuda.is_available()
    checkpointing = {"granularity": "full", "method": "uniform", "num_layers": 1} if recompute == "full" else {}
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
        hidden_dropout=0.0,
        attention_dropout=0.0,
        params_dtype=dtype,
        pipeline_dtype=dtype,
        bf16=dtype is torch.bfloat16,
        tensor_model_parallel_size=layout.tp,
        pipeline_model_parallel_size=layout.pp,
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
        **{f"recompute_{name}": value for name, value in checkpointing.items()},
    )


def build(model: ModelSection, layout: LayoutSection, config: TransformerConfig, vocab_size: int) -> GPTModel:
    """Return this rank's piece of the model, weights not yet set. Needs megatron's process groups."""
    return GPTModel(
        config,
        _layers(config),
        vocab_size=padded_vocabulary(vocab_size, layout.tp),
        max_sequence_length=model.sequence,
        pre_process=parallel_state.is_pipeline_first_stage(),
        post_process=parallel_state.is_pipeline_last_stage(),
        share_embeddings_and_output_weights=model.tie_embeddings,
        position_embedding_type="rope",
        rotary_base=model.rope_base,
        parallel_output=True,
    )


def _layers(config: TransformerConfig) -> TransformerBlockSubmodules:
    spec: ModuleSpec = get_gpt_layer_local_spec(normalization="RMSNorm")
    spec.submodules.input_layernorm = spec.submodules.pre_mlp_layernorm = RMSNorm
    spec.submodules.self_attention.submodules.core_attention = CausalAttention
    return TransformerBlockSubmodules(layer_specs=[spec] * get_num_layers_to_build(config), layer_norm=RMSNorm)


def build_for_training(section: PretrainSection, vocab_size: int) -> list[DistributedDataParallel]:
    """Return this rank's pieces with their first weights, gradients added up over the data-parallel ranks."""
    dtype = torch.bfloat16 if section.precision == "bf16" else torch.float32
    config = transformer_config(section.model, section.layout, dtype=dtype, recompute=section.recompute)
    bare = build(section.model, section.layout, config, vocab_size)
    initialise(bare, section)
    if torch.cuda.is_available():
        bare.cuda()
    wrapped: Any = Float16Module(config, bare) if section.precision == "bf16" else bare
    sums = DistributedDataParallelConfig(
        grad_reduce_in_fp32=True,
        use_distributed_optimizer=section.layout.distributed_optimizer,
        average_in_collective=False,
    )
    config.finalize_model_grads_func = finalize_model_grads
    return [DistributedDataParallel(config, sums, wrapped)]


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
        if param_is_not_tensor_parallel_duplicate(weight) and param_is_not_shared(weight)
    ]
    first_copy = parallel_state.get_data_parallel_rank() == 0
    total = torch.tensor(sum(own) if first_copy else 0, device="cuda" if torch.cuda.is_available() else "cpu")
    torch.distributed.all_reduce(total)
    return int(total.item())
