"""Seconds of one layer for one micro-batch on one rank, forward and backward, and of the output layer with the loss."""

from __future__ import annotations

from dataclasses import dataclass

from hominis.plan.constants import Constants
from hominis.plan.training import Layout, Training

KERNELS = 14
"""Kernels that a layer starts in its forward pass; the backward pass starts twice as many."""
SCORE_BYTES = 12
"""Bytes moved for a score of unfused attention: written, masked and softmaxed, dropped out, read (fp16, forward)."""
LOSS_BYTES = 24
"""Bytes moved for a logit: written, read in fp32 for its maximum, exponential and sum, and for its gradient."""


@dataclass(frozen=True)
class Pass:
    """Seconds of one layer for one micro-batch, forward or backward."""

    matmul: float
    attention: float
    elementwise: float
    links: float
    exchange: float
    experts: float

    @property
    def seconds(self) -> float:
        """Seconds of the whole layer."""
        return float(sum(vars(self).values()))


def forward(training: Training, layout: Layout, constants: Constants) -> Pass:
    """Return the seconds of a layer's forward pass."""
    return _pass(training, layout, constants, backward=False)


def backward(training: Training, layout: Layout, constants: Constants) -> Pass:
    """Return the seconds of a layer's backward pass: two products for one, the rest about twice as much."""
    return _pass(training, layout, constants, backward=True)


def again(training: Training, layout: Layout, constants: Constants) -> float:
    """Return the seconds for computing again what wasn't kept: nothing, attention or the whole forward pass."""
    if layout.recompute == "none":
        return 0.0
    whole = forward(training, layout, constants)
    return whole.seconds if layout.recompute == "full" else whole.attention


def head(training: Training, layout: Layout, constants: Constants) -> float:
    """Return the seconds of the output layer and the loss for a micro-batch, forward and backward."""
    tokens, columns = layout.tokens(training.shape), training.shape.vocabulary / layout.tp
    products = sum(_product(training, constants, tokens, training.shape.hidden, columns, 1, at) for at in (False, True))
    return products + tokens * columns * LOSS_BYTES / _moving(training, constants)


def _pass(training: Training, layout: Layout, constants: Constants, *, backward: bool) -> Pass:
    times = 2 if backward else 1
    matmul = _matmul(training, layout, constants, backward)
    attention = _attention(training, layout, constants, backward)
    elementwise = times * _elementwise(training, layout) / _moving(training, constants)
    idle = max(times * KERNELS * constants.launch - matmul - attention - elementwise, 0)
    return Pass(
        matmul=matmul,
        attention=attention,
        elementwise=elementwise + idle,
        links=_links(training, layout, constants),
        exchange=max(times * _exchange(training, layout, constants) - attention, 0),
        experts=_dispatch(training, layout, constants),
    )


def _moving(training: Training, constants: Constants) -> float:
    return training.gpu.bandwidth * constants.memory


def _matmul(training: Training, layout: Layout, constants: Constants, backward: bool) -> float:
    """Return the seconds of a layer's matrix products."""
    shape, t, tokens = training.shape, layout.tp, layout.tokens(training.shape)
    h, seen = shape.hidden, max(shape.experts_per_token, 1)
    here = shape.experts / layout.ep if shape.experts else 1
    products = (
        (tokens, h, (h + 2 * shape.kv_width) / t, 1.0),
        (tokens, h / t, h, 1.0),
        (tokens * seen / here, h, shape.up_width / t, here),
        (tokens * seen / here, shape.ffn / t, h, here),
    )
    return sum(_product(training, constants, m, k, n, count, backward) for m, k, n, count in products)


