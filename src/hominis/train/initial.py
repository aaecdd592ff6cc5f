"""First weights that don't depend on the layout: every layout trains the same model from the same seed.

megatron draws the weights in the order in which a rank builds its layers, so that two pipeline stages draw the same
numbers. Here each weight has a generator of its own, seeded by its name in the whole model; a rank draws the whole
tensor and keeps its piece.
"""

from __future__ import annotations

import hashlib
import math

import torch
from megatron.core import parallel_state
from megatron.core.models.gpt import GPTModel

from hominis.config.train import PretrainSection


def initialise(model: GPTModel, section: PretrainSection) -> None:
    """Draw the weights of ``model`` (a rank's piece) in place.

    Normal with ``init_std``, divided by √(2·layers) where a matrix writes into the residual stream (Radford et al.,
    "Language Models are Unsupervised Multitask Learners", 2019); norms are one.
    """
    tied = section.model.tie_embeddings
    for name, weight in model.named_parameters():
        if weight.dim() == 1:
            torch.nn.init.ones_(weight)
            continue
        whole = global_name(model, name)
        if tied and whole == "output_layer.weight":
            whole = "embedding.word_embeddings.weight"
        _draw(weight, _seed(section.seed, whole), _deviation(whole, section))


def global_name(model: GPTModel, name: str) -> str:
    """Return a parameter's name in the whole model: a rank counts its layers and its experts from zero."""
    parts = name.split(".")
    if parts[:2] == ["decoder", "layers"]:
        layer = model.decoder.layers[int(parts[2])]
        parts[2] = str(layer.layer_number - 1)
        if "local_experts" in parts:
            at = parts.index("local_experts") + 1
            parts[at] = str(layer.mlp.local_expert_indices[int(parts[at])])
    return ".".join(parts)


def _deviation(name: str, section: PretrainSection) -> float:
    writes_residual = name.endswith(("linear_proj.weight", "linear_fc2.weight"))
    return section.model.init_std / (math.sqrt(2 * section.model.layers) if writes_residual else 1)


def _seed(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=7).digest(), "big")


def _draw(weight: torch.nn.Parameter, seed: int, deviation: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    split = getattr(weight, "tensor_model_parallel", False)  # a router is whole on every rank
    ranks = parallel_state.get_tensor_model_parallel_world_size() if split else 1
    rank = parallel_state.get_tensor_model_parallel_rank() if split else 0
    dim, stride = (weight.partition_dim, weight.partition_stride) if split else (0, 1)  # type: ignore[attr-defined]
    shape = list(weight.shape)
    shape[dim] *= ranks
    whole = torch.normal(0.0, deviation, shape, generator=generator)
    # a stride of 2 is the gate and the up matrix one after the other: a rank holds a piece of each
    pieces = whole.chunk(ranks * stride, dim=dim)[rank::ranks]
    with torch.no_grad():
        weight.copy_(torch.cat(pieces, dim=dim))
