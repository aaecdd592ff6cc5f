"""Who computes a layer: the one place where that is chosen, by what this machine has and what was asked for."""

from __future__ import annotations

import importlib
from typing import Any, Literal

import torch

from hominis.config.model import Kernels
from hominis.errors import InputError

Chosen = Literal["te", "torch", "unfused"]


def chosen(kernels: Kernels, precision: str = "fp32") -> Chosen:
    """Return who computes the layers of this process: Transformer Engine, torch, or the unfused reference.

    Raises:
        InputError: Transformer Engine was asked for, or is needed for fp8, and can't be used here.
    """
    wanted = "te" if precision == "fp8" and kernels == "auto" else kernels
    if precision == "fp8" and wanted != "te":
        raise InputError(
            f"precision fp8 needs Transformer Engine, but kernels are {kernels}",
            where="pretrain.kernels",
            remedy="set pretrain.kernels to te or auto, or pretrain.precision to bf16",
        )
    if wanted in ("torch", "unfused"):
        return "torch" if wanted == "torch" else "unfused"
    lacking = _lacking()
    if lacking and wanted == "te":
        asked = "precision fp8 needs" if precision == "fp8" else "kernels te need"
        raise InputError(
            f"{asked} Transformer Engine: {lacking}",
            where="pretrain.kernels",
            remedy="install envs/transformer-engine.txt on a GPU node, or set pretrain.kernels to torch, no fp8",
        )
    return "torch" if lacking else "te"


def layer_spec(kernels: Chosen, experts: int) -> tuple[Any, type]:
    """Return megatron's description of a layer and the class of the last norm; ``experts`` 0: no mixture."""
    from megatron.core.models.gpt import gpt_layer_specs

    from hominis.train import layers

    norm: type
    if kernels == "te":
        from megatron.core.extensions.transformer_engine import TENorm

        spec, norm = gpt_layer_specs.get_gpt_layer_with_transformer_engine_spec(num_experts=experts or None), TENorm
    else:
        spec = gpt_layer_specs.get_gpt_layer_local_spec(num_experts=experts or None, normalization="RMSNorm")
        norm = spec.submodules.input_layernorm = spec.submodules.pre_mlp_layernorm = layers.RMSNorm
        attention = layers.UnfusedAttention if kernels == "unfused" else layers.CausalAttention
        spec.submodules.self_attention.submodules.core_attention = attention
    if experts:
        spec.submodules.mlp.submodules.router = layers.Router
        # else a mixture's norm has another name in checkpoints than with Transformer Engine
        spec.submodules.sharded_state_dict_keys_map.pop("pre_mlp_layernorm.", None)
    return spec, norm


def _lacking() -> str:
    """Return what Transformer Engine lacks here; empty if it can be used."""
    if not torch.cuda.is_available():
        return "there is no GPU"
    try:
        importlib.import_module("transformer_engine.pytorch")
    except (ImportError, RuntimeError, OSError) as error:  # its package is empty where it wasn't built
        return f"its package can't be imported ({error})"
    return ""
