"""Locality-sensitive hashing of MinHash signatures: into how many bands of how many values a signature is cut."""

from __future__ import annotations

from itertools import accumulate
from math import comb

import numpy as np

MISSED = 0.05
"""Of pairs that are just similar enough, those that are taken for others: the price of precision."""


def best_bands(similarity: float, permutations: int, verify: bool) -> tuple[int, int]:
    """Return the bands and rows that catch pairs from ``similarity`` on best.

    Of all that fit into ``permutations``, those with the least weighted sum of the areas of false positives (below
    ``similarity``) and misses (above it) under the curve ``1 - (1 - s**rows)**bands`` (Leskovec, Rajaraman and Ullman
    2020, section 3.4). Both weigh the same, as in RedPajama-v2; with ``verify``, a false positive costs a comparison
    and a miss a duplicate, and the weights are 0.05 and 0.95.
    """
    miss = 0.95 if verify else 0.5
    grid = (np.arange(1000) + 0.5) / 1000
    below = grid < similarity
    choices = [
        (float(np.where(below, (1 - miss) * caught, miss * (1 - caught)).mean()), -bands * rows, bands, rows)
        for bands in range(1, permutations + 1)
        for rows in range(1, permutations // bands + 1)
        for caught in [1 - (1 - grid**rows) ** bands]
    ]
    return min(choices)[2:]


def needed_agreement(similarity: float, permutations: int) -> int:
    """Return on how many values two signatures must agree to count as similar: 19 of 20 pairs that are do.

    Values agree independently with the probability ``similarity``. At its mean, half of the pairs that are just as
    similar would be missed.
    """
    chances = (
        comb(permutations, agreeing) * similarity**agreeing * (1 - similarity) ** (permutations - agreeing)
        for agreeing in range(permutations + 1)
    )
    return next(agreeing for agreeing, below in enumerate(accumulate(chances)) if below >= MISSED)
