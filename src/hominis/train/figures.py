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
    and two norms (2·h); of experts all three matrices each, and a router (h·experts). Around the layers stand the
    embedding, the output layer unless tied, and the last norm.
    """
    return _parameters(model, vocabulary, max(model.experts, 1))


def active_parameters(model: ModelSection, vocabulary: int) -> int:
    """Return the number of those weights that one token meets: all but the experts that it isn't sent to."""
    return _parameters(model, vocabulary, _feed_forwards(model))


def _parameters(model: ModelSection, vocabulary: int, feed_forwards: int) -> int:
    h, kv_width = model.hidden, model.hidden * model.kv_heads // model.heads
    layer = 2 * h * h + 2 * h * kv_width + feed_forwards * 3 * h * model.ffn + h * model.experts + 2 * h
    return model.layers * layer + h + vocabulary * h * (1 if model.tie_embeddings else 2)


def _feed_forwards(model: ModelSection) -> int:
    """Return how many feed-forwards of a layer a token passes through."""
    return model.experts_per_token if model.experts else 1


def step_flops(model: ModelSection, vocabulary: int, sequences: int) -> float:
    """Return the floating-point operations of one optimiser step over ``sequences`` sequences.

    Matrix products only, a multiply-add counted as two, the backward pass as twice the forward one, attention counted
    below the causal diagonal: 3·[L·(4·T·h·(h + h·g/n) + 2·T·s·h + k·6·T·h·f + 2·T·h·E) + 2·T·h·V], with k of E experts
    for a token (k = 1, E = 0 without). This is the count of Narayanan et al., "Efficient Large-Scale Language Model
    Training on GPU Clusters Using Megatron-LM" (arXiv:2104.04473, appendix), with grouped queries, three feed-forward
    matrices, a router and half the attention matrix.
    """
    t, h, s = sequences * model.sequence, model.hidden, model.sequence
    kv_width = h * model.kv_heads / model.heads
    layer = 4 * t * h * (h + kv_width) + 2 * t * s * h + _feed_forwards(model) * 6 * t * h * model.ffn
    router = 2 * t * h * model.experts
    return 3.0 * (model.layers * (layer + router) + 2 * t * h * vocabulary)