def _product(
    training: Training, constants: Constants, m: float, k: float, n: float, count: float, backward: bool
) -> float:
    """Return the seconds of ``count`` products of m x k by k x n, or of the two that make up their backward pass.

    The gradient of the weights is added to a buffer in fp32, read and written.
    """
    fp8 = training.precision == "fp8"
    wide = 4 if training.precision == "fp32" else 2
    operand = 1 if fp8 else wide
    rate = training.gpu.peak[training.precision] * constants.share(training.gpu.architecture, training.precision)
    traffic = operand * (m * k + k * n) + wide * m * n
    if backward:
        traffic = operand * (2 * m * n + m * k + k * n) + wide * m * k + 8 * k * n
    return count * ((4 if backward else 2) * m * k * n / rate + traffic / _moving(training, constants))


def _attention(training: Training, layout: Layout, constants: Constants, backward: bool) -> float:
    """Return the seconds of scores, softmax and their product with the values.

    Fused: half the matrix, five products backward for two forward (arXiv:2307.08691). Unfused: the whole matrix, and
    every score goes to memory and back.
    """
    shape, gpu, tokens = training.shape, training.gpu, layout.tokens(training.shape)
    peak = gpu.peak["fp32" if training.precision == "fp32" else "bf16"]
    flops = 4 * tokens * shape.sequence * shape.hidden / layout.tp
    if training.flash:
        return flops / 2 * (2.5 if backward else 1) / (peak * constants.attention[gpu.architecture])
    scores = tokens * shape.sequence * shape.heads / layout.tp * SCORE_BYTES / _moving(training, constants)
    return (2 if backward else 1) * (flops / (peak * constants.share(gpu.architecture, "bf16")) + scores)


def _elementwise(training: Training, layout: Layout) -> float:
    """Return the bytes that norms, additions, rotations and the gate move in a forward pass (and casts to fp8)."""
    shape, t = training.shape, layout.tp
    wide = 4 if training.precision == "fp32" else 2
    seen = max(shape.experts_per_token, 1)
    split = t if layout.sequence_parallel else 1
    residual = 10 * shape.hidden * wide / split
    rotation = 2 * (shape.hidden + shape.kv_width) * wide / t
    gate = seen * (shape.up_width + shape.ffn) * wide / t
    casts = (
        4 * (shape.hidden * (1 + seen) + (shape.hidden + seen * shape.ffn) / t) if training.precision == "fp8" else 0
    )
    routing = 4 * seen * shape.hidden * wide if shape.experts else 0
    return layout.tokens(shape) * (residual + rotation + gate + casts + routing)


def _links(training: Training, layout: Layout, constants: Constants) -> float:
    """Return the seconds of two all-reduces over the tensor-parallel ranks (or gather and scatter: the same volume)."""
    if layout.tp == 1:
        return 0.0
    gpu = training.gpu
    link = (gpu.nvlink if layout.tp <= gpu.per_node else gpu.network) * constants.links
    wide = 4 if training.precision == "fp32" else 2
    volume = 2 * (layout.tp - 1) / layout.tp * layout.tokens(training.shape) * training.shape.hidden * wide
    return constants.exposed * 2 * (volume / link + constants.latency)


def _exchange(training: Training, layout: Layout, constants: Constants) -> float:
    """Return the seconds in which keys and values go round the context-parallel ranks; attention hides them."""
    if layout.cp == 1:
        return 0.0
    gpu = training.gpu
    link = (gpu.nvlink if layout.tp * layout.cp <= gpu.per_node else gpu.network) * constants.links
    size = 2 * 2 * layout.tokens(training.shape) * training.shape.kv_width / layout.tp
    return (layout.cp - 1) * (size / link + constants.latency)


def _dispatch(training: Training, layout: Layout, constants: Constants) -> float:
    """Return the seconds in which tokens go to their experts and back."""
    shape, gpu = training.shape, training.gpu
    if layout.ep == 1:
        return 0.0
    link = (gpu.nvlink if layout.tp * layout.ep <= gpu.per_node else gpu.network) * constants.links
    size = 2 * shape.experts_per_token * layout.tokens(shape) * shape.hidden / layout.tp * (layout.ep - 1) / layout.ep
    return 2 * (size / link + constants.latency)
