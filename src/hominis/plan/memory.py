"""Bytes of a GPU, by part, for a layout: the worst of the pipeline's stages.

Weights, gradients and optimiser as megatron-core's buffers hold them; activations after Korthikanti et al.,
"Reducing Activation Recomputation in Large Transformer Models" (arXiv:2205.05198, section 4), with grouped queries,
gate, experts, rotary positions and fused attention put in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hominis.plan.hardware import GIB
from hominis.plan.shapes import Shape
from hominis.plan.training import Layout, Training

CONTEXT = 0.9 * GIB
"""CUDA context, its modules and cuBLAS's workspaces: 0.6 to 1.2 GiB on A100 and H100."""
COMMUNICATORS = 0.25 * GIB
"""NCCL's buffers and channels, for each group of ranks that a rank is in."""
FRAGMENTATION = 0.04
"""Share of what torch's allocator hands out that it can't use: 1 to 8 % with expandable segments."""
SPREAD = 0.06
"""Relative half-width of the range: kernels and versions keep some tensors more or fewer."""


@dataclass(frozen=True)
class Memory:
    """Bytes of a GPU by part. ``transient`` is what lives only while one layer or the loss is computed."""

    weights: float
    gradients: float
    optimiser: float
    activations: float
    transient: float
    framework: float

    @property
    def total(self) -> float:
        """Bytes at the peak of a step."""
        return float(sum(vars(self).values()))

    @property
    def low(self) -> float:
        """The lower end of what may be expected."""
        return self.total * (1 - SPREAD)

    @property
    def high(self) -> float:
        """The higher end of what may be expected."""
        return self.total * (1 + SPREAD)


def memory(training: Training, layout: Layout) -> Memory:
    """Return the bytes of the GPU that needs most: the first stage holds most activations, the last the loss."""
    stages = {0, layout.pp - 1}
    return max((stage_memory(training, layout, stage) for stage in stages), key=lambda one: one.total)


def stage_memory(training: Training, layout: Layout, stage: int) -> Memory:
    """Return the bytes of a GPU of pipeline stage ``stage``, counted from 0."""
    shared, experts = stage_weights(training.shape, layout, stage)
    kept = activations(training, layout, stage)
    passing = transient(training, layout, stage)
    standing = _states(training, layout, shared, experts)
    groups = 1 + sum(size > 1 for size in (layout.tp, layout.pp, layout.cp, layout.ep, layout.dp))
    used = sum(standing) + kept + passing
    framework = (CONTEXT + COMMUNICATORS * groups + FRAGMENTATION * used) if training.gpu.memory else 0
    return Memory(*standing, kept, passing, framework)


def stage_weights(shape: Shape, layout: Layout, stage: int) -> tuple[float, float]:
    """Return the weights of a rank of ``stage``: those that all tokens see, and those of experts."""
    layers, last = math.ceil(shape.layers / layout.pp), stage == layout.pp - 1
    norms = 2 * shape.hidden
    router = shape.hidden * shape.experts
    layer = (shape.shared_weights - norms - router) / layout.tp + norms + router
    tables = int(stage == 0) + int(last) - int(shape.tied and layout.pp == 1)
    shared = layers * layer + tables * shape.embedding_weights / layout.tp + shape.hidden * int(last)
    return shared, layers * shape.experts * shape.expert_weights / (layout.tp * layout.ep)


