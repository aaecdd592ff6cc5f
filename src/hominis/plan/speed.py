"""Seconds of an optimiser step: a sum of what a GPU does one after the other, each from sizes, peaks and bandwidths.

Matrix products at a share of the peak plus the traffic of their operands; attention; element-wise kernels by the bytes
that they move; collectives by volume and latency (arXiv:2104.04473, section 3); the pipeline's bubble (p - 1)/(v·m);
gradients and weights travelling among the data-parallel ranks, hidden in part; the optimiser's own traffic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hominis.plan import layer
from hominis.plan.constants import FITTED, Constants
from hominis.plan.memory import stage_weights
from hominis.plan.training import Layout, Training


@dataclass(frozen=True)
class Step:
    """Seconds of an optimiser step by what they are spent on. They follow each other: what is hidden isn't counted."""

    matmul: float
    attention: float
    elementwise: float
    recompute: float
    head: float
    tensor_parallel: float
    context_parallel: float
    experts: float
    pipeline: float
    bubble: float
    data_parallel: float
    optimiser: float

    @property
    def seconds(self) -> float:
        """Seconds of the whole step."""
        return float(sum(vars(self).values()))


def step(training: Training, layout: Layout, constants: Constants = FITTED) -> Step:
    """Return the seconds of an optimiser step."""
    shape, m = training.shape, layout.micro_batches(training.batch)
    forward, backward = layer.forward(training, layout, constants), layer.backward(training, layout, constants)
    again = layer.again(training, layout, constants)
    layers = shape.layers / layout.pp
    both = layers * (forward.seconds + backward.seconds + again)
    passes = m * layers
    return Step(
        matmul=passes * (forward.matmul + backward.matmul),
        attention=passes * (forward.attention + backward.attention),
        elementwise=passes * (forward.elementwise + backward.elementwise),
        recompute=passes * again,
        head=m * layer.head(training, layout, constants),
        tensor_parallel=passes * (forward.links + backward.links),
        context_parallel=passes * (forward.exchange + backward.exchange),
        experts=passes * (forward.experts + backward.experts),
        pipeline=m * _sending(training, layout, constants),
        bubble=(layout.pp - 1) / layout.vp * both,
        data_parallel=_reducing(training, layout, constants, layers * forward.seconds, layers * backward.seconds),
        optimiser=_updating(training, layout, constants),
    )


def _sending(training: Training, layout: Layout, constants: Constants) -> float:
    """Return the seconds in which a stage waits for a micro-batch's activations and gradients to travel on."""
    if layout.pp == 1:
        return 0.0
    gpu = training.gpu
    link = gpu.nvlink if training.gpus <= gpu.per_node else gpu.network
    size = 2 * layout.tokens(training.shape) * training.shape.hidden / layout.tp
    return constants.exposed * 2 * layout.vp * (size / (link * constants.links) + constants.latency)


def _reducing(training: Training, layout: Layout, constants: Constants, forward: float, backward: float) -> float:
    """Return the seconds by which gradients and new weights come late.

    Gradients (fp32) are scattered behind the last backward pass, weights gathered behind the first forward pass. A
    node's links to the network serve all its ranks of one group together, so a group with k ranks in a node has k
    GPUs' share of them.
    """
    ranks = layout.dp * layout.cp
    if ranks == 1:
        return 0.0
    gpu = training.gpu
    near = max(gpu.per_node // layout.tp, 1)
    link = gpu.nvlink if ranks <= near else min(gpu.network * near, gpu.nvlink)
    shared, experts = stage_weights(training.shape, layout, 0)
    travelling = (shared + experts) * (ranks - 1) / ranks / (link * constants.links)
    start = constants.latency * math.sqrt(ranks)
    late = max(4 * travelling - constants.overlap * backward, 0) + max(2 * travelling - constants.overlap * forward, 0)
    return late + 2 * start


def _updating(training: Training, layout: Layout, constants: Constants) -> float:
    """Return the seconds of AdamW: 30 bytes a weight of the rank's shard, and 12 of its gradient (zeroed, normed)."""
    shared, experts = stage_weights(training.shape, layout, 0)
    shard = shared / layout.shards + experts / max(layout.shards // layout.ep, 1)
    return (30 * shard + 12 * (shared + experts)) / (training.gpu.bandwidth * constants.memory)
