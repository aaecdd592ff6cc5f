"""How large a vocabulary is best for a model: Tao et al. 2024, "Scaling Laws with Vocabulary" (arXiv:2407.13623).

The constants are those released with the paper (github.com/sail-sg/scaling-with-vocab).
"""

from __future__ import annotations

import math

from hominis.plan.scaling import Size


def vocabularies(size: Size, tokens: float) -> dict[str, float]:
    """Return the best number of vocabulary entries for a model, by the paper's three approaches.

    The first two assume that tokens grow with the model as is best; the third takes the run's tokens. Parameters of the
    vocabulary are counted once, as with tied embeddings.
    """
    inner = size.inner
    by_compute = math.exp(-1.589031299255507) * _tao_compute(inner) ** 0.4163622634135234
    by_slope = 3_145_728 * (inner / 33e6) ** 0.8353974035228025
    by_loss = _tao_loss(inner, 6 * size.parameters * tokens)
    named = {"IsoFLOPs": by_compute, "derivative": by_slope, "loss at these tokens": by_loss}
    return {name: parameters / size.hidden for name, parameters in named.items()}


def _tao_compute(inner: float) -> float:
    """Return the FLOPs for which a model of ``inner`` parameters is the best."""
    return (inner / math.exp(-2.4846510161625193)) ** 2


def _tao_loss(inner: float, compute: float) -> float:
    """Return the vocabulary's parameters at which the loss has its minimum: where its slope changes its sign.

    In the units of the fit: parameters in millions, tokens in 1e9.
    """
    a, alpha, b, beta = 0.19584238398665638, 0.6707374679896795, 2.1241123120064955, 0.44660634152009615
    rest, billions = inner / 1e6, compute / 6e15
    low, high = 1e-3, 1e7
    for _ in range(120):
        here = math.sqrt(low * high)
        tokens = billions / (rest + here)
        slope = beta * b / (rest + here) / tokens**beta - alpha * a / here ** (alpha + 1)
        low, high = (here, high) if slope < 0 else (low, here)
    return low * 1e6
