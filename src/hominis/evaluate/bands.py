"""Error bands: how far a score could lie from what more items would give."""

from __future__ import annotations

import math
from collections.abc import Sequence

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def wilson(passed: int, items: int) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    share, spread = passed / items, Z_95**2 / items
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 / (1 + spread) * math.sqrt(share * (1 - share) / items + spread / (4 * items))
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap(amounts: Sequence[float], sizes: Sequence[float], resamples: int, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile interval of ``sum(amounts) / sum(sizes)`` over resampled pairs (Efron 1979).

    Args:
        amounts: per document, what is counted (bits).
        sizes: per document, what it is counted over (bytes).
        resamples: how often documents are drawn with replacement, as many as there are.
        seed: of the draws.
    """
    import numpy as np

    over, under = np.asarray(amounts, float), np.asarray(sizes, float)
    draws = np.random.default_rng(seed)
    ratios = np.empty(resamples)
    for resample in range(resamples):
        drawn = draws.integers(0, len(over), len(over))
        ratios[resample] = over[drawn].sum() / under[drawn].sum()
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(low), float(high)
