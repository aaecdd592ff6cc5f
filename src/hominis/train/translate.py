"""From megatron's names and shapes of weights to those of Hugging Face's Llama."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

from hominis.config.train import ModelSection

Weights = Mapping[str, torch.Tensor]


def to_llama(weights: Weights, model: ModelSection, vocab_size: int) -> dict[str, torch.Tensor]:
    """Return the whole model's weights under Llama's names, the padded rows of the vocabulary cut off.

    The projection of queries, keys and values ``[groups·(queries + 2)·width, hidden]`` holds group by group its
    queries, its key, its value; the first feed-forward matrix holds the gate, then up.
    """
    found = {
        "model.embed_tokens.weight": weights["embedding.word_embeddings.weight"][:vocab_size],
        "model.norm.weight": weights["decoder.final_layernorm.weight"],
    }
    if not model.tie_embeddings:
        found["lm_head.weight"] = weights["output_layer.weight"][:vocab_size]
    for layer in range(model.layers):
        found.update(_layer(weights, model, layer))
    return {name: weight.detach().cpu().contiguous().clone() for name, weight in found.items()}


def _layer(weights: Weights, model: ModelSection, layer: int) -> Iterator[tuple[str, torch.Tensor]]:
    source, target = f"decoder.layers.{layer}.", f"model.layers.{layer}."
    queries, width = model.heads // model.kv_heads, model.hidden // model.heads
    fused = weights[source + "self_attention.linear_qkv.weight"]
    fused = fused.view(model.kv_heads, queries + 2, width, model.hidden)
    yield target + "self_attn.q_proj.weight", fused[:, :queries].reshape(-1, model.hidden)
    yield target + "self_attn.k_proj.weight", fused[:, queries].reshape(-1, model.hidden)
    yield target + "self_attn.v_proj.weight", fused[:, queries + 1].reshape(-1, model.hidden)
    gate, up = weights[source + "mlp.linear_fc1.weight"].chunk(2)
    yield target + "mlp.gate_proj.weight", gate
    yield target + "mlp.up_proj.weight", up
    same = {
        "self_attn.o_proj.weight": "self_attention.linear_proj.weight",
        "mlp.down_proj.weight": "mlp.linear_fc2.weight",
        "input_layernorm.weight": "input_layernorm.weight",
        "post_attention_layernorm.weight": "pre_mlp_layernorm.weight",
    }
    for theirs, ours in same.items():
        yield target + theirs, weights[source + ours]