def _states(training: Training, layout: Layout, shared: float, experts: float) -> tuple[float, float, float]:
    """Return bytes of weights, gradients and optimiser.

    Below fp32 the optimiser keeps fp32 weights of its own beside AdamW's two moments. fp8 products need each matrix
    in fp8 once as it is and once transposed, beside or (lean) instead of the one in bf16.
    """
    weights, fp32 = shared + experts, training.precision == "fp32"
    copies = 2 if training.precision == "fp8" and not training.lean else 0
    expert_shards = max(layout.shards // layout.ep, 1)
    state = (8 if fp32 else 12) * (shared / layout.shards + experts / expert_shards)
    return weights * ((4 if fp32 else 2) + copies), weights * (2 if training.lean else 4), state


def width(training: Training) -> int:
    """Return the bytes of an activation."""
    return 4 if training.precision == "fp32" else 2


def activations(training: Training, layout: Layout, stage: int) -> float:
    """Return the bytes that the forward passes in flight keep for their backward passes."""
    shape, last = training.shape, stage == layout.pp - 1
    passes = in_flight(layout, layout.micro_batches(training.batch), stage)
    layers = math.ceil(shape.layers / layout.pp)
    per_layer = layer_bytes(training, layout, layout.recompute) * layout.tokens(shape)
    head = _norm_bytes(training, layout) * layout.tokens(shape) * int(last)
    return passes * layers * per_layer + head


def in_flight(layout: Layout, micro_batches: int, stage: int) -> float:
    """Return how many micro-batches' activations of a whole stage are alive at once (1F1B, interleaved if vp > 1).

    Interleaved, a rank of p, v pieces each, runs 2·(p - stage - 1) + (v - 1)·p pieces ahead (arXiv:2104.04473).
    """
    behind = layout.pp - stage - 1
    if layout.vp == 1:
        return min(behind + 1, micro_batches)
    return min(2 * behind + (layout.vp - 1) * layout.pp + 1, micro_batches * layout.vp) / layout.vp


def layer_bytes(training: Training, layout: Layout, recompute: str) -> float:
    """Return the bytes a token that a layer keeps for its backward pass."""
    shape, wide, t = training.shape, width(training), layout.tp
    split = t if layout.sequence_parallel else 1
    if recompute == "full":
        return wide * shape.hidden / split
    linear = 1 if training.precision == "fp8" else wide
    seen = max(shape.experts_per_token, 1)
    norms = 2 * _norm_bytes(training, layout) + (2 * shape.hidden / split if shape.dropout else 0)
    rotated = shape.hidden + shape.kv_width
    attention = (wide * (shape.hidden + 2 * shape.kv_width + rotated) + linear * shape.hidden) / t
    inside = shape.up_width if training.fused or not shape.gated else 2 * shape.up_width
    mlp = seen * (wide * inside + linear * shape.ffn) / t
    routed = 4 * seen * wide * shape.hidden / split if shape.experts else 0  # sorted, sent, computed, sent back
    return norms + attention + mlp + routed + _scores(training, layout, recompute)


def _scores(training: Training, layout: Layout, recompute: str) -> float:
    """Return what attention keeps a token beside its inputs: 4 bytes a head, or rows of matrices if it isn't fused."""
    shape, wide = training.shape, width(training)
    heads = shape.heads / layout.tp
    if recompute == "selective":
        return 0
    if training.flash:
        return 4 * heads
    dropped = wide + 1 if shape.dropout else 0
    softmax = wide if training.fused or wide == 4 else wide + 4
    return shape.sequence * heads * (softmax + dropped)


def _norm_bytes(training: Training, layout: Layout) -> float:
    """Return the bytes a token of a norm: what went in and came out; unfused, fp32 copies of what went in."""
    shape, wide = training.shape, width(training)
    split = layout.tp if layout.sequence_parallel else 1
    linear = 1 if training.precision == "fp8" else wide
    inner = wide if training.fused else 8
    return shape.hidden * (inner + linear) / split


def transient(training: Training, layout: Layout, stage: int) -> float:
    """Return the bytes alive only while the loss, or a layer's backward pass, is computed: the larger of the two.

    Beside what the loss keeps there are the logits and their gradient.
    """
    shape, wide, tokens = training.shape, width(training), layout.tokens(training.shape)
    logits = tokens * shape.vocabulary / layout.tp
    loss = loss_bytes(training, layout) + 2 * wide * logits if stage == layout.pp - 1 else 0
    again = layer_bytes(training, layout, "none") if layout.recompute == "full" else 0
    gradients = (
        wide * (shape.up_width + shape.ffn) * max(shape.experts_per_token, 1) / layout.tp + 2 * wide * shape.hidden
    )
    return max(loss, tokens * (again + gradients))


def loss_bytes(training: Training, layout: Layout) -> float:
    """Return the bytes that the loss keeps for its backward pass: a rank's piece of the vocabulary's odds in fp32."""
    return 4 * layout.tokens(training.shape) * training.shape.vocabulary / layout.tp
