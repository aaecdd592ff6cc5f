"""Arithmetic on a model's shape: parameters and floating-point operations. Plain numbers, no framework."""

from __future__ import annotations

import math

from hominis.config.train import ModelSection

VOCABULARY_MULTIPLE = 128


def padded_vocabulary(vocab_size: int, tp: int) -> int:
    """Return the rows of the embedding: a multiple of 128 that the tensor-parallel ranks share evenly.

    The multiple doesn't depend on ``tp`` while ``tp`` divides 128, so that all such layouts train the same model.
    """
    multiple = math.lcm(VOCABULARY_MULTIPLE, tp)
    return -(-vocab_size // multiple) * multiple


def parameters(model: ModelSection, vocabulary: int) -> int:
    """Return the number of trained weights of ``model`` with ``vocabulary`` rows of embedding (padded ones included).

    A layer has the projections of queries and output (2·h²), of keys and values (2·h²·g/n), gate, up and down (3·h·f)
    and two norms (2·h); around them stand the embedding, the output layer unless tied, and the last norm.
    """
    h, kv_width = model.hidden, model.hidden * model.kv_heads // model.heads
    layer = 2 * h * h + 2 * h * kv_width + 3 * h * model.ffn + 2 * h
    return model.layers * layer + h + vocabulary * h * (1 if model.tie_embeddings else 2)


def step_flops(model: ModelSection, vocabulary: int, sequences: int) -> float:
    """Return the floating-point operations of one optimiser step over ``sequences`` sequences.

    Matrix products only, a multiply-add counted as two, the backward pass as twice the forward one, attention counted
    below the causal diagonal: 3·[L·(4·T·h·(h + h·g/n) + 2·T·s·h + 6·T·h·f) + 2·T·h·V]. This is the count of Narayanan
    et al., "Efficient Large-Scale Language Model Training on GPU Clusters Using Megatron-LM" (arXiv:2104.04473,
    appendix), with grouped queries, three feed-forward matrices and half the attention matrix.
    """
    t, h, s = sequences * model.sequence, model.hidden, model.sequence
    kv_width = h * model.kv_heads / model.heads
    layer = 4 * t * h * (h + kv_width) + 2 * t * s * h + 6 * t * h * model.ffn
    return 3.0 * (model.layers * layer + 2 * t * h * vocabulary)
