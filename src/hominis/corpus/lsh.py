"""Locality-sensitive hashing of MinHash signatures: candidate pairs, their check, and the groups that they form."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hominis.corpus.hashing import U64, Positions, splitmix64

Signatures = npt.NDArray[np.uint32]

WINDOW = 16
"""In a bucket, each document is paired with this many that follow it: a bucket of n costs at most 16 n pairs."""

_CHUNK = 1 << 14


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


def candidates(signatures: Signatures, bands: int, rows: int) -> npt.NDArray[np.int64]:
    """Return pairs (lower, higher) of documents that agree on all values of a band, shape (pairs, 2), ascending."""
    found = [_neighbours(_band_keys(signatures[:, band * rows : (band + 1) * rows])) for band in range(bands)]
    return np.unique(np.concatenate(found), axis=0)


def agreeing(signatures: Signatures, pairs: npt.NDArray[np.int64], similarity: float) -> npt.NDArray[np.bool_]:
    """Return which pairs' signatures agree on at least the share ``similarity`` of their values: shape (pairs,)."""
    share = np.empty(len(pairs))
    for begin in range(0, len(pairs), _CHUNK):
        left, right = pairs[begin : begin + _CHUNK].T
        share[begin : begin + _CHUNK] = (signatures[left] == signatures[right]).mean(axis=1)
    return np.asarray(share >= similarity)


def groups(pairs: npt.NDArray[np.int64], documents: int) -> Positions:
    """Return for each document the lowest one that it is connected with, itself if none: shape (documents,)."""
    from scipy.sparse import coo_array  # type: ignore[import-untyped]
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    edges = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(documents, documents))
    count, label = connected_components(edges, directed=False)
    lowest = np.full(count, documents, dtype=np.int64)
    np.minimum.at(lowest, label, np.arange(documents))
    return np.asarray(lowest[label])


def _band_keys(values: Signatures) -> U64:
    keys = np.zeros(len(values), dtype=np.uint64)
    for column in values.T:
        keys = splitmix64(keys ^ column.astype(np.uint64))
    return keys


def _neighbours(keys: U64) -> npt.NDArray[np.int64]:
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for distance in range(1, min(WINDOW, len(keys) - 1) + 1):
        same = np.flatnonzero(ordered[distance:] == ordered[:-distance])
        if not same.size:
            break
        pairs.append(np.stack([order[same], order[same + distance]], axis=1))
    return np.concatenate(pairs)
