"""AdamW as megatron-core runs it."""

from __future__ import annotations

from typing import Any

import torch
from megatron.core.distributed import DistributedDataParallel
from megatron.core.optimizer import (
    USING_PYTORCH_OPTIMIZER,
    MegatronOptimizer,
    OptimizerConfig,
    get_megatron_optimizer,
    get_standard_config_overrides,
)
from megatron.core.optimizer.clip_grads import clip_grad_by_total_norm_fp32

from hominis.config.train import PretrainSection


def build_optimiser(section: PretrainSection, chunks: list[DistributedDataParallel]) -> MegatronOptimizer:
    """Return megatron's optimiser over a rank's pieces of the model; norms are not decayed."""
    schedule = section.schedule
    config = OptimizerConfig(
        optimizer="adam",
        lr=schedule.learning_rate,
        min_lr=schedule.min_learning_rate,
        weight_decay=schedule.weight_decay,
        adam_beta1=schedule.beta1,
        adam_beta2=schedule.beta2,
        adam_eps=schedule.epsilon,
        clip_grad=schedule.clip,
        bf16=section.precision != "fp32",
        params_dtype=chunks[0].config.params_dtype,
        use_distributed_optimizer=section.layout.shares_optimiser,
    )
    overrides = get_standard_config_overrides(config)
    cuda = torch.cuda.is_available()
    optimiser = get_megatron_optimizer(config, chunks, config_overrides=overrides, use_gloo_process_groups=cuda)
    if section.layout.shares_optimiser and USING_PYTORCH_OPTIMIZER:
        _make_loadable(optimiser)
    for chunk in chunks:
        chunk.config.grad_scale_func = optimiser.scale_loss
    return optimiser


def gradient_norm(optimiser: MegatronOptimizer) -> float:
    """Return the norm of the gradients before clipping, having made them ready for ``apply``.

    The two do what megatron's own ``step`` does, which can't be asked to leave weights and optimiser as they are.
    """
    optimiser.prepare_grads()
    return float(optimiser.get_grad_norm())


def apply(optimiser: MegatronOptimizer, norm: float) -> None:
    """Clip the gradients, given their ``norm``, and do the update that they ask for."""
    for each in optimiser.chained_optimizers:
        if each.config.clip_grad > 0 and not each.is_stub_optimizer and (weights := each.get_parameters()):
            clip_grad_by_total_norm_fp32(weights, max_norm=each.config.clip_grad, total_norm=norm)
    optimiser.step_with_ready_grads()


def set_rate(optimiser: MegatronOptimizer, rate: float) -> None:
    """Set the learning rate of the next step; a group with a multiplier of its own keeps its ratio."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("lr_mult", 1.0)


def _make_loadable(optimiser: Any) -> None:
    """Let the distributed optimiser load a checkpoint into torch's AdamW.

    megatron expects the state that apex or Transformer Engine make at once: torch makes it at the first step. And its
    loader shares one ``step`` among all weights, which torch then counts up once for each of them.
    """
    for chained in optimiser.chained_optimizers:
        for group in chained.optimizer.param_groups:
            for weight in group["params"]:
                zeros = {name: torch.zeros_like(weight) for name in ("exp_avg", "exp_avg_sq")}
                chained.optimizer.state[weight].update(step=torch.tensor(0.0), **zeros)
        chained._set_main_param_and_optimizer_states = _with_own_step(chained)


def _with_own_step(chained: Any) -> Any:
    load = chained._set_main_param_and_optimizer_states

    def loaded(weight: torch.nn.Parameter, tensors: dict[str, torch.Tensor]) -> None:
        group, index = chained.model_param_group_index_map[weight]
        state = chained.optimizer.state[chained.optimizer.param_groups[group]["params"][index]]
        state["step"] = state["step"].clone()
        load(weight, {"step": state["step"], **tensors})

    return loaded
