"""Between megatron's names and shapes of weights and Hugging Face's, of Llama and Mixtral: one table read both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hominis.config.train import ModelSection


@dataclass(frozen=True)
class Pair:
    """One of megatron's weights, and those of Hugging Face's that hold the same numbers.

    Attributes:
        split: cuts megatron's weight into theirs.
        join: makes megatron's weight of theirs.
    """

    ours: str
    theirs: tuple[str, ...]
    split: Callable[[Tensor], Sequence[Tensor]] = lambda weight: [weight]
    join: Callable[[Sequence[Tensor]], Tensor] = lambda weights: weights[0]


def to_hugging_face(weights: Mapping[str, Tensor], model: ModelSection, vocab_size: int) -> dict[str, Tensor]:
    """Return the whole model's weights under their names, the padded rows of the vocabulary cut off."""
    return {
        name: weight.detach().cpu().contiguous().clone()
        for pair in pairs(model, vocab_size, vocab_size)
        for name, weight in zip(pair.theirs, pair.split(weights[pair.ours]), strict=True)
    }


def to_megatron(
    read: Callable[[str], Tensor], model: ModelSection, vocab_size: int, rows: int
) -> Iterator[tuple[str, Tensor]]:
    """Yield the whole model's weights under megatron's names, the vocabulary padded with zeros to ``rows`` rows.

    One at a time, as ``read`` gives Hugging Face's by name: a large model is never in memory twice.
    """
    for pair in pairs(model, vocab_size, rows):
        yield pair.ours, pair.join([read(name) for name in pair.theirs])


def pairs(model: ModelSection, vocab_size: int, rows: int) -> Iterator[Pair]:
    """Yield the table; megatron's vocabulary has ``rows`` rows, of which the first ``vocab_size`` are tokens."""
    yield _vocabulary("embedding.word_embeddings.weight", "model.embed_tokens.weight", vocab_size, rows)
    for layer in range(model.layers):
        yield from _layer(model, f"decoder.layers.{layer}.", f"model.layers.{layer}.")
    yield Pair("decoder.final_layernorm.weight", ("model.norm.weight",))
    if not model.tie_embeddings:
        yield _vocabulary("output_layer.weight", "lm_head.weight", vocab_size, rows)


def _vocabulary(ours: str, theirs: str, vocab_size: int, rows: int) -> Pair:
    def padded(weights: Sequence[Tensor]) -> Tensor:
        tokens = weights[0][:vocab_size]
        return torch.cat([tokens, tokens.new_zeros(rows - len(tokens), tokens.shape[1])])

    return Pair(ours, (theirs,), lambda weight: [weight[:vocab_size]], padded)


def _layer(model: ModelSection, ours: str, theirs: str) -> Iterator[Pair]:
    yield _attention(model, ours + "self_attention.linear_qkv.weight", theirs + "self_attn.")
    yield Pair(ours + "self_attention.linear_proj.weight", (theirs + "self_attn.o_proj.weight",))
    yield Pair(ours + "input_layernorm.weight", (theirs + "input_layernorm.weight",))
    yield Pair(ours + "pre_mlp_layernorm.weight", (theirs + "post_attention_layernorm.weight",))
    if not model.experts:
        yield from _feed_forward(ours + "mlp.", theirs + "mlp.", ("gate_proj", "up_proj", "down_proj"))
        return
    yield Pair(ours + "mlp.router.weight", (theirs + "block_sparse_moe.gate.weight",))
    for expert in range(model.experts):
        one, other = f"{ours}mlp.experts.local_experts.{expert}.", f"{theirs}block_sparse_moe.experts.{expert}."
        yield from _feed_forward(one, other, ("w1", "w3", "w2"))


def _attention(model: ModelSection, ours: str, theirs: str) -> Pair:
    """Return the projections: ``[groups·(queries + 2)·width, hidden]``, by group its queries, its key, its value."""
    groups, queries, width = model.kv_heads, model.heads // model.kv_heads, model.hidden // model.heads

    def split(fused: Tensor) -> list[Tensor]:
        by_group = fused.view(groups, queries + 2, width, model.hidden)
        return [part.reshape(-1, model.hidden) for part in (by_group[:, :-2], by_group[:, -2], by_group[:, -1])]

    def join(weights: Sequence[Tensor]) -> Tensor:
        return torch.cat([weight.view(groups, -1, width, model.hidden) for weight in weights], 1).flatten(0, 2)

    return Pair(ours, tuple(f"{theirs}{name}_proj.weight" for name in "qkv"), split, join)


def _feed_forward(ours: str, theirs: str, names: tuple[str, str, str]) -> Iterator[Pair]:
    """Yield gate and up, which the first matrix holds one after the other, and down."""
    gate, up, down = (f"{theirs}{name}.weight" for name in names)
    yield Pair(
        ours + "linear_fc1.weight", (gate, up), lambda weight: weight.chunk(2), lambda both: torch.cat(list(both))
    )
    yield Pair(ours + "linear_fc2.weight", (down,))
